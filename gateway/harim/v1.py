"""Harim v1, the same on every wire: the fields of a request, and what an answer means."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foundation.conversation import NoAnswer
from gateway.ports import Delivery, PinAnswer, PinRefusal, PinRefused, PinRequest, PinSent

log = structlog.get_logger()

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


class Body(BaseModel):
    """The fields of an answer that we read; additions to v1 are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)

    request_id: str | None = None
    correlation_id: str | None = None
    code: str
    code_length: Annotated[int, Field(ge=4, le=12)] | None = None
    expires_in_seconds: Seconds | None = None
    resend_in_seconds: Seconds | None = None
    retry_after_seconds: Seconds | None = None
    mobile_last_two: Annotated[str, Field(pattern=r"^[0-9]{2}$")] | None = None


class DeliveryBody(BaseModel):
    """The fields of an answer about a message that we read."""

    model_config = ConfigDict(extra="ignore", strict=True)

    correlation_id: str
    state: str


def fields_of(request: PinRequest) -> dict[str, Any]:
    """Write a request's fields by their names in the contract."""
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


def meaning(document: Any, request_id: str, *, good: bool) -> PinAnswer:
    """Say what a verified answer means.

    Args:
        document: its fields.
        request_id: of the request that it answers.
        good: whether the wire itself says that the request was accepted.

    Raises:
        NoAnswer: incoherent.
    """
    try:
        body = Body.model_validate(document)
    except ValidationError:
        raise NoAnswer("incoherent: body") from None
    if body.request_id not in {request_id, None}:  # the signature binds the answer to the request even without it
        raise NoAnswer("incoherent: another request's answer")
    if body.code in ACCEPTED and good:
        return PinSent(
            already_sent=ACCEPTED[body.code],
            code_length=body.code_length,
            expires_in_seconds=body.expires_in_seconds,
            resend_in_seconds=body.resend_in_seconds,
            mobile_last_two=body.mobile_last_two,
            correlation_id=_uuid_or_none(body.correlation_id),
        )
    if body.code in OUR_FAULT:
        log.error("harim_request_refused", reason=body.code)
        return PinRefused(PinRefusal.NOT_ACCEPTED)
    if body.code not in REFUSALS or good:
        raise NoAnswer("incoherent: code")
    return PinRefused(REFUSALS[body.code], body.retry_after_seconds)


def delivery_meaning(document: Any, correlation_id: str, *, good: bool) -> Delivery | None:
    """Say what a verified answer to GetDeliveryStatus means; ``None`` when it may be another one later.

    An issuer that does not offer the operation will never disclose anything.

    Raises:
        NoAnswer: incoherent.
    """
    try:
        if not good:
            code = Body.model_validate(document).code
            return None if code == "TEMPORARILY_UNAVAILABLE" else Delivery.UNDISCLOSED
        body = DeliveryBody.model_validate(document)
    except ValidationError:
        raise NoAnswer("incoherent: body") from None
    if body.correlation_id != correlation_id:
        raise NoAnswer("incoherent: another code's answer")
    return Delivery(body.state) if body.state in set(Delivery) else None


def _uuid_or_none(text: str | None) -> str | None:
    """Return an id that may stand in an address; a code whose id is none is good all the same, only not followed."""
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        return None
