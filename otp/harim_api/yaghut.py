"""The door of the dialect ``tosan-yaghut``: requestHarimOtp over SOAP 1.1 (contracts/harim/dialects).

A known PSP is answered signed: by ``requestHarimOtpResponse``, or by a fault of the service's own exceptions. A fault
without one says that the message itself is wrong, as the service's framework does.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any
from xml.sax.saxutils import escape

import structlog
from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from foundation import soap
from foundation.hard_xml import Element
from foundation.logs import place_of
from foundation.sensitive import Sensitive
from foundation.soap import SOAP_11, AgainstSchema, Contract, NotOffered, Said, Version
from foundation.xml_signatures import SignedEnvelope
from otp.domain.answers import Code
from otp.domain.binding import TOTAL_MAX, TransactionType
from otp.domain.errors import InvalidBinding
from otp.domain.psp import Psp
from otp.harim_api.dialects import Wish, grant
from otp.harim_api.envelopes import SoapDoor
from otp.harim_api.operations import OK, REQUEST_DYNAMIC_PIN, bank_here, counted, refusal
from otp.harim_api.schemas import shaped
from otp.services.bank import Bank
from otp.services.issue_code import Told

log = structlog.get_logger()

DIALECT = "tosan-yaghut"
PATH = "/yaghut/service"
OPERATION = "requestHarimOtp"
FOLDER = Path(__file__).parents[2] / "contracts" / "harim" / "dialects"
REFERENCE_NUMBERS = 10**9
"""``referenceNumber`` is an xs:int; nine digits fit."""

PROCESS_TYPES: Mapping[str, TransactionType] = MappingProxyType(
    {"PURCHASE": TransactionType.PURCHASE, "BALANCE_INQUIRY": TransactionType.BALANCE_INQUIRY}
)
"""The others have no code here: who receives a transfer cannot be bound in this dialect."""

EXCEPTIONS: Mapping[Code, str] = MappingProxyType(
    {
        Code.CARD_NOT_FOUND: "InvalidCardStatusWSException",
        Code.CARD_BLOCKED: "InvalidCardStatusWSException",
        Code.CARD_DATA_MISMATCH: "OTPWSException",
        Code.NO_MOBILE: "OTPWSException",
        Code.DYNAMIC_PIN_NOT_ACTIVE: "OTPWSException",
        Code.TOO_MANY_REQUESTS: "ServiceCallWSException",
        Code.TOO_MANY_LIVE_CODES: "ServiceCallWSException",
        Code.TEMPORARILY_UNAVAILABLE: "CardIssuerResponsibilityWSException",
    }
)
"""Refusals that are about the card or the moment; every other one is a fault of the message, without exception."""

_XML = "text/xml; charset=utf-8"

blueprint = Blueprint("harim_yaghut", __name__, url_prefix=PATH)


@cache
def contract() -> Contract:
    """Return the contract, read once a process."""
    return Contract(FOLDER / "yaghut.wsdl", FOLDER / "yaghut.xsd")


class _Bean(BaseModel):
    """What of a bean is read; the XSD has judged which elements there may be."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class CardInfo(_Bean):
    """The card; ``pin2`` may be there and is never read."""

    pan: SecretStr
    cvv2: Annotated[SecretStr, shaped(r"[0-9]{3,4}")] | None = None
    expire_date: Annotated[SecretStr, shaped(r"[0-9]{2}(0[1-9]|1[0-2])")] | None = Field(None, alias="expireDate")


class ProcessDetail(_Bean):
    """Who receives the money, in a purchase by name (``TEXT``)."""

    parameter_type: Annotated[str, Field(alias="parameterType")]
    value: Annotated[str, StringConstraints(max_length=64)]


class HarimOtpRequest(_Bean):
    """The message, with its own names."""

    card: Annotated[CardInfo, Field(alias="cardInfoBean")]
    process_type: Annotated[str, Field(alias="processType")]
    amount: Annotated[Decimal, Field(ge=0, le=TOTAL_MAX, multiple_of=1)] = Decimal(0)
    detail: Annotated[ProcessDetail | None, Field(alias="processDetail")] = None
    merchant_id: Annotated[str, Field(alias="merchantId", max_length=64)] = ""
    terminal_id: Annotated[str, Field(alias="terminalId", max_length=64)] = ""
    requester_id: Annotated[str | None, Field(alias="otpRequesterId", max_length=64)] = None


@blueprint.get("")
def describe() -> Response:
    """Show the WSDL with this bank's own address, or with ``?xsd`` the XSD that it imports."""
    if "xsd" in {name.lower() for name in request.args}:
        return Response((FOLDER / "yaghut.xsd").read_bytes(), content_type=_XML)
    address = escape(bank_here().settings.public_url, {'"': "&quot;"})
    text = (FOLDER / "yaghut.wsdl").read_text().replace("https://bank.example", address)
    text = text.replace('schemaLocation="yaghut.xsd"', f'schemaLocation="{address}{PATH}?xsd"')
    return Response(text, content_type=_XML)


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
        return _refused(version, refusal(Code.UNSUPPORTED_OPERATION, None))
    except AgainstSchema:
        return _refused(version, counted(bank, psp, REQUEST_DYNAMIC_PIN, refusal(Code.MALFORMED, None)))
    body = soap.canonical(said.element)
    told = grant(bank, psp, lambda: _wish(psp, said), once=signed.created.encode() + b"\x00" + body, body=body)
    if told.status != OK:
        return _refused(version, told)
    correlation_id = told.body["correlation_id"]
    number = uuid.UUID(correlation_id).int % REFERENCE_NUMBERS
    bean = {"correlationId": correlation_id, "referenceNumber": number}
    return contract().answer(version, OPERATION, {"return": bean})


def _wish(psp: Psp, said: Said) -> Wish:
    message = HarimOtpRequest.model_validate(said.document["arg0"])
    if message.requester_id not in {None, psp.acquirer_id}:
        raise InvalidBinding("otpRequesterId")
    named = message.detail is not None and message.detail.parameter_type == "TEXT"
    return Wish(
        dialect=DIALECT,
        type=PROCESS_TYPES.get(message.process_type),
        total=int(message.amount),
        pan=message.card.pan.get_secret_value(),
        cvv2=_sensitive(message.card.cvv2),
        expiry=_sensitive(message.card.expire_date),
        merchant_id=message.merchant_id,
        terminal_id=message.terminal_id,
        payee_name=message.detail.value if named and message.detail is not None else "",
    )


def _sensitive(secret: SecretStr | None) -> Sensitive[str] | None:
    return None if secret is None else Sensitive(secret.get_secret_value())


def _refused(version: Version, told: Told) -> Element:
    fault = version.receiver if Code(told.body["code"]) in EXCEPTIONS else version.sender
    return DOOR.fault(version, fault, told)


def _detail(told: Told) -> Element | None:
    exception = EXCEPTIONS.get(Code(told.body["code"]))
    body: dict[str, Any] = {"message": told.body["message"]["fa"]}
    return None if exception is None else contract().detail(exception, body)


DOOR = SoapDoor(PATH, (SOAP_11,), _answer, _detail)
