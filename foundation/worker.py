"""The worker loop: lease outbox jobs, hand each to its topic's handler, and run the sweepers on time."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from foundation.database import is_away
from foundation.outbox import Job, Outbox, Want
from foundation.wake import Wake

log = structlog.get_logger()

BATCH_PER_THREAD = 4
IDLE_WAIT_SECONDS = 0.2
DATABASE_PAUSE_SECONDS = 1.0
LEASE_SECONDS = 5.0
"""A worker renews its leases while it works, so they are short: a dead worker's jobs are due again after this."""
RENEW_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Done:
    """The effect happened, or is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Retry:
    """It did not work this time; ``after_seconds`` overrides the topic's back-off table."""

    reason: str
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Postpone:
    """It was not tried: there was no room for it yet. Counts as no try."""

    reason: str
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Dead:
    """It will never work; a person should look."""

    reason: str


Result = Done | Retry | Postpone | Dead
Handler = Callable[[Job], Result]


@dataclass(frozen=True, slots=True)
class Topic:
    """How one kind of job is handled.

    Args:
        name: the outbox topic.
        handler: does the effect; must be idempotent by job id or payload.
        backoff_seconds: waits after the first, second, … failure; the last one repeats.
        tries_max: after so many tries the job is dead; ``None`` never gives up.
        lease_seconds: how long one try may take at most; past it the job is somebody else's, however alive we are.
        on_exhausted: told about a job that just died.
    """

    name: str
    handler: Handler
    backoff_seconds: tuple[float, ...]
    tries_max: int | None
    lease_seconds: float = 30
    on_exhausted: Callable[[Job], None] | None = None

    def wait_after(self, tries: int) -> float:
        """Seconds to wait after the ``tries``-th try failed."""
        return self.backoff_seconds[min(tries, len(self.backoff_seconds)) - 1]


@dataclass(frozen=True, slots=True)
class Periodic:
    """A sweeper: bounded work, every so many seconds.

    Args:
        aside: run in a thread of its own, never twice at once, because jobs must not wait for it.
    """

    name: str
    every_seconds: float
    run: Callable[[], None]
    aside: bool = False


