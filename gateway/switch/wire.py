"""One connection to an issuer's host: one thread reads, any thread writes, answers find their questions.

What was never written raises :class:`NothingSent`; everything after that is :class:`NoAnswer`, because the host may
have acted.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from foundation.logs import place_of
from foundation.tls import TlsSocket
from gateway.ports import Unmatched
from gateway.switch.iso8583 import FRAME_BYTES_MAX, Message

log = structlog.get_logger(__name__)

LENGTH_BYTES = 2
TICK_SECONDS = 0.5
"""How long one read or write may block; a frame that cannot be written within it breaks the wire."""

KEYS_REMEMBERED = 4096
"""Past questions of one wire, by which an answer nobody waits for is told late from repeated."""

MatchKey = tuple[str, str, str, str]
"""Acquirer, terminal, STAN and time: what an answer is matched on (D37)."""


class NothingSent(Exception):
    """Not one byte of the question left this process: nothing can have happened. ``why`` is for the log."""

    may_have_happened = False

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoAnswer(Exception):
    """The question was (or may have been) sent and no genuine answer came: anything may have happened."""

    may_have_happened = True

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Broken(Exception):
    """The connection cannot be used any more; ``str`` says why."""


@dataclass(frozen=True, slots=True)
class LinkTimes:
    """Waits of a link, in seconds; nobody who asks waits longer than the issuer's own time-out, whatever these say.

    Args:
        connect_seconds: for the connection and the TLS handshake together.
    """

    connect_seconds: float = 3.0
    sign_on_seconds: float = 3.0
    echo_after_seconds: float = 60.0
    echo_answer_seconds: float = 10.0
    frame_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Ears:
    """What a wire does with what it hears, and how it asks whether the other end is alive.

    Args:
        read: returns a genuine message, or ``None`` for what must be dropped.
        unmatched: is told of a genuine answer that nobody waits for, and why nobody does.
        echo: makes an echo question.
    """

    read: Callable[[bytes], Message | None]
    unmatched: Callable[[Message, Unmatched], None]
    echo: Callable[[], tuple[bytes, MatchKey]]


@dataclass(slots=True)
class _Question:
    answered: threading.Event = field(default_factory=threading.Event)
    answer: Message | None = None


def match_key(message: Message) -> MatchKey:
    """Return what joins an answer to its question."""
    return message.text(32), message.text(41), message.text(11), message.text(12)


class Wire(threading.Thread):
    """One connection; start it, ask it, close it. A wire that broke stays broken."""

    def __init__(self, connection: socket.socket | TlsSocket, ears: Ears, times: LinkTimes) -> None:
        super().__init__(name="switch-wire", daemon=True)
        self._socket = connection
        self._ears = ears
        self._times = times
        self._socket.settimeout(min(TICK_SECONDS, times.echo_after_seconds, times.echo_answer_seconds))
        self._write = threading.Lock()
        self._guard = threading.Lock()
        self._questions: dict[MatchKey, _Question] = {}
        self._past: OrderedDict[MatchKey, Unmatched] = OrderedDict()
        self._heard_at = time.monotonic()
        self._echo_key: MatchKey | None = None
        self._echo_at = 0.0
        self.alive = True

    def ask(self, frame: bytes, key: MatchKey, ends_at: float) -> Message:
        """Send a frame and wait for the answer with this key until ``ends_at`` (monotonic).

        Raises:
            NothingSent: when the wire was closed before, or the time was over before anything was written.
            NoAnswer: when it broke, or nothing came in time; an answer that comes later is unmatched.
        """
        question = _Question()
        with self._guard:
            if not self.alive:
                raise NothingSent("closed")
            if key in self._questions:
                raise NothingSent("key_in_use")
            self._questions[key] = question
        try:
            self._send(frame, ends_at)
            woken = question.answered.wait(max(0.0, ends_at - time.monotonic()))
        finally:
            with self._guard:
                if self._questions.pop(key, None) is not None:
                    self._remember(key, Unmatched.LATE)
        if question.answer is None:
            raise NoAnswer("broken" if woken else "silent")
        return question.answer

    def run(self) -> None:
        """Read until the wire breaks."""
        try:
            while True:
                self._hear(self._frame())
        except (_Broken, OSError) as error:
            self.close(str(error) if isinstance(error, _Broken) else type(error).__name__)
        except Exception as error:  # noqa: BLE001 - whatever it is, a wire that nobody reads must not pass for open
            log.error("wire_failed", error=type(error).__name__, at=place_of(error))  # noqa: TRY400 - its text may quote a PIN
            self.close(type(error).__name__)

    def close(self, why: str) -> None:
        """Break the wire: whoever waits gets :class:`NoAnswer` now."""
        with self._guard:
            if not self.alive:
                return
            self.alive = False
            waiting = list(self._questions.values())
        log.info("wire_closed", why=why, waiting=len(waiting))
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for question in waiting:
            question.answered.set()

    def _send(self, frame: bytes, ends_at: float) -> None:
        if not self._write.acquire(timeout=max(0.0, ends_at - time.monotonic())):
            raise NothingSent("no_time")
        try:
            if not self.alive or time.monotonic() >= ends_at:
                raise NothingSent("no_time" if self.alive else "closed")
            self._socket.sendall(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
        except OSError as error:
            self.close(type(error).__name__)
            raise NoAnswer("broken") from None
        finally:
            self._write.release()

    def _hear(self, frame: bytes) -> None:
        message = self._ears.read(frame)
        if message is None:
            return
        self._heard_at = time.monotonic()
        key = match_key(message)
        with self._guard:
            question = self._questions.pop(key, None)
            why = self._past.get(key, Unmatched.NOBODY)
            if question is not None:
                self._remember(key, Unmatched.DUPLICATE)
        if question is not None:
            question.answer = message
            question.answered.set()
        elif key == self._echo_key:
            self._echo_key = None
        else:
            self._ears.unmatched(message, why)

    def _remember(self, key: MatchKey, why: Unmatched) -> None:
        self._past[key] = why
        while len(self._past) > KEYS_REMEMBERED:
            self._past.popitem(last=False)

    def _frame(self) -> bytes:
        length = int.from_bytes(self._read(LENGTH_BYTES, between_frames=True), "big")
        if not 0 < length <= FRAME_BYTES_MAX:
            raise _Broken("frame_length")
        return self._read(length, between_frames=False)

    def _read(self, length: int, *, between_frames: bool) -> bytes:
        data = b""
        began = time.monotonic()
        while len(data) < length:
            try:
                piece = self._socket.recv(length - len(data))
            except TimeoutError:
                if between_frames and not data:
                    self._keep_alive()
                elif time.monotonic() > began + self._times.frame_seconds:
                    raise _Broken("cut_frame") from None
                continue
            if not piece:
                raise _Broken("closed_by_host")
            data += piece
        return data

    def _keep_alive(self) -> None:
        """Ask an idle host whether it is there; one that does not answer that is not."""
        now = time.monotonic()
        if self._echo_key is not None:
            if now > self._echo_at + self._times.echo_answer_seconds:
                raise _Broken("no_echo")
            return
        if now > self._heard_at + self._times.echo_after_seconds:
            frame, self._echo_key = self._ears.echo()
            self._echo_at = now
            with contextlib.suppress(NoAnswer, NothingSent):
                self._send(frame, now + TICK_SECONDS)
