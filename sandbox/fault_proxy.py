"""A TCP proxy that misbehaves as it is told: latency, stall, reset, half-close, slices, a cut after so many bytes.

It knows nothing of what it carries. Told what to do by object (:meth:`FaultProxy.misbehave`) or, from another process,
by lines on a port of its own: ``state``, ``reset``, ``set latency_seconds 0.5 stalled 1``.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

ADDRESS = "127.0.0.1"
PIECE_BYTES = 65_536
CONNECT_SECONDS = 5.0
TICK_SECONDS = 0.1
LINE_SECONDS = 30.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""``SO_LINGER`` of zero seconds: closing sends RST instead of FIN."""


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What happens to everything that passes; all zero is a faithful wire.

    Args:
        latency_seconds: each piece waits so long, in both directions.
        stalled: nothing passes, nothing is closed.
        refused: new connections are reset at once.
        reset: every connection is reset at its next piece.
        half_closed: answers are ended as if the server had closed its side; questions still pass.
        slice_bytes: pieces are cut into slices of so many bytes.
        cut_after_bytes: a connection ends once so many bytes came back from the server.
    """

    latency_seconds: float = 0.0
    stalled: bool = False
    refused: bool = False
    reset: bool = False
    half_closed: bool = False
    slice_bytes: int = 0
    cut_after_bytes: int = 0


FAITHFUL = Misbehaviour()
_READERS: dict[str, Callable[[str], Any]] = {
    "float": float,
    "int": int,
    "bool": lambda text: text not in {"0", "false"},
}
_KINDS = {field.name: _READERS[str(field.type)] for field in fields(Misbehaviour)}


class FaultProxy:
    """Listens on a port and carries every connection to ``target``, faithfully or not.

    Args:
        target: where the real server listens, an address or the path of a Unix socket; it need not run yet.
        port: where to listen; 0 takes a free one.
    """

    def __init__(self, target: tuple[str, int] | Path, port: int = 0) -> None:
        self._target = target
        self._listener = socket.create_server((ADDRESS, port), backlog=128)
        self._now = FAITHFUL
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._carried: set[_Connection] = set()
        self._acceptor = threading.Thread(target=self._accept, name="fault-proxy", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def now(self) -> Misbehaviour:
        """What happens at present."""
        return self._now

    def start(self) -> FaultProxy:
        """Begin to accept."""
        self._acceptor.start()
        return self

    def stop(self) -> None:
        """Stop listening and end every connection."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.misbehave()
        for connection in self._all():
            connection.end()
        if self._acceptor.is_alive():
            self._acceptor.join()

    def misbehave(self, **changes: Any) -> Misbehaviour:
        """Be faithful except for ``changes``, from the next piece on; no changes make it faithful again."""
        with self._changed:
            self._now = replace(FAITHFUL, **changes)
            self._changed.notify_all()
        return self._now

    def drop_connections(self) -> int:
        """Reset every connection now; returns how many there were."""
        connections = self._all()
        for connection in connections:
            connection.end(abruptly=True)
        return len(connections)

    def pass_on(self, piece: bytes, connection: _Connection, *, answer: bool) -> bool:
        """Carry one piece as the present misbehaviour wants; ``False`` ends this direction."""
        with self._changed:
            while self._now.stalled and not self._stopping.is_set() and not connection.ended:
                self._changed.wait(TICK_SECONDS)
            now = self._now
        if now.latency_seconds:
            self._stopping.wait(now.latency_seconds)
        if now.reset:
            connection.end(abruptly=True)
            return False
        if answer and now.half_closed:
            return False
        return connection.send(piece, now, answer=answer)

    def forget(self, connection: _Connection) -> None:
        """Forget a connection that ended."""
        with self._changed:
            self._carried.discard(connection)

    def _all(self) -> list[_Connection]:
        with self._changed:
            return list(self._carried)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._now.refused:
                _close(client, abruptly=True)
                continue
            try:
                server = _connected(self._target)
            except OSError:
                _close(client, abruptly=True)
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(self, client, server)
            with self._changed:
                self._carried.add(connection)
            connection.start()


