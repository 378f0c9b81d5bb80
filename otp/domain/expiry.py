"""Expiry of a card: ``YYMM`` of the Jalali calendar, good until the end of that month in Tehran."""

from __future__ import annotations

import datetime as dt

from persiantools.jdatetime import JalaliDate

_CENTURY_TURN = 50


def is_past(expiry: str, today: dt.date) -> bool:
    """Tell whether a card with this expiry is over on ``today``, a Gregorian date in Tehran.

    Two-digit years 50 to 99 are 1350 to 1399, the others 1400 to 1449.

    >>> is_past("0508", dt.date(2026, 11, 21)), is_past("0508", dt.date(2026, 11, 22))
    (False, True)
    """
    year = int(expiry[:2])
    last = (1300 if year >= _CENTURY_TURN else 1400) + year, int(expiry[2:])
    now = JalaliDate(today)  # type: ignore[no-untyped-call]  # the library ships no types
    return (now.year, now.month) > last