class Worker:
    """Runs until :meth:`stop` (or SIGTERM, SIGINT) and finishes what it holds before it returns.

    Args:
        threads: how many jobs of one topic are tried at once. No topic waits for another: a merchant's server that
            hangs delays no reversal (F23).
    """

    def __init__(
        self,
        outbox: Outbox,
        topics: Sequence[Topic],
        periodics: Sequence[Periodic] = (),
        *,
        wake: Wake | None = None,
        threads: int = 4,
    ) -> None:
        self._outbox = outbox
        self._topics = {topic.name: topic for topic in topics}
        self._periodics = tuple(periodics)
        self._next_run = {periodic.name: 0.0 for periodic in periodics}
        self._aside: dict[str, threading.Thread] = {}
        self._wake = wake
        self._threads = threads
        self._stopping = threading.Event()
        self._held: dict[int, tuple[Job, float]] = {}
        self._holding = threading.Lock()
        self._freed = threading.Event()

    def stop(self) -> None:
        """Ask the loop to end after the jobs it holds."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self.stop())
        with ExitStack() as stack:
            pools = {
                name: stack.enter_context(ThreadPoolExecutor(self._threads, thread_name_prefix=name))
                for name in self._topics
            }
            stack.enter_context(self._renewing())
            while not self._stopping.is_set():
                try:
                    left = self._hand_out(pools)
                except SQLAlchemyError as error:
                    log.warning("database_unavailable", error=type(error).__name__)
                    self._stopping.wait(DATABASE_PAUSE_SECONDS)
                else:
                    self._pause(left=left)

    def tick(self, pool: ThreadPoolExecutor) -> bool:
        """Run the sweepers that are due and one batch of jobs to its end; tell whether there were jobs."""
        self._sweep()
        jobs = self._claim(self._rooms())
        list(pool.map(self._handle, jobs))
        return bool(jobs)

    def _hand_out(self, pools: Mapping[str, ThreadPoolExecutor]) -> bool:
        """Run the sweepers that are due and begin what is due and has room; tell whether some may have found none.

        Whatever becomes due later rings, or is found by the next look: where there was room for more, looking again at
        once would only ask for nothing.
        """
        self._freed.clear()
        self._sweep()
        rooms = self._rooms()
        jobs = self._claim(rooms)
        for job in jobs:
            pools[job.topic].submit(self._handle, job)
        taken = Counter(job.topic for job in jobs)
        return any(taken[topic] == room for topic, room in rooms.items())

    def _sweep(self) -> None:
        for periodic in self._periodics:
            if time.monotonic() >= self._next_run[periodic.name]:
                self._next_run[periodic.name] = time.monotonic() + periodic.every_seconds
                self._run_periodic(periodic)

    def _run_periodic(self, periodic: Periodic) -> None:
        if not periodic.aside:
            _run_once(periodic)
        elif periodic.name not in self._aside or not self._aside[periodic.name].is_alive():
            thread = threading.Thread(target=_run_aside, args=(periodic,), name=periodic.name, daemon=True)
            self._aside[periodic.name] = thread
            thread.start()

    def _claim(self, rooms: Mapping[str, int]) -> list[Job]:
        wants = [
            Want(topic, room, min(LEASE_SECONDS, self._topics[topic].lease_seconds))
            for topic, room in rooms.items()
            if room
        ]
        jobs = self._outbox.claim(wants) if wants else []
        with self._holding:
            self._held.update({job.id: (job, time.monotonic()) for job in jobs})
        return jobs

    def _rooms(self) -> dict[str, int]:
        """Say how many more jobs of each topic may wait for its threads here."""
        with self._holding:
            held = Counter(job.topic for job, _ in self._held.values())
        return {topic: self._threads * BATCH_PER_THREAD - held[topic] for topic in self._topics}

    def renew_leases(self) -> None:
        """Keep what is being worked on, unless one try has taken longer than its topic allows."""
        now = time.monotonic()
        with self._holding:
            held = list(self._held.values())
        young = [job for job, since in held if now - since < self._topics[job.topic].lease_seconds]
        if young:
            self._outbox.renew(young, lease_seconds=LEASE_SECONDS)

    @contextmanager
    def _renewing(self) -> Iterator[None]:
        over = threading.Event()

        def renew_until_over() -> None:
            while not over.wait(RENEW_SECONDS):
                try:
                    self.renew_leases()
                except SQLAlchemyError as error:
                    log.warning("leases_not_renewed", error=type(error).__name__)

        thread = threading.Thread(target=renew_until_over, name="leases", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _handle(self, job: Job) -> None:
        try:
            self._try(job)
        except SQLAlchemyError as error:  # its lease ends soon, and then it is done again
            log.warning("result_not_recorded", job_id=job.id, topic=job.topic, error=type(error).__name__)
        finally:
            with self._holding:
                self._held.pop(job.id, None)
            self._freed.set()

    def _try(self, job: Job) -> None:
        topic = self._topics[job.topic]
        with self._holding:
            self._held[job.id] = (job, time.monotonic())  # waiting for a thread is no part of the try
        with structlog.contextvars.bound_contextvars(job_id=job.id, topic=job.topic, tries=job.tries):
            try:
                result = topic.handler(job)
            except Exception as error:  # noqa: BLE001 - a poison job must not stop the queue
                log.warning("job_failed", error=type(error).__name__)
                result = Retry(type(error).__name__)
            self._record(topic, job, result)

    def _record(self, topic: Topic, job: Job, result: Result) -> None:
        if isinstance(result, Retry) and topic.tries_max is not None and job.tries >= topic.tries_max:
            result = Dead(f"gave up after {job.tries} tries: {result.reason}")
        kept = True
        match result:
            case Done():
                kept = self._outbox.done(job)
            case Retry(reason, after_seconds):
                wait = topic.wait_after(job.tries) if after_seconds is None else after_seconds
                kept = self._outbox.retry(job, delay_seconds=wait, error=reason)
            case Postpone(reason, after_seconds):
                kept = self._outbox.postpone(job, delay_seconds=after_seconds, error=reason)
            case Dead(reason):
                kept = self._outbox.dead(job, error=reason)
                log.error("job_dead", reason=reason)
                if kept and topic.on_exhausted is not None:
                    topic.on_exhausted(job)
        if not kept:
            log.warning("job_lease_lost")

    def _pause(self, *, left: bool) -> None:
        """Wait for room where a topic may have more than it had room for, otherwise for the bell."""
        if left:
            self._freed.wait(IDLE_WAIT_SECONDS)
        elif self._wake is None:
            self._stopping.wait(IDLE_WAIT_SECONDS)
        else:
            self._wake.wait(IDLE_WAIT_SECONDS)


def _run_aside(periodic: Periodic) -> None:
    try:
        _run_once(periodic)
    except SQLAlchemyError as error:
        log.warning("sweeper_failed", sweeper=periodic.name, error=type(error).__name__)


def _run_once(periodic: Periodic) -> None:
    try:
        periodic.run()
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and is_away(error):
            raise
        log.warning("sweeper_failed", sweeper=periodic.name, error=type(error).__name__)
