"""Payments: opening, reading, and the changes a merchant or the shopper asks for. Each change is one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, TextClause, text
from sqlalchemy.exc import IntegrityError

from gateway.domain.payment import MACHINE, PaymentEvent, PaymentState
from gateway.store.fragments import FACTS, among, moved, noted, queued, told, voiding

_OPEN = text(f"""
WITH opened AS (
  INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    description, mobile, callback_url, reference, state, page_expires_at, confirm_window_seconds)
  SELECT :payment_id, :page_token, 'PURCHASE', t.terminal_id, t.merchant_id, :order_id, :amount_rial, :fee_rial,
    :description, :mobile, :callback_url, :reference, 'open', house_now() + make_interval(secs => :page_seconds),
    :confirm_window_seconds
  FROM terminal t WHERE t.terminal_id = :terminal_id
  RETURNING {FACTS}, attempt_id),
{noted(PaymentEvent.OPENED, "opened")},
kept AS (
  INSERT INTO idempotency (terminal_id, key, body_hash, answer)
  SELECT terminal_id, :key, :body_hash, to_jsonb(opened) FROM opened WHERE CAST(:key AS text) IS NOT NULL)
SELECT {FACTS} FROM opened
""")
_STORED = text("SELECT body_hash, answer FROM idempotency WHERE terminal_id = :terminal_id AND key = :key")
_KEEP = text(f"""
INSERT INTO idempotency (terminal_id, key, body_hash, answer)
SELECT terminal_id, :key, :body_hash, to_jsonb(found) || jsonb_build_object('repeated', true)
FROM (SELECT {FACTS} FROM payment WHERE payment_id = :payment_id AND terminal_id = :terminal_id) AS found
ON CONFLICT DO NOTHING
""")
_OF_ORDER = text("""
SELECT payment_id FROM payment WHERE terminal_id = :terminal_id AND order_id = :order_id
  AND state NOT IN ('cancelled', 'expired', 'reversed')
""")
_GET = text(f"SELECT {FACTS} FROM payment WHERE payment_id = :payment_id AND terminal_id = :terminal_id")
_LIST = text(f"""
SELECT {FACTS} FROM payment
WHERE terminal_id = :terminal_id AND state = ANY(:states) AND (CAST(:after AS text) IS NULL OR payment_id > :after)
ORDER BY payment_id LIMIT :most
""")
_CONFIRM = text(f"""
WITH confirmed AS (
  UPDATE payment SET state = 'confirmed', confirmed_at = house_now(), confirmed_by = :key
  WHERE payment_id = :payment_id AND terminal_id = :terminal_id AND amount_rial = :amount_rial
    AND state IN {among(MACHINE.befores(PaymentEvent.PAYEE_CONFIRMED))}
    AND authorised_at + make_interval(secs => confirm_window_seconds) > house_now()
  RETURNING {FACTS}, attempt_id),
{noted(PaymentEvent.PAYEE_CONFIRMED, "confirmed")},
{moved(PaymentEvent.PAYEE_CONFIRMED, "confirmed")},
{told(PaymentEvent.PAYEE_CONFIRMED, "confirmed")},
kept AS (
  INSERT INTO idempotency (terminal_id, key, body_hash, answer)
  SELECT terminal_id, :key, :body_hash, to_jsonb(confirmed) FROM confirmed WHERE CAST(:key AS text) IS NOT NULL)
SELECT {FACTS} FROM confirmed
""")
_REVERSE = text(f"""
WITH given_back AS (
  UPDATE payment SET state = 'reversing'
  WHERE payment_id = :payment_id AND terminal_id = :terminal_id
    AND state IN {among(MACHINE.befores(PaymentEvent.PAYEE_REVERSED))}
    AND (confirmed_at IS NULL OR confirmed_at + make_interval(secs => :reverse_window_seconds) > house_now())
  RETURNING {FACTS}, attempt_id),
{voiding("given_back")},
{noted(PaymentEvent.PAYEE_REVERSED, "given_back")},
{queued("switch.reverse", "voiding")},
kept AS (
  INSERT INTO idempotency (terminal_id, key, body_hash, answer)
  SELECT terminal_id, :key, :body_hash, to_jsonb(given_back) FROM given_back WHERE CAST(:key AS text) IS NOT NULL)
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
_RECEIPT = text("SELECT amount_rial + fee_rial, authorised_at, state FROM payment WHERE tracking_code = :tracking_code")

