"""The OpenAPI 3.1 document of the merchant API, made from the tables of operations and problems and the schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.api.catalogue import BY_CODE
from gateway.api.events import WebhookEventOut
from gateway.api.operations import PREFIX, Operation
from gateway.api.schemas import Problem, ProblemsOut
from gateway.domain.references import DESTINATION_TOKEN_PATTERN, ORDER_ID_PATTERN, PAYMENT_ID_PATTERN
from gateway.domain.scopes import MEANS
from gateway.domain.settlement import SETTLEMENT_ID_PATTERN
from gateway.domain.webhooks import ENDPOINT_ID_PATTERN, EVENT_ID_PATTERN

TITLE = "Pooya merchant API"
VERSION = "1.1.0"
DESCRIPTION = """Open a payment, send the shopper to its `page_url`, and confirm it when the shopper returns.

Amounts are whole rials. An authorised payment that is not confirmed by `confirm_before` goes back to the card
by itself.
`unknown` means that the bank has not said yes or no yet; the gateway finds out or returns the money, and
tells by webhook.
Send an `Idempotency-Key` with every POST: the same key with the same request always has the same answer."""

PATH_PATTERNS = {
    "id": PAYMENT_ID_PATTERN,
    "order_id": ORDER_ID_PATTERN,
    "endpoint_id": ENDPOINT_ID_PATTERN,
    "event_id": EVENT_ID_PATTERN,
    "settlement_id": SETTLEMENT_ID_PATTERN,
    "destination_token": DESTINATION_TOKEN_PATTERN,
}
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 128 visible ASCII characters, new for each request you mean",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
}
_WHOLE = {"type": "integer", "minimum": 0}
_HEADERS: dict[str, dict[str, Any]] = {
    "RateLimit-Limit": {"description": "calls of this key per minute", "schema": _WHOLE},
    "RateLimit-Remaining": {"description": "calls left in this minute", "schema": _WHOLE},
    "RateLimit-Reset": {"description": "seconds until the minute is over", "schema": _WHOLE},
    "Request-Id": {"description": "name this when you ask us", "schema": {"type": "string"}},
}
_VARIES = re.compile(r"\{(\w+)\}")
_RETRIES = frozenset({"request_in_progress", "too_many_calls", "unavailable"})
_EXAMPLES: dict[str, Any] = {
    "amount": 250_000,
    "bills": [{"bill_id": "7748317800142", "pay_id": "1770160"}],
    "bill_id": "7748317800142",
    "pay_id": "1770160",
    "tracking_code": "48151623420815",
    "signature": "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "topped_mobile": "09121234567",
    "operator": "mci",
    "order_id": "A-1001",
    "refund_id": "A-1001-1",
    "callback_url": "https://shop.example/back",
    "description": "کتاب",
    "mobile": "09120000000",
    "url": "https://shop.example/webhooks",
    "since": "2026-11-24T12:00:00Z",
}


def document(operations: Iterable[Operation], server_url: str) -> dict[str, Any]:
    """Build the document for a gateway at this address."""
    operations = tuple(operations)
    sent = {operation.body for operation in operations if operation.body is not None}
    answered = {operation.answer for operation in operations if operation.answer is not None}
    models: set[type[BaseModel]] = {*sent, *answered, WebhookEventOut, Problem, ProblemsOut}
    _, definitions = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server_url.rstrip("/")}],
        "security": [{"secretKey": []}],
        "paths": _paths(operations),
        "webhooks": {"payment": {"post": _webhook()}},
        "components": {
            "securitySchemes": {"secretKey": _key_scheme()},
            "headers": _HEADERS,
            "schemas": definitions["$defs"],
        },
    }


def _key_scheme() -> dict[str, str]:
    scopes = "; ".join(f"`{scope}`: {english}" for scope, (_, english) in MEANS.items())
    return {
        "type": "http",
        "scheme": "bearer",
        "description": f"`sk_test_…` at the sandbox, `sk_live_…` at the live gateway. Scopes: {scopes}.",
    }


def _paths(operations: tuple[Operation, ...]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    paths[f"{PREFIX}/problems"] = {"get": _catalogue()}
    return paths


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary.en,
        "description": f"{operation.summary.fa}\n\nScope: `{operation.scope}`.",
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": {
            str(operation.status): {
                "description": operation.summary.en,
                "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS},
                **_content(operation.answer),
            },
            **_refusals(operation.every_problem()),
        },
    }
    if operation.idempotent_by_key:
        described["parameters"].append(KEY_HEADER)
    if operation.body is not None:
        content = {"application/json": {"schema": _ref(operation.body), "example": example_of(operation.body)}}
        described["requestBody"] = {"required": operation.body_required, "content": content}
    return described


def example_of(body: type[BaseModel]) -> dict[str, Any]:
    """Return a request's body with just what is required."""
    return {name: _EXAMPLES[name] for name, field in body.model_fields.items() if field.is_required()}


def _content(answer: type[BaseModel] | None) -> dict[str, Any]:
    return {} if answer is None else {"content": {"application/json": {"schema": _ref(answer)}}}


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": PATH_PATTERNS[name]}}
        for name in _VARIES.findall(operation.path)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    properties = operation.query.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "required": False, **_parameter(of)} for name, of in properties.items()]


def _parameter(of: dict[str, Any]) -> dict[str, Any]:
    """Describe one parameter; one that may be left out is never sent as null."""
    of = {name: value for name, value in of.items() if name != "title"}
    description = of.pop("description")
    choices: list[dict[str, Any]] = of.pop("anyOf", [])
    chosen = next((choice for choice in choices if choice.get("type") != "null"), {})
    schema = {name: value for name, value in (of | chosen).items() if value is not None}
    return {"description": description, "schema": schema}


def _refusals(codes: tuple[str, ...]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(BY_CODE[code].status, []).append(code)
    return {str(status): _refusal(by_status[status]) for status in sorted(by_status)}


def _refusal(codes: list[str]) -> dict[str, Any]:
    refusal: dict[str, Any] = {
        "description": "; ".join(f"`{code}`: {BY_CODE[code].title.en}" for code in codes),
        "content": {"application/problem+json": {"schema": _ref(Problem)}},
    }
    if _RETRIES & set(codes):
        refusal["headers"] = {"Retry-After": {"description": "seconds to wait", "schema": _WHOLE}}
    return refusal


def _catalogue() -> dict[str, Any]:
    return {
        "operationId": "listProblems",
        "summary": "Every problem the API answers with",
        "security": [],
        "responses": {
            "200": {
                "description": "the catalogue; a browser gets a page",
                "content": {"application/json": {"schema": _ref(ProblemsOut)}, "text/html": {}},
            },
            **_refusals(("too_many_calls",)),
        },
    }


def _webhook() -> dict[str, Any]:
    return {
        "summary": "A payment changed",
        "description": "Standard Webhooks: check `webhook-signature` over `id.timestamp.body`; answer 2xx.",
        "requestBody": {"content": {"application/json": {"schema": _ref(WebhookEventOut)}}},
        "responses": {"2XX": {"description": "Taken; other answers are retried for three days"}},
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
