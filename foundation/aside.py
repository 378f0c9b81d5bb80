"""Small things done beside the work that found them: a bounded queue with one thread behind it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Aside(Generic[T]):
    """Takes things from threads that must not wait and does them one by one on a thread of its own.

    What is in the queue when the process ends is lost: it is for what may be lost, and can be found out again.

    Args:
        name: of the thread, and in the log.
        room: how many things may wait; what comes on top is refused.
    """

    def __init__(self, name: str, *, room: int) -> None:
        self._name = name
        self._waiting: queue.Queue[T] = queue.Queue(room)
        self._do: Callable[[T], None] | None = None
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()
        self._full = False

    def does(self, do: Callable[[T], None]) -> None:
        """Say what is done with each thing; nothing is done before."""
        self._do = do

    def put(self, thing: T) -> bool:
        """Hand over a thing without waiting; ``False`` when there is no room for it."""
        try:
            self._waiting.put_nowait(thing)
        except queue.Full:
            if not self._full:
                log.warning("aside_full", name=self._name)
            self._full = True
            return False
        self._full = False
        self._started()
        return True

    def _started(self) -> None:
        """Begin with the first thing: a thread that was begun before a fork would be missing after it."""
        with self._guard:
            if self._do is not None and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._run, args=(self._do,), name=self._name, daemon=True)
                self._thread.start()

    def _run(self, do: Callable[[T], None]) -> None:
        while True:
            thing = self._waiting.get()
            try:
                do(thing)
            except Exception as error:  # noqa: BLE001 - one thing that fails must not keep the others
                log.warning("aside_failed", name=self._name, error=type(error).__name__)
