"""The dialect ``harim-v1-rest``: contracts/harim/v1 as JSON. Transform out, exchange, transform in."""

from __future__ import annotations

import json
from typing import Any

import structlog

from foundation.conversation import NoAnswer
from gateway.domain.issuers import Issuer
from gateway.harim.transport import Transport
from gateway.harim.v1 import delivery_meaning, fields_of, meaning
from gateway.ports import Delivery, PinAnswer, PinRequest, PinUnanswered

log = structlog.get_logger()

PATH = "/harim/v1/dynamic-pins"
PING_PATH = "/harim/v1/ping"
OK = 200


def request_pin(transport: Transport, issuer: Issuer, request: PinRequest) -> PinAnswer:
    """Ask one issuer for a dynamic PIN."""
    body = json.dumps(fields_of(request), ensure_ascii=False).encode()
    try:
        answer = transport.exchange(issuer, "POST", PATH, body)
        return meaning(document_of(answer.body), request.request_id, good=answer.status == OK)
    except NoAnswer as error:
        log.warning("harim_unanswered", issuer_id=issuer.issuer_id, why=str(error))
        return PinUnanswered(str(error))


def delivery(transport: Transport, issuer: Issuer, correlation_id: str) -> Delivery | None:
    """Ask one issuer what became of a message; raises NoAnswer."""
    answer = transport.exchange(issuer, "GET", f"{PATH}/{correlation_id}/delivery", b"")
    return delivery_meaning(document_of(answer.body), correlation_id, good=answer.status == OK)


def ping(transport: Transport, issuer: Issuer) -> bool:
    """Tell whether the issuer's service answers now."""
    try:
        return transport.exchange(issuer, "GET", PING_PATH, b"").status == OK
    except NoAnswer:
        return False


def document_of(body: bytes) -> Any:
    """Read the JSON of an answer; raises NoAnswer."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswer("incoherent: body") from None
