"""The OpenAPI 3.1 document of the merchant API: paths here, shapes from the schemas."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from gateway.api import webhook_contract
from gateway.api.schemas import ConfirmedOut, ConfirmIn, OpenPaymentIn, PaymentOut, PaymentsOut, Problem

TITLE = "Pooya merchant API"
VERSION = "1.0.0"
DESCRIPTION = """Open a payment, send the shopper to its `page_url`, and confirm it when the shopper returns.

Amounts are whole rials. An authorised payment that is not confirmed by `confirm_before` goes back to the card
by itself.
`unknown` means that the bank has not said yes or no yet; the gateway finds out or returns the money, and
tells by webhook.
Send an `Idempotency-Key` with every POST: the same key with the same request always has the same answer."""

_MODELS = (OpenPaymentIn, ConfirmIn, PaymentOut, ConfirmedOut, PaymentsOut, Problem, *webhook_contract.MODELS)
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 128 visible ASCII characters, new for each request you mean",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_PROBLEMS = {
    "400": "The request does not follow the contract",
    "401": "A valid secret key is needed",
    "403": "The key lacks the scope for this",
    "404": "There is no such payment, endpoint or event",
    "409": "The payment's state, another payment of the order, or the amount forbids this",
    "422": "A value is outside its rules, or the idempotency key belongs to another request",
    "429": "Too many calls; see Retry-After",
    "503": "Try again with the same Idempotency-Key",
}


def document(server_url: str) -> dict[str, Any]:
    """Build the document for a gateway at this address."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": server_url}],
        "security": [{"secretKey": []}],
        "paths": _paths() | webhook_contract.paths(_operation),
        "webhooks": {"payment": {"post": webhook_contract.webhook()}},
        "components": {
            "securitySchemes": {
                "secretKey": {"type": "http", "scheme": "bearer", "description": "`sk_test_…` or `sk_live_…`"}
            },
            "schemas": definitions["$defs"],
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/api/v1/payments": {
            "post": _operation(
                "openPayment",
                "Open a payment",
                PaymentOut,
                status="201",
                body=OpenPaymentIn,
                parameters=[_KEY],
            ),
            "get": _operation("listPayments", "List payments in one state", PaymentsOut, parameters=_list_parameters()),
        },
        "/api/v1/payments/{id}": {
            "get": _operation("getPayment", "Show one payment", PaymentOut, parameters=[_ID]),
        },
        "/api/v1/payments/{id}/confirm": {
            "post": _operation(
                "confirmPayment",
                "Confirm an authorised payment",
                ConfirmedOut,
                body=ConfirmIn,
                parameters=[_ID, _KEY],
            ),
        },
        "/api/v1/payments/{id}/reverse": {
            "post": _operation(
                "reversePayment", "Give the money back", PaymentOut, status="202", parameters=[_ID, _KEY]
            ),
        },
    }


def _list_parameters() -> list[dict[str, Any]]:
    state = PaymentOut.model_json_schema()["properties"]["state"]
    return [
        {"name": "state", "in": "query", "required": False, "schema": {**state, "default": "authorised"}},
        {"name": "after", "in": "query", "required": False, "schema": {"type": "string"}},
    ]


def _operation(
    name: str,
    summary: str,
    answer: type[Any],
    *,
    parameters: list[dict[str, Any]],
    status: str = "200",
    body: type[Any] | None = None,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            status: {"description": summary, "content": {"application/json": {"schema": _ref(answer)}}},
            **{
                code: {
                    "description": text,
                    "content": {"application/problem+json": {"schema": _ref(Problem)}},
                }
                for code, text in _PROBLEMS.items()
            },
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    return operation


def _ref(model: type[Any]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
