"""Somebody sends money from card to card: whose card is it, what does it cost, may it be (D7, D28)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from foundation.pan import Pan
from foundation.rial import Rial
from gateway.domain import purposes
from gateway.domain.errors import DuplicateOrder, GatewayError, RealCardInSandbox, RequestInProgress, UnknownIssuer
from gateway.domain.issuers import Issuer
from gateway.domain.limits import HOLDER_QUESTIONS_OF_CARD_DAY, HOLDER_QUESTIONS_PER_CARD_DAY
from gateway.domain.outcome import HolderNamed, HolderRefused, Unknown
from gateway.domain.references import new_order_id
from gateway.domain.transfer import card_name, limits_on, outside, transfer_fee
from gateway.domain.transfer_errors import (
    HolderNameOld,
    InvalidDestination,
    OtherSourceCard,
    TooManyHolderQuestions,
    TransferLimit,
)
from gateway.ports import HolderInquiry
from gateway.services.bills import terminal_caller
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Idempotency, first_answer, kept_under
from gateway.services.open_payment import OpenPurchase, PaymentRecord, values_of
from gateway.services.take_card import issuer_of, pan_hash
from gateway.store import attempts, payments
from gateway.store import transfers as store
from gateway.store.attempts import Submitted
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken
from gateway.store.payments import OrderTaken
from gateway.store.transfers import Question

PAGE = "/transfer"
"""Where people send money, below the gateway's own address."""

TOO_MANY_QUESTIONS = "121"
"""What a bank answers to more questions than it takes."""


@dataclass(frozen=True, slots=True)
class OpenTransfer:
    """What is asked for: whose card pays, whose gets the money, and how much without the fee."""

    source: Pan
    destination: Pan
    amount: Rial
    order_id: str
    callback_url: str
    description: str | None = None
    mobile: str | None = None


@dataclass(frozen=True, slots=True)
class _Ends:
    """Both banks, and both cards as they are counted."""

    source: Issuer
    destination: Issuer
    source_hash: bytes
    destination_hash: bytes

    @property
    def inside(self) -> bool:
        """Tell whether the money stays behind one link: one message is enough then."""
        return self.source.link_id == self.destination.link_id


def open_transfer(
    gateway: Gateway, caller: Caller, wanted: OpenTransfer, idempotency: Idempotency | None
) -> PaymentRecord:
    """Ask whose card the destination is and open the payment; the same key with the same body gets the first answer.

    Raises:
        InvalidDestination: the source itself, no card that takes money, or a bank that does not answer.
        UnknownIssuer, RealCardInSandbox: the source card is not taken here.
        TransferLimit: the amount, or what the card has sent today, is outside the limits.
        TooManyHolderQuestions: this card, or for this destination, has asked too often today (D28).
        InvalidAmount, InvalidOrderId, InvalidCallback, InvalidText: a part of the request is outside its rules.
        IdempotencyMismatch, RequestInProgress, DuplicateOrder: as for a purchase.
    """
    if idempotency is not None:
        with gateway.database.single() as connection:
            if (answer := first_answer(connection, caller, idempotency)) is not None:
                return PaymentRecord.of(answer)
    ends = _ends(gateway, wanted)
    values = _values(gateway, caller, wanted, ends) | kept_under(idempotency)
    holder = _holder(gateway, caller, wanted, ends)
    try:
        with gateway.database.single() as connection:
            return store.open_transfer(connection, values | {"holder_name": holder})
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except (KeyTaken, OrderTaken):
        pass
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return PaymentRecord.of(answer)
        raise DuplicateOrder(payments.of_order(connection, caller.terminal_id, wanted.order_id) or "a payment")


def open_own(gateway: Gateway, source: Pan, destination: Pan, amount: Rial) -> PaymentRecord:
    """Open a transfer for somebody on the gateway's own page; raises what :func:`open_transfer` does.

    Raises:
        LookupError: this gateway takes no transfers of its own.
    """
    caller = own_terminal(gateway)
    if caller is None:
        raise LookupError("set GATEWAY_TRANSFER_TERMINAL_ID to a terminal that may work")
    callback = gateway.settings.public_url + PAGE
    wanted = OpenTransfer(source, destination, amount, new_order_id("transfer"), callback)
    return open_transfer(gateway, caller, wanted, None)


def own_terminal(gateway: Gateway) -> Caller | None:
    """Return the gateway's own terminal for transfers, if there is one."""
    return terminal_caller(gateway, gateway.settings.transfer_terminal_id)


