"""Sweepers that run beside the worker's loop."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from structlog.testing import capture_logs

from foundation import outbox as box
from foundation.database import Database
from foundation.outbox import Job, Outbox
from foundation.worker import Done, Periodic, Result, Topic, Worker


def test_a_sweeper_beside_the_loop_holds_no_job_up(house_database: Database) -> None:
    """While it takes its time the loop goes round, and it is not begun a second time; then it may again."""
    go, begun = threading.Event(), threading.Semaphore(0)

    def slowly() -> None:
        begun.release()
        go.wait(10)

    worker = Worker(Outbox(house_database), (), (Periodic("slow", 0.0, slowly, aside=True),))
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            worker.tick(pool)
        assert begun.acquire(timeout=5)
        assert not begun.acquire(blocking=False)
        go.set()
        worker._aside["slow"].join(5)  # noqa: SLF001 - waited for, not looked into
        worker.tick(pool)
        assert begun.acquire(timeout=5)


def test_a_statement_that_fails_stops_neither_the_other_sweepers_nor_the_jobs(house_database: Database) -> None:
    """One sweeper's statement takes too long, again and again: whoever waits for money is served all the same."""
    with house_database.begin() as connection:
        box.add(connection, "t", {})

    def too_long() -> None:
        with house_database.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 50"))
            connection.execute(text("SELECT pg_sleep(5)"))

    done: list[str] = []

    def handle(_: Job) -> Result:
        done.append("job")
        return Done()

    sweepers = Periodic("too long", 0.0, too_long), Periodic("next", 0.0, lambda: done.append("sweeper"))
    worker = Worker(Outbox(house_database), (Topic("t", handle, (1,), None),), sweepers)
    with capture_logs() as said, ThreadPoolExecutor(1) as pool:
        worker.tick(pool)

    assert done == ["sweeper", "job"]
    assert [(line["event"], line["sweeper"]) for line in said] == [("sweeper_failed", "too long")]


def test_a_sweeper_that_finds_the_database_away_ends_the_round(house_database: Database) -> None:
    """Nothing else could be done meanwhile; the loop waits and begins again."""
    nobody = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")

    def reach() -> None:
        with nobody.single():
            pass

    worker = Worker(Outbox(house_database), (), (Periodic("reach", 0.0, reach),))
    with ThreadPoolExecutor(1) as pool, pytest.raises(OperationalError):
        worker.tick(pool)
    nobody.close()


def test_a_database_that_is_away_ends_no_sweeper_beside(house_database: Database) -> None:
    """It is said, and the next round comes."""

    def away() -> None:
        raise SQLAlchemyError

    worker = Worker(Outbox(house_database), (), (Periodic("away", 0.0, away, aside=True),))
    with capture_logs() as said, ThreadPoolExecutor(1) as pool:
        worker.tick(pool)
        worker._aside["away"].join(5)  # noqa: SLF001 - waited for, not looked into

    assert [(line["event"], line["sweeper"]) for line in said] == [("sweeper_failed", "away")]
