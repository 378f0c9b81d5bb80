"""What merchants send and get about webhook endpoints, events and their deliveries."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway.api.events import WebhookEventOut
from gateway.api.schemas import In, Limit, Moment, Text, whole
from gateway.domain.webhooks import OVERLAP_SECONDS, OVERLAP_SECONDS_MAX
from gateway.services.endpoints import PAGE_USUAL, Endpoint, Log, WithSecret

Url = Annotated[Text, Field(description="where events are sent; https, on the public internet")]
Types = Annotated[
    list[Text],
    Field(max_length=32, description="which events are sent; none means all, those of later versions too"),
]
Description = Annotated[Text, Field(max_length=120, description="for your own eyes")]


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class AddEndpointIn(In):
    """Add an endpoint."""

    url: Url
    event_types: Types = []  # noqa: RUF012 - pydantic gives each its own
    description: Description | None = None


class ChangeEndpointIn(In):
    """Change an endpoint; what is absent stays as it is."""

    url: Url | None = None
    event_types: Types | None = None
    description: Description | None = None
    enabled: Annotated[bool, Field(strict=True)] | None = None


class RotateIn(In):
    """Rotate an endpoint's secret."""

    overlap_seconds: Annotated[
        int,
        Field(
            strict=True,
            ge=0,
            le=OVERLAP_SECONDS_MAX,
            description="for so long the old secret signs too; 0 ends it at once, for one that has leaked",
        ),
        BeforeValidator(whole),
    ] = OVERLAP_SECONDS


class RedeliverEventIn(In):
    """Send an event again."""

    endpoint_id: Annotated[Text, Field(description="to this endpoint only")] | None = None


class RedeliverSinceIn(In):
    """Send every event since a time again."""

    since: Moment


class WebhookEventsQuery(In):
    """Which events are wanted."""

    type: Annotated[str | None, Field(max_length=64, description="only events of this type")] = None
    payment_id: Annotated[str | None, Field(max_length=64, description="only events of this payment")] = None
    since: Annotated[Moment | None, Field(description="only events that happened then or later, RFC 3339")] = None
    limit: Annotated[Limit, Field(description="events per page")] = PAGE_USUAL
    cursor: Annotated[
        str | None, Field(max_length=64, description="next_cursor of the page before; keep the filters while paging")
    ] = None


class EndpointOut(_Out):
    """An endpoint as it stands; its secrets are never shown again."""

    id: Annotated[str, Field(description="of the endpoint")]
    url: str
    description: Annotated[str | None, Field(description="for your own eyes")]
    event_types: list[str]
    enabled: bool
    disabled_at: dt.datetime | None
    disabled_why: Annotated[
        Literal["asked", "failing"] | None, Field(description="by your wish, or after days without one success")
    ]
    failures: Annotated[int, Field(description="tries in a row that failed; 0 while all is well")]
    failing_since: dt.datetime | None
    previous_secret_until: Annotated[
        dt.datetime | None, Field(description="until then every message carries the old secret's signature too")
    ]
    created_at: dt.datetime

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """Show an endpoint to its merchant."""
        return cls.model_validate(_facts(endpoint))


class EndpointWithSecretOut(EndpointOut):
    """A new endpoint, or one whose secret was rotated."""

    secret: Annotated[str, Field(description="`whsec_…`; shown this once")]

    @classmethod
    def with_secret(cls, made: WithSecret) -> Self:
        """Show an endpoint together with its new secret."""
        return cls.model_validate({**_facts(made.endpoint), "secret": made.secret})


class EndpointsOut(_Out):
    """All endpoints, oldest first."""

    items: list[EndpointOut]


class WebhookEventsOut(_Out):
    """A page of events, in the order in which they happened."""

    items: list[WebhookEventOut]
    next_cursor: Annotated[str | None, Field(description="send it as cursor for the next page; null at the end")]


class TryOut(_Out):
    """One try: when, how long, and what came of it."""

    at: dt.datetime
    duration_ms: int
    status: Annotated[int | None, Field(description="what your server answered, if it did")]
    error: Annotated[str | None, Field(description="why this was no delivery")]


class DeliveryOut(_Out):
    """How an event fares at one endpoint."""

    endpoint_id: str
    state: Annotated[Literal["waiting", "delivered", "dead"], Field(description="dead: given up after three days")]
    tries: int
    next_try_at: dt.datetime | None
    delivered_at: dt.datetime | None
    last_error: str | None
    attempts: Annotated[list[TryOut], Field(description="the newest twenty-five, oldest first")]

    @classmethod
    def of(cls, log: Log) -> Self:
        """Show a delivery to its merchant."""
        tries = [
            TryOut(at=at, duration_ms=each.duration_ms, status=each.status, error=each.error)
            for at, each in log.attempts
        ]
        return cls.model_validate(
            {
                "endpoint_id": log.endpoint_id,
                "state": log.state,
                "tries": log.tries,
                "next_try_at": log.next_try_at,
                "delivered_at": log.delivered_at,
                "last_error": log.last_error,
                "attempts": tries,
            }
        )


class DeliveriesOut(_Out):
    """How an event fares at every endpoint it was sent to."""

    items: list[DeliveryOut]


class RedeliveredOut(_Out):
    """What was queued to be sent again."""

    queued: int
    until: Annotated[
        dt.datetime | None, Field(description="time of the last one; with ten thousand queued, go on from here")
    ] = None


def _facts(endpoint: Endpoint) -> dict[str, object]:
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
        "enabled": endpoint.enabled,
        "disabled_at": endpoint.disabled_at,
        "disabled_why": endpoint.disabled_why,
        "failures": endpoint.failures,
        "failing_since": endpoint.failing_since,
        "previous_secret_until": endpoint.previous_until,
        "created_at": endpoint.created_at,
    }
