"""The shop's orders in its own PostgreSQL; every statement of the shop is here."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from foundation.database import Database
from foundation.persian import Language
from foundation.rial import Rial
from pooya import Payment

READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 8

_COLUMNS = (
    "order_id, number, page_key, language, recipient, total_rial, state, mobile, open_key, confirm_key, payment_id, "
    "page_url, rrn, tracking_code, masked_pan, decided_by, created_at, paid_at, refunded_rial"
)
_PLACE = text(f"""
INSERT INTO shop_order (number, page_key, checkout_key, language, recipient, mobile, total_rial)
VALUES (:number, :page_key, :checkout_key, :language, :recipient, :mobile, :total_rial)
ON CONFLICT (checkout_key) DO NOTHING RETURNING {_COLUMNS}
""")
_ADD_LINE = text("""
INSERT INTO order_line (order_id, product_key, quantity, price_rial) VALUES (:order_id, :key, :quantity, :price_rial)
""")
_BY_CHECKOUT = text(f"SELECT {_COLUMNS} FROM shop_order WHERE checkout_key = :key")
_BY_PAGE = text(f"SELECT {_COLUMNS} FROM shop_order WHERE page_key = :key")
_BY_PAYMENT = text(f"SELECT {_COLUMNS} FROM shop_order WHERE payment_id = :key")
_BY_NUMBER = text(f"SELECT {_COLUMNS} FROM shop_order WHERE number = :key")
_PAID = text(f"SELECT {_COLUMNS} FROM shop_order WHERE state = 'paid' ORDER BY order_id DESC LIMIT :most")
_LINES = text(
    "SELECT product_key, quantity, price_rial FROM order_line WHERE order_id = :order_id ORDER BY product_key"
)
_UNFINISHED = text(f"""
SELECT {_COLUMNS} FROM shop_order WHERE state IN ('awaiting', 'checking') ORDER BY order_id LIMIT :most
""")
_OPENED = text(f"""
UPDATE shop_order SET state = 'awaiting', payment_id = :payment_id, page_url = :page_url
WHERE order_id = :order_id AND open_key = :open_key AND state = 'placed' RETURNING {_COLUMNS}
""")
_LEARNED = text(f"""
UPDATE shop_order SET state = :state, rrn = coalesce(:rrn, rrn),
  tracking_code = coalesce(:tracking_code, tracking_code), masked_pan = coalesce(:masked_pan, masked_pan),
  decided_by = :decided_by, paid_at = CASE WHEN :state = 'paid' THEN now() END
WHERE order_id = :order_id AND payment_id = :payment_id AND state IN ('awaiting', 'checking') RETURNING {_COLUMNS}
""")
_REFUNDED = text("""
UPDATE shop_order SET refunded_rial = :rial WHERE order_id = :order_id AND payment_id = :payment_id AND state = 'paid'
""")
_START_AGAIN = text(f"""
UPDATE shop_order SET state = 'placed', payment_id = NULL, page_url = NULL, rrn = NULL, tracking_code = NULL,
  masked_pan = NULL, decided_by = NULL, open_key = gen_random_uuid(), confirm_key = gen_random_uuid()
WHERE page_key = :key AND state = 'failed' RETURNING {_COLUMNS}
""")


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer ordered, and what is known about its payment."""

    order_id: int
    number: str
    page_key: str
    language: Language
    recipient: str
    mobile: str | None
    total: Rial
    state: str
    open_key: UUID
    confirm_key: UUID
    payment_id: str | None
    page_url: str | None
    rrn: str | None
    tracking_code: str | None
    masked_pan: str | None
    decided_by: dt.datetime | None
    created_at: dt.datetime
    paid_at: dt.datetime | None
    refunded: Rial


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one product, at the price of that moment."""

    product_key: str
    quantity: int
    price: Rial


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A basket with a recipient; ``checkout_key`` makes a double click one order."""

    checkout_key: str
    language: Language
    recipient: str
    mobile: str | None
    lines: tuple[Line, ...]

    @property
    def total(self) -> Rial:
        """What the customer pays."""
        return Rial(sum(line.price.amount * line.quantity for line in self.lines))


