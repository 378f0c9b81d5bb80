"""The circuit breaker: when an issuer that stays silent is left alone, and how it is tried again.

Only silence counts: a bank that declines everything is a bank that answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

SILENCES_MAX = 5
"""So many silences in a row open the breaker."""

REST_SECONDS = 10.0
"""How long an open breaker lets nothing through before one probe."""


class BreakerState(StrEnum):
    """Whether new questions may go to the issuer."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerEvent(StrEnum):
    """What can happen to a breaker; only the probe's own end moves a half-open one."""

    ANSWERED = "answered"
    SILENT = "silent"
    SILENT_TOO_OFTEN = "silent_too_often"
    RESTED = "rested"
    PROBE_ANSWERED = "probe_answered"
    PROBE_SILENT = "probe_silent"
    PROBE_TOLD_NOTHING = "probe_told_nothing"


_S, _E = BreakerState, BreakerEvent

NEXT: dict[tuple[BreakerState, BreakerEvent], BreakerState] = {
    (_S.CLOSED, _E.ANSWERED): _S.CLOSED,
    (_S.CLOSED, _E.SILENT): _S.CLOSED,
    (_S.CLOSED, _E.SILENT_TOO_OFTEN): _S.OPEN,
    (_S.OPEN, _E.ANSWERED): _S.OPEN,
    (_S.OPEN, _E.SILENT): _S.OPEN,
    (_S.OPEN, _E.RESTED): _S.HALF_OPEN,
    (_S.HALF_OPEN, _E.ANSWERED): _S.HALF_OPEN,
    (_S.HALF_OPEN, _E.SILENT): _S.HALF_OPEN,
    (_S.HALF_OPEN, _E.PROBE_ANSWERED): _S.CLOSED,
    (_S.HALF_OPEN, _E.PROBE_SILENT): _S.OPEN,
    (_S.HALF_OPEN, _E.PROBE_TOLD_NOTHING): _S.OPEN,
}

IMPOSSIBLE = frozenset(
    {
        (_S.CLOSED, _E.RESTED),
        (_S.CLOSED, _E.PROBE_ANSWERED),
        (_S.CLOSED, _E.PROBE_SILENT),
        (_S.CLOSED, _E.PROBE_TOLD_NOTHING),
        (_S.OPEN, _E.SILENT_TOO_OFTEN),
        (_S.OPEN, _E.PROBE_ANSWERED),
        (_S.OPEN, _E.PROBE_SILENT),
        (_S.OPEN, _E.PROBE_TOLD_NOTHING),
        (_S.HALF_OPEN, _E.SILENT_TOO_OFTEN),
        (_S.HALF_OPEN, _E.RESTED),
    }
)
"""Pairs that cannot come about: silences are counted while closed, and a probe lives while half-open."""


class Pass(StrEnum):
    """What a breaker says to a new question."""

    THROUGH = "through"
    PROBE = "probe"
    REFUSED = "refused"


class Heard(StrEnum):
    """How a question ended: the issuer answered, was silent or unreachable, or was never tried."""

    ANSWER = "answer"
    SILENCE = "silence"
    NOTHING = "nothing"


_PROBE_ENDS = {
    Heard.ANSWER: _E.PROBE_ANSWERED,
    Heard.SILENCE: _E.PROBE_SILENT,
    Heard.NOTHING: _E.PROBE_TOLD_NOTHING,
}


@dataclass(frozen=True, slots=True)
class Breaker:
    """One breaker at one moment; times are seconds of any clock that only goes forward."""

    state: BreakerState = BreakerState.CLOSED
    silences: int = 0
    rests_until: float = 0.0

    def ask(self, now: float) -> tuple[Breaker, Pass]:
        """Say whether a question may go out now."""
        if self.state is BreakerState.CLOSED:
            return self, Pass.THROUGH
        if self.state is BreakerState.OPEN and now >= self.rests_until:
            return self._moved(BreakerEvent.RESTED), Pass.PROBE
        return self, Pass.REFUSED

    def ended(self, passed: Pass, heard: Heard, now: float) -> Breaker:
        """Take note of how a question that had this pass ended."""
        if passed is Pass.PROBE:
            moved = self._moved(_PROBE_ENDS[heard])
            rest = REST_SECONDS if heard is Heard.SILENCE else 0.0
            return replace(moved, silences=0, rests_until=now + rest)
        if heard is Heard.NOTHING:
            return self
        if heard is Heard.ANSWER:
            return replace(self._moved(BreakerEvent.ANSWERED), silences=0)
        if self.state is BreakerState.CLOSED and self.silences + 1 >= SILENCES_MAX:
            return replace(self._moved(BreakerEvent.SILENT_TOO_OFTEN), silences=0, rests_until=now + REST_SECONDS)
        return replace(self._moved(BreakerEvent.SILENT), silences=self.silences + 1)

    def _moved(self, event: BreakerEvent) -> Breaker:
        return replace(self, state=NEXT[self.state, event])
