"""An issuer's health as a value: the worst that is known of it, and nothing that is not."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.domain.breaker import REST_SECONDS, SILENCES_MAX, Breaker, Heard, Pass
from gateway.domain.health import DOUBT_SECONDS, Health, Reading, health_of

CALM = Reading(Breaker(), taken=0, room=16, at=0.0)


def silent_since(now: float) -> Breaker:
    """Return a breaker that opened at this time."""
    breaker = Breaker()
    for _ in range(SILENCES_MAX):
        breaker = breaker.ended(Pass.THROUGH, Heard.SILENCE, now)
    return breaker


@pytest.mark.parametrize(
    ("taken", "health"), [(0, Health.HEALTHY), (7, Health.HEALTHY), (8, Health.SLOW), (16, Health.SLOW)]
)
def test_f18_half_the_places_waiting_is_slow(taken: int, health: Health) -> None:
    """A bank that answers holds few places at a time."""
    assert health_of([CALM, dataclasses.replace(CALM, taken=taken)], paused=False) is health


def test_f18_a_silent_way_is_down_until_it_answers() -> None:
    """Down while the breaker rests, while the probe is out and while it is doubtful; an answer ends it."""
    breaker = silent_since(100.0)
    for at in (100.0, 100.0 + REST_SECONDS, 100.0 + REST_SECONDS + DOUBT_SECONDS - 1):
        assert health_of([CALM, Reading(breaker, 16, 16, at)], paused=False) is Health.DOWN
    probing, _ = breaker.ask(100.0 + REST_SECONDS)
    assert health_of([Reading(probing, 1, 16, 111.0)], paused=False) is Health.DOWN
    answered = probing.ended(Pass.PROBE, Heard.ANSWER, 112.0)
    assert health_of([Reading(answered, 0, 16, 112.0)], paused=False) is Health.HEALTHY


def test_f18_what_nobody_tried_for_long_is_not_called_down() -> None:
    """Without new questions an old silence says nothing about now."""
    forgotten = Reading(silent_since(100.0), 0, 16, 100.0 + REST_SECONDS + DOUBT_SECONDS)
    assert health_of([forgotten], paused=False) is Health.HEALTHY


def test_a_pause_outranks_everything() -> None:
    """What an operator decided is told, however the bank does."""
    assert health_of([Reading(silent_since(0.0), 16, 16, 0.0)], paused=True) is Health.PAUSED
    assert health_of([], paused=True) is Health.PAUSED
    assert health_of([], paused=False) is Health.HEALTHY
