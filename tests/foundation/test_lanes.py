"""Lanes: a slow owner holds up only its own, a poisoned piece of work nobody."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy.exc import OperationalError

from foundation import lanes
from foundation.lanes import Lane, running

WAIT_SECONDS = 10


class Queue:
    """Work of several owners in memory: pairs of owner and number."""

    def __init__(self, *work: tuple[str, int]) -> None:
        self.waiting = list(work)
        self.asked: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def claim(self, most: int, held: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        """Take at most one per owner, none of who has two in hand."""
        with self._lock:
            self.asked.append((most, len(held)))
            full = {owner for owner, count in Counter(owner for owner, _ in held).items() if count >= 2}
            taken: dict[str, tuple[str, int]] = {}
            for work in self.waiting:
                if work[0] not in full and len(taken) < most:
                    taken.setdefault(work[0], work)
            self.waiting = [work for work in self.waiting if work not in taken.values()]
            return list(taken.values())


def lane(queue: Queue, handle: Callable[[tuple[str, int]], None], *, threads: int = 4) -> Lane[tuple[str, int]]:
    """A lane of this queue."""
    return Lane("test", queue.claim, handle, threads)


def test_f23_an_owner_that_hangs_holds_two_threads_and_no_more() -> None:
    """F23: everything of the others is done while it hangs."""
    let_go, others, running_now = threading.Event(), threading.Semaphore(0), Counter[str]()
    queue = Queue(*[("hangs", number) for number in range(9)], *[("well", number) for number in range(20)])

    def handle(work: tuple[str, int]) -> None:
        if work[0] == "hangs":
            running_now["hangs"] += 1
            let_go.wait(WAIT_SECONDS)
        else:
            others.release()

    with running([lane(queue, handle)]):
        for _ in range(20):
            assert others.acquire(timeout=WAIT_SECONDS)
        assert running_now["hangs"] == 2
        assert len([work for work in queue.waiting if work[0] == "hangs"]) == 7
        let_go.set()

    assert {most + held for most, held in queue.asked} == {4}


def test_what_is_held_is_finished_before_the_end() -> None:
    """Stopping waits for work in hand and takes no more."""
    began, finished = threading.Event(), threading.Event()

    def handle(_: tuple[str, int]) -> None:
        began.set()
        threading.Event().wait(0.2)
        finished.set()

    with running([lane(Queue(("a", 1)), handle)]):
        assert began.wait(WAIT_SECONDS)
    assert finished.is_set()


def test_a_poisoned_piece_of_work_stops_nobody() -> None:
    """The exception is logged and the next one is done."""
    done = threading.Event()

    def handle(work: tuple[str, int]) -> None:
        if work[1] == 1:
            raise ValueError
        done.set()

    with running([lane(Queue(("a", 1), ("a", 2)), handle, threads=1)]):
        assert done.wait(WAIT_SECONDS)


def test_a_lane_comes_back_with_its_database() -> None:
    """A claim that fails is tried again after a pause."""
    done = threading.Event()
    queue = Queue(("a", 1))
    claim, failures = queue.claim, iter([True])

    def unlucky(most: int, held: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        if next(failures, False):
            raise OperationalError("", {}, Exception())
        return claim(most, held)

    queue.claim = unlucky  # type: ignore[method-assign] - this queue's database is away once
    with running([lane(queue, lambda _: done.set())]):
        assert done.wait(WAIT_SECONDS + lanes.DATABASE_PAUSE_SECONDS)
