"""Use cases under way: one that waits for a partner is held, others act, and it goes on whenever its turn comes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from greenlet import getcurrent, greenlet

HELD_MOST = 24
BRIEF = (1, 2, 4, 10, 30)
LONG = (10, 50, 150, 400, 900)
LATE = (50, 150, 600, 1_500)
"""For how many turns of others somebody waits at least."""

HELD = object()
"""What a turn gives back that ended in waiting."""


Until = Callable[[], bool]


def never() -> bool:
    """Wait for nothing but the turn."""
    return False


@dataclass(frozen=True, slots=True)
class Call:
    """One who waits, until a turn or until something holds, whichever comes first."""

    name: str
    due: int
    until: Until
    waiting: greenlet


@dataclass
class Calls:
    """Everybody who waits; ``over`` ends all waiting.

    Each use case runs in a greenlet of its own, so a wait may outlast any number of other turns: a sweeper gives a
    payment up, the merchant reverses it, a second tab pays, and then the first answer is heard.
    """

    dice: random.Random
    over: bool = False
    turns: int = 0
    held: list[Call] = field(default_factory=list)

    def start(self, name: str, action: Callable[[], object]) -> object:
        """Let somebody act until the end (its result) or until it waits (:data:`HELD`)."""
        return self._turn(name, greenlet(action))

    def due(self) -> list[Call]:
        """Return those who may go on."""
        return [call for call in self.held if self.over or call.due <= self.turns or call.until()]

    def resume(self) -> tuple[str, object]:
        """Let one of those who are due go on."""
        call = self.dice.choice(self.due())
        self.held.remove(call)
        return call.name, self._turn(call.name, call.waiting)

    def wait(self, patience: Sequence[int] = BRIEF, until: Until = never) -> bool:
        """Be held until the scheduler comes back; ``False`` at once when nobody may wait here now."""
        here = getcurrent()
        if self.over or here.parent is None or len(self.held) >= HELD_MOST:
            return False
        here.parent.switch((self.turns + self.dice.choice(patience), until))
        return True

    def drop(self) -> None:
        """Forget all who wait, as a machine does that is switched off."""
        held, self.held = self.held, []
        for call in held:
            call.waiting.throw()

    def _turn(self, name: str, use_case: greenlet) -> object:
        self.turns += 1
        use_case.parent = getcurrent()
        result: Any = use_case.switch()
        if use_case.dead:
            return result
        due, until = result
        self.held.append(Call(name, due, until, use_case))
        return HELD
