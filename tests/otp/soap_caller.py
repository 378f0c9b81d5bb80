"""A PSP that speaks SOAP to the bank's application in this process, and the way it reads what comes back."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient

from foundation import soap
from foundation.certificates import pinned_certificates
from foundation.hard_xml import Element
from foundation.signatures import SignatureRefused
from foundation.soap import SOAP_11, Version
from foundation.xml_signatures import EnvelopeVerifier
from otp.app import create_app
from sandbox.certificates import certificate_of
from tests.fakes.envelopes import CONTRACT, FOLDER, HARIM, Spoil, request_of

TO_BANK = "http://bank.test/harim/v1/soap"
PATH = "/harim/v1/soap"


@dataclass(frozen=True)
class SoapAnswer:
    """What came back.

    Args:
        part: ``accepted``, ``refusal``, ``pong`` or, of a fault, its code without prefix.
        said: the fields of that part, or of the refusal in the fault's detail.
        signed: whether the bank signed it for exactly this request.
        retry_after: the header of that name.
    """

    status: int
    part: str
    said: dict[str, Any]
    signed: bool
    version: Version
    retry_after: str | None = None

    @property
    def code(self) -> str:
        """The answer code."""
        return str(self.said["code"])


class SoapCaller:
    """Signs, calls, verifies."""

    def __init__(self, here: Any, identity: bytes, bank_certificate: str) -> None:
        self.here = here
        self.identity = identity
        self.client: FlaskClient = create_app(bank=here.bank).test_client()
        self.verifier = EnvelopeVerifier(pinned_certificates(bank_certificate))

    def message(self, pan: Any, **changes: Any) -> dict[str, Any]:
        """Make a proven request as the contract's example has it."""
        example = json.loads((FOLDER / "examples" / "request-proven.json").read_text())
        card = {"pan": pan.reveal(), "cvv2": self.here.cvv2(pan).reveal(), "expiry": "0812"}
        own = {"request_id": str(uuid.uuid4()), "transaction_ref": self.here.ref(), "card": card}
        return {**example, **own, **changes}

    def call(
        self,
        document: dict[str, Any],
        *,
        operation: str = "RequestDynamicPin",
        version: Version = SOAP_11,
        before: Spoil | None = None,
        after: Spoil | None = None,
    ) -> SoapAnswer:
        """Sign and send one request; ``before`` changes it before that, ``after`` on its way."""
        raw, value = request_of(
            self.identity, document, to=TO_BANK, operation=operation, version=version, before=before, after=after
        )
        return self.send(raw, value, version)

    def send(self, raw: bytes, value: str = "", version: Version = SOAP_11) -> SoapAnswer:
        """Send these bytes and read the answer to the request with this signature value."""
        answer = self.client.post(PATH, data=raw, content_type=version.content_type)
        spoken, envelope = soap.open_envelope(answer.data, max_bytes=65_536)
        assert answer.headers["Content-Type"] == spoken.content_type
        try:
            body, signed = self.verifier.verify_answer(envelope, confirms=value).body, True
        except SignatureRefused:
            body, signed = envelope[-1], False
        part, said = _fault(body) if soap.is_fault(envelope) else _answer(body)
        return SoapAnswer(answer.status_code, part, said, signed, spoken, answer.headers.get("Retry-After"))


def caller_of(here: Any, identity: bytes, bank_identity: bytes) -> SoapCaller:
    """Make a PSP with this identity that pins the bank's certificate."""
    return SoapCaller(here, identity, certificate_of(bank_identity))


def _answer(body: Element) -> tuple[str, dict[str, Any]]:
    ((part, said),) = CONTRACT.read_answer(body).document.items()
    return part, said


def _fault(body: Element) -> tuple[str, dict[str, Any]]:
    code = body.findtext(".//faultcode") or body.findtext(".//{*}Code/{*}Value")
    detail = body.find(f".//{{{HARIM}}}Refusal")
    return code.removeprefix("soap:"), {part.tag.rpartition("}")[2]: part.text for part in detail}
