"""One signed POST to a merchant (Standard Webhooks 1.0). Retries belong to the deliveries' queue."""

from __future__ import annotations

import datetime as dt
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from standardwebhooks import Webhook as Signature

from foundation.database import guard_no_transaction
from gateway.callbacks.egress import LookUp, Refused, addresses_of, system_look_up
from gateway.ports import Delivered, NotDelivered, Webhook

ANSWER_MAX_BYTES = 16_384
CONNECT_SECONDS_MAX = 3.0
REST_SECONDS = 0.5
"""How long the rest of a short answer is waited for, so that its sender sees an orderly end."""
GONE = 410
SUCCESS = range(200, 300)
INFORMATIONAL = range(100, 200)
PORTS = {"https": 443, "http": 80}

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


class NoAnswer(Exception):
    """The other side answered too much, too slowly, or not in HTTP; the message says which."""


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint's address, taken apart once."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Target:
        """Take an address apart; raises :class:`Refused` for one that is not http or https."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise Refused("address is not one of the web")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme], path)

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class WebhookSender:
    """Implements :class:`gateway.ports.Callbacks`.

    Nothing of an answer but its status is used: no redirect is followed, no body is read to its end, and the whole
    call, however slowly its bytes drip, ends after ``timeout_seconds``.

    Args:
        timeout_seconds: for everything from the first connection to the status line.
        https_only: plain http is refused (D10).
        allow_loopback: this machine's own addresses may be called; everything else that is not public never.
        now: the time in the signature; the receiver refuses messages older than five minutes.
        tls: who may vouch for an endpoint; the system's authorities by default.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float,
        https_only: bool,
        allow_loopback: bool,
        now: Callable[[], dt.datetime],
        tls: ssl.SSLContext | None = None,
        look_up: LookUp = system_look_up,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._https_only = https_only
        self._allow_loopback = allow_loopback
        self._now = now
        self._look_up = look_up
        self._tls = tls or ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:
        """Send once; any 2xx is a yes."""
        guard_no_transaction()
        try:
            status = self._post(webhook)
        except (Refused, NoAnswer) as error:
            return NotDelivered(str(error))
        except ssl.SSLCertVerificationError as error:
            return NotDelivered(f"certificate refused: {error.verify_message}")
        except (OSError, ValueError) as error:
            return NotDelivered("timed out" if isinstance(error, TimeoutError) else type(error).__name__)
        if status in SUCCESS:
            return Delivered(status)
        return NotDelivered(f"status {status}", status=status, gone=status == GONE)

    def _post(self, webhook: Webhook) -> int:
        target = Target.of(webhook.url)
        if self._https_only and target.scheme != "https":
            raise Refused("address is not https")
        deadline = time.monotonic() + self._timeout_seconds
        with self._connected(target, deadline) as connection:
            connection.settimeout(_left(deadline))
            connection.sendall(self._request(target, webhook))
            return _status(connection, deadline)

    def _connected(self, target: Target, deadline: float) -> socket.socket:
        """Connect to the addresses that were checked, by their numbers, and to no other."""
        addresses = addresses_of(target.host, target.port, allow_loopback=self._allow_loopback, look_up=self._look_up)
        connection = _first_of(addresses, target.port, deadline)
        if target.scheme != "https":
            return connection
        try:
            connection.settimeout(_left(deadline))
            return self._tls.wrap_socket(connection, server_hostname=target.host)
        except BaseException:
            connection.close()
            raise

    def _request(self, target: Target, webhook: Webhook) -> bytes:
        now = self._now()
        signatures = " ".join(
            Signature(secret.reveal()).sign(webhook.event_id, now, webhook.body.decode()) for secret in webhook.secrets
        )
        head = (
            f"POST {target.path} HTTP/1.1\r\nHost: {target.authority}\r\nConnection: close\r\nAccept: */*\r\n"
            f"User-Agent: Pooya-Webhooks/1\r\nContent-Type: application/json\r\nContent-Length: {len(webhook.body)}\r\n"
            f"webhook-id: {webhook.event_id}\r\nwebhook-timestamp: {int(now.timestamp())}\r\n"
            f"webhook-signature: {signatures}\r\n\r\n"
        )
        return head.encode("ascii") + webhook.body


def _first_of(addresses: list[str], port: int, deadline: float) -> socket.socket:
    for address in addresses[:-1]:
        try:
            return socket.create_connection((address, port), timeout=min(CONNECT_SECONDS_MAX, _left(deadline)))
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), timeout=min(CONNECT_SECONDS_MAX, _left(deadline)))


def _status(connection: socket.socket, deadline: float) -> int:
    """Read the status of the final answer, then a little more for an orderly end.

    Raises:
        NoAnswer: it is not HTTP, or its head is longer than 16 KB.
        TimeoutError: the deadline passed.
    """
    heard = b""
    while True:
        if (found := _STATUS.match(heard)) and int(found[1]) not in INFORMATIONAL:
            _hear_out(connection, deadline, len(heard))
            return int(found[1])
        if found and (end := _HEAD_END.search(heard)):
            heard = heard[end.end() :]
            continue
        if len(heard) > ANSWER_MAX_BYTES or (b"\n" in heard and not found):
            raise NoAnswer("answer is not HTTP")
        connection.settimeout(_left(deadline))
        part = connection.recv(ANSWER_MAX_BYTES)
        if not part:
            raise NoAnswer("no answer")
        heard += part


def _hear_out(connection: socket.socket, deadline: float, heard: int) -> None:
    until = min(deadline, time.monotonic() + REST_SECONDS)
    try:
        while heard < ANSWER_MAX_BYTES:
            connection.settimeout(_left(until))
            part = connection.recv(ANSWER_MAX_BYTES)
            if not part:
                return
            heard += len(part)
    except OSError:
        return


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
