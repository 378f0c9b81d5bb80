"""How any SOAP door here takes and gives envelopes: parsed hard, known by signature, answered signed.

A fault is what comes before a PSP is known, or what a contract itself says by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request
from werkzeug.exceptions import HTTPException

from foundation import soap
from foundation.hard_xml import Element, XmlRefused
from foundation.signatures import SignatureRefused
from foundation.soap import SOAP_11, SOAP_12, NotSoap, NotUnderstood, Version
from foundation.xml_signatures import SignedEnvelope
from otp.domain.answers import Code
from otp.domain.psp import Psp
from otp.harim_api.operations import (
    BODY_MAX_BYTES,
    OK,
    RETRY_AFTER_SECONDS,
    bank_here,
    strangers_refusal,
    unavailable,
)
from otp.services.authenticate import authenticate_envelope
from otp.services.bank import Bank
from otp.services.issue_code import Told


@dataclass(frozen=True, slots=True)
class SoapDoor:
    """One address that takes envelopes.

    Args:
        path: where it stands, as PSPs sign it.
        versions: those that its contract has.
        answer: writes the answer to a known PSP, still without signature.
        detail: what a program may read in a fault; ``None`` where the contract has nothing for it.
    """

    path: str
    versions: tuple[Version, ...]
    answer: Callable[[Bank, Psp, Version, SignedEnvelope], Element]
    detail: Callable[[Told], Element | None]

    def take(self) -> Response:
        """Answer one message."""
        bank = bank_here()
        version = self._announced()
        try:
            version, envelope = soap.open_envelope(request.get_data(), max_bytes=BODY_MAX_BYTES)
            self._check_offered(version)
            soap.check_understood(version, envelope)
            psp, signed = authenticate_envelope(bank, envelope, address=bank.settings.public_url + self.path)
        except NotSoap:
            return self._refused(bank, self._announced(), soap.VERSION_MISMATCH, Code.MALFORMED, "no envelope")
        except NotUnderstood:
            return self._refused(bank, version, soap.MUST_UNDERSTAND, Code.MALFORMED, "another header")
        except (XmlRefused, HTTPException) as error:
            return self._refused(bank, version, version.sender, Code.MALFORMED, str(error))
        except SignatureRefused as error:
            return self._refused(bank, version, version.sender, Code.SIGNATURE_REFUSED, str(error))
        return _signed(bank, version, self.answer(bank, psp, version, signed), signed)

    def broken(self) -> Response:
        """Answer when we broke before the PSP was known (F13): a fault that is ours, and when to ask again."""
        version = self._announced()
        response = self._fault(version, version.receiver, unavailable())
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response

    def fault(self, version: Version, fault: str, told: Told) -> Element:
        """Write a refusal as a fault."""
        return soap.fault(version, fault, told.body["message"]["en"], self.detail(told))

    def _announced(self) -> Version:
        """Return the version that the message says in HTTP to be of, where this door speaks it."""
        said = SOAP_12 if request.mimetype == "application/soap+xml" else SOAP_11
        return said if said in self.versions else self.versions[0]

    def _check_offered(self, version: Version) -> None:
        if version not in self.versions:
            raise NotSoap

    def _refused(self, bank: Bank, version: Version, fault: str, code: Code, reason: str) -> Response:
        return self._fault(version, fault, strangers_refusal(bank, code, reason))

    def _fault(self, version: Version, fault: str, told: Told) -> Response:
        status = version.sender_status if fault == version.sender else 500
        envelope = self.fault(version, fault, told)
        return Response(soap.written(envelope), status, content_type=version.content_type)


def _signed(bank: Bank, version: Version, envelope: Element, asked: SignedEnvelope) -> Response:
    signer = bank.envelope_signer
    if signer is None:
        raise LookupError("this door is open only where the bank has a certificate")
    faulty = soap.is_fault(envelope)
    signer.sign_answer(envelope, confirms=asked.value)
    return Response(soap.written(envelope), version.sender_status if faulty else OK, content_type=version.content_type)
