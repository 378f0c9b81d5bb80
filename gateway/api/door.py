"""The door at ``/api/v1``: routes from the tables of operations, and before each the key, its share and its scope."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from foundation.flood import Share
from gateway.api import (
    bills,
    destinations,
    payments,
    problems,
    reference,
    refunds,
    settlements,
    top_ups,
    transfers,
    webhooks,
)
from gateway.api.asking import gateway_of_app
from gateway.api.operations import PREFIX, Operation
from gateway.domain.errors import GatewayError, TooManyCalls
from gateway.domain.scopes import require
from gateway.services.authenticate import Caller, authenticate, remembered

WINDOW_SECONDS = 60
BODY_MAX_BYTES = 16_384
OPERATIONS: tuple[Operation, ...] = (
    *payments.OPERATIONS,
    *refunds.OPERATIONS,
    *bills.OPERATIONS,
    *top_ups.OPERATIONS,
    *transfers.OPERATIONS,
    *destinations.OPERATIONS,
    *settlements.OPERATIONS,
    *webhooks.OPERATIONS,
)
_BEARER = "Bearer "

blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
blueprint.register_error_handler(GatewayError, problems.of_error)
blueprint.register_error_handler(HTTPException, problems.of_http)
_BY_ENDPOINT = {f"api.{operation.name}": operation for operation in OPERATIONS}

for _operation in OPERATIONS:
    blueprint.add_url_rule(_operation.rule, _operation.name, _operation.serve, methods=[_operation.method])
reference.serve(blueprint, OPERATIONS)


@blueprint.before_request
def _guard() -> None:
    request.max_content_length = BODY_MAX_BYTES
    operation = _BY_ENDPOINT.get(request.endpoint or "")
    if operation is None:  # what everybody may read: the reference and the catalogue
        _slow_strangers()
        return
    g.caller = _proven_caller()
    g.share = _share_of(g.caller)
    if not g.share.allowed:
        raise TooManyCalls(g.share.ends_in_seconds)
    require(g.caller.scopes, operation.scope)


def finish(response: Response) -> Response:
    """Put on an answer below ``/api/``, a refused address too, what each of them has."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Request-Id"] = structlog.contextvars.get_contextvars().get("trace_id", "-")
    share: Share | None = g.get("share")
    if share is not None:
        response.headers["RateLimit-Limit"] = str(share.limit)
        response.headers["RateLimit-Remaining"] = str(share.remaining)
        response.headers["RateLimit-Reset"] = str(share.ends_in_seconds)
    return response


def _proven_caller() -> Caller:
    """Return who calls. Only a key that this process does not know yet costs its address a share."""
    authorization = request.headers.get("Authorization", "")
    secret = authorization.removeprefix(_BEARER) if authorization.startswith(_BEARER) else ""
    caller = remembered(gateway_of_app(), secret)
    if caller is None:
        _slow_strangers()
        caller = authenticate(gateway_of_app(), secret)
    return caller


def _slow_strangers() -> None:
    gateway = gateway_of_app()
    share = gateway.flood.take(
        f"api address {request.remote_addr}",
        gateway.settings.api_stranger_calls_per_minute,
        per_seconds=WINDOW_SECONDS,
    )
    if not share.allowed:
        raise TooManyCalls(share.ends_in_seconds)


def _share_of(caller: Caller) -> Share:
    gateway = gateway_of_app()
    limit = gateway.settings.api_calls_per_minute
    return gateway.flood.take(f"api key {caller.key_id}", limit, per_seconds=WINDOW_SECONDS)
