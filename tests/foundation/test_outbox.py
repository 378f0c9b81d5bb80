"""The outbox and its worker on the real database: leases, fencing, back-off, poison jobs."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from foundation import outbox as box
from foundation.database import Database
from foundation.outbox import Job, Outbox, Want
from foundation.worker import Dead, Done, Periodic, Postpone, Result, Retry, Topic, Worker
from tests.fakes.counting import counting
from tests.world import wait_for


@pytest.fixture
def outbox(house_database: Database) -> Outbox:
    """The outbox of the gateway's database."""
    return Outbox(house_database)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for a worker's single tick."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


def queue(database: Database, *numbers: int, topic: str = "t", unique_key: str | None = None) -> None:
    """Queue one job per number, in one transaction."""
    with database.begin() as connection:
        for number in numbers:
            box.add(connection, topic, {"n": number}, unique_key=unique_key)


def rows(database: Database) -> list[tuple[int, bool, bool, str | None]]:
    """Return tries, done, dead and error of every row."""
    with database.single() as connection:
        found = connection.execute(text("SELECT tries, done_at, dead_at, last_error FROM outbox ORDER BY id")).all()
    return [(row[0], row[1] is not None, row[2] is not None, row[3]) for row in found]


def make_due(database: Database) -> None:
    """Let every waiting job's due time pass."""
    with database.begin() as connection:
        connection.execute(text("UPDATE outbox SET due_at = house_now()"))


def test_a_rolled_back_transaction_leaves_no_job(house_database: Database, outbox: Outbox) -> None:
    """What did not happen owes nobody anything."""

    def change_and_fail() -> None:
        with house_database.begin() as connection:
            box.add(connection, "t", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    assert outbox.claim([Want("t", 5, 5)]) == []


def test_a_unique_key_is_queued_once(house_database: Database) -> None:
    """A job that is owed already is not owed twice."""
    queue(house_database, 1, 2, unique_key="same")
    assert len(rows(house_database)) == 1


def test_a_leased_job_is_nobody_elses_until_the_lease_ends(house_database: Database, outbox: Outbox) -> None:
    """A dead worker's job is due again after its lease; the late worker is fenced out of every result."""
    queue(house_database, 1)
    (first,) = outbox.claim([Want("t", 5, 60)])
    assert outbox.claim([Want("t", 5, 60)]) == []
    make_due(house_database)
    (second,) = outbox.claim([Want("t", 5, 60)])
    assert (second.id, second.tries, second.fence) == (first.id, 2, first.fence + 1)
    assert not outbox.done(first)
    assert not outbox.retry(first, delay_seconds=1, error="late")
    assert not outbox.dead(first, error="late")
    assert outbox.done(second)
    assert not outbox.done(second)
    assert rows(house_database) == [(2, True, False, None)]


def test_parallel_workers_never_share_a_job(house_database: Database, outbox: Outbox) -> None:
    """Eight claimers get each of sixty jobs exactly once (SKIP LOCKED)."""
    queue(house_database, *range(60))
    barrier, got, lock = threading.Barrier(8), [], threading.Lock()

    def claim() -> None:
        barrier.wait()
        while jobs := outbox.claim([Want("t", 3, 60)]):
            with lock:
                got.extend(job.payload["n"] for job in jobs)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(60))


@pytest.mark.parametrize(
    ("result", "left"),
    [
        (Done(), (1, True, False, None)),
        (Retry("not yet"), (1, False, False, "not yet")),
        (Postpone("no room", 5.0), (0, False, False, "no room")),
        (Dead("never"), (1, False, True, "never")),
    ],
)
def test_a_handlers_result_is_recorded(
    result: Result,
    left: tuple[int, bool, bool, str | None],
    house_database: Database,
    outbox: Outbox,
    pool: ThreadPoolExecutor,
) -> None:
    """Done, Retry and Dead each leave their own row."""
    queue(house_database, 1)
    worker = Worker(outbox, [Topic("t", lambda _: result, backoff_seconds=(60,), tries_max=None)])
    assert worker.tick(pool)
    assert not worker.tick(pool)
    assert rows(house_database) == [left]


