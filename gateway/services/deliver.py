"""One event goes to one endpoint: signed, sent once, and what came of it written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import StrEnum

import structlog

from foundation.sensitive import Sensitive
from gateway.domain.webhooks import SLOW_SECONDS, wait_after
from gateway.ports import Delivered, NotDelivered, Webhook
from gateway.services.endpoints import secret_place
from gateway.services.gateway import Gateway
from gateway.store import endpoints, events, webhooks
from gateway.store.webhooks import Delivery as Delivery
from gateway.store.webhooks import Event as Event
from gateway.store.webhooks import Share, Try

log = structlog.get_logger()

Render = Callable[[Event], bytes]
"""Writes an event as its receiver reads it; the merchant API has the words."""

LEASE_MARGIN_SECONDS = 5.0
"""Beyond the sender's time-out, for looking up the address and writing the result."""
BATCH = 200
DAYS_KEPT = 30


class Pace(StrEnum):
    """How an endpoint answered last: well and soon, or not."""

    QUICK = "quick"
    SLOW = "slow"


SHARES = {Pace.QUICK: Share(per_merchant=6, per_endpoint=4), Pace.SLOW: Share(per_merchant=2, per_endpoint=1)}
"""What one worker does at once for one merchant and one endpoint, however much waits there (F23)."""


def take(gateway: Gateway, pace: Pace, most: int, held: Sequence[Delivery] = ()) -> list[Delivery]:
    """Lease due deliveries of the quick or the slow endpoints: one for each, none beyond its share beside ``held``."""
    lease = gateway.settings.callback_timeout_seconds + LEASE_MARGIN_SECONDS
    values = {"slow": pace is Pace.SLOW, "most": most, "lease_seconds": lease}
    with gateway.database.single() as connection:
        return webhooks.claim(connection, values, SHARES[pace], held)


def deliver(
    gateway: Gateway, delivery: Delivery, render: Render, *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Send an event under the endpoint's live secrets and record the answer; at least once, under one event id.

    ``clock`` only goes forward: it measures the call.
    """
    place = secret_place(delivery.merchant_id)
    opened = (gateway.keyring.open(sealed, bound_to=place) for sealed in delivery.sealed_secrets)
    secrets = tuple(Sensitive(secret.decode()) for secret in opened)
    message = Webhook(delivery.event.event_id, delivery.url, secrets, render(delivery.event))
    began = clock()
    answer = gateway.callbacks.send(message)
    seconds = clock() - began
    match answer:
        case Delivered(status):
            found = Try(round(seconds * 1_000), status)
            with gateway.database.single() as connection:
                webhooks.delivered(connection, delivery, found, slow=seconds > SLOW_SECONDS)
        case NotDelivered():
            _failed(gateway, delivery, answer, round(seconds * 1_000))


def deliver_due(
    gateway: Gateway, render: Render, *, most: int = 100, clock: Callable[[], float] = time.monotonic
) -> int:
    """Send what is due now, each delivery once, in this thread; return how many were sent."""
    sent = 0
    while sent < most:
        taken = take(gateway, Pace.QUICK, most - sent) or take(gateway, Pace.SLOW, most - sent)
        if not taken:
            break
        for delivery in taken:
            deliver(gateway, delivery, render, clock=clock)
        sent += len(taken)
    return sent


def hasten(gateway: Gateway) -> int:
    """After an outage, send what waits for its back-off soon; return how many."""
    with gateway.database.single() as connection:
        return webhooks.hasten(connection, most=BATCH)


def advance_feed(gateway: Gateway) -> None:
    """Show in the feed what nothing earlier can come in before any more; those who read it do the same."""
    with gateway.database.begin() as connection:
        events.advance(connection)


def forget(gateway: Gateway) -> int:
    """Erase events older than thirty days, and old secrets whose overlap is over; return how many rows."""
    with gateway.database.begin() as connection:
        ended = endpoints.end_overlaps(connection)
        return ended + webhooks.forget(connection, keep_days=DAYS_KEPT, most=BATCH)


def _failed(gateway: Gateway, delivery: Delivery, answer: NotDelivered, duration_ms: int) -> None:
    found = Try(duration_ms, answer.status, answer.why)
    wait = wait_after(delivery.tries)
    days = gateway.settings.webhook_disable_after_days
    with gateway.database.single() as connection:
        state, disabled = webhooks.failed(
            connection, delivery, found, wait_seconds=wait, gone=answer.gone, disable_after_days=days
        )
    which = {"endpoint_id": delivery.endpoint_id, "event_id": delivery.event.event_id}
    if state == "dead":
        log.error("webhook_undelivered", **which, tries=delivery.tries, why=answer.why)
    if disabled:
        log.error("webhook_endpoint_disabled", endpoint_id=delivery.endpoint_id, why=answer.why)
