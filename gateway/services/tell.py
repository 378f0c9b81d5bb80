"""Telling a merchant what happened to a payment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from foundation.sensitive import Sensitive
from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.ports import Delivered, NotDelivered, Webhook
from gateway.services.gateway import Gateway
from gateway.store import webhooks
from gateway.store.webhooks import Target

SECRET_PURPOSE = "webhook-secret"  # noqa: S105 - a purpose of a key, not a secret


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a payment, as the outbox kept it when it became true; ``at`` is UTC, ISO 8601."""

    number: int
    type: str
    payment_id: str
    state: PaymentState
    at: str


def secret_place(merchant_id: str) -> str:
    """Return the one place where a merchant's webhook secret opens."""
    return f"merchant|webhook|{merchant_id}"


def tell(gateway: Gateway, event: Event) -> Delivered | NotDelivered:
    """Send one event to its merchant's webhook; a merchant without one counts as told."""
    with gateway.database.single() as connection:
        target = webhooks.target(connection, event.payment_id)
    if target is None:
        return Delivered()
    secret = gateway.keyring.open(target.webhook_secret_sealed, bound_to=secret_place(target.merchant_id))
    body = json.dumps(_body(event, target), ensure_ascii=False).encode()
    return gateway.callbacks.send(Webhook(f"evt_{event.number}", target.webhook_url, Sensitive(secret.decode()), body))


def _body(event: Event, target: Target) -> dict[str, Any]:
    card = {"masked_pan": target.pan_masked, "token": target.card_token} if target.pan_masked else None
    data = {
        "id": target.payment_id,
        "state": OUTSIDE[event.state],
        "order_id": target.order_id,
        "amount": target.amount_rial,
        "fee": target.fee_rial,
        "rrn": target.rrn,
        "tracking_code": target.tracking_code,
        "card": card,
    }
    return {"type": event.type, "timestamp": event.at, "data": data}
