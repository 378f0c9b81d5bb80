"""The merchant API at ``/api/v1``: parse, call one use case, render."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, current_app, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from foundation.rial import Rial
from gateway.api import problems
from gateway.api.openapi import document
from gateway.api.schemas import ConfirmedOut, ConfirmIn, OpenPaymentIn, PaymentsOut, facts, payment_out
from gateway.domain.errors import GatewayError, MalformedMessage, TooManyCalls, Unauthenticated
from gateway.services.authenticate import Caller, authenticate
from gateway.services.confirm import confirm
from gateway.services.gateway import Gateway
from gateway.services.open_payment import Idempotency, OpenPurchase, PaymentRecord, open_payment
from gateway.services.read_payment import get_payment, list_payments
from gateway.services.reverse import reverse

In = TypeVar("In", bound=BaseModel)

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
blueprint.register_error_handler(GatewayError, problems.of_error)
blueprint.register_error_handler(HTTPException, problems.of_http)

OPEN_TO_ALL = frozenset({"api.openapi"})
BODY_MAX_BYTES = 16_384
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_BEARER = "Bearer "


@blueprint.before_request
def _guard() -> None:
    request.max_content_length = BODY_MAX_BYTES
    gateway = _gateway()
    address = request.remote_addr or "unknown"
    if not gateway.flood.allow(f"api {address}", gateway.settings.api_calls_per_minute, per_seconds=60):
        raise TooManyCalls
    if request.endpoint not in OPEN_TO_ALL:
        scheme, secret = (
            request.headers.get("Authorization", "")[:7],
            request.headers.get("Authorization", "")[7:],
        )
        if scheme != _BEARER:
            raise Unauthenticated
        g.caller = authenticate(gateway, secret)


@blueprint.after_request
def _never_stored(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Publish the contract."""
    return Response(json.dumps(document(_gateway().settings.public_url)), mimetype="application/json")


@blueprint.post("/payments")
def open_() -> Response:
    """Open a payment."""
    body = _body(OpenPaymentIn)
    purchase = OpenPurchase(
        amount=Rial(body.amount),
        order_id=body.order_id,
        callback_url=body.callback_url,
        description=body.description,
        mobile=body.mobile,
    )
    record = open_payment(_gateway(), _caller(), purchase, _idempotency(body))
    response = _payment(record, status=201)
    response.headers["Location"] = f"/api/v1/payments/{record.payment_id}"
    return response


@blueprint.get("/payments")
def list_() -> Response:
    """List payments in one state, such as paid but not yet confirmed."""
    known = {"state", "after"}
    if unknown := set(request.args) - known:
        raise MalformedMessage(tuple((name, "is not a parameter") for name in sorted(unknown)))
    state = request.args.get("state", "authorised")
    records, more = list_payments(_gateway(), _caller(), state=state, after=request.args.get("after"))
    public_url = _gateway().settings.public_url
    page = PaymentsOut(items=[payment_out(record, public_url) for record in records], has_more=more)
    return Response(page.model_dump_json(), mimetype="application/json")


@blueprint.get("/payments/<payment_id>")
def get(payment_id: str) -> Response:
    """Show one payment."""
    return _payment(get_payment(_gateway(), _caller(), payment_id))


@blueprint.post("/payments/<payment_id>/confirm")
def confirm_(payment_id: str) -> Response:
    """Confirm an authorised payment."""
    body = _body(ConfirmIn)
    done = confirm(_gateway(), _caller(), payment_id, Rial(body.amount), _idempotency(body))
    answer = ConfirmedOut.model_validate(
        facts(done.record, _gateway().settings.public_url) | {"first_time": done.first_time}
    )
    return Response(answer.model_dump_json(), mimetype="application/json")


@blueprint.post("/payments/<payment_id>/reverse")
def reverse_(payment_id: str) -> Response:
    """Give the money back."""
    return _payment(reverse(_gateway(), _caller(), payment_id, _idempotency(None)), status=202)


def _gateway() -> Gateway:
    return cast("Gateway", current_app.extensions["gateway"])


def _caller() -> Caller:
    return cast("Caller", g.caller)


def _payment(record: PaymentRecord, *, status: int = 200) -> Response:
    answer = payment_out(record, _gateway().settings.public_url)
    return Response(answer.model_dump_json(), status, mimetype="application/json")


def _body(model: type[In]) -> In:
    if request.mimetype != "application/json":
        raise MalformedMessage((("Content-Type", "is application/json"),))
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        rows: list[Any] = list(error.errors(include_input=False, include_url=False, include_context=False))
        raise MalformedMessage(
            tuple((".".join(map(str, row["loc"])) or "body", str(row["msg"])) for row in rows)
        ) from None


def _idempotency(body: BaseModel | None) -> Idempotency | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise MalformedMessage((("Idempotency-Key", "has 1 to 128 visible ASCII characters"),))
    canonical = json.dumps(body.model_dump(mode="json") if body else {}, sort_keys=True)
    hashed = hashlib.sha256(f"{request.method} {request.path}\n{canonical}".encode()).digest()
    return Idempotency(key, hashed)
