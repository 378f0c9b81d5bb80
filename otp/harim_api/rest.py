"""The REST door of Harim v1: authenticate, read, ask the service, sign the answer.

From the moment a PSP is known by its signature every answer is signed, refusals included (D21, D41). Whoever is not
known learns only that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import structlog
from flask import Blueprint, Response, current_app, request
from pydantic import ValidationError

from foundation.pan import InvalidPan, Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.signatures import RequestToSign, SignatureRefused
from otp.domain.answers import ANSWERS, Code, body
from otp.domain.binding import Binding, check_binding
from otp.domain.errors import InvalidBinding
from otp.domain.psp import Psp
from otp.harim_api.schemas import DynamicPinRequest, known_request_id
from otp.services.authenticate import authenticate
from otp.services.bank import Bank
from otp.services.issue_code import CodeRequest, Told, issue_code

log = structlog.get_logger()

BODY_MAX_BYTES = 65_536
RETRY_AFTER_SECONDS = 5
FLOOD_WINDOW_SECONDS = 60
OPENAPI = Path(__file__).parents[2] / "contracts" / "harim" / "v1" / "openapi.json"
_JSON = "application/json"

blueprint = Blueprint("harim_v1", __name__, url_prefix="/harim/v1")

Operation = Callable[[Bank, Psp, bytes], Told]


def bank_here() -> Bank:
    """Return the bank of the application that serves this request."""
    return cast("Bank", current_app.extensions["bank"])


@blueprint.post("/dynamic-pins")
def request_dynamic_pin() -> Response:
    """RequestDynamicPin: send the card's holder a code for one transaction."""
    return _serve(_request_dynamic_pin)


@blueprint.post("/dynamic-pins/verify")
def verify_dynamic_pin() -> Response:
    """VerifyDynamicPin is part of the contract and off at this bank (D13)."""
    return _serve(_unsupported)


@blueprint.get("/dynamic-pins/<correlation_id>/delivery")
def get_delivery_status(correlation_id: str) -> Response:  # noqa: ARG001 - part of the address
    """GetDeliveryStatus is part of the contract and off at this bank."""
    return _serve(_unsupported)


@blueprint.get("/ping")
def ping() -> Response:
    """Ping: the bank works and its database answers."""
    return _serve(_ping)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Show the contract; unsigned, because it is public."""
    return Response(OPENAPI.read_bytes(), mimetype=_JSON)


def _serve(operation: Operation) -> Response:
    bank, raw = bank_here(), request.get_data()
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    message = RequestToSign(request.method, bank.settings.public_url + request.path + query, dict(request.headers))
    try:
        psp = authenticate(bank, message, raw)
    except SignatureRefused as error:
        return _stranger(bank, str(error))
    with structlog.contextvars.bound_contextvars(psp_id=psp.psp_id):
        told = _answered(operation, bank, psp, raw)
    if operation is _request_dynamic_pin:
        bank.meters.pin_requests.labels(psp.psp_id, told.body["code"]).inc()
    content = _written(told)
    headers = bank.signer.sign_answer(message, status=told.status, headers={"Content-Type": _JSON}, body=content)
    return Response(content, told.status, headers)


def _answered(operation: Operation, bank: Bank, psp: Psp, raw: bytes) -> Told:
    """Run the operation; whatever breaks, the PSP is told so in a signed answer."""
    try:
        with bank.meters.pin_seconds.labels(psp.psp_id).time():
            return operation(bank, psp, raw)
    except Exception as error:
        log.exception("harim_request_failed", error=type(error).__name__)
        return _refusal(Code.TEMPORARILY_UNAVAILABLE, None, retry_after_seconds=RETRY_AFTER_SECONDS)


def _request_dynamic_pin(bank: Bank, psp: Psp, raw: bytes) -> Told:
    try:
        document = json.loads(raw)
    except ValueError:
        return _refusal(Code.MALFORMED, None)
    request_id = known_request_id(document)
    try:
        code_request = _read(psp, DynamicPinRequest.model_validate(document), raw)
    except ValidationError as error:
        return _refusal(Code.MALFORMED, request_id, field=_first_field(error))
    except InvalidPan:
        return _refusal(Code.MALFORMED, request_id, field="card.pan")
    except InvalidBinding as error:
        return _refusal(Code.INCOMPLETE_BINDING, request_id, field=error.field)
    return issue_code(bank, psp, code_request)


def _read(psp: Psp, document: DynamicPinRequest, raw: bytes) -> CodeRequest:
    binding = Binding(
        type=document.type,
        amount=Rial(document.amount),
        fee=Rial(document.fee),
        acquirer_id=document.acquirer_id,
        merchant_id=document.merchant_id,
        terminal_id=document.terminal_id,
        payee_name=document.payee_name,
        payee_key=document.payee_key,
        transaction_ref=document.transaction_ref,
    )
    check_binding(binding)
    if binding.acquirer_id != psp.acquirer_id:
        raise InvalidBinding("acquirer_id")
    card = document.card
    return CodeRequest(
        request_id=document.request_id,
        sequence=document.sequence,
        body_hash=hashlib.sha256(raw).digest(),
        binding=binding,
        pan=Pan.parse(card.pan.get_secret_value()),
        cvv2=None if card.cvv2 is None else Sensitive(card.cvv2.get_secret_value()),
        expiry=None if card.expiry is None else Sensitive(card.expiry.get_secret_value()),
    )


def _first_field(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])


def _unsupported(_bank: Bank, _psp: Psp, raw: bytes) -> Told:
    try:
        request_id = known_request_id(json.loads(raw)) if raw else None
    except ValueError:
        request_id = None
    return _refusal(Code.UNSUPPORTED_OPERATION, request_id)


def _ping(bank: Bank, _psp: Psp, _raw: bytes) -> Told:
    if not bank.database.ping():
        return _refusal(Code.TEMPORARILY_UNAVAILABLE, None, retry_after_seconds=RETRY_AFTER_SECONDS)
    return Told(200, {"status": "ok", "bank": {"fa": bank.settings.bank_name_fa, "en": bank.settings.bank_name_en}})


def _refusal(code: Code, request_id: str | None, **details: int | str) -> Told:
    return Told(ANSWERS[code].status, body(code, request_id, **details))


def _stranger(bank: Bank, reason: str) -> Response:
    """Answer somebody who is not known, unsigned; an address that keeps trying is held off."""
    log.warning("harim_signature_refused", reason=reason, address=request.remote_addr)
    patient = bank.flood.allow(
        f"stranger:{request.remote_addr}", bank.settings.strangers_per_minute, per_seconds=FLOOD_WINDOW_SECONDS
    )
    told = _refusal(Code.SIGNATURE_REFUSED if patient else Code.TOO_MANY_REQUESTS, None)
    return Response(_written(told), told.status, content_type=_JSON)


def _written(told: Told) -> bytes:
    document: dict[str, Any] = told.body
    return json.dumps(document, ensure_ascii=False).encode()
