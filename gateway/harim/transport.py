"""One signed JSON exchange with an issuer's Harim service over pooled keep-alive connections (D21, D41)."""

from __future__ import annotations

from dataclasses import dataclass

import urllib3

from foundation.database import guard_no_transaction
from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier
from gateway.domain.issuers import Issuer
from gateway.harim.deadline import Call, DeadlinePool, within

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


class Transport:
    """Sends signed requests; follows no redirect, reads at most 64 KB, is over at the issuer's time-out, all in all."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._pool = DeadlinePool(POOLS, maxsize=CONNECTIONS_PER_ISSUER, block=False, retries=False)

    def exchange(self, issuer: Issuer, method: str, path: str, body: bytes) -> Answer:
        """Send one message and return its verified answer.

        A connection that breaks is tried once more with a fresh signature: a request id makes that harmless (D21).

        Raises:
            NoAnswer: silent, unreachable, or incoherent (too large, not JSON, unsigned, signed by another).
        """
        guard_no_transaction()
        with within(issuer.harim_timeout_ms / MILLISECONDS) as call:
            for _ in range(TRIES):
                try:
                    return self._once(issuer, method, path, body, call)
                except _BROKEN:
                    continue  # by the partner or by the deadline; what is left of the call tells
                except urllib3.exceptions.HTTPError:
                    raise NoAnswer("silent") from None
            raise NoAnswer("unreachable" if call.left > 0 else "silent")

    def _once(self, issuer: Issuer, method: str, path: str, body: bytes, call: Call) -> Answer:
        left = call.left
        if left <= 0:
            raise NoAnswer("silent")
        signed = RequestToSign(method, issuer.harim_url.rstrip("/") + path, {"Content-Type": _JSON})
        self._signer.sign_request(signed, body)
        response = self._pool.request(
            method,
            signed.url,
            body=body,
            headers=signed.headers,
            timeout=urllib3.Timeout(connect=left, read=left),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        content = _read(response)
        call.lets_go()
        response.release_conn()
        try:
            _verifier(issuer).verify_answer(
                signed, status=response.status, headers=dict(response.headers), body=content
            )
        except SignatureRefused:
            raise NoAnswer("incoherent: signature" if call.left > 0 else "silent") from None
        return Answer(response.status, content)


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
