"""Payments: opening, reading, and the changes a merchant or the shopper asks for. Each change is one statement."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, TextClause, text

from gateway.domain.order import Kind
from gateway.domain.payment import MACHINE, PaymentEvent, PaymentState
from gateway.store.fragments import FACTS, among, moved, noted, queued, told, voiding
from gateway.store.idempotency import BOUNDED, conflicts, kept

_OPEN = text(f"""
WITH opened AS (
  INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    description, mobile, callback_url, reference, state, page_expires_at, confirm_window_seconds)
  SELECT :payment_id, :page_token, 'PURCHASE', t.terminal_id, t.merchant_id, :order_id, :amount_rial, :fee_rial,
    :description, :mobile, :callback_url, :reference, 'open', house_now() + make_interval(secs => :page_seconds),
    :confirm_window_seconds
  FROM terminal t, {BOUNDED} WHERE t.terminal_id = :terminal_id
  RETURNING {FACTS}, attempt_id),
{noted(PaymentEvent.OPENED, "opened")},
{kept("opened")}
SELECT {FACTS} FROM opened
""")
_OF_ORDER = text("""
SELECT payment_id FROM payment WHERE terminal_id = :terminal_id AND order_id = :order_id
  AND state NOT IN ('cancelled', 'expired', 'reversed')
""")
_GET = text(f"SELECT {FACTS} FROM payment WHERE payment_id = :payment_id AND terminal_id = :terminal_id")
_EVENTS = text("""
SELECT e.event, e.state, e.at, a.number AS attempt
FROM payment p JOIN payment_event e USING (payment_id) LEFT JOIN attempt a ON a.attempt_id = e.attempt_id
WHERE p.payment_id = :payment_id AND p.terminal_id = :terminal_id AND e.event = ANY(:events)
ORDER BY e.event_id LIMIT :most
""")
_CONFIRM = text(f"""
WITH confirmed AS (
  UPDATE payment SET state = 'confirmed', confirmed_at = house_now(), confirmed_by = :key FROM {BOUNDED}
  WHERE payment_id = :payment_id AND terminal_id = :terminal_id AND amount_rial = :amount_rial
    AND state IN {among(MACHINE.befores(PaymentEvent.PAYEE_CONFIRMED))} AND kind = 'PURCHASE'
    AND authorised_at + make_interval(secs => confirm_window_seconds) > house_now()
  RETURNING {FACTS}, attempt_id),
{noted(PaymentEvent.PAYEE_CONFIRMED, "confirmed")},
{moved(PaymentEvent.PAYEE_CONFIRMED, "confirmed")},
{told(PaymentEvent.PAYEE_CONFIRMED, "confirmed")},
{kept("confirmed")}
SELECT {FACTS} FROM confirmed
""")
_REVERSE = text(f"""
WITH given_back AS (
  UPDATE payment SET state = 'reversing' FROM {BOUNDED}
  WHERE payment_id = :payment_id AND terminal_id = :terminal_id
    AND (CAST(:amount_rial AS bigint) IS NULL OR amount_rial = :amount_rial)
    AND state IN {among(MACHINE.befores(PaymentEvent.PAYEE_REVERSED))} AND kind = 'PURCHASE' AND refunded_rial = 0
    AND (confirmed_at IS NULL OR confirmed_at + make_interval(secs => :reverse_window_seconds) > house_now())
  RETURNING {FACTS}, attempt_id),
{voiding("given_back")},
{noted(PaymentEvent.PAYEE_REVERSED, "given_back")},
{queued("switch.reverse", "voiding")},
{kept("given_back")}
SELECT {FACTS} FROM given_back
""")
_CANCEL = text(f"""
WITH cancelled AS (
  UPDATE payment SET state = 'cancelled'
  WHERE page_token = :page_token AND state IN {among(MACHINE.befores(PaymentEvent.CUSTOMER_CANCELLED))}
  RETURNING {FACTS}, attempt_id),
{noted(PaymentEvent.CUSTOMER_CANCELLED, "cancelled")},
{told(PaymentEvent.CUSTOMER_CANCELLED, "cancelled")}
SELECT payment_id FROM cancelled
""")
_EXTEND = text("""
UPDATE payment SET extensions = extensions + 1,
  page_expires_at = page_expires_at + make_interval(secs => :extension_seconds)
WHERE page_token = :page_token AND state = 'open' AND page_expires_at > house_now() AND extensions < :extensions_max
RETURNING ceil(extract(epoch FROM page_expires_at - house_now()))::integer
""")
_ALIKE = text("""
SELECT CAST(ceil(extract(epoch FROM house_now() - max(o.authorised_at)) / 60) AS integer)
FROM payment p JOIN payment o ON o.terminal_id = p.terminal_id AND o.card_token = :card_token
WHERE p.page_token = :page_token AND o.payment_id <> p.payment_id AND o.amount_rial = p.amount_rial
  AND o.payee_key = p.payee_key
  AND o.state IN ('authorised', 'confirmed', 'settled')
  AND o.authorised_at > house_now() - make_interval(secs => :within_seconds)
  AND o.created_at > house_now() - make_interval(secs => :within_seconds) - interval '1 hour'
""")
_RECEIPT = text("""
SELECT p.amount_rial + p.fee_rial AS total_rial, p.authorised_at, p.state, m.name_fa AS merchant_name_fa,
  m.name_en AS merchant_name_en, p.terminal_id, p.pan_masked, p.rrn
