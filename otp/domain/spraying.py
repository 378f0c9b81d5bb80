"""Guessing codes or card data of many cards at one terminal: what counts as a wrong try, and when it is an alarm.

One wrong try in a hundred is a slip of the finger. Who tries many cards a few times each never meets a card's own
lock, and is seen only where the tries come from.
"""

from __future__ import annotations

from dataclasses import dataclass

from otp.domain.action_codes import Reason

ALARM_LEAST = 50
"""Tries with a code, in a purchase or a check of one, within an hour before a share says anything."""
ALARM_PERCENT = 20
"""A terminal with more wrong tries than this is to be cut off."""

WRONG_TRIES = (Reason.CODE_WRONG, Reason.CARD_DATA_WRONG, Reason.CARD_UNKNOWN)
"""Reasons of what may have been a guess: of a code, of what is printed on a card, of a card."""

JUDGED = (
    *WRONG_TRIES,
    Reason.APPROVED,
    Reason.CODE_EXPIRED,
    Reason.CODE_USED,
    Reason.CODE_FOREIGN,
    Reason.CODE_LOCKED,
    Reason.FEE_TOO_HIGH,
    Reason.PURCHASE_LIMIT,
    Reason.DAY_LIMIT,
    Reason.UNBOUND_LIMIT,
    Reason.STATIC_LIMIT,
    Reason.TRANSFER_LIMIT,
    Reason.TRANSFER_DAY_LIMIT,
    Reason.CANNOT_RECEIVE,
    Reason.BALANCE_LIMIT,
    Reason.BALANCE_TOO_LONG,
    Reason.FUNDS,
)
"""Reasons of tries whose card data or code was judged, in purchases, transfers, questions for a balance and checks."""


@dataclass(frozen=True, slots=True)
class TerminalTries:
    """What was tried at one terminal within the hour."""

    acquirer_id: str
    terminal_id: str
    tried: int
    wrong: int

    @property
    def alarming(self) -> bool:
        """Tell whether this looks like guessing."""
        return self.tried >= ALARM_LEAST and self.wrong * 100 > self.tried * ALARM_PERCENT

    @property
    def percent(self) -> int:
        """Return how many of a hundred were wrong, rounded up: nothing wrong never shows as none."""
        return -(-self.wrong * 100 // self.tried)
