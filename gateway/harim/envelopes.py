"""Signed SOAP exchanges with an issuer: only what its pinned certificate vouches for is read (D21, D41)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from foundation import soap
from foundation.certificates import pinned_certificates
from foundation.conversation import BODY_MAX_BYTES, Heard, Line, NoAnswer
from foundation.hard_xml import Element, XmlRefused
from foundation.signatures import SignatureRefused
from foundation.soap import SOAP_11, AgainstSchema, NotOffered, NotSoap
from foundation.xml_signatures import EnvelopeVerifier
from gateway.domain.issuers import Issuer
from gateway.harim.transport import Transport

T = TypeVar("T")

ISSUERS_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Question:
    """One SOAP 1.1 message to an issuer.

    Args:
        path: of the service, below the issuer's address.
        action: its SOAPAction.
        write: makes the envelope, still without header; for each try a new one.
    """

    path: str
    action: str
    write: Callable[[], Element]


def ask(transport: Transport, issuer: Issuer, question: Question, read: Callable[[Element], T]) -> T:
    """Ask, and return what ``read`` makes of the verified answer's body; raises NoAnswer.

    ``read`` may raise what :meth:`foundation.soap.Contract.read_answer` does.
    """
    signer = transport.envelope_signer
    if signer is None:
        raise NoAnswer("unreachable: no certificate of ours")
    url = issuer.harim_url.rstrip("/") + question.path
    headers = {"Content-Type": SOAP_11.content_type, "SOAPAction": f'"{question.action}"'}

    def once(line: Line) -> T:
        envelope = question.write()
        value = signer.sign_request(envelope, to=url)
        heard = line.send("POST", url, headers, soap.written(envelope))
        return _read(issuer.harim_certificates, heard, value, read)

    return transport.converse(issuer, once)


def _read(certificates: str, heard: Heard, value: str, read: Callable[[Element], T]) -> T:
    """Verify and read an answer; raises NoAnswer, and nothing else, whatever it is."""
    try:
        _, envelope = soap.open_envelope(heard.body, max_bytes=BODY_MAX_BYTES)
        return read(_verifier(certificates).verify_answer(envelope, confirms=value).body)
    except SignatureRefused:
        raise NoAnswer("incoherent: signature") from None
    except (XmlRefused, NotSoap, NotOffered, AgainstSchema):
        raise NoAnswer("incoherent: body") from None


@lru_cache(ISSUERS_REMEMBERED)
def _verifier(certificates: str) -> EnvelopeVerifier:
    return EnvelopeVerifier(pinned_certificates(certificates))
