"""What a run measures: how soon a killed worker's jobs are taken over, how soon a purchase works after PostgreSQL."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import requests

from foundation.worker import LEASE_SECONDS
from sandbox.merchant import Merchant
from sandbox.running import RunningWorld

LOOK_SECONDS = 0.1
WATCH_SECONDS = 40.0
WORKER_MOST_SECONDS = 10.0
DATABASE_MOST_SECONDS = 30.0
AMOUNT = 10_000
_TAKEN = "SELECT coalesce(sum(fence), 0)::bigint FROM outbox"
_DUE = "SELECT count(*) FROM outbox WHERE done_at IS NULL AND dead_at IS NULL AND due_at <= house_now()"
_HELD = """
SELECT array_agg(id), coalesce(sum(fence), 0)::bigint FROM outbox WHERE done_at IS NULL AND dead_at IS NULL
  AND fence > 0 AND last_error IS NULL AND due_at > house_now() AND due_at <= house_now() + make_interval(secs => %s)
"""
_LEFT = "SELECT coalesce(sum(fence), 0)::bigint, count(*) FILTER (WHERE done_at IS NULL) FROM outbox WHERE id = ANY(%s)"


@dataclass
class Disturbance:
    """A time in which an organisation's workers could not work; everybody's, without a name."""

    organisation: str
    began: float
    ended: float = math.inf

    def meets(self, organisation: str, since: float) -> bool:
        """Tell whether it concerns this organisation and was not over by then."""
        return self.organisation in {"", organisation} and self.ended > since


@dataclass
class Measures:
    """What was measured, and what may not happen and did."""

    world: RunningWorld
    merchant: Merchant
    resumed: list[float] = field(default_factory=list)
    restarted: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    _disturbances: list[Disturbance] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def violation(self, what: str) -> None:
        """Remember something that may not happen."""
        with self._lock:
            self.violations.append(what)

    @contextmanager
    def disturbed(self, organisation: str = "") -> Iterator[None]:
        """Keep one organisation's workers, or everybody, from working in this block: no fault of who takes over."""
        disturbance = Disturbance(organisation, time.monotonic())
        self._disturbances.append(disturbance)
        try:
            yield
        finally:
            disturbance.ended = time.monotonic()

    @contextmanager
    def watch_outbox(self, organisation: str, what: str) -> Iterator[None]:
        """Kill a worker in this block; its jobs, or else the next ones, must be taken over by another."""
        yield
        killed = time.monotonic()
        try:
            seconds = self._taken_over(organisation, killed)
        except psycopg.OperationalError:
            return  # PostgreSQL was ended meanwhile: that has a bound of its own
        if seconds is None or any(each.meets(organisation, killed) for each in list(self._disturbances)):
            return
        self.resumed.append(seconds)
        if seconds > WORKER_MOST_SECONDS:
            self.violation(f"{seconds:.1f} s until the work of who died was taken over ({what})")

    def _taken_over(self, organisation: str, killed: float) -> float | None:
        with psycopg.connect(self._url(organisation), autocommit=True, connect_timeout=5) as books:
            held, fences = _row(books, _HELD, LEASE_SECONDS)
            began, taken = killed if held else None, _row(books, _TAKEN)[0]
            while time.monotonic() < killed + WATCH_SECONDS:
                if held:
                    now, left = _row(books, _LEFT, held)
                    over = now != fences or not left
                else:
                    over = _row(books, _TAKEN)[0] != taken
                    if began is None and _row(books, _DUE)[0]:
                        began = time.monotonic()
                if over:
                    return 0.0 if began is None else time.monotonic() - began
                time.sleep(LOOK_SECONDS)
        return None if began is None else WATCH_SECONDS

    @contextmanager
    def watch_database(self) -> Iterator[None]:
        """End PostgreSQL and start it again in this block; from the end on somebody tries to open a payment."""
        began, over = time.monotonic(), threading.Event()
        trying = threading.Thread(target=self._try_until, args=(over,), name="first-step", daemon=True)
        with self.disturbed():
            yield
            trying.start()
            over.wait(WATCH_SECONDS)
            over.set()
        seconds = time.monotonic() - began
        self.restarted.append(seconds)
        if seconds > DATABASE_MOST_SECONDS:
            self.violation(f"{seconds:.1f} s until the first payment after a restart of PostgreSQL")

    def _try_until(self, over: threading.Event) -> None:
        while not over.is_set():
            try:
                self.merchant.open(AMOUNT, tries=1)
                over.set()
            except requests.RequestException:
                over.wait(LOOK_SECONDS)

    def _url(self, organisation: str) -> str:
        return self.world.world.database_url(organisation, "reader").replace("+psycopg", "")


def _row(books: psycopg.Connection[tuple[object, ...]], query: str, *values: object) -> tuple[object, ...]:
    return books.execute(query.encode(), values).fetchone() or ()
