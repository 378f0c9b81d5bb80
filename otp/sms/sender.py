"""One call of a provider over pooled connections: one deadline for all of it, a bounded body, no redirect.

An address may carry a key and a body a code: nothing of either leaves this module, in no log and in no exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import urllib3

from foundation.database import guard_no_transaction
from foundation.deadline import Call, DeadlinePool, within
from otp.sms.panel import Request

BODY_MAX_BYTES = 65_536
CHUNK_BYTES = 8_192
POOLS = 16
CONNECTIONS_PER_PROVIDER = 16
TRIES = 2
"""Where a kept connection turns out to be closed; that the same code then arrives twice harms nobody."""
_BROKEN = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProtocolError, urllib3.exceptions.SSLError)


class NoAnswer(Exception):
    """The provider gave no answer that can be read; the argument says why, in words of ours."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back; a body may repeat the text that was sent, so it is never shown."""

    status: int
    body: bytes = field(repr=False)


class Sender:
    """Carries requests to providers."""

    def __init__(self) -> None:
        self._pool = DeadlinePool(POOLS, maxsize=CONNECTIONS_PER_PROVIDER, block=False, retries=False)

    def exchange(self, request: Request, seconds: float) -> Heard:
        """Send one request and return the answer.

        Args:
            request: address, headers and body.
            seconds: for everything: connecting, TLS, sending, reading, and a second try.

        Raises:
            NoAnswer: silent, unreachable or too large.
        """
        guard_no_transaction()
        with within(seconds) as call:
            for _ in range(TRIES):
                if call.left <= 0:
                    break
                try:
                    return self._once(request, call)
                except _BROKEN:
                    continue  # by the provider or by the deadline; what is left of the call tells
                except urllib3.exceptions.HTTPError:
                    break
            raise NoAnswer("unreachable" if call.left > 0 else "silent") from None

    def _once(self, request: Request, call: Call) -> Heard:
        left = call.left
        response = self._pool.request(
            request.method,
            request.address.reveal(),
            body=request.body.reveal() or None,
            headers={name: value.reveal() for name, value in request.headers.items()},
            timeout=urllib3.Timeout(connect=left, read=left),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        content = _read(response)
        if call.left <= 0:
            raise NoAnswer("silent")  # the deadline cut it; what is left of it may look whole
        call.lets_go()
        response.release_conn()
        return Heard(response.status, content)


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    content = b""
    while chunk := response.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > BODY_MAX_BYTES:
            response.close()
            raise NoAnswer("too large")
    return content
