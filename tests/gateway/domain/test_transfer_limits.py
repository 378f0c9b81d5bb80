"""How much and how often a card may send: every limit at its edge, and the one that is named first."""

from __future__ import annotations

import datetime as dt

import pytest

from foundation.rial import Rial
from gateway.domain.transfer import LIMITS, DaySoFar, Limit, LimitRow, limits_on, outside

ROW = LimitRow(dt.date(2026, 1, 1), Rial(10), Rial(500), Rial(1_000), day_count=20, to_one_card=3)


@pytest.mark.parametrize(
    ("amount", "so_far", "limit"),
    [
        (10, DaySoFar(), None),
        (9, DaySoFar(), Limit.LEAST),
        (500, DaySoFar(), None),
        (501, DaySoFar(), Limit.MOST),
        (400, DaySoFar(sent=Rial(600)), None),
        (401, DaySoFar(sent=Rial(600)), Limit.DAY),
        (10, DaySoFar(count=19), None),
        (10, DaySoFar(count=20), Limit.COUNT),
        (10, DaySoFar(to_destination=2), None),
        (10, DaySoFar(to_destination=3), Limit.DESTINATION),
        (10, DaySoFar(Rial(1_000), 20, 3), Limit.DAY),
        (10, DaySoFar(Rial(990), 20, 3), Limit.COUNT),
    ],
)
def test_a_transfer_is_within_every_limit_of_its_day(amount: int, so_far: DaySoFar, limit: Limit | None) -> None:
    """The last that fits, and the first that does not."""
    assert outside(Rial(amount), so_far, ROW) is limit


def test_limits_are_those_of_the_day() -> None:
    """The newest row that is in force; before all of them the first."""
    assert limits_on(dt.date(2000, 1, 1)) == LIMITS[0] == limits_on(LIMITS[1].since - dt.timedelta(days=1))
    assert limits_on(LIMITS[1].since) == LIMITS[1] == limits_on(dt.date(2100, 1, 1))
