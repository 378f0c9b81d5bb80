"""How an issuer does, as this process knows it from its own questions; nobody is asked for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.breaker import Breaker, BreakerState

DOUBT_SECONDS = 60.0
"""An open breaker that nobody tried for so long after its rest says nothing about now."""

SLOW_SHARE = 2
"""Slow: one place in so many, or more, is taken by a question that waits for its answer."""


class Health(StrEnum):
    """What a customer, or a chart, is told of an issuer."""

    HEALTHY = "healthy"
    SLOW = "slow"
    DOWN = "down"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to an issuer at one moment: its breaker, the places taken and all of them.

    Args:
        at: seconds, of the clock that the breaker's times are of.
    """

    breaker: Breaker
    taken: int
    room: int
    at: float


def health_of(readings: Iterable[Reading], *, paused: bool) -> Health:
    """Return the worst that the operator or any way to the issuer says.

    >>> health_of([], paused=False)
    <Health.HEALTHY: 'healthy'>
    """
    known = tuple(readings)
    if paused:
        return Health.PAUSED
    if any(_silent(reading) for reading in known):
        return Health.DOWN
    return Health.SLOW if any(reading.taken * SLOW_SHARE >= reading.room for reading in known) else Health.HEALTHY


def _silent(reading: Reading) -> bool:
    breaker = reading.breaker
    return breaker.state is not BreakerState.CLOSED and reading.at < breaker.rests_until + DOUBT_SECONDS
