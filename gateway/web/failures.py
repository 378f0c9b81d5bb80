"""What a customer sees when there is no page to show: a wrong address, too many calls, a fault on our side.

The sentence for a fault never claims that no money moved: the fault may have come after the money (D2).
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Response, make_response, request
from werkzeug.exceptions import HTTPException

from gateway.web.headers import guard
from gateway.web.rendering import gateway_of_app, outcome_page

RETRY_AFTER_SECONDS = 5
_KINDS = {
    HTTPStatus.TOO_MANY_REQUESTS: "flooded",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
    HTTPStatus.INTERNAL_SERVER_ERROR: "unavailable",
}
"""Status → page; every other refusal says that there is nothing at this address."""


def slow_floods() -> Response | None:
    """Answer 429 to an address that calls the pages more often than a crowd behind one address would (D20)."""
    gateway = gateway_of_app()
    limit = gateway.settings.page_calls_per_minute
    if gateway.flood.allow(f"page {request.remote_addr}", limit, per_seconds=60):
        return None
    return failure_page(HTTPStatus.TOO_MANY_REQUESTS)


def of_http(error: HTTPException) -> Response:
    """Render a wrong address, method or size as a page."""
    return failure_page(HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR))


def failure_page(status: HTTPStatus) -> Response:
    """Render the page for ``status`` in the customer's language."""
    kind = _KINDS.get(status, "missing")
    trace = str(structlog.contextvars.get_contextvars().get("trace_id", "")) if kind == "unavailable" else ""
    response = make_response(outcome_page(kind, trace=trace), status)
    if status in _KINDS:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return guard(response)
