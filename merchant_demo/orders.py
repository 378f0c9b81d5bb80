"""What the shop does with an order: take it to the gateway, and learn from the gateway alone whether it is paid."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from merchant_demo.config import Settings
from merchant_demo.gateway_client import GatewayClient, GatewayRefused, GatewayUnavailable, Payment
from merchant_demo.store import Order, Orders

log = structlog.get_logger()

BATCH = 100

STATES = {
    "open": "awaiting",
    "authorised": "checking",
    "unknown": "checking",
    "reversing": "checking",
    "confirmed": "paid",
    "settled": "paid",
    "reversed": "failed",
    "refunded": "failed",
    "cancelled": "failed",
    "expired": "failed",
}
"""What each state of a payment means for its order; only a confirmed payment is a paid order."""

OVER = frozenset({"paid", "failed", "mismatch"})


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything the shop works with."""

    settings: Settings
    orders: Orders
    gateway: GatewayClient

    def close(self) -> None:
        """End the connections to the database and the gateway."""
        self.orders.close()
        self.gateway.close()


def take_to_gateway(shop: Shop, order: Order) -> Order:
    """Open the order's payment, once however often it is tried, and return the order with its payment page.

    Raises:
        GatewayUnavailable, GatewayRefused: the order stays placed and can be tried again.
    """
    if order.state != "placed":
        return order
    body = {
        "amount": order.total.amount,
        "order_id": order.number,
        "callback_url": f"{shop.settings.public_url}/orders/{order.page_key}/return",
        "description": order.number,
    }
    if order.mobile:
        body["mobile"] = order.mobile
    payment = shop.gateway.open_payment(key=order.open_key, body=body)
    return shop.orders.opened(order, payment) or shop.orders.by_page(order.page_key) or order


def reconcile(shop: Shop, order: Order) -> Order:
    """Bring the order up to date with the gateway; confirms an authorised payment. Safe to repeat and to race.

    A gateway that does not answer leaves the order as it is: it is asked again later.
    """
    if order.payment_id is None or order.state in OVER:
        return order
    try:
        payment = shop.gateway.payment(order.payment_id)
        if not _belongs(order, payment):
            log.error("payment_mismatched", order=order.number, payment_id=payment.payment_id)
            return shop.orders.learned(order, payment, "mismatch") or order
        if payment.state == "authorised":
            payment = shop.gateway.confirm(payment.payment_id, order.total, key=order.confirm_key)
    except (GatewayUnavailable, GatewayRefused) as error:
        log.warning("gateway_not_asked", order=order.number, why=str(error))
        return order
    state = STATES.get(payment.state, "checking")
    return shop.orders.learned(order, payment, state) or shop.orders.by_page(order.page_key) or order


def reconcile_unfinished(shop: Shop) -> int:
    """Bring every order that is not over up to date, for customers who never came back; return how many were asked."""
    unfinished = shop.orders.unfinished(BATCH)
    for order in unfinished:
        reconcile(shop, order)
    return len(unfinished)


def _belongs(order: Order, payment: Payment) -> bool:
    return payment.order_id == order.number and payment.amount == order.total