class _Connection:
    """One carried connection: two sockets and a thread for each direction."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._answered_bytes = 0
        self._open_directions = 2
        self._lock = threading.Lock()
        self.ended = False

    def start(self) -> None:
        # Touches no socket: the first direction may have ended the connection before the second one starts.
        for one, other, answer in ((self._client, self._server, False), (self._server, self._client, True)):
            carry = partial(self._carry, one, other, answer=answer)
            threading.Thread(target=carry, name="fault-wire", daemon=True).start()

    def send(self, piece: bytes, now: Misbehaviour, *, answer: bool) -> bool:
        if answer and now.cut_after_bytes:
            piece = piece[: max(0, now.cut_after_bytes - self._answered_bytes)]
        target = self._client if answer else self._server
        step = now.slice_bytes or len(piece) or 1
        for at in range(0, len(piece), step):
            target.sendall(piece[at : at + step])
        if answer:
            self._answered_bytes += len(piece)
            if now.cut_after_bytes and self._answered_bytes >= now.cut_after_bytes:
                self.end()
                return False
        return True

    def end(self, *, abruptly: bool = False) -> None:
        with self._lock:
            if self.ended:
                return
            self.ended = True
        for end in (self._client, self._server):
            _close(end, abruptly=abruptly)
        self._proxy.forget(self)

    def _carry(self, source: socket.socket, target: socket.socket, *, answer: bool) -> None:
        try:
            while (piece := source.recv(PIECE_BYTES)) and self._proxy.pass_on(piece, self, answer=answer):
                pass
            if not self.ended:
                target.shutdown(socket.SHUT_WR)
        except OSError:
            self.end()
        with self._lock:
            self._open_directions -= 1
            last = self._open_directions == 0
        if last:
            self.end()


class ControlPort:
    """Takes the orders of another process, a line each, and answers each with the state as JSON."""

    def __init__(self, proxy: FaultProxy, port: int = 0) -> None:
        self._proxy = proxy
        self._listener = socket.create_server((ADDRESS, port))
        self._thread = threading.Thread(target=self._serve, name="fault-control", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    def start(self) -> ControlPort:
        """Begin to listen."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread.is_alive():
            self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            caller.settimeout(LINE_SECONDS)
            with (
                caller,
                contextlib.suppress(OSError),
                caller.makefile("rw", encoding="ascii", errors="replace") as talk,
            ):
                for line in talk:
                    talk.write(json.dumps(obey(self._proxy, line)) + "\n")
                    talk.flush()


def obey(proxy: FaultProxy, line: str) -> dict[str, Any]:
    """Do what one line says: ``state``, ``reset``, ``drop`` or ``set NAME VALUE …``; a wrong line changes nothing."""
    verb, *words = line.split() or [""]
    if verb == "reset" and not words:
        proxy.misbehave()
    elif verb == "drop" and not words:
        return {"dropped": proxy.drop_connections()}
    elif verb == "set" and words and len(words) % 2 == 0:
        try:
            changes = {name: _KINDS[name](value) for name, value in zip(words[::2], words[1::2], strict=True)}
        except (KeyError, ValueError):
            return {"error": "set NAME VALUE, with a name of: " + ", ".join(_KINDS)}
        proxy.misbehave(**changes)
    elif verb != "state" or words:
        return {"error": "state | reset | drop | set NAME VALUE …"}
    return asdict(proxy.now)


def _connected(target: tuple[str, int] | Path) -> socket.socket:
    if isinstance(target, Path):
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(target))
        return server
    server = socket.create_connection(target, timeout=CONNECT_SECONDS)
    server.settimeout(None)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def _close(end: socket.socket, *, abruptly: bool) -> None:
    with contextlib.suppress(OSError):
        if abruptly:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            end.shutdown(socket.SHUT_RD)  # wakes whoever reads here, says nothing to the other side
        else:
            end.shutdown(socket.SHUT_RDWR)
    end.close()
