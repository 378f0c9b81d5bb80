"""Sweepers that run beside the worker's loop."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from foundation.database import Database
from foundation.outbox import Outbox
from foundation.worker import Periodic, Worker


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


def test_a_database_that_is_away_ends_no_sweeper_beside(house_database: Database) -> None:
    """It is said, and the next round comes."""

    def away() -> None:
        raise SQLAlchemyError

    worker = Worker(Outbox(house_database), (), (Periodic("away", 0.0, away, aside=True),))
    with capture_logs() as said, ThreadPoolExecutor(1) as pool:
        worker.tick(pool)
        worker._aside["away"].join(5)  # noqa: SLF001 - waited for, not looked into

    assert [(line["event"], line["sweeper"]) for line in said] == [("sweeper_failed", "away")]
