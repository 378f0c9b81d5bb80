"""Answer a text message of a holder: a code to the number on file, a sentence, or silence (D26).

At most four statements and one commit: the message itself, the locks of its sender's cards, the look, the write.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass

import structlog

from foundation.persian import TEHRAN
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.card import normalise_mobile
from otp.domain.code import NONCE_BYTES, derive_code, mac_input
from otp.domain.errors import InvalidMobile
from otp.domain.expiry import is_past
from otp.domain.inbound import (
    CANONICAL,
    CODE_DIGITS,
    NOTICES,
    TAIL_LONG,
    InboundCard,
    InboundDecision,
    InboundOutcome,
    LiveCode,
    decide,
)
from otp.domain.quotas import Charge, inbound_charges
from otp.services.bank import Bank
from otp.services.cards import lasting_mac, mobile_tokens, open_pan
from otp.services.judging import ceilings_of
from otp.store import inbound
from otp.store.inbound import Answering, SenderCard

log = structlog.get_logger()

_CODES = (InboundOutcome.CODE, InboundOutcome.SAME_CODE)
_SILENT = (InboundOutcome.STRANGER, InboundOutcome.TOO_SOON)


@dataclass(frozen=True, slots=True)
class InboundSms:
    """A message as its door read it.

    Args:
        provider: through whom it came.
        message_id: the provider's own name for it, if it has one; the same one again is the same message.
        sender: the number it says it comes from.
    """

    provider: str
    message_id: str | None
    sender: Sensitive[str]
    text: Sensitive[str]


def receive_sms(bank: Bank, message: InboundSms) -> str:
    """Do what a message asks for and return what became of it, for the log and for tests; never for its sender."""
    try:
        mobile = normalise_mobile(message.sender.reveal())
    except InvalidMobile:
        return InboundOutcome.STRANGER
    keys, tokens = bank.keys, mobile_tokens(bank.keys, mobile)
    token = lasting_mac(keys, purposes.MOBILE_TOKEN, mobile.encode())  # it counts on under this name while keys change
    said = lasting_mac(keys, purposes.MOBILE_TOKEN, token + message.text.reveal().encode())
    with bank.database.begin() as connection:
        kept_as = inbound.once(connection, message.provider, message.message_id, token, said)
        if kept_as is None:
            return "repeated"
        rows = inbound.cards_of(connection, tokens, ceilings_of(bank.settings.limits()))
        decision = _decision(bank, message, rows)
        answering = _answering(bank, message.provider, kept_as, decision, rows)
        outcome = inbound.answer(connection, answering, _charges(bank, decision, token, rows))
    bank.meters.inbound_sms.labels(outcome).inc()
    log.info("sms_received", provider=message.provider, outcome=outcome)
    if outcome not in _SILENT:
        bank.ring()
    return outcome


def _decision(bank: Bank, message: InboundSms, rows: list[SenderCard]) -> InboundDecision:
    if not rows:
        return InboundDecision(InboundOutcome.STRANGER)
    return decide(message.text.reveal(), [_card(bank, row) for row in rows], rows[0].now)


def _card(bank: Bank, row: SenderCard) -> InboundCard:
    live = None
    if row.challenge_id is not None and row.sent_at is not None and row.expires_at is not None:
        live = LiveCode(row.challenge_id, row.sent_at, row.expires_at)
    return InboundCard(
        card_id=row.card_id,
        pan_tail=open_pan(bank.keys, row.card_name, row.pan_sealed).reveal()[-TAIL_LONG:],
        active=row.sms_codes_active,
        usable=row.usable and not is_past(row.expiry, row.now.astimezone(TEHRAN).date()),
        ceiling_rial=row.ceiling_rial,
        live=live,
    )


def _answering(bank: Bank, provider: str, kept_as: str, decision: InboundDecision, rows: list[SenderCard]) -> Answering:
    card, keys = decision.card, bank.keys
    nonce, key_id = secrets.token_bytes(NONCE_BYTES), keys.active_id(purposes.CODE_DERIVE)
    code = derive_code(keys.material(key_id), nonce, CANONICAL, CODE_DIGITS)
    token = next((row.card_name for row in rows if card is not None and row.card_id == card.card_id), b"")
    return Answering(
        provider=provider,
        message_id=kept_as,
        outcome=decision.outcome,
        step=decision.outcome,
        card_id=None if card is None else card.card_id,
        resent=decision.resent,
        ended=decision.ended,
        notice=NOTICES.get(decision.outcome),
        correlation_id=str(uuid.uuid4()),
        nonce=nonce,
        code_mac=keys.mac(purposes.CODE_MAC, mac_input(token, code.reveal())),
        key_id=key_id,
        tries_max=bank.settings.tries_max,
        ceiling_rial=None if card is None else card.ceiling_rial,
    )


def _charges(bank: Bank, decision: InboundDecision, sender: bytes, rows: list[SenderCard]) -> tuple[Charge, ...]:
    """Count codes on the card, wrong digits and other answers on the sender; silence costs nothing."""
    if decision.outcome in _SILENT or decision.card is None:
        return ()
    if decision.outcome in _CODES:
        token = next(row.card_name for row in rows if row.card_id == decision.card.card_id)
        use, name = "code", token.hex()
    else:
        use, name = ("wrong_card" if decision.outcome is InboundOutcome.WRONG_CARD else "told"), sender.hex()
    return inbound_charges(use, name, sms_per_day=bank.settings.sms_per_day, shard=sender[0])
