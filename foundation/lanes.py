"""Lanes: work of several owners done side by side, so that a slow owner holds up only its own.

A lane asks for as much work as it has free threads, naming the owners that have their share of threads already; so
an owner whose work hangs keeps ``per_owner`` threads busy and no more. Owners known to be slow belong in a lane of
their own.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()

Work = TypeVar("Work")

POLL_SECONDS = 0.2
DATABASE_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Lane(Generic[Work]):
    """How one kind of work is fetched and done.

    Args:
        claim: takes how many at most and the owners that are full, leases that much work and returns it; whoever
            dies with it loses the lease, so work is done at least once.
        owner: names whose work it is.
        handle: does it, and writes down what came of it.
        threads: how much is done at once.
        per_owner: how much of that for one owner.
    """

    name: str
    claim: Callable[[int, Collection[str]], Sequence[Work]]
    owner: Callable[[Work], str]
    handle: Callable[[Work], None]
    threads: int
    per_owner: int


class LaneRunner(Generic[Work]):
    """Runs one lane until it is stopped, then finishes what it holds."""

    def __init__(self, lane: Lane[Work]) -> None:
        self._lane = lane
        self._stopping = threading.Event()
        self._changed = threading.Event()
        self._busy: Counter[str] = Counter()
        self._counting = threading.Lock()

    def stop(self) -> None:
        """Ask the lane to end."""
        self._stopping.set()
        self._changed.set()

    def run(self) -> None:
        """Work until stopped."""
        with ThreadPoolExecutor(self._lane.threads, thread_name_prefix=self._lane.name) as pool:
            while not self._stopping.is_set():
                try:
                    found = self._claim()
                except SQLAlchemyError as error:
                    log.warning("database_unavailable", lane=self._lane.name, error=type(error).__name__)
                    self._stopping.wait(DATABASE_PAUSE_SECONDS)
                    continue
                for work in found:
                    pool.submit(self._do, work)
                if not found:
                    self._changed.wait(POLL_SECONDS)
                    self._changed.clear()

    def _claim(self) -> Sequence[Work]:
        with self._counting:
            free = self._lane.threads - self._busy.total()
            full = [owner for owner, count in self._busy.items() if count >= self._lane.per_owner]
        if free <= 0:
            return ()
        found = self._lane.claim(free, full)
        with self._counting:
            self._busy.update(self._lane.owner(work) for work in found)
        return found

    def _do(self, work: Work) -> None:
        try:
            self._lane.handle(work)
        except Exception as error:  # noqa: BLE001 - one poisoned piece of work must not stop its lane
            log.warning("work_failed", lane=self._lane.name, error=type(error).__name__)
        finally:
            with self._counting:
                self._busy[self._lane.owner(work)] -= 1
                self._busy += Counter()  # forgets owners without work
            self._changed.set()


@contextmanager
def running(lanes: Sequence[Lane[Work]]) -> Iterator[None]:
    """Run the lanes beside the block; at its end they finish what they hold."""
    runners = [LaneRunner(lane) for lane in lanes]
    threads = [threading.Thread(target=runner.run, name=lane.name) for runner, lane in zip(runners, lanes, strict=True)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for runner in runners:
            runner.stop()
        for thread in threads:
            thread.join()
