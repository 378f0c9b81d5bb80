"""Errors as RFC 9457 problem details: one table, nearest class wins."""

from __future__ import annotations

from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException

from gateway.api.schemas import Problem
from gateway.domain import errors
from gateway.domain.errors import GatewayError

TYPE_PREFIX = "urn:pooya:problem:"
MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[GatewayError], tuple[int, str]] = {
    errors.GatewayError: (400, "The request was refused"),
    errors.InvalidInput: (422, "A value is outside its rules"),
    errors.MalformedMessage: (400, "The request does not follow the contract"),
    errors.NotFound: (404, "There is no such payment"),
    errors.EndpointNotFound: (404, "There is no such endpoint"),
    errors.EventNotFound: (404, "There is no such event"),
    errors.NotAllowed: (403, "This key may not do that"),
    errors.Unauthenticated: (401, "A valid secret key is needed"),
    errors.Conflict: (409, "The payment's state forbids this"),
    errors.DuplicateOrder: (409, "The order already has a payment"),
    errors.AmountMismatch: (409, "The amount is not the payment's"),
    errors.IdempotencyMismatch: (422, "The idempotency key belongs to another request"),
    errors.DuplicateEndpoint: (409, "There is an endpoint with this address"),
    errors.TooManyEndpoints: (409, "There are as many endpoints as there may be"),
    errors.RotationRunning: (409, "Two secrets are live already"),
    errors.LimitReached: (429, "A limit was reached"),
}
"""Error class → status and title; a class without its own row has its parent's."""


def of_error(error: GatewayError) -> Response:
    """Turn one of our errors into its problem."""
    status, title = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    extra: dict[str, Any] = {
        "payment_id": getattr(error, "payment_id", None),
        "state": getattr(error, "state", None),
        "errors": [{"at": at, "problem": what} for at, what in getattr(error, "fields", ())] or None,
    }
    response = _problem(status, error.code, title, str(error) or title, **extra)
    if isinstance(error, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TooManyCalls):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def of_http(error: HTTPException) -> Response:
    """Turn a wrong address, method or size into a problem."""
    status = error.code or 500
    title = error.name
    response = _problem(status, title.lower().replace(" ", "_"), title, error.description or title)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def of_failure() -> Response:
    """Say that the outcome is not known, after a lost database or a fault of ours; the caller repeats its key (D34)."""
    response = _problem(
        503,
        "unavailable",
        "Try again",
        "the request may or may not have been carried out; repeat it with the same key",
    )
    response.headers["Retry-After"] = "5"
    return response


def _problem(status: int, code: str, title: str, detail: str, **extra: Any) -> Response:
    problem = Problem(type=TYPE_PREFIX + code, title=title, status=status, detail=detail, code=code, **extra)
    return Response(problem.model_dump_json(exclude_none=True), status, mimetype=MEDIA_TYPE)
