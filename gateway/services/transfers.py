"""Somebody sends money from card to card on the gateway's own page, and any transfer's intent to pay (D7, D28)."""

from __future__ import annotations

from typing import Any

from foundation.rial import Rial
from gateway.domain.errors import GatewayError
from gateway.domain.references import new_order_id
from gateway.domain.transfer import Consent, limits_on, outside
from gateway.domain.transfer_errors import HolderNameOld, OtherPayee, OtherSourceCard, PayeeUnchecked, TransferLimit
from gateway.services.bills import terminal_caller
from gateway.services.gateway import Gateway
from gateway.services.open_payment import PaymentRecord, drawn
from gateway.services.payee import Sending, payee_of
from gateway.store import attempts
from gateway.store import transfers as store
from gateway.store.attempts import Submitted
from gateway.store.directory import Caller
from gateway.store.transfers import Wish

PAGE = "/transfer"
"""Where people send money, below the gateway's own address."""


def open_own(gateway: Gateway, sending: Sending) -> PaymentRecord:
    """Ask whose card the destination is and open a transfer for somebody on the gateway's own page.

    Raises:
        LookupError: this gateway takes no transfers of its own.
        InvalidDestination, UnknownIssuer, RealCardInSandbox, TransferLimit, HolderQuestionChallenged,
            TooManyHolderQuestions: as :func:`gateway.services.payee.payee_of`.
    """
    caller = own_terminal(gateway)
    if caller is None:
        raise LookupError("set GATEWAY_TRANSFER_TERMINAL_ID to a terminal that may work")
    values = drawn(gateway, caller) | {
        "order_id": new_order_id("transfer"),
        "callback_url": gateway.settings.public_url + PAGE,
    }
    values |= payee_of(gateway, caller.terminal_id, str(values["payment_id"]), sending)
    with gateway.database.single() as connection:
        return store.open_transfer(connection, values)


def own_terminal(gateway: Gateway) -> Caller | None:
    """Return the gateway's own terminal for transfers, if there is one."""
    return terminal_caller(gateway, gateway.settings.transfer_terminal_id)


def submit(gateway: Gateway, page_token: str, values: dict[str, Any], consent: Consent) -> Submitted | None:
    """Commit the intent to pay a transfer, its card held while the day's limits are looked at; ``None`` as elsewhere.

    Raises:
        OtherPayee: the payee was named anew since the sender's page was shown.
        OtherSourceCard: fee and way were told for another card than this one.
        HolderNameOld: the holder's name was told too long ago to be believed.
        PayeeUnchecked: the first transfer of this card to this destination needs the sender's tick.
        TransferLimit: the card has sent too much or too often today.
    """
    limits = limits_on(gateway.directory.today())
    with gateway.database.begin() as connection:
        store.hold_card(connection, values["pan_hash"], page_token)
        wish = store.wish(connection, page_token, values["pan_hash"])
        if wish is None:
            return None
        if (refusal := _refusal(wish, consent)) is not None:
            raise refusal
        so_far = store.so_far(connection, values["pan_hash"], wish.destination_hash)
        limit = outside(Rial(wish.amount_rial), so_far, limits)
        if limit is not None:
            raise TransferLimit(limit)
        return attempts.submit(connection, values, transfer=True)


def _refusal(wish: Wish, consent: Consent) -> GatewayError | None:
    rows = (
        (wish.reference != consent.naming, OtherPayee()),
        (not wish.same_card, OtherSourceCard()),
        (not wish.fresh, HolderNameOld()),
        (wish.first and not consent.checked, PayeeUnchecked()),
    )
    return next((error for holds, error in rows if holds), None)


def unless_other_card(
    gateway: Gateway, page_token: str, source_hash: bytes, limit: type[GatewayError]
) -> type[GatewayError]:
    """Return ``limit``, or that this is not the card which a transfer was begun with."""
    with gateway.database.single() as connection:
        wish = store.wish(connection, page_token, source_hash)
    return limit if wish is None or wish.same_card else OtherSourceCard
