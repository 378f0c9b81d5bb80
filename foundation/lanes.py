"""Lanes: work of several owners done side by side, so that a slow owner holds up only its own.

A lane asks for as much work as it has free threads, and shows what it has in hand; so whoever gives work out can
hold each owner to its share of threads, and one whose work hangs keeps that many busy and no more. Owners known to be
slow belong in a lane of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
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
        claim: takes how many at most and the work in hand, leases that much work of owners that may have more, and
            returns it; whoever dies with it loses the lease, so work is done at least once.
        handle: does it, and writes down what came of it.
        threads: how much is done at once.
    """

    name: str
    claim: Callable[[int, Sequence[Work]], Sequence[Work]]
    handle: Callable[[Work], None]
    threads: int


class LaneRunner(Generic[Work]):
    """Runs one lane until it is stopped, then finishes what it holds."""

    def __init__(self, lane: Lane[Work]) -> None:
        self._lane = lane
        self._stopping = threading.Event()
        self._changed = threading.Event()
        self._held: list[Work] = []
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
            held = tuple(self._held)
        if len(held) >= self._lane.threads:
            return ()
        found = self._lane.claim(self._lane.threads - len(held), held)
        with self._counting:
            self._held.extend(found)
        return found

    def _do(self, work: Work) -> None:
        try:
            self._lane.handle(work)
        except Exception as error:  # noqa: BLE001 - one poisoned piece of work must not stop its lane
            log.warning("work_failed", lane=self._lane.name, error=type(error).__name__)
        finally:
            with self._counting:
                self._held.remove(work)
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
