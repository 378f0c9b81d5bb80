"""Wrong codes of the last hour by terminal: where somebody may be guessing."""

from __future__ import annotations

from otp.domain.spraying import ALARM_LEAST, ALARM_PERCENT, WITH_A_CODE, TerminalTries
from otp.services.bank import Bank
from otp.store import console


def wrong_codes(bank: Bank) -> list[TerminalTries]:
    """Return the terminals that had wrong codes, alarming ones first."""
    with bank.database.single() as connection:
        return console.terminals(connection, WITH_A_CODE, ALARM_LEAST, ALARM_PERCENT)
