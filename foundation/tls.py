"""Mutual TLS on a stream that two threads share: one reads, others write (D22, D41).

An OpenSSL connection must not be entered by two threads at once, so :class:`TlsSocket` never waits inside it: each step
is tried under a lock, and waiting for the network happens outside.
"""

from __future__ import annotations

import errno
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")
_MS = 1000
_OTHERS = 0o077


class TlsFilesRefused(Exception):
    """A certificate, key or list of authorities cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """One side's PEM files.

    Args:
        certificate: our certificate, and the chain up to the authority where there is one.
        key: its private key, not encrypted, readable by its owner only.
        authorities: who may vouch for the other side; nobody else is believed, the system's list neither.
    """

    certificate: Path
    key: Path
    authorities: Path

    def server_context(self) -> ssl.SSLContext:
        """Return how a server speaks: TLS 1.2 or newer, and only to clients that have a certificate.

        Raises:
            TlsFilesRefused: naming the file.
        """
        context = self._loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        context.verify_mode = ssl.CERT_REQUIRED
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return how a client speaks: TLS 1.2 or newer, and only to the host whose name the certificate bears.

        Raises:
            TlsFilesRefused: naming the file.
        """
        return self._loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _loaded(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        for path in (self.certificate, self.key, self.authorities):
            if not path.is_file():
                raise TlsFilesRefused(f"there is no file {path}")
        if self.key.stat().st_mode & _OTHERS:
            raise TlsFilesRefused(f"{self.key} can be read by others; run: chmod 600 {self.key}")
        try:
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise TlsFilesRefused(f"{self.certificate} and {self.key} are no pair: {reason_of(error)}") from None
        try:
            context.load_verify_locations(self.authorities)
        except (OSError, ValueError) as error:
            raise TlsFilesRefused(f"{self.authorities} holds no certificates: {reason_of(error)}") from None
        return context


class TlsSocket:
    """A connected socket that speaks TLS once :meth:`handshake` is done, and nothing before that.

    Errors are those of a socket: ``TimeoutError`` and ``OSError``; ``ssl.SSLError`` is one of the latter.

    Args:
        connection: a connected socket; it belongs to this object from now on.
        context: what is believed and shown.
        server_hostname: whom a client wants to speak to; a server leaves it out.
    """

    def __init__(
        self, connection: socket.socket, context: ssl.SSLContext, *, server_hostname: str | None = None
    ) -> None:
        self._socket = connection
        self._context = context
        self._server_hostname = server_hostname
        self._lock = threading.Lock()
        self._timeout: float | None = None
        self._tls: ssl.SSLSocket | None = None
        self._closed = False

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Set an option of the connection."""
        self._socket.setsockopt(level, option, value)

    def settimeout(self, seconds: float) -> None:
        """Say how long one :meth:`recv` or :meth:`sendall` may take."""
        self._timeout = seconds

    def handshake(self, seconds: float) -> None:
        """Prove to each other who we are, within so many seconds altogether."""
        with self._lock:
            if self._closed:
                raise OSError(errno.EBADF, "closed")
            self._socket.settimeout(0)
            self._tls = self._context.wrap_socket(
                self._socket,
                server_side=self._server_hostname is None,
                server_hostname=self._server_hostname,
                do_handshake_on_connect=False,
            )
            self._socket = self._tls
        self._step(lambda tls: tls.do_handshake(), seconds)

    def peer_uris(self) -> tuple[str, ...]:
        """Return the URIs among the names of the other side's verified certificate (subjectAltName)."""
        certificate = self._step(lambda tls: tls.getpeercert(), None) or {}
        names = certificate.get("subjectAltName", ())
        return tuple(str(name[1]) for name in names if isinstance(name, tuple) and name[0] == "URI")

    def recv(self, length: int) -> bytes:
        """Return what is there, at most so many bytes; nothing when the other side closed."""
        return self._step(lambda tls: tls.recv(length), self._timeout)

    def sendall(self, data: bytes) -> None:
        """Send everything; after an error nobody knows how much of it went out."""
        ends_at = None if self._timeout is None else time.monotonic() + self._timeout
        rest = memoryview(data)
        while rest:
            seconds = None if ends_at is None else max(0.0, ends_at - time.monotonic())
            rest = rest[self._step(partial(_sent, piece=rest), seconds) :]

    def shutdown(self, how: int) -> None:
        """End the connection without a farewell; whoever waits in :meth:`recv` wakes up."""
        with self._lock:
            self._closed = True
            self._socket.shutdown(how)

    def close(self) -> None:
        """Let the connection go."""
        with self._lock:
            self._closed = True
            self._socket.close()

    def _step(self, attempt: Callable[[ssl.SSLSocket], _T], seconds: float | None) -> _T:
        ends_at = None if seconds is None else time.monotonic() + seconds
        while True:
            with self._lock:
                if self._closed or self._tls is None:
                    raise OSError(errno.EBADF, "closed")
                try:
                    return attempt(self._tls)
                except ssl.SSLWantReadError:
                    wanted = select.POLLIN
                except ssl.SSLWantWriteError:
                    wanted = select.POLLOUT
                poll = select.poll()
                poll.register(self._tls, wanted)
            left = None if ends_at is None else ends_at - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError("timed out")
            poll.poll(None if left is None else left * _MS)


def _sent(tls: ssl.SSLSocket, piece: memoryview) -> int:
    """Send a piece; a cooperative socket says 0 where another says that it cannot write now."""
    count = tls.send(piece)
    if not count:
        raise ssl.SSLWantWriteError
    return count


def reason_of(error: Exception) -> str:
    """Say what went wrong in TLS, for a log: OpenSSL's words where there are any."""
    words = (getattr(error, name, None) for name in ("verify_message", "reason", "strerror"))
    return next((str(word) for word in words if word), type(error).__name__)
