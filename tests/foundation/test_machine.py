"""State machines as tables."""

from enum import StrEnum, auto

import pytest

from foundation.machine import IllegalTransition, Machine, Transition


class Light(StrEnum):
    """States of a lamp."""

    OFF = auto()
    ON = auto()
    BROKEN = auto()


class Touch(StrEnum):
    """What can be done to it."""

    MADE = auto()
    PRESSED = auto()
    DROPPED = auto()


ROWS = (
    Transition(None, Touch.MADE, Light.OFF),
    Transition(Light.OFF, Touch.PRESSED, Light.ON),
    Transition(Light.ON, Touch.PRESSED, Light.OFF),
    Transition(Light.ON, Touch.DROPPED, Light.BROKEN),
)


def test_a_row_leads_on_and_a_missing_row_raises() -> None:
    """An event without a row for the state is illegal and names both."""
    lamp = Machine(ROWS)
    assert lamp.next(Light.OFF, Touch.PRESSED) is Light.ON
    with pytest.raises(IllegalTransition, match="dropped is not possible in state off"):
        lamp.next(Light.OFF, Touch.DROPPED)


def test_two_rows_for_one_event_are_refused() -> None:
    """A table that answers twice cannot be made."""
    with pytest.raises(ValueError, match="two rows"):
        Machine([*ROWS, Transition(Light.OFF, Touch.PRESSED, Light.BROKEN)])


def test_the_table_knows_its_own_shape() -> None:
    """Befores, states, ends and reachability come out of the same rows."""
    lamp = Machine(ROWS)
    assert lamp.befores(Touch.PRESSED) == (Light.OFF, Light.ON)
    assert lamp.states() == lamp.reachable() == set(Light)
    assert lamp.terminal() == {Light.BROKEN}
    assert "    on --> broken: dropped" in lamp.mermaid()
