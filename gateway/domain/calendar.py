"""Business days of banks in Tehran: which they are, when one is cut off, and on which its money is worth something."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from persiantools.jdatetime import JalaliDate

from foundation.persian import TEHRAN
from gateway.domain.holidays import FIXED, LUNAR

THURSDAY, FRIDAY = 3, 4
LOOK_MOST = 40
"""Days that are looked through for a business day: more than any row of holidays."""

_ONE_DAY = dt.timedelta(days=1)
_FIXED = {(month, day) for month, day, _ in FIXED}


@dataclass(frozen=True, slots=True)
class Calendar:
    """When banks work.

    Args:
        cutoff_hour: of a business day in Tehran, 0 to 23; what comes later belongs to the next.
        thursdays: whether they work on Thursdays.
        closed: days on which they do not work, besides Fridays and the Jalali holidays of every year.
    """

    cutoff_hour: int
    thursdays: bool = False
    closed: frozenset[dt.date] = frozenset(row.day for row in LUNAR)

    def with_closed(self, days: Iterable[dt.date]) -> Calendar:
        """Return the calendar with closures announced for a day."""
        return Calendar(self.cutoff_hour, self.thursdays, self.closed | frozenset(days))

    def is_business_day(self, day: dt.date) -> bool:
        """Tell whether banks work on ``day``."""
        resting = day.weekday() == FRIDAY or (day.weekday() == THURSDAY and not self.thursdays)
        return not resting and day not in self.closed and not is_fixed_holiday(day)

    def business_day_after(self, day: dt.date) -> dt.date:
        """Return the first business day after ``day``.

        Raises:
            ValueError: there is none for weeks, so the data are wrong.
        """
        return self._next(day, _ONE_DAY)

    def cutoff_of(self, day: dt.date) -> dt.datetime:
        """Return the instant at which ``day`` is cut off."""
        return dt.datetime.combine(day, dt.time(self.cutoff_hour), TEHRAN)

    def last_cut_off(self, now: dt.datetime) -> dt.date:
        """Return the latest business day that is cut off at ``now``.

        Raises:
            ValueError: as above.
        """
        today = now.astimezone(TEHRAN).date()
        if self.is_business_day(today) and now >= self.cutoff_of(today):
            return today
        return self._next(today, -_ONE_DAY)

    def value_day(self, day: dt.date) -> dt.date:
        """Return on which day the money of business day ``day`` is in the merchants' accounts: T+1."""
        return self.business_day_after(day)

    def _next(self, day: dt.date, step: dt.timedelta) -> dt.date:
        for _ in range(LOOK_MOST):
            day += step
            if self.is_business_day(day):
                return day
        raise ValueError(f"no business day within {LOOK_MOST} days: the holidays are wrong")


def is_fixed_holiday(day: dt.date) -> bool:
    """Tell whether ``day`` is a holiday of every Jalali year."""
    jalali = JalaliDate(day)  # type: ignore[no-untyped-call]  # the library has no types
    return (jalali.month, jalali.day) in _FIXED
