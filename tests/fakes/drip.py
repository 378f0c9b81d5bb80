"""A wire that lets a partner's answer through byte by byte: each byte in time, the whole of it never."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

GAP_SECONDS = 0.02


@dataclass
class Passed:
    """What one connection carried so far."""

    number: int
    asked: int = 0
    answered: bytearray = field(default_factory=bytearray)


SECOND = "on the second try"
SLOW: dict[str, Callable[[Passed], bool]] = {
    "never": lambda _: False,
    "always": lambda _: True,
    "in the body": lambda passed: b"\r\n\r\n" in passed.answered,
    "after the handshake": lambda passed: passed.asked > 1,
    SECOND: lambda _: True,
}
"""When bytes of the answer drip; ``asked`` counts what the client sent, piece by piece."""


class Wire:
    """Carries connections to ``target``, a port of the loopback; for ``on the second try`` it ends the first early."""

    def __init__(self, target: int, when: str) -> None:
        self._target = target
        self._when = when
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends = [self._listener]
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]

    def start(self, work: Callable[..., None], *arguments: object) -> None:
        """Do a part of the work beside the others."""
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End everything and wait for it."""
        self._over.set()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._ends:
            end.close()

    def accept(self) -> None:
        """Take connections until stopped."""
        for number in itertools.count(1):
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [client, server]
            passed = Passed(number)
            self.start(self._ask, client, server, passed)
            self.start(self._answer, server, client, passed)

    def _ask(self, client: socket.socket, server: socket.socket, passed: Passed) -> None:
        with suppress(OSError):
            while piece := client.recv(65_536):
                passed.asked += 1
                server.sendall(piece)
            server.shutdown(socket.SHUT_RDWR)

    def _answer(self, server: socket.socket, client: socket.socket, passed: Passed) -> None:
        with suppress(OSError):
            while (piece := server.recv(65_536)) and not (self._when == SECOND and passed.number == 1):
                for byte in piece:
                    if SLOW[self._when](passed) and self._over.wait(GAP_SECONDS):
                        return
                    client.sendall(bytes([byte]))
                    passed.answered.append(byte)
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def dripping(port: int, when: str) -> Iterator[int]:
    """Carry connections to ``port`` for the length of the block; gives the port to connect to."""
    wire = Wire(port, when)
    wire.start(wire.accept)
    try:
        yield wire.port
    finally:
        wire.stop()
