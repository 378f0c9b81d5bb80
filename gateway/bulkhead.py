"""Bulkheads: how much of this process one issuer may hold, so that a bank that hangs takes only its own share (F18).

State is per process. Plain threading primitives, so threads and gevent's greenlets are served alike.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from gateway.domain.breaker import Breaker, BreakerState, Heard, Pass
from gateway.domain.health import Reading
from gateway.domain.outcome import NO_PLACE

log = structlog.get_logger(__name__)


class NotAdmitted(Exception):
    """The question was not asked; ``why`` is :data:`NO_PLACE` or ``open``. Nothing was sent."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class Visit:
    """One admitted question; whoever asked says what was heard."""

    heard: Heard = Heard.NOTHING


class Gate:
    """The way to one issuer over one wire: so many at once, and a breaker unless ``breaks`` is false.

    Recovery (inquiries, reversals) has a gate without a breaker: it must work while purchases are held back (D2, D8).
    """

    def __init__(self, name: str, *, room: int, breaks: bool = True, now: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._room = room
        self._taken = 0
        self._breaks = breaks
        self._now = now
        self._lock = threading.Lock()
        self._breaker = Breaker()

    @contextmanager
    def admitted(self) -> Iterator[Visit]:
        """Hold a place while the issuer is asked; never waits for one.

        Raises:
            NotAdmitted: at once, when every place is taken or the breaker is open.
        """
        passed, visit = self._enter(), Visit()
        try:
            yield visit
        finally:
            self._leave(passed, visit.heard)

    @property
    def state(self) -> BreakerState:
        """Where the breaker stands now; one that has rested enough is still open until somebody asks."""
        return self._breaker.state

    def reading(self) -> Reading:
        """Say how the issuer does by this gate."""
        with self._lock:
            return Reading(self._breaker, self._taken, self._room, self._now())

    def _enter(self) -> Pass:
        with self._lock:
            if self._taken >= self._room:
                raise NotAdmitted(NO_PLACE)
            passed = Pass.THROUGH
            if self._breaks:
                self._breaker, passed = self._breaker.ask(self._now())
            if passed is Pass.REFUSED:
                raise NotAdmitted("open")
            self._taken += 1
        return passed

    def _leave(self, passed: Pass, heard: Heard) -> None:
        with self._lock:
            self._taken -= 1
            before = self._breaker.state
            if self._breaks:
                self._breaker = self._breaker.ended(passed, heard, self._now())
            after = self._breaker.state
        if before is not after:
            log.warning("breaker_moved", gate=self._name, before=str(before), after=str(after))


class Gates:
    """One gate per issuer, made when it is first asked for."""

    def __init__(self, wire: str, *, room: int, breaks: bool = True) -> None:
        self._wire = wire
        self._room = room
        self._breaks = breaks
        self._lock = threading.Lock()
        self._gates: dict[str, Gate] = {}

    def of(self, issuer_id: str) -> Gate:
        """Return the issuer's gate."""
        with self._lock:
            if issuer_id not in self._gates:
                self._gates[issuer_id] = Gate(f"{self._wire} {issuer_id}", room=self._room, breaks=self._breaks)
            return self._gates[issuer_id]

    def reading(self, issuer_id: str) -> Reading | None:
        """Say how the issuer does by its gate; ``None`` while nobody asked it anything."""
        with self._lock:
            gate = self._gates.get(issuer_id)
        return None if gate is None else gate.reading()
