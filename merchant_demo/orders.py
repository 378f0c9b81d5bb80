"""What the shop does with an order: take it to the gateway, and learn from the gateway alone whether it is paid."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import structlog

from foundation.database import guard_no_transaction
from foundation.persian import number
from foundation.rial import Rial
from merchant_demo.catalogue import PRODUCTS
from merchant_demo.config import Settings
from merchant_demo.store import Line, Order, Orders
from merchant_demo.wording import say
from pooya import Client, Payment, PooyaError

log = structlog.get_logger()

BATCH = 100
DESCRIPTION_MAX = 120
"""Characters that the gateway takes of what a payment is for."""

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
    gateway: Client

    def close(self) -> None:
        """End the connections to the database and the gateway."""
        self.orders.close()
        self.gateway.close()


def take_to_gateway(shop: Shop, order: Order) -> Order:
    """Open the order's payment, once however often it is tried, and return the order with its payment page.

    Raises:
        PooyaError: no answer, or no; the order stays placed and can be tried again.
    """
    if order.state != "placed":
        return order
    guard_no_transaction()
    payment = shop.gateway.open(
        amount=order.total.amount,
        order_id=order.number,
        callback_url=f"{shop.settings.public_url}/orders/{order.page_key}/return",
        description=_bought(order, shop.orders.lines(order)),
        mobile=order.mobile,
        idempotency_key=str(order.open_key),
    )
    return shop.orders.opened(order, payment) or shop.orders.by_page(order.page_key) or order


def reconcile(shop: Shop, order: Order) -> Order:
    """Bring the order up to date with the gateway; confirms an authorised payment. Safe to repeat and to race.

    A gateway that does not answer leaves the order as it is: it is asked again later.
    """
    if order.payment_id is None or order.state in OVER:
        return order
    guard_no_transaction()
    try:
        payment = shop.gateway.get(order.payment_id)
        if not _belongs(order, payment):
            log.error("payment_mismatched", order=order.number, payment_id=payment.id)
            return shop.orders.learned(order, payment, "mismatch") or order
        if payment.state == "authorised":
            key = str(order.confirm_key)
            payment = shop.gateway.confirm(payment.id, amount=order.total.amount, idempotency_key=key)
    except PooyaError as error:
        log.warning("gateway_not_asked", order=order.number, why=str(error))
        return order
    state = STATES.get(payment.state, "checking")
    return shop.orders.learned(order, payment, state) or shop.orders.by_page(order.page_key) or order


def note_refunds(shop: Shop, order: Order) -> bool:
    """Learn how much of a paid order goes back to its card; ``False`` where the gateway did not say."""
    if order.state != "paid" or order.payment_id is None:
        return True
    guard_no_transaction()
    try:
        payment = shop.gateway.get(order.payment_id)
    except PooyaError as error:
        log.warning("gateway_not_asked", order=order.number, why=str(error))
        return False
    if _belongs(order, payment):
        shop.orders.refunded(order, Rial(payment.refunded_amount or 0))
    return True


def reconcile_unfinished(shop: Shop) -> int:
    """Bring every order that is not over up to date, for customers who never came back; return how many were asked."""
    unfinished = shop.orders.unfinished(BATCH)
    for order in unfinished:
        reconcile(shop, order)
    return len(unfinished)


def _bought(order: Order, lines: tuple[Line, ...]) -> str:
    """Return what was bought in the buyer's language, cut at a word where the gateway takes no more."""
    chosen = order.language
    titles = {key: product.title.in_(chosen) for key, product in PRODUCTS.items()}
    named = (f"{titles.get(line.product_key, line.product_key)} × {number(line.quantity, chosen)}" for line in lines)
    text = say("order.comma", chosen).join(named)
    return textwrap.shorten(text, DESCRIPTION_MAX, placeholder=" …", break_on_hyphens=False)


def _belongs(order: Order, payment: Payment) -> bool:
    return payment.order_id == order.number and payment.amount == order.total.amount
