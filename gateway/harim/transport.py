"""Signed exchanges with an issuer's Harim service over pooled keep-alive connections (D21, D41)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import urllib3

from foundation.database import guard_no_transaction
from foundation.deadline import Call, DeadlinePool, within
from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier
from foundation.xml_signatures import EnvelopeSigner
from gateway.domain.issuers import Issuer

T = TypeVar("T")

BODY_MAX_BYTES = 65_536
CHUNK_BYTES = 8_192
POOLS = 64
CONNECTIONS_PER_ISSUER = 64
TRIES = 2
MILLISECONDS = 1000
_JSON = "application/json"
_BROKEN = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProtocolError, urllib3.exceptions.SSLError)


class NoAnswer(Exception):
    """The issuer gave no answer that may be believed; the argument says why: silent, unreachable, incoherent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose signature by this issuer, to exactly this request, was verified."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back, believed by nobody yet."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """One conversation with an issuer over pooled connections; all of it ends at one moment."""

    def __init__(self, pool: DeadlinePool, call: Call) -> None:
        self._pool = pool
        self._call = call

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
        """Send one message and return what comes back; follows no redirect, reads at most 64 KB."""
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


class Transport:
    """Carries signed messages; each exchange ends at the issuer's time-out.

    Args:
        signer: signs HTTP messages.
        envelope_signer: signs SOAP envelopes, where we have a certificate.
    """

    def __init__(self, signer: Signer, envelope_signer: EnvelopeSigner | None = None) -> None:
        self._signer = signer
        self.envelope_signer = envelope_signer
        self._pool = DeadlinePool(POOLS, maxsize=CONNECTIONS_PER_ISSUER, block=False, retries=False)

    def exchange(self, issuer: Issuer, method: str, path: str, body: bytes) -> Answer:
        """Send one JSON message under RFC 9421 and return its verified answer; raises like :meth:`converse`."""

        def once(line: Line) -> Answer:
            signed = RequestToSign(method, issuer.harim_url.rstrip("/") + path, {"Content-Type": _JSON})
            self._signer.sign_request(signed, body)
            heard = line.send(method, signed.url, signed.headers, body)
            try:
                _verifier(issuer).verify_answer(signed, status=heard.status, headers=heard.headers, body=heard.body)
            except SignatureRefused:
                raise NoAnswer("incoherent: signature") from None
            return Answer(heard.status, heard.body)

        return self.converse(issuer, once)

    def converse(self, issuer: Issuer, once: Callable[[Line], T]) -> T:
        """Let ``once`` sign, send and verify; where the connection breaks, once more.

        With a fresh signature a request id makes that harmless (D21).

        Raises:
            NoAnswer: silent, unreachable, or incoherent (too large, garbled, unsigned, signed by another).
        """
        guard_no_transaction()
        with within(issuer.harim_timeout_ms / MILLISECONDS) as call:
            line = Line(self._pool, call)
            for _ in range(TRIES):
                try:
                    return once(line)
                except _BROKEN:
                    continue  # by the partner or by the deadline; what is left of the call tells
                except urllib3.exceptions.HTTPError:
                    raise NoAnswer("silent") from None
            raise NoAnswer("unreachable" if call.left > 0 else "silent")


def _verifier(issuer: Issuer) -> Verifier:
    return Verifier({issuer.harim_key_id: issuer.harim_public_key})


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    content = b""
    while chunk := response.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > BODY_MAX_BYTES:
            response.close()
            raise NoAnswer("incoherent: too large")
    return content
