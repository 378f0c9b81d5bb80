"""``/api/v1/webhook_endpoints`` and ``/api/v1/events``: parse, call one use case, render."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, current_app, g, request
from pydantic import BaseModel, ValidationError

from gateway.api.events import webhook_event_out
from gateway.api.webhook_schemas import (
    AddEndpointIn,
    ChangeEndpointIn,
    DeliveriesOut,
    DeliveryOut,
    EndpointOut,
    EndpointsOut,
    EndpointWithSecretOut,
    RedeliveredOut,
    RedeliverEventIn,
    RedeliverSinceIn,
    RotateIn,
    WebhookEventsOut,
    WebhookEventsQuery,
)
from gateway.domain.errors import MalformedMessage, ScopeMissing
from gateway.services import endpoints
from gateway.services.authenticate import Caller
from gateway.services.endpoints import Choice, Wish
from gateway.services.gateway import Gateway

In = TypeVar("In", bound=BaseModel)

blueprint = Blueprint("webhooks", __name__)

READ, WRITE = "webhooks:read", "webhooks:write"
EVERYTHING = "payments"
"""The one scope of keys that are not narrowed."""


@blueprint.before_request
def _scope() -> None:
    needed = READ if request.method == "GET" else WRITE
    if not {needed, EVERYTHING} & _caller().scopes:
        raise ScopeMissing(f"this key lacks the scope {needed}")


@blueprint.get("/webhook_endpoints")
def list_endpoints() -> Response:
    """List the endpoints."""
    found = endpoints.list_endpoints(_gateway(), _merchant())
    return _json(EndpointsOut(items=[EndpointOut.of(each) for each in found]))


@blueprint.post("/webhook_endpoints")
def add_endpoint() -> Response:
    """Add an endpoint; its secret is in this answer and in no other."""
    body = _body(AddEndpointIn)
    wish = Wish(description=body.description, event_types=tuple(body.event_types))
    made = endpoints.add_endpoint(_gateway(), _merchant(), body.url, wish)
    response = _json(EndpointWithSecretOut.with_secret(made), status=201)
    response.headers["Location"] = f"/api/v1/webhook_endpoints/{made.endpoint.endpoint_id}"
    return response


@blueprint.get("/webhook_endpoints/<endpoint_id>")
def get_endpoint(endpoint_id: str) -> Response:
    """Show an endpoint."""
    return _json(EndpointOut.of(endpoints.get_endpoint(_gateway(), _merchant(), endpoint_id)))


@blueprint.patch("/webhook_endpoints/<endpoint_id>")
def change_endpoint(endpoint_id: str) -> Response:
    """Change an endpoint, or enable or disable it."""
    body = _body(ChangeEndpointIn)
    types = None if body.event_types is None else tuple(body.event_types)
    wish = Wish(url=body.url, description=body.description, event_types=types, enabled=body.enabled)
    return _json(EndpointOut.of(endpoints.change_endpoint(_gateway(), _merchant(), endpoint_id, wish)))


@blueprint.delete("/webhook_endpoints/<endpoint_id>")
def remove_endpoint(endpoint_id: str) -> Response:
    """Remove an endpoint."""
    endpoints.remove_endpoint(_gateway(), _merchant(), endpoint_id)
    return Response(status=204)


@blueprint.post("/webhook_endpoints/<endpoint_id>/rotate")
def rotate_secret(endpoint_id: str) -> Response:
    """Rotate an endpoint's secret."""
    body = _body(RotateIn)
    made = endpoints.rotate_secret(_gateway(), _merchant(), endpoint_id, overlap_seconds=body.overlap_seconds)
    return _json(EndpointWithSecretOut.with_secret(made))


@blueprint.post("/webhook_endpoints/<endpoint_id>/redeliver")
def redeliver_since(endpoint_id: str) -> Response:
    """Send an endpoint every event since a time again."""
    body = _body(RedeliverSinceIn)
    done = endpoints.redeliver_since(_gateway(), _merchant(), endpoint_id, body.since)
    return _json(RedeliveredOut(queued=done.queued, until=done.until), status=202)


@blueprint.get("/events")
def list_events() -> Response:
    """List events in the order in which they happened."""
    query = _parsed(lambda: WebhookEventsQuery.model_validate(request.args.to_dict()))
    choice = Choice(query.type, query.payment_id, query.since, query.cursor)
    found, more = endpoints.list_events(_gateway(), _merchant(), choice, most=query.limit)
    items = [webhook_event_out(event, _gateway().settings) for event in found]
    return _json(WebhookEventsOut(items=items, next_cursor=found[-1].event_id if more else None))


@blueprint.get("/events/<event_id>")
def get_event(event_id: str) -> Response:
    """Show an event."""
    event = endpoints.get_event(_gateway(), _merchant(), event_id)
    return _json(webhook_event_out(event, _gateway().settings))


@blueprint.get("/events/<event_id>/deliveries")
def list_deliveries(event_id: str) -> Response:
    """Show how an event fares at each endpoint."""
    found = endpoints.deliveries_of(_gateway(), _merchant(), event_id)
    return _json(DeliveriesOut(items=[DeliveryOut.of(each) for each in found]))


@blueprint.post("/events/<event_id>/redeliver")
def redeliver_event(event_id: str) -> Response:
    """Send an event again."""
    body = _body(RedeliverEventIn)
    queued = endpoints.redeliver_event(_gateway(), _merchant(), event_id, endpoint_id=body.endpoint_id)
    return _json(RedeliveredOut(queued=queued), status=202)


def _gateway() -> Gateway:
    return cast("Gateway", current_app.extensions["gateway"])


def _caller() -> Caller:
    return cast("Caller", g.caller)


def _merchant() -> str:
    return _caller().merchant_id


def _json(answer: BaseModel, *, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status, mimetype="application/json")


def _body(model: type[In]) -> In:
    body = request.get_data()
    if body and request.mimetype != "application/json":
        raise MalformedMessage((("Content-Type", "is application/json"),))
    return _parsed(lambda: model.model_validate_json(body or b"{}"))


def _parsed(parse: Callable[[], In]) -> In:
    try:
        return parse()
    except ValidationError as error:
        rows: list[Any] = list(error.errors(include_input=False, include_url=False, include_context=False))
        raise MalformedMessage(
            tuple((".".join(map(str, row["loc"])) or "body", str(row["msg"])) for row in rows)
        ) from None
