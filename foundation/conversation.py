"""One conversation with a partner over pooled keep-alive HTTP connections.

All of it ends at one moment, a body has a bound, no redirect is followed. An address may carry a key and a body a code
or a card number: nothing of either is in an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import urllib3

from foundation.database import guard_no_transaction
from foundation.deadline import Call, DeadlinePool, within

T = TypeVar("T")

BODY_MAX_BYTES = 65_536
CHUNK_BYTES = 8_192
TRIES = 2
"""Where a kept connection turns out to be closed."""
_BROKEN = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProtocolError, urllib3.exceptions.SSLError)


class NoAnswer(Exception):
    """The partner gave no answer that may be believed; the argument says why: silent, unreachable, incoherent."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back, believed by nobody yet; a body may repeat what was sent, so it is never shown."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Line:
    """One conversation over pooled connections."""

    def __init__(self, pool: DeadlinePool, call: Call) -> None:
        self._pool = pool
        self._call = call

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Heard:
        """Send one message and return what comes back, at most 64 KB of it.

        Raises:
            NoAnswer: silent or too large; a broken connection raises what :meth:`Lines.converse` repeats.
        """
        left = self._call.left
        if left <= 0:
            raise NoAnswer("silent")
        response = self._pool.request(
            method,
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=left, read=left),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        content = _read(response)
        if self._call.left <= 0:
            raise NoAnswer("silent")  # the deadline cut it; what is left of it may look whole
        self._call.lets_go()
        response.release_conn()
        return Heard(response.status, dict(response.headers), content)


class Lines:
    """The pooled connections of one kind of partner.

    Args:
        partners: how many addresses are kept connections to.
        each: how many connections to one of them are kept.
    """

    def __init__(self, *, partners: int, each: int) -> None:
        self._pool = DeadlinePool(partners, maxsize=each, block=False, retries=False)

    def converse(self, seconds: float, once: Callable[[Line], T]) -> T:
        """Let ``once`` send and judge; where the connection breaks, once more, so a repeat must be harmless.

        Args:
            seconds: for everything: connecting, TLS, sending, reading, and the second try.
            once: one try.

        Raises:
            NoAnswer: silent, unreachable, or what ``once`` says.
        """
        guard_no_transaction()
        with within(seconds) as call:
            line = Line(self._pool, call)
            for _ in range(TRIES):
                try:
                    return once(line)
                except _BROKEN:
                    continue  # by the partner or by the deadline; what is left of the call tells
                except urllib3.exceptions.HTTPError:
                    raise NoAnswer("silent") from None
            raise NoAnswer("unreachable" if call.left > 0 else "silent")


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    content = b""
    while chunk := response.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > BODY_MAX_BYTES:
            response.close()
            raise NoAnswer("incoherent: too large")
    return content
