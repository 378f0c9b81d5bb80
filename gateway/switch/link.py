"""The link to one issuer: opened by the first question, shared by every thread, opened again after it broke.

It is opened by a thread of its own, so that a question waits for it no longer than it may wait altogether, and a slow
name server, a full backlog or a host that does not take the sign-on costs nobody more than that.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from foundation.keys import UnknownKey
from foundation.tls import TlsSocket, reason_of
from gateway.ports import Unmatched, UnmatchedAnswer
from gateway.switch import iso8583
from gateway.switch.iso8583 import Malformed, Message
from gateway.switch.keys import LinkKeys
from gateway.switch.network import ECHO, SIGN_OFF, SIGN_ON, network_message
from gateway.switch.unmatched import unmatched_of
from gateway.switch.wire import Ears, LinkTimes, MatchKey, NoAnswer, NothingSent, Wire, match_key

log = structlog.get_logger(__name__)

BACK_OFF_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""How long nobody tries to connect after so many failures in a row; the last one repeats."""

_SIGN_OFF_SECONDS = 0.5


@dataclass(slots=True)
class Counters:
    """What was heard and answered nobody; ``overflow`` of it found the way to the records full."""

    unmatched: int = 0
    forged: int = 0
    malformed: int = 0
    overflow: int = 0


@dataclass(slots=True)
class _Opening:
    """A link being opened; ``done`` when it is or cannot be."""

    done: threading.Event = field(default_factory=threading.Event)
    wire: Wire | None = None


@dataclass(frozen=True, slots=True)
class Ends:
    """What a link uses of the process around it; neither may wait for anything, the reading thread calls both.

    Args:
        keys: the issuer's keys as known now.
        lost_and_found: takes an answer nobody waits for; ``False`` when it has no room for it.
    """

    keys: Callable[[], LinkKeys]
    lost_and_found: Callable[[UnmatchedAnswer], bool]


