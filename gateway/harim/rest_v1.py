"""The dialect ``harim-v1-rest``: contracts/harim/v1 as JSON. Transform out, exchange, transform in."""

from __future__ import annotations

import json
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.domain.issuers import Issuer
from gateway.harim.transport import Answer, NoAnswer, Transport
from gateway.ports import PinAnswer, PinRefusal, PinRefused, PinRequest, PinSent, PinUnanswered

log = structlog.get_logger()

PATH = "/harim/v1/dynamic-pins"
PING_PATH = "/harim/v1/ping"
OK = 200

ACCEPTED: dict[str, bool] = {"ACCEPTED": False, "ALREADY_SENT": True}
"""Codes that mean a code is on its way or already was sent (the value)."""

REFUSALS: dict[str, PinRefusal] = {
    "CARD_NOT_FOUND": PinRefusal.CARD_NOT_FOUND,
    "CARD_BLOCKED": PinRefusal.CARD_BLOCKED,
    "CARD_DATA_MISMATCH": PinRefusal.CARD_DATA_MISMATCH,
    "NO_MOBILE": PinRefusal.NO_MOBILE,
    "DYNAMIC_PIN_NOT_ACTIVE": PinRefusal.DYNAMIC_PIN_NOT_ACTIVE,
    "TOO_SOON": PinRefusal.TOO_SOON,
    "TOO_MANY_REQUESTS": PinRefusal.TOO_MANY_REQUESTS,
    "TOO_MANY_LIVE_CODES": PinRefusal.TOO_MANY_LIVE_CODES,
    "TEMPORARILY_UNAVAILABLE": PinRefusal.TEMPORARILY_UNAVAILABLE,
}
"""Codes a cardholder can act on."""

OUR_FAULT = frozenset(
    {
        "INCOMPLETE_BINDING",
        "FEE_NOT_ALLOWED",
        "MALFORMED",
        "SIGNATURE_REFUSED",
        "REQUEST_ID_REUSED",
        "STALE",
        "UNSUPPORTED_OPERATION",
    }
)
"""Codes that say our request or our registration is wrong; an operator should look."""

Seconds = Annotated[int, Field(ge=0, le=86_400)]


class _Body(BaseModel):
    """The fields of an answer that we read; additions to v1 are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)

    request_id: str | None = None
    code: str
    code_length: Annotated[int, Field(ge=4, le=12)] | None = None
    expires_in_seconds: Seconds | None = None
    resend_in_seconds: Seconds | None = None
    retry_after_seconds: Seconds | None = None
    mobile_last_two: Annotated[str, Field(pattern=r"^[0-9]{2}$")] | None = None


def request_pin(transport: Transport, issuer: Issuer, request: PinRequest) -> PinAnswer:
    """Ask one issuer for a dynamic PIN."""
    body = json.dumps(_message(request), ensure_ascii=False).encode()
    try:
        return _meaning(transport.exchange(issuer, "POST", PATH, body), request.request_id)
    except NoAnswer as error:
        log.warning("harim_unanswered", issuer_id=issuer.issuer_id, why=str(error))
        return PinUnanswered(str(error))


def ping(transport: Transport, issuer: Issuer) -> bool:
    """Tell whether the issuer's service answers now."""
    try:
        return transport.exchange(issuer, "GET", PING_PATH, b"").status == OK
    except NoAnswer:
        return False


def _message(request: PinRequest) -> dict[str, Any]:
    order = request.order
    card = {"pan": request.pan.reveal()}
    if request.cvv2 is not None and request.expiry is not None:
        card |= {"cvv2": request.cvv2.reveal(), "expiry": request.expiry.reveal()}
    return {
        "request_id": request.request_id,
        "sequence": request.sequence,
        "transaction_ref": order.transaction_ref,
        "type": str(order.kind),
        "amount": order.amount.amount,
        "fee": order.fee.amount,
        "acquirer_id": order.acquirer_id,
        "merchant_id": order.merchant_id,
        "terminal_id": order.terminal_id,
        "payee_name": order.payee_name,
        "payee_key": order.payee_key,
        "card": card,
    }


def _meaning(answer: Answer, request_id: str) -> PinAnswer:
    try:
        body = _Body.model_validate_json(answer.body)
    except ValidationError:
        raise NoAnswer("incoherent: body") from None
    if body.request_id not in {request_id, None}:  # the signature binds the answer to the request even without it
        raise NoAnswer("incoherent: another request's answer")
    if body.code in ACCEPTED and answer.status == OK:
        return PinSent(
            already_sent=ACCEPTED[body.code],
            code_length=body.code_length,
            expires_in_seconds=body.expires_in_seconds,
            resend_in_seconds=body.resend_in_seconds,
            mobile_last_two=body.mobile_last_two,
        )
    if body.code in OUR_FAULT:
        log.error("harim_request_refused", reason=body.code)
        return PinRefused(PinRefusal.NOT_ACCEPTED)
    if body.code not in REFUSALS or answer.status == OK:
        raise NoAnswer("incoherent: code")
    return PinRefused(REFUSALS[body.code], body.retry_after_seconds)
