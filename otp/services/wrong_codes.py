"""Wrong codes and card data of the last hour by terminal: where somebody may be guessing."""

from __future__ import annotations

from otp.domain.spraying import ALARM_LEAST, ALARM_PERCENT, JUDGED, WRONG_TRIES, TerminalTries
from otp.services.bank import Bank
from otp.store import console


def wrong_codes(bank: Bank) -> list[TerminalTries]:
    """Return the terminals that had wrong tries, alarming ones first."""
    with bank.database.single() as connection:
        return console.terminals(connection, JUDGED, WRONG_TRIES, ALARM_LEAST, ALARM_PERCENT)
