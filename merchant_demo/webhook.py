"""``POST /webhooks/pooya``: the gateway knocks; what is true is then asked of its API (Standard Webhooks)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from merchant_demo.orders import Shop, reconcile

blueprint = Blueprint("webhook", __name__)
log = structlog.get_logger()


@blueprint.post("/webhooks/pooya")
def receive() -> Response:
    """Check the signature and bring the order it speaks of up to date; its content decides nothing."""
    shop: Shop = current_app.extensions["shop"]
    verifier = Webhook(shop.settings.webhook_secret.get_secret_value())
    try:
        event = verifier.verify(request.get_data(), dict(request.headers))
    except (WebhookVerificationError, ValueError):
        log.warning("webhook_refused")
        return Response(status=HTTPStatus.UNAUTHORIZED)
    payment_id = _payment_id(event)
    order = shop.orders.by_payment(payment_id) if payment_id else None
    if order is not None:
        reconcile(shop, order)
    return Response(status=HTTPStatus.NO_CONTENT)


def _payment_id(event: Any) -> str | None:
    """Return the payment an event is about; events of kinds we do not know are fine."""
    data = event.get("data") if isinstance(event, dict) else None
    found = data.get("id") if isinstance(data, dict) else None
    return found if isinstance(found, str) else None
