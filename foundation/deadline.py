"""One call, one deadline: however a partner stalls, the call's connection is cut when its time is up.

Time-outs of a socket count from byte to byte, so a partner that drips could stretch them for ever (F18, F23). Here a
timer of the call shuts the connection's socket down, which wakes whoever waits on it: in the TLS handshake, in a header
line, in a body. It works the same for threads and for greenlets. Only the resolver of names has time-outs of its own.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

CONNECT_SECONDS_MAX = 3.0
"""For one address of a host; all of them together end at the call's deadline."""


class Call:
    """One outside call and a handle of the connection it uses now.

    Args:
        seconds: for everything: connecting, TLS, sending, reading, and a second try.
    """

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None

    @property
    def left(self) -> float:
        """Seconds left; none or fewer when it is over."""
        return self._until - time.monotonic()

    def holds(self, connected: socket.socket) -> None:
        """Take a handle of our own of this connection: what TLS or a library makes of the first does not touch it."""
        self.lets_go()
        with self._lock:
            self._handle = socket.socket(fileno=os.dup(connected.fileno()))
        if self.left <= 0:
            self.cut()

    def cut(self) -> None:
        """Wake whoever waits for the connection: there is nothing more to come."""
        with self._lock:
            if self._handle is not None:
                with suppress(OSError):  # the partner was faster
                    self._handle.shutdown(socket.SHUT_RDWR)

    def lets_go(self) -> None:
        """Drop the handle: the connection may be another call's from now on."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()


_current: ContextVar[Call] = ContextVar("call")


@contextmanager
def within(seconds: float) -> Iterator[Call]:
    """Give this block's use of a :class:`DeadlinePool` so many seconds in all."""
    call = Call(seconds)
    timer = threading.Timer(seconds, call.cut)
    timer.daemon = True
    timer.start()
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
        timer.cancel()
        call.lets_go()


class _Connection(HTTPConnection):
    """A connection that its current call can cut."""

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request as part of the current call."""
        if self.sock is not None:
            _current.get().holds(self.sock)
        super().request(*arguments, **options)

    def _new_conn(self) -> socket.socket:
        """Connect to one address after the other, within what is left of the call."""
        call, failure = _current.get(), OSError("no address")
        for address in self._addresses():
            try:
                connected = _connected(address, min(call.left, CONNECT_SECONDS_MAX))
            except OSError as error:
                failure = error
            else:
                call.holds(connected)
                return connected
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "timed out") from failure
        raise NewConnectionError(self, str(failure)) from failure

    def _addresses(self) -> list[Any]:
        try:
            return socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error


def _connected(address: Any, seconds: float) -> socket.socket:
    if seconds <= 0:
        raise TimeoutError
    family, kind, protocol, _, where = address
    new = socket.socket(family, kind, protocol)
    try:
        new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        new.settimeout(seconds)
        new.connect(where)
    except OSError:
        new.close()
        raise
    return new


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlinePool(urllib3.PoolManager):
    """Pooled connections that are only used inside :func:`within`."""

    def __init__(self, pools: int, **options: Any) -> None:
        super().__init__(pools, **options)
        self.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
