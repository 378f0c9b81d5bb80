"""The dialect ``sadad-adaptor``: POST HarimRequestOptWithPan, JSON (contracts/harim/dialects).

It carries card number, type and total, and no more: a code is bound to type, total and acquirer, the bank treats it as
unbound (D6), and no request is proven (D19). It tells neither times nor what becomes of the SMS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foundation.conversation import NoAnswer
from gateway.domain.issuers import Issuer
from gateway.harim.rest_v1 import document_of
from gateway.harim.transport import Transport
from gateway.ports import Delivery, Kind, PinAnswer, PinRefusal, PinRefused, PinRequest, PinSent, PinUnanswered

log = structlog.get_logger()

PATH = "/SadadPSPHarimAdaptor/HarimRequestOptWithPan"
OK = 200

REQUEST_TYPES: Mapping[Kind, int] = MappingProxyType({Kind.PURCHASE: 1, Kind.BALANCE_INQUIRY: 6})
"""6 is known from outside; 1 is our own choice, as the list is not published."""

SENT = "00"
REFUSALS: Mapping[str, PinRefusal] = MappingProxyType(
    {
        **dict.fromkeys(("14", "56"), PinRefusal.CARD_NOT_FOUND),
        **dict.fromkeys(("33", "38", "41", "43", "54", "62", "69", "75", "78"), PinRefusal.CARD_BLOCKED),
        **dict.fromkeys(("57",), PinRefusal.DYNAMIC_PIN_NOT_ACTIVE),
        **dict.fromkeys(("65",), PinRefusal.TOO_MANY_REQUESTS),
        **dict.fromkeys(("84", "86", "90", "91", "92", "96"), PinRefusal.TEMPORARILY_UNAVAILABLE),
        **dict.fromkeys(("01", "05", "55", "59", "61"), PinRefusal.NOT_ACCEPTED),
    }
)
"""The PSPs' common two digits, by what a cardholder can do about them."""

OUR_FAULT = frozenset({"03", "12", "13", "30", "40", "58", "63", "94"})
"""Codes that say our request or our registration is wrong; an operator should look."""


class Body(BaseModel):
    """What of an answer we read; the other fields say nothing that a cardholder or a log needs."""

    model_config = ConfigDict(extra="ignore", strict=True)

    response_code: Annotated[str, Field(alias="responseCode", pattern=r"^[0-9]{2}$")]


def request_pin(transport: Transport, issuer: Issuer, request: PinRequest) -> PinAnswer:
    """Ask one issuer for a dynamic PIN; what the dialect has no word for is not asked."""
    if request.order.kind not in REQUEST_TYPES:
        return PinRefused(PinRefusal.NOT_ACCEPTED)
    try:
        return meaning(_asked(transport, issuer, fields_of(request)))
    except NoAnswer as error:
        log.warning("harim_unanswered", issuer_id=issuer.issuer_id, why=str(error))
        return PinUnanswered(str(error))


def delivery(_transport: Transport, _issuer: Issuer, _correlation_id: str) -> Delivery | None:
    """Say what the dialect tells of a message: nothing, ever."""
    return Delivery.UNDISCLOSED


def ping(transport: Transport, issuer: Issuer) -> bool:
    """Tell whether the service answers now: a message without a card is refused, and the refusal is signed."""
    try:
        _asked(transport, issuer, {})
    except NoAnswer:
        return False
    return True


def fields_of(request: PinRequest) -> dict[str, Any]:
    """Write a request's fields by their names in the dialect; it has no place for CVV2 and expiry."""
    order = request.order
    return {
        "amount": (order.amount + order.fee).amount,
        "cardMedia": {"pan": request.pan.reveal()},
        "requestType": REQUEST_TYPES[order.kind],
    }


def meaning(document: Any) -> PinAnswer:
    """Say what a verified answer means.

    Raises:
        NoAnswer: incoherent.
    """
    try:
        code = Body.model_validate(document).response_code
    except ValidationError:
        raise NoAnswer("incoherent: body") from None
    if code == SENT:
        return PinSent()
    if code in OUR_FAULT:
        log.error("harim_request_refused", reason=code)
        return PinRefused(PinRefusal.NOT_ACCEPTED)
    if code not in REFUSALS:
        raise NoAnswer("incoherent: code")
    return PinRefused(REFUSALS[code])


def _asked(transport: Transport, issuer: Issuer, fields: Mapping[str, Any]) -> Any:
    """Ask, and return the fields of the verified answer; raises NoAnswer."""
    answer = transport.exchange(issuer, "POST", PATH, json.dumps(fields, ensure_ascii=False).encode())
    if answer.status != OK:
        raise NoAnswer("incoherent: status")
    return document_of(answer.body)
