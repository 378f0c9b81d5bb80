"""The dialect ``tosan-yaghut``: a bank core's ``requestHarimOtp`` over SOAP 1.1 (contracts/harim/dialects).

It names no fee and no payment, so a code is bound to type, total, acquirer, merchant, terminal and payee, and the bank
treats it as unbound (D6). It tells neither times nor what becomes of the SMS: the issuer's row says the times.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import structlog
from lxml.etree import QName
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foundation.conversation import NoAnswer
from foundation.hard_xml import Element
from foundation.soap import SOAP_11, Contract
from gateway.domain.issuers import Issuer
from gateway.harim.envelopes import Question, ask
from gateway.harim.transport import Transport
from gateway.ports import Delivery, Kind, PinAnswer, PinRefusal, PinRefused, PinRequest, PinSent, PinUnanswered

log = structlog.get_logger()

PATH = "/yaghut/service"
OPERATION = "requestHarimOtp"
NAMESPACE = "http://service.yaghut.modern.tosan.com/"
FOLDER = Path(__file__).parents[2] / "contracts" / "harim" / "dialects"

PROCESS_TYPES: Mapping[Kind, str] = MappingProxyType(
    {Kind.PURCHASE: "PURCHASE", Kind.BALANCE_INQUIRY: "BALANCE_INQUIRY"}
)

EXCEPTIONS: Mapping[str, PinRefusal] = MappingProxyType(
    {
        "InvalidCardStatusWSException": PinRefusal.CARD_BLOCKED,
        "ServiceCallWSException": PinRefusal.TOO_MANY_REQUESTS,
        "CardIssuerResponsibilityWSException": PinRefusal.TEMPORARILY_UNAVAILABLE,
        "OTPWSException": PinRefusal.NOT_ACCEPTED,
        "InvalidOTPSynchronizationWSException": PinRefusal.NOT_ACCEPTED,
        "ExceedStaticPinWithdrawalWSException": PinRefusal.NOT_ACCEPTED,
    }
)
"""What the service's exceptions mean to a cardholder; why no code could be made they do not say."""


class HarimOtpResponse(BaseModel):
    """The fields of an answer; a service may add others."""

    model_config = ConfigDict(extra="ignore", strict=True)

    correlation_id: Annotated[str, Field(alias="correlationId", min_length=1, max_length=64)]
    reference_number: Annotated[int, Field(alias="referenceNumber")]


@cache
def contract() -> Contract:
    """Return the contract, read once a process."""
    return Contract(FOLDER / "yaghut.wsdl", FOLDER / "yaghut.xsd")


def request_pin(transport: Transport, issuer: Issuer, request: PinRequest) -> PinAnswer:
    """Ask one issuer for a dynamic PIN; what the dialect has no word for is not asked."""
    if request.order.kind not in PROCESS_TYPES:
        return PinRefused(PinRefusal.NOT_ACCEPTED)
    try:
        return _asked(transport, issuer, fields_of(request))
    except NoAnswer as error:
        log.warning("harim_unanswered", issuer_id=issuer.issuer_id, why=str(error))
        return PinUnanswered(str(error))


def delivery(_transport: Transport, _issuer: Issuer, _correlation_id: str) -> Delivery | None:
    """Say what the dialect tells of a message: nothing, ever."""
    return Delivery.UNDISCLOSED


def ping(transport: Transport, issuer: Issuer) -> bool:
    """Tell whether the service answers now: a message without a card is refused, and the refusal is signed."""
    try:
        _asked(transport, issuer, {"cardInfoBean": {"pan": ""}, "processType": PROCESS_TYPES[Kind.PURCHASE]})
    except NoAnswer:
        return False
    return True


def fields_of(request: PinRequest) -> dict[str, Any]:
    """Write a request's fields by their names in the dialect; who receives the money is named by ``TEXT``."""
    order, card = request.order, {"pan": request.pan.reveal()}
    if request.cvv2 is not None and request.expiry is not None:
        card |= {"cvv2": request.cvv2.reveal(), "expireDate": request.expiry.reveal()}
    return {
        "cardInfoBean": card,
        "processType": PROCESS_TYPES[order.kind],
        "amount": Decimal((order.amount + order.fee).amount),
        "processDetail": {"parameterType": "TEXT", "value": order.payee_name},
        "merchantId": order.merchant_id,
        "terminalId": order.terminal_id,
        "otpRequesterId": order.acquirer_id,
    }


def _asked(transport: Transport, issuer: Issuer, bean: Mapping[str, Any]) -> PinAnswer:
    write = partial(contract().request, SOAP_11, OPERATION, {"arg0": bean})
    return ask(transport, issuer, Question(PATH, contract().action(OPERATION), write), _meaning)


def _meaning(body: Element) -> PinAnswer:
    """Say what a verified body means; raises NoAnswer, or what reading against the contract does."""
    fault = body.find(f"{{{SOAP_11.namespace}}}Fault")
    if fault is not None:
        return _refused(fault)
    try:
        HarimOtpResponse.model_validate(contract().read_answer(body).document.get("return"))
    except ValidationError:
        raise NoAnswer("incoherent: body") from None
    return PinSent()


def _refused(fault: Element) -> PinRefused:
    """Read a fault: the service's own exception, or, without one, its word that our message is wrong."""
    found = [QName(part) for part in fault.iterfind("detail/*")]
    if not found and (fault.findtext("faultcode") or "").endswith("Client"):
        log.error("harim_request_refused", reason="Client")
        return PinRefused(PinRefusal.NOT_ACCEPTED)
    if len(found) != 1 or found[0].namespace != NAMESPACE or found[0].localname not in EXCEPTIONS:
        raise NoAnswer("incoherent: code")
    return PinRefused(EXCEPTIONS[found[0].localname])
