"""The feed: a merchant's events in the order in which they happened, who was told, and telling again.

Whoever follows it keeps the last event read and never looks behind it. So it is shown up to a mark that no event comes
in below any more (:mod:`gateway.store.marks`); the worker and those who read move it on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from gateway.store.fragments import hears
from gateway.store.idempotency import kept
from gateway.store.marks import write_on, writers
from gateway.store.webhooks import Event, Try

ROUNDS = 3
"""A mark that waited is reached, another set, and reached at once where nobody writes."""

_FIRST = text("""
INSERT INTO webhook_feed (one) SELECT true WHERE NOT EXISTS (SELECT FROM webhook_feed) ON CONFLICT DO NOTHING
""")
_TAKE = text("""
WITH drawn AS MATERIALIZED (SELECT last_value AS newest FROM webhook_event_number_seq)
SELECT whole, mark, writers, newest FROM webhook_feed CROSS JOIN drawn
WHERE whole < newest FOR UPDATE OF webhook_feed SKIP LOCKED
""")
_MARK = text(f"UPDATE webhook_feed SET mark = :mark, writers = ARRAY({writers('webhook_event')})")
_WRITE_ON = write_on("webhook_event")
_REACH = text("UPDATE webhook_feed SET whole = mark")
_COLUMNS = "event_id, type, payment_id, facts, created_at"
_LIST = text(f"""
SELECT {_COLUMNS} FROM webhook_event
WHERE merchant_id = :merchant_id AND (CAST(:type AS text) IS NULL OR type = :type)
  AND (CAST(:payment_id AS text) IS NULL OR payment_id = :payment_id)
  AND (CAST(:since AS timestamptz) IS NULL OR created_at >= :since)
  AND number > coalesce((SELECT number FROM webhook_event AS last WHERE last.event_id = :after
    AND last.merchant_id = :merchant_id), 0)
  AND number <= (SELECT whole FROM webhook_feed)
ORDER BY number LIMIT :most
""")
_GET = text(f"SELECT {_COLUMNS} FROM webhook_event WHERE merchant_id = :merchant_id AND event_id = :event_id")
_DELIVERIES = text("""
SELECT endpoint_id, state, tries, CASE state WHEN 'waiting' THEN due_at END AS next_try_at, delivered_at, last_error
FROM webhook_delivery WHERE event_id = :event_id ORDER BY endpoint_id
""")
_ATTEMPTS = text("""
SELECT endpoint_id, at, duration_ms, status, error FROM (
  SELECT *, row_number() OVER (PARTITION BY endpoint_id ORDER BY number DESC) AS back
  FROM webhook_attempt WHERE event_id = :event_id) AS newest
WHERE back <= :most ORDER BY endpoint_id, number
""")
_REDELIVER = text(f"""
WITH wanted AS (
  SELECT event.event_id, event.number, event.payment_id, endpoint.endpoint_id, event.created_at
  FROM webhook_event event JOIN webhook_endpoint endpoint ON endpoint.merchant_id = event.merchant_id
    AND {hears("endpoint", "event.type")}
  WHERE event.merchant_id = :merchant_id AND event.type = ANY(:types)
    AND (CAST(:event_id AS text) IS NULL OR event.event_id = :event_id)
    AND (CAST(:endpoint_id AS text) IS NULL OR endpoint.endpoint_id = :endpoint_id)
    AND (CAST(:since AS timestamptz) IS NULL OR event.created_at >= :since)
  ORDER BY event.number LIMIT :most),
again AS (
  INSERT INTO webhook_delivery (endpoint_id, event_id, number, payment_id)
  SELECT endpoint_id, event_id, number, payment_id FROM wanted ORDER BY number
  ON CONFLICT (event_id, endpoint_id) DO UPDATE SET state = 'waiting', tries = 0, due_at = house_now(),
    give_up_at = EXCLUDED.give_up_at, delivered_at = NULL),
done AS (
  SELECT count(*) AS queued, max(created_at) AS until, CAST(:terminal_id AS text) AS terminal_id FROM wanted),
{kept("done")}
SELECT queued, until FROM done
""")


@dataclass(frozen=True, slots=True)
class Log:
    """How an event fares at one endpoint; ``attempts`` are the newest tries with their times, oldest first."""

    endpoint_id: str
    state: str
    tries: int
    next_try_at: dt.datetime | None
    delivered_at: dt.datetime | None
    last_error: str | None
    attempts: tuple[tuple[dt.datetime, Try], ...]


@dataclass(frozen=True, slots=True)
class Redelivered:
    """How many deliveries were queued; past ``until`` there may be more, for the next call."""

    queued: int
    until: dt.datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any] | RowMapping) -> Redelivered:
        """Build from a row, or from the JSON of one that a stored answer keeps."""
        until = row["until"]
        return cls(row["queued"], dt.datetime.fromisoformat(until) if isinstance(until, str) else until)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which events of a feed are wanted; ``None`` is any."""

    type: str | None = None
    payment_id: str | None = None
    since: dt.datetime | None = None
    after: str | None = None


def advance(connection: Connection) -> None:
    """Move the mark up to which the feed is shown as far as nobody can come in below it, within one transaction.

    One at a time; a second caller, and one that would have to wait for writers, leaves it where it is.
    """
    connection.execute(_FIRST)
    for _ in range(ROUNDS):
        row = connection.execute(_TAKE).one_or_none()
        if row is None:
            return
        if row.whole == row.mark:
            connection.execute(_MARK, {"mark": row.newest})
        elif connection.execute(_WRITE_ON, {"writers": list(row.writers)}).scalar_one():
            return
        else:
            connection.execute(_REACH)


def listed(connection: Connection, merchant_id: str, choice: Choice, *, most: int) -> list[Event]:
    """Read up to ``most`` events in their order, after the one whose id is ``choice.after``, up to the mark."""
    values = {
        "merchant_id": merchant_id,
        "type": choice.type,
        "payment_id": choice.payment_id,
        "since": choice.since,
        "after": choice.after,
        "most": most,
    }
    return [Event(**row) for row in connection.execute(_LIST, values).mappings()]


def get(connection: Connection, merchant_id: str, event_id: str) -> Event | None:
    """Read one event of this merchant."""
    row = connection.execute(_GET, {"merchant_id": merchant_id, "event_id": event_id}).mappings().one_or_none()
    return None if row is None else Event(**row)


def deliveries(connection: Connection, event_id: str, *, attempts_most: int) -> list[Log]:
    """Read how an event fares at each endpoint."""
    tries: dict[str, list[tuple[dt.datetime, Try]]] = {}
    for row in connection.execute(_ATTEMPTS, {"event_id": event_id, "most": attempts_most}):
        tries.setdefault(row.endpoint_id, []).append((row.at, Try(row.duration_ms, row.status, row.error)))
    rows = connection.execute(_DELIVERIES, {"event_id": event_id}).mappings()
    return [Log(**row, attempts=tuple(tries.get(row["endpoint_id"], ()))) for row in rows]


def redeliver(connection: Connection, values: Mapping[str, Any]) -> Redelivered:
    """Queue at most ``most`` events of ``types`` again for endpoints that hear them, oldest first.

    ``event_id``, ``endpoint_id`` and ``since`` may narrow that. What is being sent at this moment is not sent twice at
    once: its lease stays.
    """
    return Redelivered.of(connection.execute(_REDELIVER, dict(values)).mappings().one())
