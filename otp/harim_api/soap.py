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

from foundation import soap
from foundation.hard_xml import Element
from foundation.logs import place_of
from foundation.soap import SOAP_11, SOAP_12, AgainstSchema, Contract, NotOffered, Version
from foundation.xml_signatures import SignedEnvelope
from otp.domain.answers import Code
from otp.domain.psp import Psp
from otp.harim_api.envelopes import SoapDoor
from otp.harim_api.operations import OK, Asked, bank_here, counted, perform, refusal
from otp.harim_api.schemas import known_request_id
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
    return DOOR.take()


@blueprint.errorhandler(Exception)
def broken(error: Exception) -> Response:
    """Answer when we broke before the PSP was known (F13)."""
    log.error("harim_request_failed", error=type(error).__name__, at=place_of(error))
    return DOOR.broken()


def _answer(bank: Bank, psp: Psp, version: Version, signed: SignedEnvelope) -> Element:
    """Write the answer to a known PSP, still without signature."""
    try:
        said = contract().read_request(signed.body)
    except NotOffered:
        return DOOR.fault(version, version.sender, refusal(Code.UNSUPPORTED_OPERATION, None))
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


def _detail(told: Told) -> Element:
    return contract().detail("Refusal", _present(told.body))


DOOR = SoapDoor(PATH, (SOAP_11, SOAP_12), _answer, _detail)


def _wsdl(public_url: str) -> str:
    """Write the WSDL with addresses that reach this bank."""
    address = escape(public_url, {'"': "&quot;"})
    text = (FOLDER / "harim.wsdl").read_text()
    text = text.replace("https://bank.example", address)
    return text.replace('schemaLocation="harim.xsd"', f'schemaLocation="{address}{PATH}?xsd"')