def test_a_poison_job_dies_after_its_tries_and_the_queue_goes_on(
    house_database: Database, outbox: Outbox, pool: ThreadPoolExecutor
) -> None:
    """F26: a job that raises is tried as often as its topic says, then kept for a person; others are done."""
    died: list[Job] = []

    def handle(job: Job) -> Result:
        if job.payload["n"] == 1:
            raise ValueError("poison with a secret")
        return Done()

    topic = Topic("t", handle, backoff_seconds=(0,), tries_max=2, on_exhausted=died.append)
    worker = Worker(outbox, [topic])
    queue(house_database, 1, 2)
    while worker.tick(pool):
        pass
    assert rows(house_database) == [
        (2, False, True, "gave up after 2 tries: ValueError"),
        (1, True, False, None),
    ]
    assert [job.payload for job in died] == [{"n": 1}]


def test_the_backoff_table_repeats_its_last_wait() -> None:
    """Waits grow by the table and stay at its end."""
    topic = Topic("t", lambda _: Done(), backoff_seconds=(1, 5, 30), tries_max=None)
    assert [topic.wait_after(tries) for tries in (1, 2, 3, 4, 99)] == [1, 5, 30, 30, 30]


def test_a_lost_lease_is_noticed_and_not_written_over(
    house_database: Database, outbox: Outbox, pool: ThreadPoolExecutor
) -> None:
    """F25: a worker that outlived its lease changes nothing."""

    def handle(_: Job) -> Result:
        make_due(house_database)
        outbox.claim([Want("t", 1, 60)])
        return Dead("too late")

    died: list[Job] = []
    topic = Topic("t", handle, backoff_seconds=(1,), tries_max=None, on_exhausted=died.append)
    queue(house_database, 1)
    Worker(outbox, [topic]).tick(pool)
    assert rows(house_database) == [(2, False, False, None)]
    assert died == []


