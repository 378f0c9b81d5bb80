"""The REST door of Harim v1: authenticate, read, have the operation performed, sign the answer.

From the moment a PSP is known by its signature every answer is signed, refusals included (D21, D41). Whoever is not
known learns only that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

from foundation.signatures import RequestToSign, SignatureRefused, SignedMessage
from otp.domain.answers import Code
from otp.domain.psp import Psp
from otp.harim_api.operations import Asked, bank_here, perform, strangers_refusal
from otp.services.authenticate import authenticate
from otp.services.bank import Bank
from otp.services.issue_code import Told

OPENAPI = Path(__file__).parents[2] / "contracts" / "harim" / "v1" / "openapi.json"
_JSON = "application/json"

blueprint = Blueprint("harim_v1", __name__, url_prefix="/harim/v1")


@blueprint.post("/dynamic-pins")
def request_dynamic_pin() -> Response:
    """RequestDynamicPin: send the card's holder a code for one transaction."""
    return _serve("RequestDynamicPin")


@blueprint.post("/dynamic-pins/verify")
def verify_dynamic_pin() -> Response:
    """VerifyDynamicPin: check a code where authorisation runs elsewhere (D13)."""
    return _serve("VerifyDynamicPin")


@blueprint.get("/dynamic-pins/<correlation_id>/delivery")
def get_delivery_status(correlation_id: str) -> Response:
    """GetDeliveryStatus: what became of the message."""
    return _serve("GetDeliveryStatus", {"correlation_id": correlation_id})


@blueprint.get("/ping")
def ping() -> Response:
    """Ping: the bank works and its database answers."""
    return _serve("Ping")


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Show the contract; unsigned, because it is public."""
    return Response(OPENAPI.read_bytes(), mimetype=_JSON)


def _serve(operation: str, in_address: dict[str, str] | None = None) -> Response:
    def answer(bank: Bank, psp: Psp, _signed: SignedMessage, raw: bytes) -> Told:
        return perform(bank, psp, operation, Asked(in_address or document_of(raw), bank.body_mark(raw)))

    return converse(answer, refusal=lambda told: told)


def converse(answer: Callable[[Bank, Psp, SignedMessage, bytes], Told], *, refusal: Callable[[Told], Told]) -> Response:
    """Answer one JSON message: signed to a PSP that is known by its signature, and not to anybody else.

    Args:
        answer: what a known PSP is told about this body.
        refusal: how a refusal of the contract is told to a stranger on this wire.
    """
    bank, raw = bank_here(), request.get_data()
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    message = RequestToSign(request.method, bank.settings.public_url + request.path + query, dict(request.headers))
    try:
        psp, signed = authenticate(bank, message, raw)
    except SignatureRefused as error:
        told = refusal(strangers_refusal(bank, Code.SIGNATURE_REFUSED, str(error)))
        return Response(_written(told), told.status, content_type=_JSON)
    told = answer(bank, psp, signed, raw)
    content = _written(told)
    headers = bank.signer.sign_answer(message, status=told.status, headers={"Content-Type": _JSON}, body=content)
    return Response(content, told.status, headers)


def document_of(raw: bytes) -> Any:
    """Read a body; what is no JSON, or nested beyond sense, is no message."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _written(told: Told) -> bytes:
    return json.dumps(told.body, ensure_ascii=False).encode()
