"""Guessing many cards' codes at one terminal: when its wrong codes are an alarm.

One wrong code in a hundred is a slip of the finger. Who tries many cards a few times each never meets a card's own
lock, and is seen only where the tries come from.
"""

from __future__ import annotations

from dataclasses import dataclass

from otp.domain.action_codes import Reason

ALARM_LEAST = 50
"""Purchases with a code, and checks of one, within an hour before a share says anything."""
ALARM_PERCENT = 20
"""A terminal with more wrong codes than this is to be cut off."""

WITH_A_CODE = (
    Reason.APPROVED,
    Reason.CODE_WRONG,
    Reason.CODE_EXPIRED,
    Reason.CODE_USED,
    Reason.CODE_FOREIGN,
    Reason.CODE_LOCKED,
    Reason.FEE_TOO_HIGH,
    Reason.PURCHASE_LIMIT,
    Reason.DAY_LIMIT,
    Reason.UNBOUND_LIMIT,
    Reason.STATIC_LIMIT,
    Reason.FUNDS,
)
"""Reasons of purchases and checks whose code was judged: whatever came before, card and message were right."""


@dataclass(frozen=True, slots=True)
class TerminalTries:
    """Codes tried at one terminal within the hour."""

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
