"""Lists of a terminal's payments, a page at a time. Every filter is the front of an index or stands inside one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

from gateway.ports import Kind
from gateway.store.fragments import FACTS
from gateway.store.payments import PaymentRecord

FILTERS = {
    "state": "outside_state(state) = :state",
    "order_id": "order_id = :order_id",
    "amount": "amount_rial = :amount",
    "card_token": "card_token = :card_token",
    "rrn": "rrn = :rrn",
    "tracking_code": "tracking_code = :tracking_code",
    "created_from": "created_at >= :created_from",
    "created_before": "created_at < :created_before",
}
"""Filter → predicate."""

_AFTER = "(created_at, payment_id) < (:after_at, :after_id)"
_UNCONFIRMED = f"""
SELECT {FACTS} FROM payment
WHERE terminal_id = :terminal_id AND state = 'authorised' AND kind = 'PURCHASE' {{after}}
  AND authorised_at + make_interval(secs => confirm_window_seconds) > house_now()
ORDER BY authorised_at, payment_id LIMIT :most
"""
_FIRST_UNCONFIRMED = text(_UNCONFIRMED.format(after=""))
_MORE_UNCONFIRMED = text(
    _UNCONFIRMED.format(after="AND (authorised_at, payment_id) > (CAST(:after_at AS timestamptz), :after_id)")
)
_OF_ORDER = text(f"""
SELECT {FACTS} FROM payment WHERE terminal_id = :terminal_id AND order_id = :order_id
ORDER BY created_at DESC, payment_id DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the time that the list is ordered by, and the payment, which is unique."""

    at: dt.datetime
    payment_id: str


def newest_first(
    connection: Connection,
    terminal_id: str,
    filters: Mapping[str, Any],
    *,
    after: Position | None,
    most: int,
    kind: Kind | None = None,
) -> list[PaymentRecord]:
    """Read up to ``most`` payments older than ``after`` that pass every filter (names of :data:`FILTERS`).

    ``kind`` leaves out payments of other kinds.
    """
    statement = _listing(tuple(sorted(filters)), after is not None, kind)
    return _read(connection, statement, {"terminal_id": terminal_id, "most": most, **filters}, after)


def unconfirmed(connection: Connection, terminal_id: str, *, after: Position | None, most: int) -> list[PaymentRecord]:
    """Read up to ``most`` payments that can still be confirmed, the one paid first at the front."""
    statement = _FIRST_UNCONFIRMED if after is None else _MORE_UNCONFIRMED
    return _read(connection, statement, {"terminal_id": terminal_id, "most": most}, after)


def of_order(connection: Connection, terminal_id: str, order_id: str) -> PaymentRecord | None:
    """Read the newest payment of an order: the live one, where there is one (D42)."""
    values = {"terminal_id": terminal_id, "order_id": order_id}
    row = connection.execute(_OF_ORDER, values).mappings().one_or_none()
    return None if row is None else PaymentRecord.of(row)


@lru_cache(maxsize=512)
def _listing(names: tuple[str, ...], continued: bool, kind: Kind | None) -> TextClause:  # noqa: FBT001 - of the cache
    predicates = ["terminal_id = :terminal_id", *(FILTERS[name] for name in names), *([_AFTER] if continued else [])]
    predicates += [] if kind is None else [f"kind = '{kind}'"]
    return text(
        f"SELECT {FACTS} FROM payment WHERE {' AND '.join(predicates)} "
        "ORDER BY created_at DESC, payment_id DESC LIMIT :most"
    )


def _read(
    connection: Connection, statement: TextClause, values: dict[str, Any], after: Position | None
) -> list[PaymentRecord]:
    position = {} if after is None else {"after_at": after.at, "after_id": after.payment_id}
    return [PaymentRecord.of(row) for row in connection.execute(statement, values | position).mappings()]
