"""Webhook endpoints and events over the merchant API: parse, call one use case, render. The table at the end serves."""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel

from gateway.api.asking import body, caller, gateway_of_app, idempotency, query
from gateway.api.events import WebhookEventOut, webhook_event_out
from gateway.api.operations import PREFIX, Operation, Said
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
from gateway.domain.scopes import Scope
from gateway.services import endpoints
from gateway.services.endpoints import Choice, Wish
from gateway.services.idempotency import Asked

ENDPOINTS = "/webhook_endpoints"
EVENTS = "/events"


def list_endpoints() -> Response:
    """List the endpoints."""
    found = endpoints.list_endpoints(gateway_of_app(), _merchant())
    return _json(EndpointsOut(items=[EndpointOut.of(each) for each in found]))


def add_endpoint() -> Response:
    """Add an endpoint; its secret is in this answer and its repeats, and in no other."""
    sent = body(AddEndpointIn)
    wish = Wish(description=sent.description, event_types=tuple(sent.event_types))
    made = endpoints.add_endpoint(gateway_of_app(), _merchant(), sent.url, wish, asked=_asked(sent))
    response = _json(EndpointWithSecretOut.with_secret(made), status=201)
    response.headers["Location"] = f"{PREFIX}{ENDPOINTS}/{made.endpoint.endpoint_id}"
    return response


def get_endpoint(endpoint_id: str) -> Response:
    """Show an endpoint."""
    return _json(EndpointOut.of(endpoints.get_endpoint(gateway_of_app(), _merchant(), endpoint_id)))


def change_endpoint(endpoint_id: str) -> Response:
    """Change an endpoint, or enable or disable it."""
    sent = body(ChangeEndpointIn)
    types = None if sent.event_types is None else tuple(sent.event_types)
    wish = Wish(url=sent.url, description=sent.description, event_types=types, enabled=sent.enabled)
    return _json(EndpointOut.of(endpoints.change_endpoint(gateway_of_app(), _merchant(), endpoint_id, wish)))


def remove_endpoint(endpoint_id: str) -> Response:
    """Remove an endpoint."""
    endpoints.remove_endpoint(gateway_of_app(), _merchant(), endpoint_id)
    return Response(status=204)


def rotate_secret(endpoint_id: str) -> Response:
    """Rotate an endpoint's secret."""
    sent = body(RotateIn, required=False)
    overlap, asked = sent.overlap_seconds, _asked(sent)
    made = endpoints.rotate_secret(gateway_of_app(), _merchant(), endpoint_id, overlap_seconds=overlap, asked=asked)
    return _json(EndpointWithSecretOut.with_secret(made))


def redeliver_since(endpoint_id: str) -> Response:
    """Send an endpoint every event since a time again."""
    sent = body(RedeliverSinceIn)
    done = endpoints.redeliver_since(gateway_of_app(), _merchant(), endpoint_id, sent.since, asked=_asked(sent))
    return _json(RedeliveredOut(queued=done.queued, until=done.until), status=202)


def list_events() -> Response:
    """List events in the order in which they happened."""
    asked = query(WebhookEventsQuery)
    gateway = gateway_of_app()
    choice = Choice(asked.type, asked.payment_id, asked.since, asked.cursor)
    found, more = endpoints.list_events(gateway, _merchant(), choice, most=asked.limit)
    items = [webhook_event_out(event, gateway.settings) for event in found]
    return _json(WebhookEventsOut(items=items, next_cursor=found[-1].event_id if more else None))


def get_event(event_id: str) -> Response:
    """Show an event."""
    gateway = gateway_of_app()
    return _json(webhook_event_out(endpoints.get_event(gateway, _merchant(), event_id), gateway.settings))


def list_deliveries(event_id: str) -> Response:
    """Show how an event fares at each endpoint."""
    found = endpoints.deliveries_of(gateway_of_app(), _merchant(), event_id)
    return _json(DeliveriesOut(items=[DeliveryOut.of(each) for each in found]))


def redeliver_event(event_id: str) -> Response:
    """Send an event again."""
    sent = body(RedeliverEventIn, required=False)
    only, asked = sent.endpoint_id, _asked(sent)
    queued = endpoints.redeliver_event(gateway_of_app(), _merchant(), event_id, endpoint_id=only, asked=asked)
    return _json(RedeliveredOut(queued=queued), status=202)


def _merchant() -> str:
    return caller().merchant_id


def _asked(sent: BaseModel) -> Asked:
    return Asked(caller(), idempotency(sent))


def _json(answer: BaseModel, *, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status, mimetype="application/json")


