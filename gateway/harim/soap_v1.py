"""The dialect ``harim-v1-soap``: contracts/harim/v1 as SOAP 1.1, written by zeep from the packaged WSDL.

Transform out, sign, exchange, verify, transform in. Only what the issuer's pinned certificate vouches for is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import structlog

from foundation.conversation import NoAnswer
from foundation.soap import SOAP_11, Contract
from gateway.domain.issuers import Issuer
from gateway.harim.envelopes import Question, ask
from gateway.harim.transport import Transport
from gateway.harim.v1 import delivery_meaning, fields_of, meaning
from gateway.ports import Delivery, PinAnswer, PinRequest, PinUnanswered

log = structlog.get_logger()

PATH = "/harim/v1/soap"
FOLDER = Path(__file__).parents[2] / "contracts" / "harim" / "v1"


@cache
def contract() -> Contract:
    """Return the contract, read once a process."""
    return Contract(FOLDER / "harim.wsdl", FOLDER / "harim.xsd")


def request_pin(transport: Transport, issuer: Issuer, request: PinRequest) -> PinAnswer:
    """Ask one issuer for a dynamic PIN."""
    try:
        said = _asked(transport, issuer, "RequestDynamicPin", fields_of(request))
        good = "accepted" in said
        return meaning(said["accepted" if good else "refusal"], request.request_id, good=good)
    except NoAnswer as error:
        log.warning("harim_unanswered", issuer_id=issuer.issuer_id, why=str(error))
        return PinUnanswered(str(error))


def delivery(transport: Transport, issuer: Issuer, correlation_id: str) -> Delivery | None:
    """Ask one issuer what became of a message; raises NoAnswer."""
    said = _asked(transport, issuer, "GetDeliveryStatus", {"correlation_id": correlation_id})
    good = "delivery" in said
    return delivery_meaning(said["delivery" if good else "refusal"], correlation_id, good=good)


def ping(transport: Transport, issuer: Issuer) -> bool:
    """Tell whether the issuer's service answers now."""
    try:
        return "pong" in _asked(transport, issuer, "Ping", {})
    except NoAnswer:
        return False


def _asked(transport: Transport, issuer: Issuer, operation: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Ask, and return the one part of the verified answer; raises NoAnswer."""
    write = partial(contract().request, SOAP_11, operation, fields)
    said = ask(transport, issuer, Question(PATH, contract().action(operation), write), contract().read_answer)
    if said.operation != operation or len(said.document) != 1:
        raise NoAnswer("incoherent: another operation's answer")
    return said.document
