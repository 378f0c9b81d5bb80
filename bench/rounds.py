"""Two conditions compared fairly: taken in turns, so that a slow minute of the machine hits both, and by medians."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured of two conditions, a figure for each round.

    Args:
        usual: figures of the condition that is compared with.
        changed: figures of the other one.
    """

    usual: tuple[float, ...]
    changed: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The other condition's median as a part of the usual one's."""
        return median(self.changed) / median(self.usual)


def in_turns(rounds: int, usual: Callable[[], float], changed: Callable[[], float]) -> Comparison:
    """Measure both conditions so many times, one after the other."""
    pairs = [(usual(), changed()) for _ in range(rounds)]
    return Comparison(tuple(first for first, _ in pairs), tuple(second for _, second in pairs))