OPERATIONS = (
    Operation(
        name="listWebhookEndpoints",
        method="GET",
        path=ENDPOINTS,
        serve=list_endpoints,
        scope=Scope.WEBHOOKS_READ,
        summary=Said("فهرست نشانی‌های وب‌هوک", "List webhook endpoints"),
        answer=EndpointsOut,
    ),
    Operation(
        name="addWebhookEndpoint",
        method="POST",
        path=ENDPOINTS,
        serve=add_endpoint,
        scope=Scope.WEBHOOKS_WRITE,
        summary=Said(
            "افزودن نشانی وب‌هوک؛ راز آن تنها در همین پاسخ است",
            "Add a webhook endpoint; the answer shows its secret once",
        ),
        body=AddEndpointIn,
        answer=EndpointWithSecretOut,
        status=201,
        problems=("invalid_endpoint", "duplicate_endpoint", "too_many_endpoints"),
    ),
    Operation(
        name="getWebhookEndpoint",
        method="GET",
        path=f"{ENDPOINTS}/{{endpoint_id}}",
        serve=get_endpoint,
        scope=Scope.WEBHOOKS_READ,
        summary=Said("دیدن یک نشانی وب‌هوک", "Show a webhook endpoint"),
        answer=EndpointOut,
        problems=("endpoint_not_found",),
    ),
    Operation(
        name="changeWebhookEndpoint",
        method="PATCH",
        path=f"{ENDPOINTS}/{{endpoint_id}}",
        serve=change_endpoint,
        scope=Scope.WEBHOOKS_WRITE,
        summary=Said("تغییر، فعال یا غیرفعال کردن نشانی وب‌هوک", "Change, enable or disable a webhook endpoint"),
        body=ChangeEndpointIn,
        answer=EndpointOut,
        problems=("endpoint_not_found", "invalid_endpoint", "duplicate_endpoint"),
    ),
    Operation(
        name="removeWebhookEndpoint",
        method="DELETE",
        path=f"{ENDPOINTS}/{{endpoint_id}}",
        serve=remove_endpoint,
        scope=Scope.WEBHOOKS_WRITE,
        summary=Said("برداشتن نشانی وب‌هوک", "Remove a webhook endpoint"),
        answer=None,
        status=204,
        problems=("endpoint_not_found",),
    ),
    Operation(
        name="rotateWebhookSecret",
        method="POST",
        path=f"{ENDPOINTS}/{{endpoint_id}}/rotate",
        serve=rotate_secret,
        scope=Scope.WEBHOOKS_WRITE,
        summary=Said(
            "راز تازه برای نشانی وب‌هوک؛ تنها در همین پاسخ است",
            "Give a webhook endpoint a new secret; the answer shows it once",
        ),
        body=RotateIn,
        body_required=False,
        answer=EndpointWithSecretOut,
        problems=("endpoint_not_found", "rotation_running"),
    ),
    Operation(
        name="redeliverWebhookEvents",
        method="POST",
        path=f"{ENDPOINTS}/{{endpoint_id}}/redeliver",
        serve=redeliver_since,
        scope=Scope.WEBHOOKS_WRITE,
        summary=Said(
            "ارسال دوبارهٔ همهٔ رویدادها از یک زمان به بعد به یک نشانی",
            "Send an endpoint every event since a time again",
        ),
        body=RedeliverSinceIn,
        answer=RedeliveredOut,
        status=202,
        problems=("endpoint_not_found",),
    ),
    Operation(
        name="listWebhookEvents",
        method="GET",
        path=EVENTS,
        serve=list_events,
        scope=Scope.WEBHOOKS_READ,
        summary=Said("فهرست رویدادها به ترتیب رخداد", "List events in the order in which they happened"),
        query=WebhookEventsQuery,
        answer=WebhookEventsOut,
        problems=("event_not_found",),
    ),
    Operation(
        name="getWebhookEvent",
        method="GET",
        path=f"{EVENTS}/{{event_id}}",
        serve=get_event,
        scope=Scope.WEBHOOKS_READ,
        summary=Said("دیدن یک رویداد", "Show an event"),
        answer=WebhookEventOut,
        problems=("event_not_found",),
    ),
    Operation(
        name="listWebhookDeliveries",
        method="GET",
        path=f"{EVENTS}/{{event_id}}/deliveries",
        serve=list_deliveries,
        scope=Scope.WEBHOOKS_READ,
        summary=Said("سرگذشت ارسال یک رویداد به هر نشانی", "Show how an event fares"),
        answer=DeliveriesOut,
        problems=("event_not_found",),
    ),
    Operation(
        name="redeliverWebhookEvent",
        method="POST",
        path=f"{EVENTS}/{{event_id}}/redeliver",
        serve=redeliver_event,
        scope=Scope.WEBHOOKS_WRITE,
        summary=Said("ارسال دوبارهٔ یک رویداد", "Send an event again"),
        body=RedeliverEventIn,
        body_required=False,
        answer=RedeliveredOut,
        status=202,
        problems=("event_not_found", "endpoint_not_found"),
    ),
)
"""What this module serves."""
