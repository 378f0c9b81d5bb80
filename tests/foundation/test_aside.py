"""Small things are done off the caller's thread, in order, and never without bound."""

from __future__ import annotations

import threading

from foundation.aside import Aside


def test_things_are_done_in_order_on_another_thread() -> None:
    """What is put first is done first, by one thread that is not the caller's."""
    done: list[tuple[int, str]] = []
    over = threading.Event()
    aside: Aside[int] = Aside("beside", room=10)

    def do(thing: int) -> None:
        done.append((thing, threading.current_thread().name))
        if thing == 2:
            over.set()

    aside.does(do)

    assert all(aside.put(number) for number in range(3))
    assert over.wait(5)
    assert done == [(0, "beside"), (1, "beside"), (2, "beside")]


def test_a_full_queue_refuses_and_never_waits() -> None:
    """With the doer held up, so many things wait and the next is refused at once; afterwards there is room again."""
    held, over, done = threading.Event(), threading.Event(), []
    aside: Aside[int] = Aside("beside", room=2)

    def do(thing: int) -> None:
        held.wait(5)
        done.append(thing)
        if thing == 9:
            over.set()

    aside.does(do)
    taken = [aside.put(number) for number in range(8)]
    assert taken[:2] == [True, True]
    assert taken[-1] is False
    held.set()
    while not aside.put(9):
        over.wait(0.01)
    assert over.wait(5)
    assert len(done) == sum(taken) + 1


def test_one_that_fails_does_not_keep_the_others() -> None:
    """An error is logged by its name, and the next thing is done."""
    over = threading.Event()
    aside: Aside[int] = Aside("beside", room=10)

    def do(thing: int) -> None:
        if thing == 1:
            raise ConnectionError
        over.set()

    aside.does(do)
    aside.put(1)
    aside.put(2)

    assert over.wait(5)


def test_what_comes_before_anybody_says_what_to_do_waits() -> None:
    """Nothing is done, and nothing lost, until the doer is named."""
    done, over = [], threading.Event()
    aside: Aside[int] = Aside("beside", room=10)
    assert aside.put(1)

    aside.does(lambda thing: (done.append(thing), over.set() if thing == 2 else None))
    aside.put(2)

    assert over.wait(5)
    assert done == [1, 2]
