"""Use cases under way: one that waits for a partner is held, others act, and it goes on whenever its turn comes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

HELD_MOST = 8
HELD = object()
"""What a turn gives back that ended in waiting."""


@dataclass
class Calls:
    """Everybody who waits; ``over`` ends all waiting.

    Each use case runs in a greenlet of its own, so a wait may outlast any number of other turns: a sweeper gives a
    payment up, the merchant reverses it, a second tab pays, and then the first answer is heard.
    """

    dice: random.Random
    over: bool = False
    held: list[tuple[str, greenlet]] = field(default_factory=list)

    def start(self, name: str, action: Callable[[], object]) -> object:
        """Let somebody act until the end (its result) or until it waits (:data:`HELD`)."""
        return self._turn(name, greenlet(action))

    def resume(self) -> tuple[str, object]:
        """Let one of those who wait go on."""
        name, waiting = self.held.pop(self.dice.randrange(len(self.held)))
        return name, self._turn(name, waiting)

    def wait(self) -> bool:
        """Be held until the scheduler comes back; ``False`` at once when nobody may wait here now."""
        here = getcurrent()
        if self.over or here.parent is None or len(self.held) >= HELD_MOST:
            return False
        here.parent.switch(HELD)
        return True

    def drop(self) -> None:
        """Forget all who wait, as a machine does that is switched off."""
        held, self.held = self.held, []
        for _, waiting in held:
            waiting.throw()

    def _turn(self, name: str, call: greenlet) -> object:
        call.parent = getcurrent()
        result: object = call.switch()
        if not call.dead:
            self.held.append((name, call))
            return HELD
        return result
