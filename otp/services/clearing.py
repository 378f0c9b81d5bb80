"""The bank tells an acquirer what it captured on a day: the file the two sides' books are compared by."""

from __future__ import annotations

import datetime as dt

from otp.domain.clearing import closed, written
from otp.domain.errors import DayNotOver
from otp.services.bank import Bank
from otp.store import clearing


def export(bank: Bank, acquirer: str, day: dt.date) -> str:
    """Return the clearing file of an acquirer and a capture date; asked again, the same file.

    Raises:
        DayNotOver: the day is not over in Tehran, so its file would not be the last word.
    """
    with bank.database.begin() as connection:
        if not closed(day, clearing.tehran_now(connection)):
            raise DayNotOver(f"{day:%Y-%m-%d} is over five minutes after midnight in Tehran; ask for its file then")
        return written(day, acquirer, clearing.lines(connection, acquirer, day))
