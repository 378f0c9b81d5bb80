"""A message centre of somebody else's making (the smpp34 wheel), in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import smpp34

ACCEPT = 0


@dataclass
class Centre:
    """A running centre: what it got, and what it does with it.

    Args:
        judge: gives a command status for each part; 0 accepts it.
    """

    port: int = 0
    judge: Callable[[Any], int] = lambda _: ACCEPT
    got: list[Any] = field(default_factory=list)
    bound: threading.Event = field(default_factory=threading.Event)
    _esme: Any = None
    loop: asyncio.AbstractEventLoop | None = None

    def deliver(self, text: bytes, **fields: Any) -> int:
        """Send one ``deliver_sm`` from a phone, and return the status of its answer."""
        values = {"source_addr": "989121234567", **fields}

        async def answer() -> int:
            return int((await self._esme.deliver_sm("30003303", text, **values)).command_status)

        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(answer(), self.loop).result(10)

    async def serve(self, server: Any) -> None:
        """Handle what comes, for ever."""
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self._esme = event
                self.bound.set()
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.got.append(event)
                status = self.judge(event)
                if status == ACCEPT:
                    event.accept(f"{len(self.got):08x}")
                else:
                    event.reject(status)


@contextmanager
def centre(port: int, judge: Callable[[Any], int] = lambda _: ACCEPT) -> Iterator[Centre]:
    """Run a centre on this port for the length of the block."""
    running, started = Centre(port, judge), threading.Event()
    stop: list[Callable[[], object]] = []

    async def whole() -> None:
        server = smpp34.Server("127.0.0.1", port)
        await server.start()
        running.loop = asyncio.get_running_loop()
        serving: Coroutine[Any, Any, None] = running.serve(server)
        task = asyncio.create_task(serving)
        stop.append(lambda: running.loop and running.loop.call_soon_threadsafe(task.cancel))
        started.set()
        with suppress(asyncio.CancelledError):
            await task
        await server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(whole()))
    thread.start()
    assert started.wait(10)
    try:
        yield running
    finally:
        stop[0]()
        thread.join(10)
