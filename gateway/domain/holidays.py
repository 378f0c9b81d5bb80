"""Days on which banks in Iran are closed, as data: the Jalali ones of every year, the lunar ones by date.

Sources: the fixed ones from the law on official holidays, as every official calendar prints them. Lunar ones are
announced year by year by the Council of Public Culture, on the word of the calendar centre of the Institute of
Geophysics, University of Tehran: a row says ``announced`` where it was read from that year's calendar, ``estimated``
where it was reckoned from the new moon and may be a day off. Correct a row when its year is announced; closures that
are announced from one day to the next are a setting (``GATEWAY_EXTRA_HOLIDAYS``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

FIXED: tuple[tuple[int, int, str], ...] = (
    (1, 1, "Nowruz"),
    (1, 2, "Nowruz"),
    (1, 3, "Nowruz"),
    (1, 4, "Nowruz"),
    (1, 12, "Islamic Republic Day"),
    (1, 13, "Nature Day"),
    (3, 14, "death of Imam Khomeini"),
    (3, 15, "uprising of 15 Khordad"),
    (11, 22, "victory of the Revolution"),
    (12, 29, "nationalisation of the oil industry"),
)
"""Month, day and name of what recurs in every Jalali year."""


@dataclass(frozen=True, slots=True)
class Dated:
    """One lunar holiday on its day."""

    day: dt.date
    name: str
    source: str


_OFFICIAL = "announced: official calendar of 1405"
_RECKONED = "estimated from the new moon"

LUNAR: tuple[Dated, ...] = (
    Dated(dt.date(2026, 3, 21), "Eid al-Fitr", _OFFICIAL),
    Dated(dt.date(2026, 3, 22), "after Eid al-Fitr", _OFFICIAL),
    Dated(dt.date(2026, 5, 27), "Eid al-Adha", _OFFICIAL),
    Dated(dt.date(2026, 6, 4), "Eid al-Ghadir", _OFFICIAL),
    Dated(dt.date(2026, 6, 24), "Tasua", _OFFICIAL),
    Dated(dt.date(2026, 6, 25), "Ashura", _OFFICIAL),
    Dated(dt.date(2026, 8, 4), "Arbaeen", _RECKONED),
    Dated(dt.date(2026, 8, 12), "death of the Prophet", _RECKONED),
    Dated(dt.date(2026, 8, 13), "martyrdom of Imam Reza", _RECKONED),
    Dated(dt.date(2026, 8, 21), "martyrdom of Imam Askari", _RECKONED),
    Dated(dt.date(2026, 8, 30), "birth of the Prophet", _RECKONED),
    Dated(dt.date(2026, 11, 14), "martyrdom of Fatima", _RECKONED),
    Dated(dt.date(2026, 12, 23), "birth of Imam Ali", _RECKONED),
    Dated(dt.date(2027, 1, 6), "Mab'ath", _RECKONED),
    Dated(dt.date(2027, 1, 24), "birth of Imam Mahdi", _RECKONED),
    Dated(dt.date(2027, 2, 28), "martyrdom of Imam Ali", _RECKONED),
    Dated(dt.date(2027, 3, 10), "Eid al-Fitr", _RECKONED),
    Dated(dt.date(2027, 3, 11), "after Eid al-Fitr", _RECKONED),
)
"""To the end of 1405; the next year's rows are added when its calendar is published."""
