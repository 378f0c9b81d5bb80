"""Judge a card in a machine: one transaction checks the first PIN and, where money is asked for, takes it.

Four statements and one commit, as a purchase on the net has: the key, the card's lock, the look, the write (D4, D9).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from sqlalchemy import Connection

from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.action_codes import Reason
from otp.domain.app_code import STEP_SECONDS, Purpose, code_key
from otp.domain.device import Clockwork, DeviceState, wrong_code
from otp.domain.expiry import is_past
from otp.domain.financial import CardPresent, HostAnswer
from otp.domain.first_pin import (
    STATIC_DIGITS,
    WRONG,
    Match,
    PresentCard,
    PresentDecision,
    PresentFacts,
    decide_present,
    is_dynamic,
    match_code,
)
from otp.domain.pairing import Kept, kept_place
from otp.services.authorise import answer_again, approval
from otp.services.desk import Desk
from otp.services.fresh_pins import keep_under_present_key
from otp.store import accounts, authorisations, present_cards
from otp.store.pins import PinKind
from otp.store.present_cards import Present, Writing

PROCESSING_CODES = {True: "000000", False: "710000"}
"""DE 3 where money is asked for, and where it is not."""


def judge_present_card(desk: Desk, asked: CardPresent) -> HostAnswer:
    """Decide and answer; asked again under the same key, give the first answer, and no try is counted (D9)."""
    tokens = desk.card_tokens(asked.pan)
    hashes = [_request_hash(asked, token) for token in tokens]
    intent = authorisations.Intent(
        key=asked.key,
        request_hash=hashes[0],
        sent_at=asked.sent_at,
        amount_rial=asked.total.amount,
        fee_rial=asked.fee.amount,
        transaction_ref=None,
        kind="purchase" if asked.money else "pin_check",
    )
    with desk.database.begin() as connection:
        authorisation_id = authorisations.insert_purchase(connection, intent)
        if authorisation_id is None:
            return answer_again(connection, asked.key, hashes)
        return _decide_and_write(desk, connection, asked, tokens, authorisation_id)


def _request_hash(asked: CardPresent, card_token: bytes) -> bytes:
    amounts = f"{asked.total.amount}|{asked.fee.amount}"
    parts = ("present", card_token.hex(), asked.processing_code, amounts, asked.merchant_id, asked.payee_name)
    return hashlib.sha256("\x00".join(parts).encode()).digest()


def _decide_and_write(
    desk: Desk, connection: Connection, asked: CardPresent, tokens: Sequence[bytes], authorisation_id: int
) -> HostAnswer:
    card = accounts.lock_card(connection, tokens)
    charges = desk.wrong_charges(card.name, asked.key.acquirer_id, asked.key.terminal_id)
    present = present_cards.read(connection, card.card_id, charges)
    match = _match(desk, asked, card.name, present)
    decision = decide_present(_facts(desk, asked, present, match))
    paid = bool(decision.debit)
    answer = approval(present.now, authorisation_id) if paid else HostAnswer(decision.action_code)
    approved = paid or (not asked.money and decision.reason is Reason.APPROVED)
    present_cards.write(
        connection,
        Writing(
            authorisation_id=authorisation_id,
            card_id=card.card_id,
            acquirer_id=asked.key.acquirer_id,
            decision=decision,
            answer=answer,
            approved=approved,
            card_ref=present.card_ref,
            device_id=present.device_id,
            charges=charges,
            mistaken=_mistaken(asked, present, decision),
        ),
    )
    if approved and present.card is not None and asked.pin is not None and not is_dynamic(asked.pin):
        keep_under_present_key(desk.keys, connection, card, PinKind.FIRST, asked.pin, present.card.first_pin_key)
    return answer


def _facts(desk: Desk, asked: CardPresent, present: Present, match: Match) -> PresentFacts:
    row = present.card
    card = None
    if row is not None and asked.pan is not None:
        card = PresentCard(
            active=row.status == "active",
            expired=is_past(row.expiry, present.now.astimezone(TEHRAN).date()),
            failures=row.first_pin_failures,
            locked_until=row.first_pin_locked_until,
            balance=Rial(row.balance_rial),
        )
    return PresentFacts(
        now=present.now,
        money=asked.money,
        total=asked.total,
        fee=asked.fee,
        limits=desk.limits,
        spent_today=Rial(present.spent_rial),
        card=card,
        match=match,
        refused=_refusal(asked, present),
    )


def _refusal(asked: CardPresent, present: Present) -> Reason | None:
    """Say what is refused about the message itself or its terminal (D20), before any card is looked at."""
    if not asked.trusted or asked.processing_code != PROCESSING_CODES[asked.money]:
        return Reason.NOT_SUPPORTED
    if asked.pin is None and asked.pan is not None:
        return Reason.PIN_BLOCK_REFUSED
    return None if present.retry_after is None else Reason.TOO_MANY_WRONG


def _match(desk: Desk, asked: CardPresent, name: bytes, present: Present) -> Match:
    if asked.pin is None or present.card is None:
        return WRONG
    if is_dynamic(asked.pin):
        return _match_code(desk, asked.pin, present)
    typed, kept = asked.pin.reveal(), present.card.first_pin_mac
    macs = desk.pin_macs(name, asked.pin) if len(typed) == STATIC_DIGITS else ()
    return Match(right=kept is not None and any(hmac.compare_digest(kept, mac) for mac in macs))


def _match_code(desk: Desk, typed: Sensitive[str], present: Present) -> Match:
    if present.card_ref is None or present.device_id is None or present.code_root_sealed is None:
        return WRONG
    place = kept_place(Kept.CODE_ROOT, present.device_id)
    root = Sensitive(desk.keys.open(present.code_root_sealed, bound_to=place))
    key = code_key(root, Purpose.FIRST, present.card_ref)
    clock = Clockwork(present.last_first_step or 0, present.drift_steps or 0)
    return match_code(key, typed, int(present.now.timestamp()) // STEP_SECONDS, clock)


def _mistaken(asked: CardPresent, present: Present, decision: PresentDecision) -> DeviceState | None:
    """Say what a wrong code of the app leaves its device in; only six digits can be meant for one (D23)."""
    wrong = decision.reason is Reason.CODE_WRONG and asked.pin is not None and is_dynamic(asked.pin)
    if not wrong or present.device_id is None:
        return None
    return wrong_code(DeviceState.ACTIVE, present.wrong_codes or 0)
