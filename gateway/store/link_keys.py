"""Sets of keys exchanged with issuers: at most one on offer, the active one, and the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import structlog
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import SQLAlchemyError

from foundation.database import Database
from gateway.ports import ExchangedKeys, WrappedKeys

log = structlog.get_logger(__name__)

_ALL = text("""
SELECT name, kek_id, pin, request_mac, answer_mac, number, active_at IS NOT NULL AS active
FROM link_key_set WHERE issuer_id = :issuer_id ORDER BY number
""")
_OFFER = text("""
INSERT INTO link_key_set (issuer_id, number, name, kek_id, pin, request_mac, answer_mac)
SELECT :issuer_id, coalesce(max(number), 0) + 1, :name, :kek_id, :pin, :request_mac, :answer_mac
FROM link_key_set WHERE issuer_id = :issuer_id
HAVING coalesce(max(active_at) <= house_now() - make_interval(secs => :overlap_seconds), true)
ON CONFLICT DO NOTHING
""")
_TAKEN = text("""
WITH active AS (
  UPDATE link_key_set SET active_at = house_now() WHERE issuer_id = :issuer_id AND name = :name AND active_at IS NULL
  RETURNING issuer_id, number)
DELETE FROM link_key_set USING active
WHERE link_key_set.issuer_id = active.issuer_id AND link_key_set.number < active.number - 1
""")
_REFUSED = text("DELETE FROM link_key_set WHERE issuer_id = :issuer_id AND name = :name AND active_at IS NULL")


def exchanged(database: Database, issuer_id: str) -> Sequence[ExchangedKeys] | None:
    """Read an issuer's sets, oldest first; ``None`` when the database does not answer."""
    try:
        with database.single() as connection:
            rows = connection.execute(_ALL, {"issuer_id": issuer_id}).all()
    except SQLAlchemyError as error:
        log.warning("link_keys_not_read", issuer_id=issuer_id, error=type(error).__name__)
        return None
    return [ExchangedKeys(_wrapped(row), row.number, row.active) for row in rows]


def on_offer(connection: Connection, issuer_id: str) -> WrappedKeys | None:
    """Return the set that the host has not answered for yet."""
    rows = connection.execute(_ALL, {"issuer_id": issuer_id})
    return next((_wrapped(row) for row in rows if not row.active), None)


def offer(connection: Connection, issuer_id: str, keys: WrappedKeys, *, overlap_seconds: int) -> None:
    """Keep a set to be offered, unless one is on offer or the last change is younger than ``overlap_seconds``."""
    values = {"issuer_id": issuer_id, "overlap_seconds": overlap_seconds, **asdict(keys)}
    connection.execute(_OFFER, values)


def taken(connection: Connection, issuer_id: str, name: str) -> None:
    """Write with this set from now on, and let go of all older ones but its predecessor."""
    connection.execute(_TAKEN, {"issuer_id": issuer_id, "name": name})


def refused(connection: Connection, issuer_id: str, name: str) -> None:
    """Let go of a set that the host has not kept."""
    connection.execute(_REFUSED, {"issuer_id": issuer_id, "name": name})


def _wrapped(row: Row[tuple[object, ...]]) -> WrappedKeys:
    return WrappedKeys(row.name, row.kek_id, row.pin, row.request_mac, row.answer_mac)
