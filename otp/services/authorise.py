"""Authorise a purchase, a transfer or a balance: one transaction checks all, consumes the code and moves the money.

At most four statements and one commit: the key, the card's lock, the look, the write (D4).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.action_codes import ActionCode, Reason
from otp.domain.authorisation import Decision, decide
from otp.domain.binding import Binding, TransactionType
from otp.domain.financial import PIN_DIGITS_LEAST, HostAnswer, MessageKey, Purchase
from otp.domain.spending import Destination
from otp.services.desk import Desk
from otp.services.fresh_pins import keep_under_present_key
from otp.services.judging import ceilings_of, facts_of
from otp.services.shown import Shown, aspects_of
from otp.store import accounts, authorisations
from otp.store.accounts import HeldCard
from otp.store.pins import PinKind
from otp.store.receivers import lock_cards

INSIDE = "400000"
PROCESSING_CODES = {
    TransactionType.PURCHASE: frozenset({"000000"}),
    TransactionType.BILL_PAYMENT: frozenset({"500000"}),
    TransactionType.CARD_TRANSFER: frozenset({INSIDE, "460000"}),
    TransactionType.TOP_UP: frozenset({"520000"}),
    TransactionType.BALANCE_INQUIRY: frozenset({"310000"}),
}
"""What this host executes, with the processing codes of each; :data:`INSIDE` moves money between its own cards."""

_APPROVAL_CODES = 1_000_000
_KINDS = {TransactionType.CARD_TRANSFER: "transfer", TransactionType.BALANCE_INQUIRY: "balance"}
"""What is kept of the type; everything else takes money for goods."""


def authorise(desk: Desk, purchase: Purchase) -> HostAnswer:
    """Decide what is asked for and answer it; asked again under the same key, give the first answer (D9).

    A decline is a committed result: its counters stay (D4).
    """
    tokens = desk.card_tokens(purchase.pan)
    others = _destination_tokens(desk, purchase) or (b"",) * len(tokens)
    hashes = [request_hash(purchase, token, other) for token, other in zip(tokens, others, strict=True)]
    intent = authorisations.Intent(
        key=purchase.key,
        request_hash=hashes[0],
        sent_at=purchase.sent_at,
        amount_rial=purchase.total.amount,
        fee_rial=purchase.fee.amount,
        transaction_ref=purchase.transaction_ref,
        kind=_kind(purchase),
    )
    with desk.database.begin() as connection:
        authorisation_id = authorisations.insert_purchase(connection, intent)
        if authorisation_id is None:
            return answer_again(connection, purchase.key, hashes)
        return _decide_and_write(desk, connection, purchase, tokens, authorisation_id)


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


def answer_again(connection: Connection, key: MessageKey, hashes: Sequence[bytes]) -> HostAnswer:
    """Answer a message whose key is taken, or whose DE 12 is more than a day off (D9).

    It is the same request if it has one of ``hashes``: the first may have come before a change of the card's key.
    """
    first = authorisations.read(connection, key)
    if first is None:
        return HostAnswer(ActionCode.TIME_OFF)
    if first.state == "tombstone":
        return HostAnswer(ActionCode.REVERSAL_CAME_FIRST)
    if not any(hmac.compare_digest(first.request_hash, each) for each in hashes):
        return HostAnswer(ActionCode.KEY_REUSED)
    told = None if first.told_rial is None else Sensitive(Rial(first.told_rial))
    return HostAnswer(first.action_code, first.approval_code, first.capture_date, balance=told)


def _decide_and_write(
    desk: Desk, connection: Connection, purchase: Purchase, tokens: Sequence[bytes], authorisation_id: int
) -> HostAnswer:
    card, destination = _lock(desk, connection, purchase, tokens)
    shown = _shown(desk, purchase, card.name, destination)
    charges = desk.wrong_charges(card.name, purchase.key.acquirer_id, purchase.key.terminal_id)
    account = accounts.read_account(
        connection,
        card.card_id,
        shown.references,
        shown.macs,
        ceilings=ceilings_of(desk.limits),
        charges=charges,
    )
    facts = facts_of(desk, shown, account)
    decision = decide(facts)
    answer = _answer(decision, account.now, authorisation_id)
    writing = accounts.Writing(
        authorisation_id, card.card_id, purchase.key.acquirer_id, decision, answer, charges=charges
    )
    accounts.write_decision(connection, writing)
    if decision.approved and facts.static_right and account.card is not None and purchase.pin is not None:
        keep_under_present_key(desk.keys, connection, card, PinKind.STATIC, purchase.pin, account.card.static_pin_key)
    return answer


def _kind(purchase: Purchase) -> str:
    return _KINDS.get(TransactionType(purchase.type_word), "purchase")


def _destination_tokens(desk: Desk, purchase: Purchase) -> tuple[bytes, ...]:
    """Return the tokens of the other card of a transfer inside the bank, under the same keys as the first one's."""
    inside = purchase.processing_code == INSIDE
    return desk.card_tokens(purchase.destination) if inside and purchase.destination is not None else ()


def _lock(
    desk: Desk, connection: Connection, purchase: Purchase, tokens: Sequence[bytes]
) -> tuple[HeldCard, Destination | None]:
    """Hold the card that pays and, of a transfer inside the bank, the other one too: two cards in one statement."""
    if purchase.processing_code != INSIDE:
        return accounts.lock_card(connection, tokens), None
    wanted = _destination_tokens(desk, purchase)
    cards = lock_cards(connection, [*tokens, *wanted])
    source, other = (next((cards[each] for each in some if each in cards), None) for some in (tokens, wanted))
    able = other is not None and other.receiver.may_be_sent_money and not set(wanted) & set(tokens)
    return (
        HeldCard(None, tokens[0]) if source is None else HeldCard(source.receiver.card_id, source.name),
        None if other is None else Destination(other.receiver.card_id, able=able),
    )


def _shown(desk: Desk, purchase: Purchase, name: bytes, destination: Destination | None) -> Shown:
    return Shown(
        pan=purchase.pan,
        card_name=name,
        expiry=purchase.expiry,
        cvv2=purchase.cvv2,
        macs=_macs(desk, purchase, name),
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
        destination_tail=purchase.destination_tail,
    )


def _macs(desk: Desk, purchase: Purchase, name: bytes) -> tuple[bytes, ...]:
    if purchase.proof is not None:
        return desk.proof_macs(name, purchase.key.acquirer_id, purchase.proof)
    code = "" if purchase.pin is None else purchase.pin.reveal()
    return desk.code_macs(name, code) if len(code) >= PIN_DIGITS_LEAST else ()


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
    if not decision.approved:
        return HostAnswer(decision.action_code)
    return replace(approval(now, authorisation_id), balance=decision.balance)


def approval(now: dt.datetime, authorisation_id: int) -> HostAnswer:
    """Return the answer to what was approved, with its approval code and capture date."""
    return HostAnswer(
        ActionCode.APPROVED,
        approval_code=approval_code(authorisation_id),
        capture_date=now.astimezone(TEHRAN).strftime("%m%d"),
    )


def approval_code(authorisation_id: int) -> str:
    """Return DE 38 of an authorisation that was approved."""
    return f"{authorisation_id % _APPROVAL_CODES:06}"
