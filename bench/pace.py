"""Open load: so many a second come, whether those before them are done or not, as people do."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

AT_ONCE_MOST = 48
"""Whoever comes while so many are being served begins late, which is told."""


def arrivals(count: int, per_second: float, seed: int) -> Iterator[float]:
    """Return when each comes, in seconds from the beginning: independently of each other, so now and then in a bunch.

    The same seed gives the same bunches at any pace.
    """
    dice = random.Random(seed)  # noqa: S311 - no secret
    return accumulate(dice.expovariate(1.0) / per_second for _ in range(count))


def at_pace(count: int, per_second: float, seed: int, do: Callable[[], object]) -> float:
    """Do something so many times at this pace; returns by how many seconds the latest began too late."""
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE_MOST) as pool:
        doing = []
        for due in arrivals(count, per_second, seed):
            time.sleep(max(0.0, began + due - time.monotonic()))
            doing.append(pool.submit(_late, began + due, do))
        return max(done.result() for done in doing)


def _late(due: float, do: Callable[[], object]) -> float:
    late = time.monotonic() - due
    do()
    return late
