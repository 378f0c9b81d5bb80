"""The device machine, and when a code of a device is right: each step serves once, a clock may be off (D14)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from foundation.machine import Machine, Transition
from foundation.sensitive import Sensitive
from otp.domain.app_code import Purpose, good_steps, second_pin

WRONG_CODES_MAX = 10
"""Wrong codes since the last right one, after which a device makes no more codes."""
CONFIRM_SECONDS = 3_600
"""How long a new device may take to show its first code."""
NAME_MAX = 40


class DeviceState(StrEnum):
    """Where a device stands; only an active one makes codes."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


class DeviceEvent(StrEnum):
    """What can happen to a device."""

    PAIRED = "paired"
    CONFIRMED = "confirmed"
    CODE_MISTAKEN = "code_mistaken"
    LAST_CODE_MISTAKEN = "last_code_mistaken"
    ENDED = "ended"
    CONFIRMATION_OVERDUE = "confirmation_overdue"


DEVICE = Machine(
    (
        Transition(None, DeviceEvent.PAIRED, DeviceState.PENDING),
        Transition(DeviceState.PENDING, DeviceEvent.CONFIRMED, DeviceState.ACTIVE),
        Transition(DeviceState.PENDING, DeviceEvent.CODE_MISTAKEN, DeviceState.PENDING),
        Transition(DeviceState.PENDING, DeviceEvent.LAST_CODE_MISTAKEN, DeviceState.SUSPENDED),
        Transition(DeviceState.PENDING, DeviceEvent.CONFIRMATION_OVERDUE, DeviceState.REMOVED),
        Transition(DeviceState.PENDING, DeviceEvent.ENDED, DeviceState.REMOVED),
        Transition(DeviceState.ACTIVE, DeviceEvent.CODE_MISTAKEN, DeviceState.ACTIVE),
        Transition(DeviceState.ACTIVE, DeviceEvent.LAST_CODE_MISTAKEN, DeviceState.SUSPENDED),
        Transition(DeviceState.ACTIVE, DeviceEvent.ENDED, DeviceState.REMOVED),
        Transition(DeviceState.SUSPENDED, DeviceEvent.ENDED, DeviceState.REMOVED),
    )
)
"""A suspended device stays so until its holder removes it or activates the card anew; its keys are then gone."""

BY_CLOCK = frozenset({DeviceEvent.CONFIRMATION_OVERDUE})
"""Events that the sweeper can produce: what was begun and not confirmed goes away."""


@dataclass(frozen=True, slots=True)
class Clockwork:
    """How far a card on a device is.

    Args:
        last_step: the last step whose code was taken; it and earlier ones are over.
        drift: steps that the device was ahead of the bank's clock then.
    """

    last_step: int
    drift: int


def matched(key: Sensitive[bytes], code: Sensitive[str], now_step: int, clock: Clockwork) -> Clockwork | None:
    """Return how far the card is after this second PIN; ``None`` when it is wrong.

    A right code whose step is over leaves the clock as it is: it is a repeat, and no guess (D14). Every step that could
    be meant is computed, whichever matches, so that the time taken tells nothing.
    """
    typed = code.reveal().encode()
    steps = good_steps(Purpose.SECOND, now_step, clock.drift)
    hits = [step for step in steps if hmac.compare_digest(second_pin(key, step).reveal().encode(), typed)]
    if not hits:
        return None
    new = [step for step in hits if step > clock.last_step]
    return Clockwork(new[-1], new[-1] - now_step) if new else clock


def wrong_code(state: DeviceState, wrong_codes: int) -> DeviceState:
    """Return a device's state after one more wrong code; ``wrong_codes`` were counted before."""
    last = wrong_codes + 1 >= WRONG_CODES_MAX
    return DEVICE.next(state, DeviceEvent.LAST_CODE_MISTAKEN if last else DeviceEvent.CODE_MISTAKEN)


def check_name(text: str) -> str:
    """Return a device's name as its holder may read it: one line, no control or direction characters, 40 at most."""
    return " ".join("".join(_printable(text)).split())[:NAME_MAX]


def _printable(text: str) -> Iterator[str]:
    for character in text:
        yield character if character.isprintable() or character == "\u200c" else " "
