"""Two conditions compared fairly: in turns, so that a slow minute of the machine hits both, and by the middle round.

Each round gives a ratio of its own, of two measurements that lie seconds apart. Who begins changes from round to
round, so that being first favours nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles

Measure = Callable[[], float]


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
    def ratios(self) -> tuple[float, ...]:
        """The other condition as a part of the usual one, round by round."""
        return tuple(changed / usual for usual, changed in zip(self.usual, self.changed, strict=True))

    @property
    def ratio(self) -> float:
        """The middle one of the rounds' ratios."""
        return median(self.ratios)

    @property
    def middle_half(self) -> tuple[float, float]:
        """The ratios between which half of the rounds lie, the other half being lower or higher."""
        if len(self.ratios) == 1:
            return self.ratio, self.ratio
        lower, _, upper = quantiles(self.ratios, n=4, method="inclusive")
        return lower, upper

    def __str__(self) -> str:
        """Say the ratio and its spread."""
        lower, upper = self.middle_half
        return f"ratio: {self.ratio:.2f} ({len(self.ratios)} rounds, the middle half {lower:.2f} to {upper:.2f})"


def in_turns(rounds: int, usual: Measure, changed: Measure) -> Comparison:
    """Measure both conditions so many times, one after the other."""
    pairs = [_pair(usual, changed, number) for number in range(rounds)]
    return Comparison(tuple(first for first, _ in pairs), tuple(second for _, second in pairs))


def _pair(usual: Measure, changed: Measure, number: int) -> tuple[float, float]:
    if number % 2:
        second = changed()
        return usual(), second
    return usual(), changed()