FROM payment p JOIN merchant m USING (merchant_id) WHERE p.tracking_code = :tracking_code
""")

_TIMES = ("created_at", "page_expires_at", "authorised_at", "confirmed_at", "reversed_at", "decided_by")


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """A payment as its merchant may know it."""

    payment_id: str
    page_token: str
    kind: Kind
    state: PaymentState
    terminal_id: str
    merchant_id: str
    order_id: str
    amount_rial: int
    fee_rial: int
    description: str | None
    callback_url: str
    created_at: dt.datetime
    page_expires_at: dt.datetime
    confirm_window_seconds: int
    authorised_at: dt.datetime | None
    confirmed_at: dt.datetime | None
    reversed_at: dt.datetime | None
    rrn: str | None
    tracking_code: str | None
    pan_masked: str | None
    card_token: str | None
    issuer_id: str | None
    decided_by: dt.datetime | None
    refunded_rial: int

    @classmethod
    def of(cls, row: Mapping[str, Any] | RowMapping) -> PaymentRecord:
        """Build from a row, or from the JSON of one that a stored answer keeps."""
        values: dict[str, Any] = {name: row.get(name) for name in cls.__dataclass_fields__}
        for name in _TIMES:
            if isinstance(values[name], str):
                values[name] = dt.datetime.fromisoformat(values[name])
        values["refunded_rial"] = values["refunded_rial"] or 0  # answers kept before there were refunds
        kind = Kind(values["kind"] or Kind.PURCHASE)  # answers and events kept before they said it
        return cls(**{**values, "kind": kind, "state": PaymentState(values["state"])})

    def json(self, **more: object) -> str:
        """Return this row as the JSON that a stored answer keeps, with ``more`` beside its columns."""
        return json.dumps(asdict(self) | more, default=str)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One line of a payment's history; ``attempt`` counts the payment's attempts from 1."""

    event: str
    state: PaymentState
    at: dt.datetime
    attempt: int | None


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """What stands on the receipt of a payment that was authorised once."""

    total_rial: int
    authorised_at: dt.datetime
    state: str
    merchant_name_fa: str
    merchant_name_en: str
    terminal_id: str
    pan_masked: str
    rrn: str


class OrderTaken(Exception):
    """The terminal already has a live payment for this order; nothing was changed."""


def open_payment(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord:
    """Insert a payment, its event and its stored answer.

    Raises:
        KeyTaken: the idempotency key was used before.
        Busy: a request with this key, or for this order, is being carried out.
        OrderTaken: D42.
    """
    record = _one(connection, _OPEN, values)
    if record is None:
        raise LookupError("the terminal of a caller exists")
    return record


def confirm(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord | None:
    """Confirm within the window (the sweeper's predicate is the complement); ``None`` when the state forbids it.

    Raises:
        KeyTaken, Busy: as for opening; the payment's row may be what is busy.
    """
    return _one(connection, _CONFIRM, values)


def reverse(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord | None:
    """Commit the decision to give the money back; ``None`` when state, amount, window or a refund forbids it.

    Raises:
        KeyTaken, Busy: as above.
    """
    return _one(connection, _REVERSE, values)


def of_order(connection: Connection, terminal_id: str, order_id: str) -> str | None:
    """Return the id of the live payment for this order."""
    found = connection.execute(_OF_ORDER, {"terminal_id": terminal_id, "order_id": order_id}).scalar()
    return None if found is None else str(found)


def get(connection: Connection, terminal_id: str, payment_id: str) -> PaymentRecord | None:
    """Read one payment of this terminal."""
    values = {"terminal_id": terminal_id, "payment_id": payment_id}
    row = connection.execute(_GET, values).mappings().one_or_none()
    return None if row is None else PaymentRecord.of(row)


def events(
    connection: Connection, terminal_id: str, payment_id: str, *, named: list[str], most: int
) -> list[EventRecord]:
    """Read the events of these names in a payment's history, oldest first, at most ``most``."""
    values = {"terminal_id": terminal_id, "payment_id": payment_id, "events": named, "most": most}
    rows = connection.execute(_EVENTS, values).all()
    return [EventRecord(row.event, PaymentState(row.state), row.at, row.attempt) for row in rows]


def cancel(connection: Connection, page_token: str) -> bool:
    """Cancel an open payment; tell whether it was open."""
    return connection.execute(_CANCEL, {"page_token": page_token}).one_or_none() is not None


def extend(connection: Connection, page_token: str, *, extension_seconds: int, extensions_max: int) -> int | None:
    """Give an open page more time; return the seconds left, or ``None`` when that is not possible."""
    values = {
        "page_token": page_token,
        "extension_seconds": extension_seconds,
        "extensions_max": extensions_max,
    }
    return connection.execute(_EXTEND, values).scalar()


def minutes_since_alike(connection: Connection, page_token: str, card_token: str, *, within_seconds: int) -> int | None:
    """Return how many minutes ago this card last paid what this page asks for, to the same terminal and payee."""
    values = {"page_token": page_token, "card_token": card_token, "within_seconds": within_seconds}
    return connection.execute(_ALIKE, values).scalar()


def receipt(connection: Connection, tracking_code: str) -> ReceiptRow | None:
    """Read the receipt with this tracking code."""
    row = connection.execute(_RECEIPT, {"tracking_code": tracking_code}).mappings().one_or_none()
    return None if row is None else ReceiptRow(**row)


def _one(connection: Connection, statement: TextClause, values: Mapping[str, Any]) -> PaymentRecord | None:
    with conflicts(payment_order=OrderTaken):
        row = connection.execute(statement, dict(values)).mappings().one_or_none()
    return None if row is None else PaymentRecord.of(row)
