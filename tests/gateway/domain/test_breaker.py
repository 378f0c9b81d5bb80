"""The breaker as a table, and as a thing that any sequence of calls may meet."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.breaker import (
    IMPOSSIBLE,
    NEXT,
    REST_SECONDS,
    SILENCES_MAX,
    Breaker,
    BreakerEvent,
    BreakerState,
    Heard,
    Pass,
)


def test_f18_every_state_says_what_each_event_does() -> None:
    """Each pair of state and event has a row or is named impossible, and none is both."""
    assert set(NEXT) | IMPOSSIBLE == set(product(BreakerState, BreakerEvent))
    assert not set(NEXT) & IMPOSSIBLE


def test_f18_silences_in_a_row_open_it_and_one_probe_closes_it() -> None:
    """Closed, open for the rest, half-open with one probe, closed by its answer."""
    breaker = Breaker()
    for _ in range(SILENCES_MAX):
        breaker = breaker.ended(Pass.THROUGH, Heard.SILENCE, 0.0)
    assert breaker.ask(REST_SECONDS - 0.1) == (breaker, Pass.REFUSED)

    breaker, first = breaker.ask(REST_SECONDS)
    breaker, second = breaker.ask(REST_SECONDS)

    assert (first, second) == (Pass.PROBE, Pass.REFUSED)
    assert breaker.ended(Pass.PROBE, Heard.ANSWER, REST_SECONDS).state is BreakerState.CLOSED
    assert breaker.ended(Pass.PROBE, Heard.SILENCE, REST_SECONDS).ask(REST_SECONDS + 1)[1] is Pass.REFUSED
    assert breaker.ended(Pass.PROBE, Heard.NOTHING, REST_SECONDS).ask(REST_SECONDS)[1] is Pass.PROBE


STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from(Heard), st.integers(0, 12)), max_size=80)


@given(STEPS)
def test_f18_never_two_probes_and_never_stuck(steps: list[tuple[bool, Heard, int]]) -> None:
    """Whatever overlaps: at most one probe is out, no row is missing, and with no probe out it opens again."""
    breaker, now, out = Breaker(), 0.0, list[Pass]()
    for asks, heard, seconds in steps:
        now += seconds
        if asks or not out:
            breaker, passed = breaker.ask(now)
            out += [passed] if passed is not Pass.REFUSED else []
        else:
            breaker = breaker.ended(out.pop(0), heard, now)
        assert out.count(Pass.PROBE) == (breaker.state is BreakerState.HALF_OPEN)
    if Pass.PROBE not in out:
        assert breaker.ask(now + REST_SECONDS)[1] is not Pass.REFUSED


@given(st.lists(st.sampled_from([Heard.ANSWER, Heard.NOTHING]), max_size=30))
def test_d3_answers_never_open_it(ends: list[Heard]) -> None:
    """A bank that declines everything is a bank that answers."""
    breaker = Breaker()
    for heard in ends:
        breaker = breaker.ended(Pass.THROUGH, heard, 0.0)

    assert breaker == Breaker()