def submit(gateway: Gateway, page_token: str, values: dict[str, Any]) -> Submitted | None:
    """Commit the intent to pay a transfer, its card held while the day's limits are looked at; ``None`` as elsewhere.

    Raises:
        OtherSourceCard: fee and way were told for another card than this one.
        HolderNameOld: the holder's name was told too long ago to be believed.
        TransferLimit: the card has sent too much or too often today.
    """
    limits = limits_on(gateway.directory.today())
    with gateway.database.begin() as connection:
        store.hold_card(connection, values["pan_hash"])
        wish = store.wish(connection, page_token, values["pan_hash"])
        if wish is None:
            return None
        if not wish.same_card:
            raise OtherSourceCard
        if not wish.fresh:
            raise HolderNameOld
        so_far = store.so_far(connection, values["pan_hash"], wish.destination_hash)
        limit = outside(Rial(wish.amount_rial), so_far, limits)
        if limit is not None:
            raise TransferLimit(limit)
        return attempts.submit(connection, values, transfer=True)


def unless_other_card(
    gateway: Gateway, page_token: str, source_hash: bytes, limit: type[GatewayError]
) -> type[GatewayError]:
    """Return ``limit``, or that this is not the card which a transfer was begun with."""
    with gateway.database.single() as connection:
        wish = store.wish(connection, page_token, source_hash)
    return limit if wish is None or wish.same_card else OtherSourceCard


def open_destination(gateway: Gateway, payment_id: str, sealed: bytes) -> Pan:
    """Open a destination's card number; it opens for its own transfer only."""
    return Pan(gateway.keyring.open(sealed, bound_to=_place(payment_id)).decode())


def _place(payment_id: str) -> str:
    return f"transfer|pan|{payment_id}"


def _ends(gateway: Gateway, wanted: OpenTransfer) -> _Ends:
    source = issuer_of(gateway, wanted.source)
    source_hash, destination_hash = pan_hash(gateway, wanted.source), pan_hash(gateway, wanted.destination)
    if source_hash == destination_hash:
        raise InvalidDestination("same")
    try:
        destination = issuer_of(gateway, wanted.destination)
    except UnknownIssuer:
        raise InvalidDestination("unknown_issuer") from None
    except RealCardInSandbox:
        raise InvalidDestination("real") from None
    return _Ends(source, destination, source_hash, destination_hash)


def _values(gateway: Gateway, caller: Caller, wanted: OpenTransfer, ends: _Ends) -> dict[str, Any]:
    today = gateway.directory.today()
    with gateway.database.single() as connection:
        so_far = store.so_far(connection, ends.source_hash, ends.destination_hash)
    limit = outside(wanted.amount, so_far, limits_on(today))
    if limit is not None:
        raise TransferLimit(limit)
    purchase = OpenPurchase(wanted.amount, wanted.order_id, wanted.callback_url, wanted.description, wanted.mobile)
    values = values_of(gateway, caller, purchase)
    digits = wanted.destination.reveal()
    sealed = gateway.keyring.seal(purposes.ATTEMPT_PAN, digits.encode(), bound_to=_place(str(values["payment_id"])))
    return values | {
        "fee_rial": transfer_fee(wanted.amount, today, inside=ends.inside).amount,
        "payee_key": gateway.keyring.mac(purposes.PAN_HASH, f"payee|{digits}".encode()).hex(),
        "payee_name": card_name(digits[-4:]),
        "inside": ends.inside,
        "source_hash": ends.source_hash,
        "destination_hash": ends.destination_hash,
        "destination_sealed": sealed,
        "destination_masked": wanted.destination.masked,
        "destination_issuer_id": ends.destination.issuer_id,
    }


def _holder(gateway: Gateway, caller: Caller, wanted: OpenTransfer, ends: _Ends) -> str:
    """Ask the destination's bank for the holder's masked name; nothing is open meanwhile."""
    question = _question(gateway, caller, ends)
    asker = gateway.keyring.mac(purposes.PAN_HASH, f"asker|{wanted.source.reveal()}".encode()).hex()
    inquiry = HolderInquiry(question.trace, question.merchant_id, wanted.destination, asker)
    match gateway.switch.ask_holder(ends.destination, inquiry):
        case HolderNamed(name):
            return name
        case HolderRefused(action_code) if action_code == TOO_MANY_QUESTIONS:
            raise TooManyHolderQuestions
        case HolderRefused():
            raise InvalidDestination("refused")
        case Unknown():
            raise InvalidDestination("unavailable")


def _question(gateway: Gateway, caller: Caller, ends: _Ends) -> Question:
    with gateway.database.begin() as connection:
        question = store.count_question(
            connection, caller.terminal_id, source=ends.source_hash.hex(), destination=ends.destination_hash.hex()
        )
        above = question.of_asker > HOLDER_QUESTIONS_PER_CARD_DAY or question.of_card > HOLDER_QUESTIONS_OF_CARD_DAY
        if above:
            raise TooManyHolderQuestions  # rolls the counts back
    return question
