"""``POST /webhooks/pooya``: the gateway knocks; what is true is then asked of its API (Standard Webhooks)."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Blueprint, Response, current_app, request

from merchant_demo.orders import Shop, note_refunds, reconcile
from pooya import WebhookRefused, verify_webhook

blueprint = Blueprint("webhook", __name__)
log = structlog.get_logger()


@blueprint.post("/webhooks/pooya")
def receive() -> Response:
    """Check the signature and bring the order it speaks of up to date; its content decides nothing.

    Orders that are not over are asked about again by a sweep, refunds only when the gateway knocks: where it did not
    answer it is told to come again.
    """
    shop: Shop = current_app.extensions["shop"]
    try:
        event = verify_webhook(request.get_data(), dict(request.headers), *shop.settings.webhook_secrets())
    except WebhookRefused:
        log.warning("webhook_refused")
        return Response(status=HTTPStatus.UNAUTHORIZED)
    order = shop.orders.by_payment(event.payment.id) if event.payment else None
    if order is not None:
        reconcile(shop, order)
        if event.refund and not note_refunds(shop, order):
            return Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
    return Response(status=HTTPStatus.NO_CONTENT)
