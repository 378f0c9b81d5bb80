"""The link to one issuer: opened by the first question, shared by every thread, opened again after it broke."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from dataclasses import dataclass

import structlog

from foundation.keys import UnknownKey
from foundation.tls import TlsSocket, reason_of
from gateway.switch import iso8583
from gateway.switch.iso8583 import Malformed, Message
from gateway.switch.keys import LinkKeys
from gateway.switch.network import ECHO, SIGN_OFF, SIGN_ON, network_message
from gateway.switch.wire import Ears, LinkTimes, MatchKey, NoAnswer, NothingSent, Wire, match_key

log = structlog.get_logger(__name__)

BACK_OFF_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""How long nobody tries to connect after so many failures in a row; the last one repeats."""

_SIGN_OFF_SECONDS = 0.5


@dataclass(slots=True)
class Counters:
    """What was heard and thrown away, for the health page."""

    unmatched: int = 0
    forged: int = 0
    malformed: int = 0


class IssuerLink:
    """One issuer's host, as questions and answers; with ``tls`` only the host that bears the address's name (D22)."""

    def __init__(
        self,
        address: tuple[str, int],
        acquirer_id: str,
        keys: LinkKeys,
        times: LinkTimes,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address = address
        self.counters = Counters()
        self._acquirer_id = acquirer_id
        self._keys = keys
        self._times = times
        self._tls = tls
        self._opening = threading.Lock()
        self._numbers = itertools.count(1)
        self._wire: Wire | None = None
        self._failures = 0
        self._not_before = 0.0

    def ask(self, question: Message, wait_seconds: float) -> Message:
        """Send a message and return its genuine answer.

        Raises:
            NothingSent: when the link cannot be opened and signed on to, or a key is missing.
            NoAnswer: when it broke or stayed silent after that.
            Malformed: when the question does not follow the contract; nothing was sent.
        """
        return self._opened().ask(iso8583.encode(question, self._keys.sign), match_key(question), wait_seconds)

    def echo(self, wait_seconds: float) -> None:
        """Ask whether the host is alive; raises like :meth:`ask`."""
        self.ask(self._network(ECHO), wait_seconds)

    def close(self) -> None:
        """Sign off and close; the next question opens the link again."""
        with self._opening:
            wire, self._wire = self._wire, None
        if wire is None:
            return
        with contextlib.suppress(NoAnswer, NothingSent):
            sign_off = self._network(SIGN_OFF)
            wire.ask(iso8583.encode(sign_off, self._keys.sign), match_key(sign_off), _SIGN_OFF_SECONDS)
        wire.close("signed_off")

    def _opened(self) -> Wire:
        with self._opening:
            if self._wire is not None and self._wire.alive:
                return self._wire
            if time.monotonic() < self._not_before:
                raise NothingSent("back_off")
            try:
                self._wire = self._open()
            except (OSError, UnicodeError, NoAnswer, NothingSent, UnknownKey) as error:
                self._failures += 1
                self._not_before = time.monotonic() + BACK_OFF_SECONDS[min(self._failures, len(BACK_OFF_SECONDS) - 1)]
                log.warning("link_not_opened", address=self.address, why=_why(error), failures=self._failures)
                raise NothingSent("unreachable") from None
            self._failures = 0
            return self._wire

    def _open(self) -> Wire:
        """Connect and sign on; nothing about money is written before both sides proved their keys."""
        wire = Wire(self._connect(), Ears(self._read, self._unmatched, self._echo), self._times)
        wire.start()
        try:
            sign_on = self._network(SIGN_ON)
            frame = iso8583.encode(sign_on, self._keys.sign)
            answer = wire.ask(frame, match_key(sign_on), self._times.sign_on_seconds)
            if answer.text(39) != "000":
                raise NoAnswer("sign_on_refused")  # noqa: TRY301 - both ways of failing close the wire
        except (NoAnswer, NothingSent, UnknownKey):
            wire.close("not_signed_on")
            raise
        log.info("link_opened", address=self.address)
        return wire

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

    def _network(self, function: str) -> Message:
        return network_message(function, self._acquirer_id, next(self._numbers), self._keys.ids())

    def _echo(self) -> tuple[bytes, MatchKey]:
        echo = self._network(ECHO)
        return iso8583.encode(echo, self._keys.sign), match_key(echo)

    def _read(self, frame: bytes) -> Message | None:
        """Return a genuine message; anything else is counted and dropped, and its question stays unanswered (D3)."""
        try:
            message = iso8583.decode(frame)
        except Malformed as error:
            self.counters.malformed += 1
            log.warning("answer_refused", reason="malformed", field=error.field, why=error.reason)
            return None
        if self._keys.genuine(message.text(53), *iso8583.signed_part(frame)):
            return message
        self.counters.forged += 1
        log.warning("answer_refused", reason="mac", stan=message.text(11), rrn=message.text(37))
        return None

    def _unmatched(self, message: Message) -> None:
        """Note an answer nobody waits for any more: inquiry or reversal has taken over (D2)."""
        self.counters.unmatched += 1
        log.warning(
            "answer_unmatched",
            mti=message.mti,
            action_code=message.text(39),
            stan=message.text(11),
            rrn=message.text(37),
        )


def _why(error: Exception) -> str:
    return error.why if isinstance(error, (NoAnswer, NothingSent)) else reason_of(error)
