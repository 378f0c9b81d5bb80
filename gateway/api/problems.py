"""Errors as RFC 9457 problem details, rendered from the catalogue; they never carry what was sent or what failed."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Response, request
from werkzeug.exceptions import HTTPException

from gateway.api.asking import gateway_of_app
from gateway.api.catalogue import BY_CODE, Row, row_of
from gateway.api.operations import PREFIX
from gateway.api.schemas import Problem
from gateway.domain import errors
from gateway.domain.errors import Flaw, GatewayError, Place

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5

_HTTP = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
_SERVER_ERROR = 500

log = structlog.get_logger()


def type_of(code: str, public_url: str) -> str:
    """Return the address that names a problem; a browser finds its explanation there."""
    return f"{public_url.rstrip('/')}{PREFIX}/problems#{code}"


def of_error(error: GatewayError) -> Response:
    """Turn one of our errors into its problem."""
    row = row_of(error)
    if row is None:
        log.error("error_without_a_row", error=type(error).__name__)
        return of_failure()
    flaws = getattr(error, "flaws", ()) or _flaw_of(error)
    extra: dict[str, Any] = {
        "payment_id": getattr(error, "payment_id", None),
        "state": getattr(error, "state", None),
        "scope": getattr(error, "scope", None),
        "errors": [{flaw.place: flaw.name, "detail": flaw.detail} for flaw in flaws] or None,
    }
    response = _problem(row, str(error) or row.title.en, **extra)
    if isinstance(error, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TooManyCalls | errors.RequestInProgress):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def of_http(error: HTTPException) -> Response:
    """Turn a wrong address, method or size into a problem."""
    status = error.code or _SERVER_ERROR
    if status >= _SERVER_ERROR:
        return of_failure()
    row = BY_CODE[_HTTP.get(status, "not_found")]
    response = _problem(row, row.title.en)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def of_failure() -> Response:
    """Say that the outcome is not known, after a lost database or a fault of ours; the caller repeats its key (D34)."""
    row = BY_CODE["unavailable"]
    response = _problem(row, row.do.en.replace("`", ""))
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def speaks_persian() -> bool:
    """Tell whether the caller prefers Persian to English; English where it says nothing."""
    return request.accept_languages.best_match(("en", "fa"), "en") == "fa"


def _flaw_of(error: GatewayError) -> tuple[Flaw, ...]:
    field = getattr(error, "field", None)
    return () if field is None else (Flaw(Place.BODY, f"#/{field}", str(error)),)


def _problem(row: Row, detail: str, **extra: Any) -> Response:
    persian = speaks_persian()
    problem = Problem(
        type=type_of(row.code, gateway_of_app().settings.public_url),
        title=row.title.fa if persian else row.title.en,
        status=row.status,
        detail=detail,
        code=row.code,
        **extra,
    )
    response = Response(problem.model_dump_json(exclude_none=True), row.status, mimetype=MEDIA_TYPE)
    response.headers["Content-Language"] = "fa" if persian else "en"
    response.vary.add("Accept-Language")
    return response
