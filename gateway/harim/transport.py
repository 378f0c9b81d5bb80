"""Signed exchanges with an issuer's Harim service over pooled keep-alive connections (D21, D41)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from foundation.conversation import Line, Lines, NoAnswer
from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier
from foundation.xml_signatures import EnvelopeSigner
from gateway.domain.issuers import Issuer

T = TypeVar("T")

ISSUERS = 64
CONNECTIONS_PER_ISSUER = 64
MILLISECONDS = 1000
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose signature by this issuer, to exactly this request, was verified."""

    status: int
    body: bytes


class Transport:
    """Carries signed messages; each exchange ends at the issuer's time-out.

    Args:
        signer: signs HTTP messages.
        envelope_signer: signs SOAP envelopes, where we have a certificate.
    """

    def __init__(self, signer: Signer, envelope_signer: EnvelopeSigner | None = None) -> None:
        self._signer = signer
        self.envelope_signer = envelope_signer
        self._lines = Lines(partners=ISSUERS, each=CONNECTIONS_PER_ISSUER)

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
        return self._lines.converse(issuer.harim_timeout_ms / MILLISECONDS, once)


def _verifier(issuer: Issuer) -> Verifier:
    return Verifier({issuer.harim_key_id: issuer.harim_public_key})
