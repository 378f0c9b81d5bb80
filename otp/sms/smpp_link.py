"""smpplib's client with what it lacks: a bound on what it reads, TLS that checks names, and no shrug at a half PDU.

The library reads an optional parameter that it knows as an error where its class for the PDU lacks it, and leaves
``unbind`` without an answer: both are done here.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.pdu
import smpplib.smpp

PDU_MAX_BYTES = 65_536
LOGGER = "smpplib.client"
BROKEN = (
    smpplib.exceptions.ConnectionError,
    smpplib.exceptions.PDUError,
    smpplib.exceptions.UnknownCommandError,
    OSError,
)
LENGTH_BYTES = 4
OPTION_HEADER_BYTES = 4


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


_OPTIONS: Mapping[int, tuple[str, Callable[[bytes], object]]] = {
    0x001E: ("receipted_message_id", lambda value: value.rstrip(b"\0")),
    0x020E: ("sar_total_segments", _number),
    0x020F: ("sar_segment_seqnum", _number),
    0x0424: ("message_payload", bytes),
    0x0427: ("message_state", _number),
}
"""The optional parameters that are of use here, by tag; a centre may add any other to any PDU."""


class Broken(Exception):
    """The link is of no use any more; the argument says why, in words of ours."""


class Link(smpplib.client.Client):  # type: ignore[misc]  # the library ships no types
    """One connection to a centre; used by one thread only.

    Args:
        host: of the centre.
        port: of the centre.
        seconds: the longest it may take to connect, to answer a bind, or to finish a PDU it has begun.
        tls: with certificates and names checked, or not at all.
    """

    _socket: Any

    def __init__(self, host: str, port: int, seconds: float, *, tls: bool) -> None:
        context = ssl.create_default_context() if tls else None
        super().__init__(
            host, port, timeout=seconds, logger_name=LOGGER, ssl_context=context, allow_unknown_opt_params=True
        )

    def _create_socket(self) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout=self.timeout)
        if self._ssl_context is None:
            return plain
        wrapped: socket.socket = self._ssl_context.wrap_socket(plain, server_hostname=self.host)
        return wrapped

    def connect(self) -> None:
        """Connect; raises :class:`Broken`."""
        try:
            self._socket = self._create_socket()
        except OSError:
            raise Broken("unreachable") from None
        self.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN

    def bind(self, **credentials: str) -> None:
        """Bind as transceiver.

        Raises:
            Broken: refused, with the centre's status, or no answer.
        """
        try:
            self.bind_transceiver(**credentials)
        except smpplib.exceptions.PDUError as error:
            status = error.args[1] if len(error.args) > 1 else "?"
            raise Broken(f"bind refused: {status}") from None
        except BROKEN:
            raise Broken("no answer to bind") from None
        except Exception:  # noqa: BLE001 - whatever the library makes of an answer without sense
            raise Broken("senseless answer to bind") from None

    def read_pdu(self) -> Any:
        """Read one PDU; of its optional parameters those that are of use here.

        Raises:
            Broken: the centre took its leave, and was answered.
        """
        length = self._recv_exact(LENGTH_BYTES)
        whole = length + self._recv_exact(_number(length) - LENGTH_BYTES)
        pdu = smpplib.smpp.make_pdu(smpplib.pdu.extract_command(whole), client=self)
        pdu.parse_optional_params = partial(_read_options, pdu)
        pdu.parse(whole)
        if pdu.command == "unbind":
            farewell = smpplib.smpp.make_pdu("unbind_resp", client=self)
            farewell.sequence = pdu.sequence
            self.send_pdu(farewell)
            raise Broken("unbound")
        if not pdu.is_error():
            self.state = smpplib.consts.STATE_SETTERS.get(pdu.command, self.state)
        return pdu

    def _recv_exact(self, exact_size: int) -> bytes:
        if not 0 <= exact_size <= PDU_MAX_BYTES:
            raise smpplib.exceptions.ConnectionError
        return bytes(super()._recv_exact(exact_size))

    def attend(self, wake: socket.socket, seconds: float) -> bool:
        """Wait for a PDU or a wake-up and handle what is there; tells whether anything was heard."""
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0
        readable = [self._socket] if pending else select.select([self._socket, wake], [], [], seconds)[0]
        if wake in readable:
            wake.recv(4096)
        if self._socket not in readable:
            return False
        self._safely(lambda: self.read_once(auto_send_enquire_link=False))
        return True

    def say(self, command: str, **values: Any) -> int:
        """Send one PDU and return its number; raises :class:`Broken`."""
        pdu = smpplib.smpp.make_pdu(command, client=self, **values)
        self._safely(lambda: self.send_pdu(pdu))
        return int(pdu.sequence)

    def drop(self) -> None:
        """Close the connection without a word."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _safely(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Broken:
            raise
        except BROKEN:
            raise Broken("connection lost") from None
        except Exception:  # noqa: BLE001 - whatever the library makes of a PDU without sense
            raise Broken("senseless PDU") from None


def _read_options(pdu: Any, options: bytes) -> None:
    while len(options) >= OPTION_HEADER_BYTES:
        tag, ends = _number(options[:2]), OPTION_HEADER_BYTES + _number(options[2:OPTION_HEADER_BYTES])
        if tag in _OPTIONS:
            name, read = _OPTIONS[tag]
            setattr(pdu, name, read(options[OPTION_HEADER_BYTES:ends]))
        options = options[ends:]
