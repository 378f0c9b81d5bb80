"""PSPs that speak the weak dialects to the bank's application in this process, and read what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foundation import soap
from foundation.certificates import pinned_certificates
from foundation.hard_xml import Element, parse
from foundation.pan import Pan
from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier, public_key_of
from foundation.soap import SOAP_11, Contract, Version
from foundation.xml_signatures import EnvelopeSigner, EnvelopeVerifier
from otp.app import create_app
from otp.domain import purposes
from sandbox.certificates import certificate_of
from tests.otp.conftest import BANK_IDENTITY, EXPIRY, PSP_IDENTITY, PSP_PRIVATE_KEY

FOLDER = Path(__file__).parents[2] / "contracts" / "harim" / "dialects"
CONTRACT = Contract(FOLDER / "yaghut.wsdl", FOLDER / "yaghut.xsd")
YAGHUT = "http://service.yaghut.modern.tosan.com/"
YAGHUT_PATH = "/yaghut/service"
TO_YAGHUT = f"http://bank.test{YAGHUT_PATH}"
WITH_PAN = "/SadadPSPHarimAdaptor/HarimRequestOptWithPan"
WITH_TOKEN = "/SadadPSPHarimAdaptor/HarimRequestOptWithToken"
CEILING = 1_000_000

Spoil = Callable[[Element], object]


@dataclass(frozen=True)
class Heard:
    """What came back.

    Args:
        code: ``responseCode``; or of a fault its exception, or its code without prefix; empty for a good answer.
        said: its fields.
        signed: whether the bank signed it for exactly this request.
    """

    status: int
    code: str
    said: dict[str, Any]
    signed: bool


class SadadCaller:
    """Speaks ``sadad-adaptor``."""

    def __init__(self, here: Any, private_key: bytes = PSP_PRIVATE_KEY, key_id: str = "pooya-1") -> None:
        self.client = create_app(bank=here.bank).test_client()
        self.signer = Signer(key_id, private_key)
        signing_id = here.bank.keys.active_id(purposes.HARIM_SIGNING)
        self.verifier = Verifier({signing_id: public_key_of(here.bank.keys.material(signing_id).reveal())})

    @staticmethod
    def message(pan: Pan, **changes: Any) -> dict[str, Any]:
        """Make the contract's example about this card."""
        example = json.loads((FOLDER / "examples" / "sadad-request.json").read_text())
        return {**example, "cardMedia": {"pan": pan.reveal()}, **changes}

    def ask(self, pan: Pan, **changes: Any) -> Heard:
        """Ask for a code of this card."""
        return self.send(json.dumps(self.message(pan, **changes)).encode())

    def send(self, raw: bytes, path: str = WITH_PAN) -> Heard:
        """Sign and send these bytes."""
        message = self.signed(raw, path)
        return self.deliver(message, raw, path)

    def signed(self, raw: bytes, path: str = WITH_PAN) -> RequestToSign:
        """Sign these bytes."""
        message = RequestToSign("POST", f"http://bank.test{path}", {"Content-Type": "application/json"})
        self.signer.sign_request(message, raw)
        return message

    def deliver(self, message: RequestToSign, raw: bytes, path: str = WITH_PAN) -> Heard:
        """Send what is signed already."""
        answer = self.client.post(path, data=raw, headers=message.headers)
        told = answer.get_json()
        try:
            headers = dict(answer.headers)
            self.verifier.verify_answer(message, status=answer.status_code, headers=headers, body=answer.data)
        except SignatureRefused:
            return Heard(answer.status_code, told["responseCode"], told, signed=False)
        return Heard(answer.status_code, told["responseCode"], told, signed=True)


class YaghutCaller:
    """Speaks ``tosan-yaghut``."""

    def __init__(self, here: Any, identity: bytes = PSP_IDENTITY) -> None:
        self.here = here
        self.client = create_app(bank=here.bank).test_client()
        self.signer = EnvelopeSigner(identity)
        self.verifier = EnvelopeVerifier(pinned_certificates(certificate_of(BANK_IDENTITY)))

    def bean(self, pan: Pan, **changes: Any) -> dict[str, Any]:
        """Make the contract's example about this card; a change to ``None`` takes the field out."""
        raw = (FOLDER / "examples" / "yaghut-request.xml").read_bytes()
        example = CONTRACT.read_request(soap.open_envelope(raw, max_bytes=65_536)[1][0]).document["arg0"]
        card = {"pan": pan.reveal(), "cvv2": self.here.cvv2(pan).reveal(), "expireDate": EXPIRY}
        bean = {**example, "otpRequesterId": self.here.psp.acquirer_id, "cardInfoBean": card, **changes}
        return {name: value for name, value in bean.items() if value is not None}

    def ask(self, pan: Pan, *, before: Spoil | None = None, **changes: Any) -> Heard:
        """Ask for a code of this card."""
        return self.send(*self.signed(self.bean(pan, **changes), before=before))

    def signed(self, bean: dict[str, Any], *, before: Spoil | None = None) -> tuple[bytes, str]:
        """Write and sign a message; ``before`` changes it before it is signed."""
        envelope = CONTRACT.request(SOAP_11, "requestHarimOtp", {"arg0": bean})
        if before is not None:
            before(envelope)
        value = self.signer.sign_request(envelope, to=TO_YAGHUT)
        return soap.written(envelope), value

    def send(self, raw: bytes, value: str = "", version: Version = SOAP_11) -> Heard:
        """Send these bytes and read the answer to the request with this signature value."""
        answer = self.client.post(YAGHUT_PATH, data=raw, content_type=version.content_type)
        envelope = parse(answer.data, max_bytes=65_536)
        try:
            body, signed = self.verifier.verify_answer(envelope, confirms=value).body, True
        except SignatureRefused:
            body, signed = envelope[-1], False
        if not soap.is_fault(envelope):
            return Heard(answer.status_code, "", CONTRACT.read_answer(body).document["return"], signed)
        exception = body.find("*/detail/*")
        code = body.findtext(".//faultcode").removeprefix("soap:")
        name = code if exception is None else exception.tag.removeprefix(f"{{{YAGHUT}}}")
        return Heard(answer.status_code, name, {"faultcode": code}, signed)
