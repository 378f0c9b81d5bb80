"""One signed JSON exchange with an issuer's Harim service over pooled keep-alive connections (D21, D41)."""

from __future__ import annotations

import time
from dataclasses import dataclass

import urllib3

from foundation.database import guard_no_transaction
from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier
from gateway.domain.issuers import Issuer

BODY_MAX_BYTES = 65_536
CHUNK_BYTES = 8_192
POOLS = 64
CONNECTIONS_PER_ISSUER = 64
CONNECT_SECONDS_MAX = 3.0
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


class Transport:
    """Sends signed requests; follows no redirect, reads at most 64 KB, ends at the issuer's time-out."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._pool = urllib3.PoolManager(POOLS, maxsize=CONNECTIONS_PER_ISSUER, block=False, retries=False)

    def exchange(self, issuer: Issuer, method: str, path: str, body: bytes) -> Answer:
        """Send one message and return its verified answer.

        A connection that breaks is tried once more with a fresh signature: a request id makes that harmless (D21).

        Raises:
            NoAnswer: silent, unreachable, or incoherent (too large, not JSON, unsigned, signed by another).
        """
        guard_no_transaction()
        until = time.monotonic() + issuer.harim_timeout_ms / MILLISECONDS
        try:
            return self._once(issuer, method, path, body, until)
        except _BROKEN:
            return self._again(issuer, method, path, body, until)
        except urllib3.exceptions.HTTPError:
            raise NoAnswer("silent") from None

    def _again(self, issuer: Issuer, method: str, path: str, body: bytes, until: float) -> Answer:
        try:
            return self._once(issuer, method, path, body, until)
        except _BROKEN:
            raise NoAnswer("unreachable") from None
        except urllib3.exceptions.HTTPError:
            raise NoAnswer("silent") from None

    def _once(self, issuer: Issuer, method: str, path: str, body: bytes, until: float) -> Answer:
        left = until - time.monotonic()
        if left <= 0:
            raise NoAnswer("silent")
        signed = RequestToSign(method, issuer.harim_url.rstrip("/") + path, {"Content-Type": _JSON})
        self._signer.sign_request(signed, body)
        response = self._pool.request(
            method,
            signed.url,
            body=body,
            headers=signed.headers,
            timeout=urllib3.Timeout(connect=min(left, CONNECT_SECONDS_MAX), read=left),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        content = _read(response, until)
        response.release_conn()
        try:
            _verifier(issuer).verify_answer(
                signed, status=response.status, headers=dict(response.headers), body=content
            )
        except SignatureRefused:
            raise NoAnswer("incoherent: signature") from None
        return Answer(response.status, content)


def _verifier(issuer: Issuer) -> Verifier:
    return Verifier({issuer.harim_key_id: issuer.harim_public_key})


def _read(response: urllib3.BaseHTTPResponse, until: float) -> bytes:
    content = b""
    while chunk := response.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > BODY_MAX_BYTES or time.monotonic() > until:
            response.close()
            raise NoAnswer("incoherent: too large" if len(content) > BODY_MAX_BYTES else "silent")
    return content