class IssuerLink:
    """One issuer's host, as questions and answers; with ``tls`` only the host that bears the address's name (D22)."""

    def __init__(
        self,
        address: tuple[str, int],
        acquirer_id: str,
        ends: Ends,
        times: LinkTimes,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address = address
        self.counters = Counters()
        self._acquirer_id = acquirer_id
        self._keys = ends.keys
        self._lost_and_found = ends.lost_and_found
        self._times = times
        self._tls = tls
        self._guard = threading.Lock()
        self._numbers = itertools.count(1)
        self._wire: Wire | None = None
        self._opening: _Opening | None = None
        self._failures = 0
        self._not_before = 0.0

    def ask(self, question: Message, ends_at: float) -> Message:
        """Send a message and return its genuine answer by ``ends_at`` (monotonic); opening the link counts as waiting.

        Raises:
            NothingSent: when the link was not open and signed on in time, or a key is missing.
            NoAnswer: when it broke or stayed silent after that.
            Malformed: when the question does not follow the contract; nothing was sent.
        """
        if time.monotonic() >= ends_at:
            raise NothingSent("too_late")
        frame = iso8583.encode(question, self._keys().signer(question.text(53)))
        return self._opened(ends_at).ask(frame, match_key(question), ends_at)

    def manage(self, function: str, ends_at: float, private: str = "") -> Message:
        """Ask something about the link itself, such as whether the host is alive; raises like :meth:`ask`."""
        return self.ask(self._network(function, private), ends_at)

    def close(self) -> None:
        """Sign off and close; the next question opens the link again."""
        with self._guard:
            opening = self._opening
        if opening is not None:
            opening.done.wait(self._times.connect_seconds + self._times.sign_on_seconds)
        with self._guard:
            wire, self._wire = self._wire, None
        if wire is None:
            return
        with contextlib.suppress(NoAnswer, NothingSent):
            self._say(wire, SIGN_OFF, _SIGN_OFF_SECONDS)
        wire.close("signed_off")

    def _opened(self, ends_at: float) -> Wire:
        """Return the open wire; one thread opens it for everybody who asks meanwhile."""
        with self._guard:
            if self._wire is not None and self._wire.alive:
                return self._wire
            opening = self._opening
            if opening is None:
                if time.monotonic() < self._not_before:
                    raise NothingSent("back_off")
                opening = _Opening()
                threading.Thread(target=self._open, args=(opening,), name="switch-open", daemon=True).start()
                self._opening = opening
        opening.done.wait(max(0.0, ends_at - time.monotonic()))
        if opening.wire is None:
            raise NothingSent("unreachable")
        return opening.wire

    def _open(self, opening: _Opening) -> None:
        try:
            opening.wire = self._signed_on()
        except (OSError, UnicodeError, NoAnswer, NothingSent, UnknownKey) as error:
            self._failures += 1
            self._not_before = time.monotonic() + BACK_OFF_SECONDS[min(self._failures, len(BACK_OFF_SECONDS) - 1)]
            log.warning("link_not_opened", address=self.address, why=_why(error), failures=self._failures)
        else:
            self._failures = 0
            log.info("link_opened", address=self.address)
        finally:
            with self._guard:
                self._wire, self._opening = opening.wire, None
            opening.done.set()

    def _signed_on(self) -> Wire:
        """Connect and sign on; nothing about money is written before both sides proved their keys."""
        wire = Wire(self._connect(), Ears(self._read, self._unmatched, self._echo), self._times)
        wire.start()
        try:
            answer = self._say(wire, SIGN_ON, self._times.sign_on_seconds)
            if answer.text(39) != "000":
                raise NoAnswer("sign_on_refused")  # noqa: TRY301 - both ways of failing close the wire
        except (NoAnswer, NothingSent, UnknownKey):
            wire.close("not_signed_on")
            raise
        return wire

    def _say(self, wire: Wire, function: str, wait_seconds: float) -> Message:
        message = self._network(function)
        frame = iso8583.encode(message, self._keys().signer(message.text(53)))
        return wire.ask(frame, match_key(message), time.monotonic() + wait_seconds)

    def _connect(self) -> socket.socket | TlsSocket:
        """Connect and, with TLS, know whom we speak to, in ``connect_seconds`` altogether."""
        ends_at = time.monotonic() + self._times.connect_seconds
        connection = socket.create_connection(self.address, timeout=self._times.connect_seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return connection
        secured = TlsSocket(connection, self._tls, server_hostname=self.address[0])
        try:
            secured.handshake(ends_at - time.monotonic())
        except OSError:
            secured.close()
            raise
        return secured

    def _network(self, function: str, private: str = "") -> Message:
        return network_message(function, self._acquirer_id, next(self._numbers), self._keys().ids(), private)

    def _echo(self) -> tuple[bytes, MatchKey]:
        echo = self._network(ECHO)
        return iso8583.encode(echo, self._keys().signer(echo.text(53))), match_key(echo)

    def _read(self, frame: bytes) -> Message | None:
        """Return a genuine message; anything else is counted and dropped, and its question stays unanswered (D3)."""
        try:
            message = iso8583.decode(frame)
        except Malformed as error:
            self.counters.malformed += 1
            log.warning("answer_refused", reason="malformed", field=error.field, why=error.reason)
            return None
        if self._keys().genuine(message.text(53), *iso8583.signed_part(frame)):
            return message
        self.counters.forged += 1
        log.warning("answer_refused", reason="mac", stan=message.text(11), rrn=message.text(37))
        self._hand_over(message, Unmatched.MAC)
        return None

    def _unmatched(self, message: Message, why: Unmatched) -> None:
        """Note an answer nobody waits for any more: inquiry or reversal has taken over (D2)."""
        self.counters.unmatched += 1
        log.warning(
            "answer_unmatched",
            why=str(why),
            mti=message.mti,
            action_code=message.text(39),
            stan=message.text(11),
            rrn=message.text(37),
        )
        self._hand_over(message, why)

    def _hand_over(self, message: Message, why: Unmatched) -> None:
        if not self._lost_and_found(unmatched_of(message, self._keys().issuer_id, why)):
            self.counters.overflow += 1


def _why(error: Exception) -> str:
    return error.why if isinstance(error, (NoAnswer, NothingSent)) else reason_of(error)
