"""The SOAP door of Harim v1: the same operations as the REST door, behind a hard parser, a signature and the XSD.

A known PSP's message about an operation is always answered by that operation's answer, signed, with the code that REST
would give. A fault is only what comes before that: no XML, no SOAP, no known signature, no operation of ours.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from foundation import soap
from foundation.hard_xml import Element, XmlRefused
from foundation.signatures import SignatureRefused
from foundation.soap import SOAP_11, SOAP_12, AgainstSchema, Contract, NotOffered, NotSoap, NotUnderstood, Version
from foundation.xml_signatures import SignedEnvelope
from otp.domain.answers import Code
from otp.domain.psp import Psp
from otp.harim_api.operations import (
    BODY_MAX_BYTES,
    OK,
    RETRY_AFTER_SECONDS,
    Asked,
    bank_here,
    counted,
    perform,
    refusal,
    strangers_refusal,
    unavailable,
)
from otp.harim_api.schemas import known_request_id
from otp.services.authenticate import authenticate_envelope
from otp.services.bank import Bank
from otp.services.issue_code import Told

log = structlog.get_logger()

PATH = "/harim/v1/soap"
FOLDER = Path(__file__).parents[2] / "contracts" / "harim" / "v1"
GOOD_ANSWERS = {
    "RequestDynamicPin": "accepted",
    "VerifyDynamicPin": "verified",
    "GetDeliveryStatus": "delivery",
    "Ping": "pong",
}
"""The element of each operation's answer that stands for HTTP 200; the other one is ``refusal``."""

BOUND = frozenset({"transaction_ref", "acquirer_id", "merchant_id", "terminal_id", "payee_name", "payee_key"})
"""Fields whose shape REST leaves to the domain, which calls a wrong one INCOMPLETE_BINDING."""

_XML = "text/xml; charset=utf-8"

blueprint = Blueprint("harim_v1_soap", __name__, url_prefix=PATH)


@cache
def contract() -> Contract:
    """Return the contract, read once a process."""
    return Contract(FOLDER / "harim.wsdl", FOLDER / "harim.xsd")


@blueprint.get("")
def describe() -> Response:
    """Show the WSDL with this bank's own address, or with ``?xsd`` the XSD that it imports."""
    if "xsd" in {name.lower() for name in request.args}:
        return Response((FOLDER / "harim.xsd").read_bytes(), content_type=_XML)
    return Response(_wsdl(bank_here().settings.public_url), content_type=_XML)


@blueprint.post("")
def call() -> Response:
    """Answer one message."""
    bank = bank_here()
    version = _announced()
    try:
        version, envelope = soap.open_envelope(request.get_data(), max_bytes=BODY_MAX_BYTES)
        soap.check_understood(version, envelope)
        psp, signed = authenticate_envelope(bank, envelope, address=bank.settings.public_url + PATH)
    except NotSoap:
        return _refused(bank, version, soap.VERSION_MISMATCH, Code.MALFORMED, "no envelope")
    except NotUnderstood:
        return _refused(bank, version, soap.MUST_UNDERSTAND, Code.MALFORMED, "another header")
    except (XmlRefused, HTTPException) as error:
        return _refused(bank, version, version.sender, Code.MALFORMED, str(error))
    except SignatureRefused as error:
        return _refused(bank, version, version.sender, Code.SIGNATURE_REFUSED, str(error))
    return _signed(bank, version, _answer(bank, psp, version, signed), signed)


@blueprint.errorhandler(Exception)
def broken(error: Exception) -> Response:
    """Answer when we broke before the PSP was known (F13): a fault that says that it is ours, and when to ask again."""
    log.error("harim_request_failed", error=type(error).__name__, exc_info=error)
    version = _announced()
    response = _fault(version, version.receiver, unavailable())
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _announced() -> Version:
    """Return the version that the message says in HTTP to be of."""
    return SOAP_12 if request.mimetype == "application/soap+xml" else SOAP_11


def _answer(bank: Bank, psp: Psp, version: Version, signed: SignedEnvelope) -> Element:
    """Write the answer to a known PSP, still without signature."""
    try:
        said = contract().read_request(signed.body)
    except NotOffered:
        return _fault_envelope(version, version.sender, refusal(Code.UNSUPPORTED_OPERATION, None))
    except AgainstSchema as error:
        operation, told = error.operation, counted(bank, psp, error.operation, _misshapen(error))
    else:
        operation, body_hash = said.operation, bank.body_mark(soap.canonical(said.element))
        told = perform(bank, psp, operation, Asked(said.document, body_hash))
    part = GOOD_ANSWERS[operation] if told.status == OK else "refusal"
    return contract().answer(version, operation, {part: _present(told.body)})


def _misshapen(error: AgainstSchema) -> Told:
    code = Code.INCOMPLETE_BINDING if error.shape and error.field in BOUND else Code.MALFORMED
    request_id = known_request_id({"request_id": error.element.findtext("{*}request_id")})
    return refusal(code, request_id, field=error.field or None)


def _present(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what JSON writes as null."""
    return {name: value for name, value in document.items() if value is not None}


def _signed(bank: Bank, version: Version, envelope: Element, asked: SignedEnvelope) -> Response:
    signer = bank.envelope_signer
    if signer is None:
        raise LookupError("this door is open only where the bank has a certificate")
    faulty = soap.is_fault(envelope)
    signer.sign_answer(envelope, confirms=asked.value)
    return Response(soap.written(envelope), version.sender_status if faulty else OK, content_type=version.content_type)


def _refused(bank: Bank, version: Version, fault: str, code: Code, reason: str) -> Response:
    return _fault(version, fault, strangers_refusal(bank, code, reason))


def _fault(version: Version, fault: str, told: Told) -> Response:
    status = version.sender_status if fault == version.sender else 500
    return Response(soap.written(_fault_envelope(version, fault, told)), status, content_type=version.content_type)


def _fault_envelope(version: Version, fault: str, told: Told) -> Element:
    detail = contract().detail("Refusal", _present(told.body))
    return soap.fault(version, fault, told.body["message"]["en"], detail)


def _wsdl(public_url: str) -> str:
    """Write the WSDL with addresses that reach this bank."""
    address = escape(public_url, {'"': "&quot;"})
    text = (FOLDER / "harim.wsdl").read_text()
    text = text.replace("https://bank.example", address)
    return text.replace('schemaLocation="harim.xsd"', f'schemaLocation="{address}{PATH}?xsd"')