_TIMES = ("created_at", "page_expires_at", "authorised_at", "confirmed_at", "reversed_at", "decided_by")


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """A payment as its merchant may know it."""

    payment_id: str
    page_token: str
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

    @classmethod
    def of(cls, row: Mapping[str, Any] | RowMapping) -> PaymentRecord:
        """Build from a row, or from the JSON of one that a stored answer keeps."""
        values: dict[str, Any] = {name: row.get(name) for name in cls.__dataclass_fields__}
        for name in _TIMES:
            if isinstance(values[name], str):
                values[name] = dt.datetime.fromisoformat(values[name])
        return cls(**{**values, "state": PaymentState(values["state"])})


@dataclass(frozen=True, slots=True)
class Stored:
    """The first answer to a request with this idempotency key; ``changed`` when that request changed the payment."""

    body_hash: bytes
    record: PaymentRecord
    changed: bool


class KeyTaken(Exception):
    """The idempotency key already belongs to another request; nothing was changed."""


class OrderTaken(Exception):
    """The terminal already has a live payment for this order; nothing was changed."""


def open_payment(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord:
    """Insert a payment, its event and its stored answer.

    Raises:
        KeyTaken: the idempotency key was used before.
        OrderTaken: D42.
    """
    record = _one(connection, _OPEN, values)
    if record is None:
        raise LookupError("the terminal of a caller exists")
    return record


def confirm(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord | None:
    """Confirm within the window (the sweeper's predicate is the complement); ``None`` when the state forbids it."""
    return _one(connection, _CONFIRM, values)


def reverse(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord | None:
    """Commit the decision to give the money back; ``None`` when the state or the window forbids it."""
    return _one(connection, _REVERSE, values)


def stored(connection: Connection, terminal_id: str, key: str) -> Stored | None:
    """Return what a request with this key was answered."""
    row = connection.execute(_STORED, {"terminal_id": terminal_id, "key": key}).one_or_none()
    if row is None:
        return None
    return Stored(bytes(row.body_hash), PaymentRecord.of(row.answer), changed="repeated" not in row.answer)


def keep(connection: Connection, record: PaymentRecord, key: str, body_hash: bytes) -> Stored | None:
    """Keep the payment as it stands as the answer to a request that changed nothing; return what is kept.

    That is another answer where a request with this key was faster.
    """
    values = {"payment_id": record.payment_id, "terminal_id": record.terminal_id, "key": key, "body_hash": body_hash}
    connection.execute(_KEEP, values)
    return stored(connection, record.terminal_id, key)


def of_order(connection: Connection, terminal_id: str, order_id: str) -> str | None:
    """Return the id of the live payment for this order."""
    found = connection.execute(_OF_ORDER, {"terminal_id": terminal_id, "order_id": order_id}).scalar()
    return None if found is None else str(found)


def get(connection: Connection, terminal_id: str, payment_id: str) -> PaymentRecord | None:
    """Read one payment of this terminal."""
    values = {"terminal_id": terminal_id, "payment_id": payment_id}
    row = connection.execute(_GET, values).mappings().one_or_none()
    return None if row is None else PaymentRecord.of(row)


def listed(
    connection: Connection, terminal_id: str, states: list[str], *, after: str | None, most: int
) -> list[PaymentRecord]:
    """Read up to ``most`` payments of this terminal in these states, in the order of their ids."""
    values = {"terminal_id": terminal_id, "states": states, "after": after, "most": most}
    return [PaymentRecord.of(row) for row in connection.execute(_LIST, values).mappings()]


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


def receipt(connection: Connection, tracking_code: str) -> tuple[int, dt.datetime, PaymentState] | None:
    """Return total, time and state of the payment with this tracking code."""
    row = connection.execute(_RECEIPT, {"tracking_code": tracking_code}).one_or_none()
    return None if row is None else (row[0], row[1], PaymentState(row[2]))


def _one(connection: Connection, statement: TextClause, values: Mapping[str, Any]) -> PaymentRecord | None:
    try:
        row = connection.execute(statement, dict(values)).mappings().one_or_none()
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if constraint == "idempotency_key":
            raise KeyTaken from None
        if constraint == "payment_order":
            raise OrderTaken from None
        raise
    return None if row is None else PaymentRecord.of(row)
