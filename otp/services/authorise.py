"""Authorise a purchase or a transfer: one transaction checks all, consumes the code and moves the money.

At most four statements and one commit: the key, the card's lock, the look, the write (D4).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping

from sqlalchemy import Connection

from foundation.persian import TEHRAN
from otp.domain.action_codes import ActionCode, Reason
from otp.domain.authorisation import Decision, Destination, decide
from otp.domain.binding import Binding, TransactionType
from otp.domain.financial import PIN_DIGITS_LEAST, HostAnswer, MessageKey, Purchase
from otp.services.desk import Desk
from otp.services.judging import ceilings_of, facts_of
from otp.services.shown import Shown, aspects_of
from otp.store import accounts, authorisations
from otp.store.receivers import lock_cards

INSIDE = "400000"
PROCESSING_CODES = {
    TransactionType.PURCHASE: frozenset({"000000"}),
    TransactionType.BILL_PAYMENT: frozenset({"500000"}),
    TransactionType.CARD_TRANSFER: frozenset({INSIDE, "460000"}),
}
"""What this host executes, with the processing codes of each; :data:`INSIDE` moves money between its own cards."""

_APPROVAL_CODES = 1_000_000


def authorise(desk: Desk, purchase: Purchase) -> HostAnswer:
    """Decide a purchase or transfer and answer it; asked again under the same key, give the first answer (D9).

    A decline is a committed result: its counters stay (D4).
    """
    token = desk.card_token(purchase.pan)
    intent = authorisations.Intent(
        key=purchase.key,
        request_hash=request_hash(purchase, token, _destination_token(desk, purchase)),
        sent_at=purchase.sent_at,
        amount_rial=purchase.total.amount,
        fee_rial=purchase.fee.amount,
        transaction_ref=purchase.transaction_ref,
        kind=_kind(purchase),
    )
    with desk.database.begin() as connection:
        authorisation_id = authorisations.insert_purchase(connection, intent)
        if authorisation_id is None:
            return answer_again(connection, purchase.key, intent.request_hash)
        return _decide_and_write(desk, connection, purchase, token, authorisation_id)


def request_hash(purchase: Purchase, card_token: bytes, destination_token: bytes = b"") -> bytes:
    """Hash what makes a repeated key the same request: card, DE 3, 4, 42, 43, payee key and destination (D9)."""
    parts = (
        card_token.hex(),
        purchase.processing_code,
        str(purchase.total.amount),
        purchase.merchant_id,
        purchase.payee_name,
        purchase.payee_key,
        *((destination_token.hex(),) if destination_token else ()),
    )
    return hashlib.sha256("\x00".join(parts).encode()).digest()


def answer_again(connection: Connection, key: MessageKey, asked: bytes) -> HostAnswer:
    """Answer a message whose key is taken, or whose DE 12 is more than a day off (D9)."""
    first = authorisations.read(connection, key)
    if first is None:
        return HostAnswer(ActionCode.TIME_OFF)
    if first.state == "tombstone":
        return HostAnswer(ActionCode.REVERSAL_CAME_FIRST)
    if not hmac.compare_digest(first.request_hash, asked):
        return HostAnswer(ActionCode.KEY_REUSED)
    return HostAnswer(first.action_code, first.approval_code, first.capture_date)


def _decide_and_write(
    desk: Desk, connection: Connection, purchase: Purchase, token: bytes, authorisation_id: int
) -> HostAnswer:
    card_id, destination = _lock(desk, connection, purchase, token)
    shown = _shown(desk, purchase, token, destination)
    account = accounts.read_account(connection, card_id, shown.references, shown.macs, ceilings_of(desk.limits))
    decision = decide(facts_of(desk, shown, account))
    answer = _answer(decision, account.now, authorisation_id)
    accounts.write_decision(
        connection,
        decision,
        answer,
        authorisation_id=authorisation_id,
        card_id=card_id,
        acquirer_id=purchase.key.acquirer_id,
    )
    return answer


def _kind(purchase: Purchase) -> str:
    return "transfer" if purchase.type_word == TransactionType.CARD_TRANSFER else "purchase"


def _destination_token(desk: Desk, purchase: Purchase) -> bytes:
    return desk.card_token(purchase.destination) if purchase.processing_code == INSIDE else b""


def _lock(
    desk: Desk, connection: Connection, purchase: Purchase, token: bytes
) -> tuple[int | None, Destination | None]:
    """Hold the card that pays and, of a transfer inside the bank, the other one too: two cards in one statement."""
    if purchase.processing_code != INSIDE:
        return accounts.lock_card(connection, token), None
    wanted = _destination_token(desk, purchase)
    cards = lock_cards(connection, [token, wanted])
    source, other = cards.get(token), cards.get(wanted)
    able = other is not None and other.may_be_sent_money and wanted != token
    return (
        None if source is None else source.card_id,
        None if other is None else Destination(other.card_id, able=able),
    )


def _shown(desk: Desk, purchase: Purchase, token: bytes, destination: Destination | None) -> Shown:
    return Shown(
        pan=purchase.pan,
        expiry=purchase.expiry,
        cvv2=purchase.cvv2,
        macs=_macs(desk, purchase, token),
        by_proof=purchase.proof is not None,
        acquirer_id=purchase.key.acquirer_id,
        type_word=purchase.type_word,
        total=purchase.total,
        fee=purchase.fee,
        aspects=_aspects(purchase),
        refused=_refusal(purchase),
        pin=purchase.pin,
        static_allowed=purchase.type_word != TransactionType.CARD_TRANSFER,
        inside=purchase.processing_code == INSIDE,
        destination=destination,
    )


def _macs(desk: Desk, purchase: Purchase, token: bytes) -> tuple[bytes, ...]:
    if purchase.proof is not None:
        return desk.proof_macs(token, purchase.key.acquirer_id, purchase.proof)
    code = "" if purchase.pin is None else purchase.pin.reveal()
    return desk.code_macs(token, code) if len(code) >= PIN_DIGITS_LEAST else ()


def _aspects(purchase: Purchase) -> Mapping[tuple[str, ...], Binding]:
    """Rebuild the binding from the message alone (D5); a fee above the total can be bound to nothing."""
    if purchase.fee > purchase.total:
        return {}
    binding = Binding(
        type=TransactionType(purchase.type_word),
        amount=purchase.total - purchase.fee,
        fee=purchase.fee,
        acquirer_id=purchase.key.acquirer_id,
        merchant_id=purchase.merchant_id,
        terminal_id=purchase.key.terminal_id.rstrip(),
        payee_name=purchase.payee_name,
        payee_key=purchase.payee_key,
        transaction_ref=purchase.transaction_ref,
    )
    return aspects_of(binding)


def _refusal(purchase: Purchase) -> Reason | None:
    """Say what this host refuses about the message itself, before it looks at any card."""
    if purchase.processing_code not in PROCESSING_CODES.get(TransactionType(purchase.type_word), ()):
        return Reason.NOT_SUPPORTED
    pinless = purchase.pin is None and purchase.proof is None
    return Reason.PIN_BLOCK_REFUSED if pinless and purchase.pan is not None else None


def _answer(decision: Decision, now: dt.datetime, authorisation_id: int) -> HostAnswer:
    return approval(now, authorisation_id) if decision.debit else HostAnswer(decision.action_code)


def approval(now: dt.datetime, authorisation_id: int) -> HostAnswer:
    """Return the answer to a purchase or transfer that was paid, with its approval code and capture date."""
    return HostAnswer(
        ActionCode.APPROVED,
        approval_code=approval_code(authorisation_id),
        capture_date=now.astimezone(TEHRAN).strftime("%m%d"),
    )


def approval_code(authorisation_id: int) -> str:
    """Return DE 38 of an authorisation that moved money."""
    return f"{authorisation_id % _APPROVAL_CODES:06}"