def test_a_worker_sweeps_works_and_stops(house_database: Database, outbox: Outbox) -> None:
    """The loop runs its sweepers (a failing one stops nobody), handles jobs and ends when told."""
    swept, handled = threading.Event(), threading.Event()

    def fail() -> None:
        swept.set()
        raise RuntimeError

    def handle(_: Job) -> Result:
        handled.set()
        return Done()

    with working(Worker(outbox, [Topic("t", handle, (1,), None)], [Periodic("broken", 3600, fail)])):
        queue(house_database, 1)
        assert swept.wait(10)
        assert handled.wait(10)


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """Let a worker work beside us."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_f23_a_topic_that_hangs_delays_no_other(house_database: Database, outbox: Outbox) -> None:
    """F23: more hanging webhooks than there are threads and places, and what is queued after them is done meanwhile."""
    over, done = threading.Event(), threading.Event()

    def hang(_: Job) -> Result:
        over.wait(30)
        return Done()

    def handle(_: Job) -> Result:
        done.set()
        return Done()

    worker = Worker(outbox, [Topic("t", hang, (1,), None), Topic("other", handle, (1,), None)], threads=1)
    queue(house_database, *range(9))
    with working(worker):
        wait_for(lambda: worker._rooms()["t"] == 0, "everything to hang")  # noqa: SLF001 - its own count
        queue(house_database, 1, topic="other")
        assert done.wait(10)
        over.set()
        wait_for(lambda: all(row[1] for row in rows(house_database)), "the rest to be done")


def test_f13_a_result_that_cannot_be_recorded_is_done_again(house_database: Database, outbox: Outbox) -> None:
    """F13: PostgreSQL went away under a job; the job is due again when its lease ends, and the worker goes on."""
    tries: list[int] = []

    def handle(job: Job) -> Result:
        tries.append(job.tries)
        if job.tries == 1:
            outbox.done = away  # type: ignore[method-assign]  # put in its place for this test
        return Done()

    def away(_: Job) -> bool:
        del outbox.done  # type: ignore[attr-defined]  # put in its place for this test
        make_due(house_database)
        raise OperationalError("", {}, Exception())

    queue(house_database, 1)
    with working(Worker(outbox, [Topic("t", handle, (1,), None)])):
        wait_for(lambda: rows(house_database)[0][1], "the job to be done")

    assert tries == [1, 2]


def test_f24_a_dead_workers_job_is_due_again_within_ten_seconds(house_database: Database, outbox: Outbox) -> None:
    """F24: whatever a try may take, the lease in the database is short, so a crash delays a job by seconds."""
    topic = Topic("t", lambda _: Done(), backoff_seconds=(1,), tries_max=None, lease_seconds=90)
    queue(house_database, 1)
    dying = Worker(outbox, [topic])
    assert dying._claim({"t": 1})  # noqa: SLF001 - it dies here, with the lease in its hand
    with house_database.single() as connection:
        left = connection.execute(text("SELECT extract(epoch FROM due_at - house_now()) FROM outbox")).scalar_one()
    assert left <= 10


class Bell:
    """A wake-up that rings when told, and counts how often somebody began to wait for it."""

    def __init__(self) -> None:
        self.rung = threading.Semaphore(0)
        self.waits = 0

    def wait(self, _: float) -> None:
        """Wait for the bell, however long that takes."""
        self.waits += 1
        self.rung.acquire(timeout=60)


def test_performance_a_bell_is_answered_by_one_look_in_all_topics(house_database: Database, outbox: Outbox) -> None:
    """Where a look had room for more than it found, the next one waits for the next bell."""
    bell = Bell()
    topics = [Topic(name, lambda _: Done(), backoff_seconds=(1,), tries_max=None) for name in ("t", "u")]
    worker = Worker(outbox, topics, wake=bell)  # type: ignore[arg-type]  # all that a worker asks of it
    with working(worker):
        wait_for(lambda: bell.waits == 1, "the worker to come to rest")
        queue(house_database, 1, 2, 3)
        with counting(house_database) as counted:
            bell.rung.release()
            wait_for(lambda: bell.waits == 2, "the worker to come to rest again")
            wait_for(lambda: all(done for _, done, _, _ in rows(house_database)), "the jobs to be done")
        worker.stop()
        bell.rung.release()

    assert sum("fence = fence + 1" in statement for statement in counted.statements) == 1


def test_f19_no_topic_takes_anothers_room(house_database: Database, outbox: Outbox) -> None:
    """One look leases of each topic what there is room for, each under its own lease."""
    queue(house_database, *range(9))
    with house_database.begin() as connection:
        box.add(connection, "u", {"n": 9})
        box.add(connection, "v", {"n": 10})

    taken = outbox.claim([Want("t", 3, 0), Want("u", 3, 60)])

    assert [job.payload["n"] for job in taken] == [0, 1, 2, 9]
    assert [job.payload["n"] for job in outbox.claim([Want("t", 7, 60), Want("u", 1, 60)])] == [0, *range(3, 9)]
    assert outbox.claim([Want("u", 0, 60)]) == []


def test_f19_a_backlog_is_worked_off_by_one_bell(house_database: Database, outbox: Outbox) -> None:
    """More than there is room for at once is taken as room comes, with nobody to ring again (F19)."""
    bell = Bell()
    topic = Topic("t", lambda _: Done(), backoff_seconds=(1,), tries_max=None)
    queue(house_database, *range(60))
    worker = Worker(outbox, [topic], wake=bell, threads=1)  # type: ignore[arg-type]  # as above
    with working(worker):
        wait_for(lambda: all(done for _, done, _, _ in rows(house_database)), "the backlog to be worked off", 30)
        worker.stop()
        bell.rung.release()

    assert bell.waits <= 1


def test_f24_a_slow_try_keeps_its_job(house_database: Database, outbox: Outbox, pool: ThreadPoolExecutor) -> None:
    """A handler that takes longer than the short lease keeps it by renewal and writes its result."""
    took: list[int] = []

    def handle(_: Job) -> Result:
        make_due(house_database)
        worker.renew_leases()
        took.extend(job.id for job in outbox.claim([Want("t", 1, 60)]))
        return Done()

    worker = Worker(outbox, [Topic("t", handle, backoff_seconds=(1,), tries_max=None)])
    queue(house_database, 1)
    worker.tick(pool)
    worker.renew_leases()
    assert took == []
    assert rows(house_database) == [(1, True, False, None)]


def test_f25_a_try_past_its_time_is_not_renewed(
    house_database: Database, outbox: Outbox, pool: ThreadPoolExecutor
) -> None:
    """F25: a handler that hangs beyond what its topic allows loses the job, and its late result is fenced out."""

    def handle(_: Job) -> Result:
        make_due(house_database)
        worker.renew_leases()
        assert outbox.claim([Want("t", 1, 60)])
        return Done()

    worker = Worker(outbox, [Topic("t", handle, backoff_seconds=(1,), tries_max=None, lease_seconds=0)])
    queue(house_database, 1)
    worker.tick(pool)
    assert rows(house_database) == [(2, False, False, None)]
