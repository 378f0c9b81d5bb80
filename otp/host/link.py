"""One acquirer's link: frames in, answers out, several in flight, and an end to every wait."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from foundation.tls import TlsSocket, reason_of
from otp.host.iso8583 import FRAME_BYTES_MAX
from otp.host.peers import Peer, acquirers_certified
from otp.host.respond import LinkRefused, Responder

log = structlog.get_logger(__name__)

LENGTH_BYTES = 2
TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """How much one process takes upon itself.

    Args:
        threads: messages worked on at once; one database connection each.
        in_flight_max: unanswered messages per link; the link is not read further meanwhile.
        idle_seconds: a link without a message for so long is closed.
        frame_seconds: a frame that began must be complete within this, and an answer taken.
        refused_max: messages with a wrong MAC or form before the link is closed.
        handshake_seconds: who has not proven by then who it is, is let go.
    """

    links_max: int = 64
    threads: int = 8
    in_flight_max: int = 32
    idle_seconds: float = 300.0
    frame_seconds: float = 10.0
    refused_max: int = 10
    handshake_seconds: float = 5.0


class Link(threading.Thread):
    """One acquirer's connection: this thread reads, a pool answers."""

    def __init__(
        self,
        connection: socket.socket | TlsSocket,
        responder: Responder,
        pool: Executor,
        limits: LinkLimits,
        on_end: Callable[[Link], None],
    ) -> None:
        super().__init__(name="host-link", daemon=True)
        self._responder = responder
        self._pool = pool
        self._on_end = on_end
        self._limits = limits
        self._socket = connection
        self._socket.settimeout(min(TICK_SECONDS, limits.idle_seconds, limits.frame_seconds))
        self._write = threading.Lock()
        self._room = threading.BoundedSemaphore(limits.in_flight_max)
        self._peer: Peer | None = None
        self._certified: frozenset[str] | None = None
        self._refused = 0
        self._closed = False

    def run(self) -> None:
        """Read frames until the link ends."""
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._shake_hands()
            while (frame := self._frame()) is not None:
                self._room.acquire()
                self._pool.submit(self._answer, frame)
            self.close("ended")
        except (OSError, RuntimeError, LinkRefused) as error:
            self.close(error.reason if isinstance(error, LinkRefused) else reason_of(error))
        finally:
            self._on_end(self)

    def close(self, reason: str) -> None:
        """Close the connection; the reader wakes up and ends."""
        with self._write:
            if self._closed:
                return
            self._closed = True
        log.info("link_closed", reason=reason)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _shake_hands(self) -> None:
        """Learn from the certificate for which acquirers this link may speak (D22)."""
        if isinstance(self._socket, TlsSocket):
            self._socket.handshake(self._limits.handshake_seconds)
            self._certified = acquirers_certified(self._socket.peer_uris())
            if not self._certified:
                raise LinkRefused("certificate_of_no_acquirer")

    def _frame(self) -> bytes | None:
        """Read one frame; ``None`` when the peer closed between two of them."""
        header = self._read(LENGTH_BYTES, self._limits.idle_seconds)
        if header is None:
            return None
        length = int.from_bytes(header, "big")
        if not 0 < length <= FRAME_BYTES_MAX:
            raise LinkRefused("frame_length")
        frame = self._read(length, self._limits.frame_seconds)
        if frame is None:
            raise LinkRefused("cut_frame")
        return frame

    def _read(self, length: int, seconds: float) -> bytes | None:
        """Read exactly so many bytes within a time; half of a header is no good end either."""
        data = b""
        ends_at = time.monotonic() + seconds
        while len(data) < length:
            try:
                piece = self._socket.recv(length - len(data))
            except TimeoutError:
                if time.monotonic() >= ends_at:
                    raise LinkRefused("silent") from None
                continue
            if not piece:
                return None
            data += piece
        return data

    def _answer(self, frame: bytes) -> None:
        try:
            reply = self._responder.respond(frame, self._peer, certified=self._certified)
            with self._write:  # who the peer is must be known before it can send its next message
                self._peer = reply.proven or self._peer
                self._refused += reply.proven is None
                too_many = self._refused >= self._limits.refused_max
                self._socket.sendall(len(reply.frame).to_bytes(LENGTH_BYTES, "big") + reply.frame)
            if too_many:
                self.close("too_many_refused")
        except LinkRefused as error:
            self.close(error.reason)
        except OSError as error:
            self.close(type(error).__name__)
        finally:
            self._room.release()
