"""Unlocking a card by two people: what an unlock does, and when it may be asked for and approved (D35).

Pure: the facts were read under the card's lock. The database itself refuses a request that its maker approves, or that
is approved a day later.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum

from foundation.persian import TEHRAN

LIFE_HOURS = 24
REASON_LEAST, REASON_MOST = 5, 300
"""Characters of a reason: more than a dot, no more than a note."""


class Unlock(StrEnum):
    """What became of asking for an unlock, or of approving one."""

    ASKED = "asked"
    APPROVED = "approved"
    NOT_ALLOWED = "not_allowed"
    NOT_LOCKED = "not_locked"
    HELD_BY_BANK = "held_by_bank"
    ASKED_ALREADY = "asked_already"
    OWN_REQUEST = "own_request"
    DONE_ALREADY = "done_already"
    TOO_LATE = "too_late"
    CARD_CHANGED = "card_changed"
    REASON_SHAPE = "reason_shape"
    NO_SUCH = "no_such"


@dataclass(frozen=True, slots=True)
class CardLock:
    """What keeps a card from paying after wrong codes.

    Args:
        held_by_bank: blocked by the bank's own word; no unlock opens that.
    """

    blocked: bool
    held_by_bank: bool
    pin_failures: int
    pin_lock_level: int
    pin_locked_until: dt.datetime | None

    def keeps_out(self, now: dt.datetime) -> bool:
        """Tell whether the card is blocked, or waits, at this moment."""
        return self.blocked or (self.pin_locked_until is not None and self.pin_locked_until > now)

    def opened(self) -> CardLock:
        """Return the lock as an unlock leaves it: no failures, no wait, not blocked."""
        return replace(self, blocked=False, pin_failures=0, pin_lock_level=0, pin_locked_until=None)

    def as_kept(self) -> dict[str, object]:
        """Return it as it is kept beside the request, before and after."""
        until = self.pin_locked_until
        return {
            "blocked": self.blocked,
            "pin_failures": self.pin_failures,
            "pin_lock_level": self.pin_lock_level,
            "pin_locked_until": None if until is None else until.astimezone(TEHRAN).isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it stands.

    Args:
        before: the card's lock when it was asked for.
    """

    unlock_id: int
    card_id: int
    state: str
    maker: str
    reason: str
    before: dict[str, object]
    expires_at: dt.datetime


def may_ask(lock: CardLock, now: dt.datetime, waiting: Asked | None) -> Unlock:
    """Judge whether an unlock may be asked for; one request a card waits at a time."""
    if lock.held_by_bank:
        return Unlock.HELD_BY_BANK
    if not lock.keeps_out(now):
        return Unlock.NOT_LOCKED
    if waiting is not None and waiting.expires_at > now:
        return Unlock.ASKED_ALREADY
    return Unlock.ASKED


def may_approve(request: Asked, lock: CardLock, now: dt.datetime, checker: str) -> Unlock:
    """Judge whether this person may approve: another one, in time, for the card as its maker saw it."""
    judged = (
        (request.state == "approved", Unlock.DONE_ALREADY),
        (request.state == "lapsed" or request.expires_at <= now, Unlock.TOO_LATE),
        (request.maker == checker, Unlock.OWN_REQUEST),
        (lock.held_by_bank, Unlock.HELD_BY_BANK),
        (request.before != lock.as_kept(), Unlock.CARD_CHANGED),
    )
    return next((outcome for holds, outcome in judged if holds), Unlock.APPROVED)