class Orders:
    """The order book."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def place(self, new: NewOrder) -> Order:
        """Write the order down; the same checkout again returns the first one."""
        values = {
            "number": "S-" + "".join(secrets.choice(READABLE) for _ in range(NUMBER_LENGTH)),
            "page_key": secrets.token_urlsafe(18),
            "checkout_key": new.checkout_key,
            "language": new.language,
            "recipient": new.recipient,
            "mobile": new.mobile,
            "total_rial": new.total.amount,
        }
        with self._database.begin() as connection:
            row = connection.execute(_PLACE, values).mappings().one_or_none()
            if row is None:
                return _order(connection.execute(_BY_CHECKOUT, {"key": new.checkout_key}).mappings().one())
            _add_lines(connection, row["order_id"], new.lines)
            return _order(row)

    def by_page(self, page_key: str) -> Order | None:
        """Return the order whose page this is."""
        return self._one(_BY_PAGE, key=page_key)

    def by_payment(self, payment_id: str) -> Order | None:
        """Return the order that this payment is for."""
        return self._one(_BY_PAYMENT, key=payment_id)

    def by_number(self, number: str) -> Order | None:
        """Return the order with this number."""
        return self._one(_BY_NUMBER, key=number)

    def paid(self, most: int) -> tuple[Order, ...]:
        """Return the newest orders that were paid."""
        with self._database.single() as connection:
            return tuple(_order(row) for row in connection.execute(_PAID, {"most": most}).mappings())

    def lines(self, order: Order) -> tuple[Line, ...]:
        """Return what was ordered."""
        with self._database.single() as connection:
            rows = connection.execute(_LINES, {"order_id": order.order_id}).all()
        return tuple(Line(row.product_key, row.quantity, Rial(row.price_rial)) for row in rows)

    def unfinished(self, most: int) -> tuple[Order, ...]:
        """Return the oldest orders whose payment is not known to be over."""
        with self._database.single() as connection:
            return tuple(_order(row) for row in connection.execute(_UNFINISHED, {"most": most}).mappings())

    def opened(self, order: Order, payment: Payment) -> Order | None:
        """Remember the payment opened for this order; ``None`` when another process already did."""
        return self._one(
            _OPENED,
            order_id=order.order_id,
            open_key=order.open_key,
            payment_id=payment.id,
            page_url=payment.page_url,
        )

    def learned(self, order: Order, payment: Payment, state: str) -> Order | None:
        """Remember what the gateway said; ``None`` when the order is already over."""
        return self._one(
            _LEARNED,
            order_id=order.order_id,
            payment_id=payment.id,
            state=state,
            rrn=payment.rrn,
            tracking_code=payment.tracking_code,
            masked_pan=payment.card.masked_pan if payment.card else None,
            decided_by=payment.decided_by,
        )

    def refunded(self, order: Order, amount: Rial) -> None:
        """Remember how much of a paid order is back on the card or on its way there."""
        values = {"order_id": order.order_id, "payment_id": order.payment_id, "rial": amount.amount}
        with self._database.single() as connection:
            connection.execute(_REFUNDED, values)

    def start_again(self, page_key: str) -> Order | None:
        """Prepare a failed order for a new payment, under new idempotency keys; ``None`` when it has not failed."""
        return self._one(_START_AGAIN, key=page_key)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _one(self, statement: Any, **values: Any) -> Order | None:
        with self._database.single() as connection:
            row = connection.execute(statement, values).mappings().one_or_none()
        return None if row is None else _order(row)


def _add_lines(connection: Connection, order_id: int, lines: tuple[Line, ...]) -> None:
    rows = [
        {"order_id": order_id, "key": line.product_key, "quantity": line.quantity, "price_rial": line.price.amount}
        for line in lines
    ]
    connection.execute(_ADD_LINE, rows)


def _order(row: RowMapping) -> Order:
    values = dict(row)
    return Order(total=Rial(values.pop("total_rial")), refunded=Rial(values.pop("refunded_rial")), **values)
