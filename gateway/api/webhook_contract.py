"""The part of the OpenAPI document about webhook endpoints, events and deliveries."""

from __future__ import annotations

from typing import Any

from gateway.api import webhook_schemas as shapes
from gateway.api.events import DisabledOut, UndeliveredOut, WebhookEventOut

MODELS = (
    shapes.AddEndpointIn,
    shapes.ChangeEndpointIn,
    shapes.RotateIn,
    shapes.RedeliverEventIn,
    shapes.RedeliverSinceIn,
    shapes.EndpointOut,
    shapes.EndpointWithSecretOut,
    shapes.EndpointsOut,
    shapes.WebhookEventsOut,
    shapes.DeliveriesOut,
    shapes.RedeliveredOut,
    WebhookEventOut,
    UndeliveredOut,
    DisabledOut,
)
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}

ENDPOINTS = "/api/v1/webhook_endpoints"
EVENTS = "/api/v1/events"


def paths(operation: Any) -> dict[str, Any]:
    """Return the paths; ``operation`` writes one as all others of the document are written."""
    return {
        ENDPOINTS: {
            "get": operation("listWebhookEndpoints", "List webhook endpoints", shapes.EndpointsOut, parameters=[]),
            "post": operation(
                "addWebhookEndpoint",
                "Add a webhook endpoint; the answer shows its secret once",
                shapes.EndpointWithSecretOut,
                status="201",
                body=shapes.AddEndpointIn,
                parameters=[],
            ),
        },
        f"{ENDPOINTS}/{{id}}": {
            "get": operation("getWebhookEndpoint", "Show a webhook endpoint", shapes.EndpointOut, parameters=[_ID]),
            "patch": operation(
                "changeWebhookEndpoint",
                "Change, enable or disable a webhook endpoint",
                shapes.EndpointOut,
                body=shapes.ChangeEndpointIn,
                parameters=[_ID],
            ),
            "delete": _without_body(
                operation("removeWebhookEndpoint", "Remove a webhook endpoint", shapes.EndpointOut, parameters=[_ID])
            ),
        },
        f"{ENDPOINTS}/{{id}}/rotate": {
            "post": operation(
                "rotateWebhookSecret",
                "Give a webhook endpoint a new secret; the answer shows it once",
                shapes.EndpointWithSecretOut,
                body=shapes.RotateIn,
                parameters=[_ID],
            ),
        },
        f"{ENDPOINTS}/{{id}}/redeliver": {
            "post": operation(
                "redeliverWebhookEvents",
                "Send an endpoint every event since a time again",
                shapes.RedeliveredOut,
                status="202",
                body=shapes.RedeliverSinceIn,
                parameters=[_ID],
            ),
        },
        **_events(operation),
    }


def webhook() -> dict[str, Any]:
    """Return what the gateway itself posts to endpoints."""
    return {
        "summary": "A payment changed",
        "description": "Standard Webhooks: check `webhook-signature` over `id.timestamp.body`; answer 2xx.",
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookEventOut"}}}},
        "responses": {"2XX": {"description": "Taken; other answers are retried for three days"}},
    }


def _events(operation: Any) -> dict[str, Any]:
    return {
        EVENTS: {
            "get": operation(
                "listWebhookEvents",
                "List events in the order in which they happened",
                shapes.WebhookEventsOut,
                parameters=_query_parameters(),
            ),
        },
        f"{EVENTS}/{{id}}": {"get": operation("getWebhookEvent", "Show an event", WebhookEventOut, parameters=[_ID])},
        f"{EVENTS}/{{id}}/deliveries": {
            "get": operation(
                "listWebhookDeliveries",
                "Show how an event fares",
                shapes.DeliveriesOut,
                parameters=[_ID],
            ),
        },
        f"{EVENTS}/{{id}}/redeliver": {
            "post": {
                **operation(
                    "redeliverWebhookEvent",
                    "Send an event again",
                    shapes.RedeliveredOut,
                    status="202",
                    body=shapes.RedeliverEventIn,
                    parameters=[_ID],
                )
            },
        },
    }


def _query_parameters() -> list[dict[str, Any]]:
    properties = shapes.WebhookEventsQuery.model_json_schema()["properties"]
    return [_parameter(name, schema.get("anyOf", [schema])[0]) for name, schema in properties.items()]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    shape = {key: value for key, value in schema.items() if key not in {"description", "title"}}
    return {"name": name, "in": "query", "required": False, "description": schema["description"], "schema": shape}


def _without_body(operation: dict[str, Any]) -> dict[str, Any]:
    problems = {code: answer for code, answer in operation["responses"].items() if code != "200"}
    return {**operation, "responses": {"204": {"description": "Removed"}, **problems}}
