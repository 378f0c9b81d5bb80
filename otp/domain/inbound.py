"""Ramznegar by text message: who texts the last four digits of a card gets a code, on the number on file (D26).

The sender's number is a hint and no proof, so nothing is ever told to it: whatever is answered goes to the number that
the bank has on file, and that is the sender's only where the sender is genuine.

>>> digits_of("۱۲۳۴"), digits_of("12 34"), digits_of("6219-8610-3452-9007"), digits_of("salam")
('1234', '1234', '529007', None)
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundation.digits import to_ascii_digits
from otp.domain.notices import NoticeKind

CODE_DIGITS = 7
LIFE_SECONDS = 120
COOL_DOWN_SECONDS = 60
LIFE_LEAST_SECONDS = 45
"""With less life than this a code is not sent again, a new one is."""
TEXT_MAX = 1_000
"""Characters of a message that are looked at: seven parts of a long one."""
TAIL_SHORT, TAIL_LONG, PAN_DIGITS = 4, 6, 16
CANONICAL = "sms-v1"

_SEPARATORS = re.compile(r"[\s\-_.,:;*#()/\u200b-\u200f]")
_TAIL = re.compile(rf"(?:[0-9]{{{PAN_DIGITS - TAIL_LONG}}})?([0-9]{{{TAIL_LONG}}})|([0-9]{{{TAIL_SHORT}}})")


class InboundOutcome(StrEnum):
    """What became of a message."""

    CODE = "code"
    SAME_CODE = "same_code"
    TOO_SOON = "too_soon"
    STRANGER = "stranger"
    NOT_ACTIVE = "not_active"
    CARD_REFUSED = "card_refused"
    WRONG_CARD = "wrong_card"
    AMBIGUOUS = "ambiguous"
    GARBAGE = "garbage"


NOTICES = {
    InboundOutcome.NOT_ACTIVE: NoticeKind.SMS_NOT_ACTIVE,
    InboundOutcome.CARD_REFUSED: NoticeKind.SMS_CARD_REFUSED,
    InboundOutcome.WRONG_CARD: NoticeKind.SMS_WRONG_CARD,
    InboundOutcome.AMBIGUOUS: NoticeKind.SMS_AMBIGUOUS,
    InboundOutcome.GARBAGE: NoticeKind.SMS_GARBAGE,
}
"""What the number on file is told; for every other outcome nothing but the code, or nothing at all."""


@dataclass(frozen=True, slots=True)
class LiveCode:
    """The code by text message that is out for a card."""

    challenge_id: int
    sent_at: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class InboundCard:
    """A card whose number on file is the sender's.

    Args:
        active: its holder asked for codes by text message, at the cash machine.
        usable: not blocked, expired, locked or a gift; its second PIN is dynamic.
        ceiling_rial: the most that such a code may take now.
    """

    card_id: int
    pan_tail: str
    active: bool
    usable: bool
    ceiling_rial: int
    live: LiveCode | None


@dataclass(frozen=True, slots=True)
class InboundDecision:
    """What is done about a message.

    Args:
        card: the card that a code is sent for, or any of the sender's that a notice goes by; ``None`` for a stranger.
        resent: the challenge whose code is sent again.
        ended: challenges that the new code takes the place of.
    """

    outcome: InboundOutcome
    card: InboundCard | None = None
    resent: int | None = None
    ended: tuple[int, ...] = ()


def digits_of(text: str) -> str | None:
    """Return the last four or six digits of a card that a message names, or those of a whole card number.

    Persian and Arabic digits, spaces and marks between them are taken; anything else makes it no message for us.
    """
    plain = _SEPARATORS.sub("", to_ascii_digits(text[:TEXT_MAX]))
    found = _TAIL.fullmatch(plain)
    return None if found is None else found[1] or found[2]


def decide(text: str, cards: Sequence[InboundCard], now: dt.datetime) -> InboundDecision:
    """Decide about a message; ``cards`` are all that have the sender's number on file."""
    if not cards:
        return InboundDecision(InboundOutcome.STRANGER)
    active = [card for card in cards if card.active]
    if not active:
        return InboundDecision(InboundOutcome.NOT_ACTIVE, cards[0])
    tail = digits_of(text)
    if tail is None:
        return InboundDecision(InboundOutcome.GARBAGE, active[0])
    named = [card for card in active if card.pan_tail.endswith(tail)]
    if not named:
        return InboundDecision(InboundOutcome.WRONG_CARD, active[0])
    if len(named) > 1:
        return InboundDecision(InboundOutcome.AMBIGUOUS, named[0])
    return _decide_card(named[0], now)


def _decide_card(card: InboundCard, now: dt.datetime) -> InboundDecision:
    if not card.usable or card.ceiling_rial == 0:
        return InboundDecision(InboundOutcome.CARD_REFUSED, card)
    live = card.live
    if live is None:
        return InboundDecision(InboundOutcome.CODE, card)
    if now - live.sent_at < dt.timedelta(seconds=COOL_DOWN_SECONDS):
        return InboundDecision(InboundOutcome.TOO_SOON, card)
    if live.expires_at - now >= dt.timedelta(seconds=LIFE_LEAST_SECONDS):
        return InboundDecision(InboundOutcome.SAME_CODE, card, resent=live.challenge_id)
    return InboundDecision(InboundOutcome.CODE, card, ended=(live.challenge_id,))
