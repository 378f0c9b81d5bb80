"""Deliveries: each event owed to each endpoint, as a queue of its own (docs/adr/0010).

A delivery may be taken when it is due, nobody else has it, and nothing earlier of the same payment waits for the same
endpoint. Taking it leases it by database time and hands out a fence; who lost the lease cannot write the result. One
claim takes at most one delivery per endpoint, gives no merchant more than its share, and where more endpoints wait
than it may take, a lot decides: so a backlog of some is no queue for the others (F23). It reads the clock once: as a
constant, so that the index of due times answers, however much waits behind it.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from gateway.domain.webhooks import ENDPOINT_DISABLED, OUTAGE_FAILURES, UNDELIVERED

HASTEN_SECONDS = 30
"""What waited for an outage to end is spread over so long."""

_CLAIM = text("""
WITH RECURSIVE clock AS (SELECT house_now() AS now),
owing (endpoint_id) AS (
  (SELECT endpoint_id FROM webhook_delivery WHERE state = 'waiting' ORDER BY endpoint_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.endpoint_id FROM webhook_delivery d WHERE d.state = 'waiting' AND d.endpoint_id > owing.endpoint_id
    ORDER BY d.endpoint_id LIMIT 1)
  FROM owing WHERE owing.endpoint_id IS NOT NULL),
ready AS (
  SELECT first.event_id, e.endpoint_id, e.merchant_id, e.url, e.secret_sealed,
    CASE WHEN e.previous_until > house_now() THEN e.previous_secret_sealed END AS previous_secret_sealed,
    md5(e.endpoint_id || :lot) AS lot,
    row_number() OVER (PARTITION BY e.merchant_id ORDER BY md5(e.endpoint_id || :lot)) AS nth
  FROM owing JOIN webhook_endpoint e ON e.endpoint_id = owing.endpoint_id CROSS JOIN LATERAL (
    SELECT d.event_id FROM webhook_delivery d
    WHERE d.endpoint_id = owing.endpoint_id AND d.state = 'waiting' AND d.due_at <= (SELECT now FROM clock)
      AND (d.leased_until IS NULL OR d.leased_until <= (SELECT now FROM clock))
      AND NOT EXISTS (SELECT FROM webhook_delivery earlier WHERE earlier.endpoint_id = d.endpoint_id
        AND earlier.payment_id = d.payment_id AND earlier.state = 'waiting' AND earlier.number < d.number)
    ORDER BY d.due_at, d.number LIMIT 1) AS first
  WHERE e.enabled AND e.deleted_at IS NULL AND e.slow = :slow
    AND (SELECT count(*) FROM unnest(CAST(:endpoints AS text[])) AS one WHERE one = e.endpoint_id) < :per_endpoint),
drawn AS (
  SELECT * FROM ready WHERE :per_merchant >= nth
    + (SELECT count(*) FROM unnest(CAST(:merchants AS text[])) AS one WHERE one = ready.merchant_id)
  ORDER BY lot LIMIT :most),
chosen AS (
  SELECT drawn.* FROM drawn JOIN webhook_delivery d
    ON d.event_id = drawn.event_id AND d.endpoint_id = drawn.endpoint_id AND d.state = 'waiting'
    AND (d.leased_until IS NULL OR d.leased_until <= (SELECT now FROM clock))
  FOR UPDATE OF d SKIP LOCKED)
UPDATE webhook_delivery d SET tries = d.tries + 1, fence = d.fence + 1, tried_at = house_now(),
  leased_until = house_now() + make_interval(secs => :lease_seconds)
FROM chosen JOIN webhook_event event ON event.event_id = chosen.event_id
WHERE d.event_id = chosen.event_id AND d.endpoint_id = chosen.endpoint_id
RETURNING chosen.*, d.tries, d.fence, event.type, event.facts, event.created_at, event.payment_id
""")


def _notice(kind: str, *about: str) -> str:
    """Return how SQL makes the id of a notice: as an event's, from what happened, so the same never has two."""
    told = " || ':' || ".join((f"'{kind}'", *about))
    return f"'evt_' || left(encode(sha256(convert_to({told}, 'UTF8')), 'hex'), 32)"


_LOGGED = """
logged AS (
  INSERT INTO webhook_attempt (event_id, endpoint_id, number, duration_ms, status, error)
  VALUES (:event_id, :endpoint_id, :fence, :duration_ms, :status, :error) ON CONFLICT DO NOTHING)"""
_MINE = "WHERE event_id = :event_id AND endpoint_id = :endpoint_id AND fence = :fence AND state = 'waiting'"
_DELIVERED = text(f"""
WITH mine AS (
  UPDATE webhook_delivery SET state = 'delivered', delivered_at = house_now(), leased_until = NULL, last_error = NULL
  {_MINE} RETURNING endpoint_id, payment_id, number),
{_LOGGED},
following AS (
  UPDATE webhook_delivery d SET due_at = house_now() FROM mine
  WHERE d.endpoint_id = mine.endpoint_id AND d.payment_id = mine.payment_id AND d.number > mine.number
    AND d.state = 'waiting' AND d.due_at > house_now()),
well AS (
  UPDATE webhook_endpoint SET failures = 0, failing_since = NULL, slow = :slow,
    recovered_at = CASE WHEN failures >= {OUTAGE_FAILURES} THEN house_now() ELSE recovered_at END
  WHERE endpoint_id = :endpoint_id AND (failures > 0 OR slow <> :slow))
SELECT count(*) FROM mine
""")
_FAILED = text(f"""
WITH mine AS (
  UPDATE webhook_delivery SET leased_until = NULL, last_error = :error,
    due_at = house_now() + make_interval(secs => :wait_seconds),
    state = CASE WHEN :gone OR house_now() + make_interval(secs => :wait_seconds) > give_up_at
      THEN 'dead' ELSE 'waiting' END
  {_MINE} RETURNING endpoint_id, event_id, payment_id, number, state, tries, fence, due_at),
{_LOGGED},
following AS (
  UPDATE webhook_delivery d SET due_at = CASE mine.state WHEN 'dead' THEN house_now() ELSE mine.due_at END FROM mine
  WHERE d.endpoint_id = mine.endpoint_id AND d.payment_id = mine.payment_id AND d.number > mine.number
    AND d.state = 'waiting'),
ill AS (
  UPDATE webhook_endpoint e SET failures = e.failures + 1, failing_since = coalesce(e.failing_since, house_now()),
    slow = true, enabled = e.enabled AND NOT over.over,
    disabled_at = CASE WHEN e.enabled AND over.over THEN house_now() ELSE e.disabled_at END,
    disabled_why = CASE WHEN e.enabled AND over.over THEN 'failing' ELSE e.disabled_why END
  FROM (SELECT before.endpoint_id, before.enabled AS was, coalesce(
      before.failing_since + make_interval(days => :disable_after_days) <= house_now(), false) AS over
    FROM webhook_endpoint before WHERE before.endpoint_id = :endpoint_id FOR UPDATE) AS over
  WHERE e.endpoint_id = over.endpoint_id
  RETURNING e.endpoint_id, e.merchant_id, e.url, e.failures, e.failing_since, over.was AND over.over AS disabled),
told_dead AS (
  INSERT INTO webhook_event (event_id, merchant_id, payment_id, type, facts)
  SELECT {_notice(UNDELIVERED, "mine.event_id", "mine.endpoint_id", "mine.fence")}, ill.merchant_id, mine.payment_id,
    '{UNDELIVERED}',
    jsonb_build_object('endpoint_id', mine.endpoint_id, 'event_id', mine.event_id, 'tries', mine.tries,
      'error', CAST(:error AS text))
  FROM mine CROSS JOIN ill WHERE mine.state = 'dead'),
told_disabled AS (
  INSERT INTO webhook_event (event_id, merchant_id, type, facts)
  SELECT {_notice(ENDPOINT_DISABLED, "endpoint_id", "failing_since")}, merchant_id, '{ENDPOINT_DISABLED}',
    jsonb_build_object('endpoint_id', endpoint_id, 'url', url, 'why', 'failing', 'failures', failures,
      'failing_since', failing_since)
  FROM ill WHERE disabled)
SELECT (SELECT state FROM mine), (SELECT disabled FROM ill)
""")
_HASTEN = text("""
UPDATE webhook_delivery SET
  due_at = house_now() + (hashtext(event_id) & 1023) / 1024.0 * make_interval(secs => :spread_seconds)
WHERE (event_id, endpoint_id) IN (
  SELECT d.event_id, d.endpoint_id FROM webhook_endpoint e JOIN webhook_delivery d ON d.endpoint_id = e.endpoint_id
  WHERE e.recovered_at > house_now() - interval '1 day' AND e.enabled AND d.state = 'waiting'
    AND d.tried_at < e.recovered_at AND d.due_at > house_now() + make_interval(secs => :spread_seconds)
  LIMIT :most FOR UPDATE OF d SKIP LOCKED)
""")
_OLD = text("""
SELECT event_id FROM webhook_event event
WHERE created_at <= (SELECT house_now() - make_interval(days => :keep_days)) AND NOT EXISTS (
  SELECT FROM webhook_delivery owed
  WHERE owed.event_id = event.event_id AND owed.state = 'waiting' AND owed.give_up_at > house_now())
ORDER BY created_at LIMIT :most
""")
_FORGET = tuple(
    text(f"DELETE FROM {table} WHERE event_id = ANY(:old)")
    for table in ("webhook_attempt", "webhook_delivery", "webhook_event")
)


@dataclass(frozen=True, slots=True)
class Event:
    """What became true, as it was at that moment; ``facts`` are a payment's, or what a notice is about."""

    event_id: str
    type: str
    payment_id: str | None
    facts: dict[str, Any]
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A leased delivery; ``fence`` numbers its tries and is the right to write this one's result."""

    event: Event
    endpoint_id: str
    merchant_id: str
    url: str
    sealed_secrets: tuple[bytes, ...]
    tries: int
    fence: int


@dataclass(frozen=True, slots=True)
class Share:
    """How many deliveries at once are for one merchant and one endpoint at most."""

    per_merchant: int
    per_endpoint: int


@dataclass(frozen=True, slots=True)
class Try:
    """What one try met: its length, and the status of the answer or why there was none."""

    duration_ms: int
    status: int | None = None
    error: str | None = None


def claim(connection: Connection, values: Mapping[str, Any], share: Share, held: Sequence[Delivery]) -> list[Delivery]:
    """Lease up to ``most`` due deliveries, one per endpoint, of the ``slow`` endpoints or the others.

    With what is ``held`` already nobody gets more than its share.
    """
    limits = {
        "endpoints": [each.endpoint_id for each in held],
        "merchants": [each.merchant_id for each in held],
        "per_endpoint": share.per_endpoint,
        "per_merchant": share.per_merchant,
        "lot": secrets.token_hex(4),
    }
    rows = connection.execute(_CLAIM, {**values, **limits})
    return [_delivery(row._mapping) for row in rows]  # noqa: SLF001 - its public name


def delivered(connection: Connection, delivery: Delivery, found: Try, *, slow: bool) -> bool:
    """Write that the endpoint took it; ``False`` when the lease was lost meanwhile."""
    values = {**_key(delivery, found), "slow": slow}
    return bool(connection.execute(_DELIVERED, values).scalar())


def failed(
    connection: Connection, delivery: Delivery, found: Try, *, wait_seconds: int, gone: bool, disable_after_days: int
) -> tuple[str | None, bool]:
    """Write that it did not; return the delivery's state (none: the lease was lost) and whether this disabled it."""
    how = {"wait_seconds": wait_seconds, "gone": gone, "disable_after_days": disable_after_days}
    row = connection.execute(_FAILED, {**_key(delivery, found), **how}).one()
    return row[0], bool(row[1])


def hasten(connection: Connection, *, most: int) -> int:
    """Make due what waits although its endpoint answers again after an outage; return how many."""
    return connection.execute(_HASTEN, {"most": most, "spread_seconds": HASTEN_SECONDS}).rowcount


def forget(connection: Connection, *, keep_days: int, most: int) -> int:
    """Delete events older than ``keep_days`` with their deliveries and log; return how many rows.

    One that was asked for again, and is not given up yet, stays until it ended.
    """
    old = list(connection.execute(_OLD, {"keep_days": keep_days, "most": most}).scalars())
    return sum(connection.execute(part, {"old": old}).rowcount for part in _FORGET)


def _key(delivery: Delivery, found: Try) -> dict[str, Any]:
    return {
        "event_id": delivery.event.event_id,
        "endpoint_id": delivery.endpoint_id,
        "fence": delivery.fence,
        "duration_ms": found.duration_ms,
        "status": found.status,
        "error": found.error,
    }


def _delivery(row: Any) -> Delivery:
    sealed = (row["secret_sealed"], row["previous_secret_sealed"])
    return Delivery(
        event=Event(row["event_id"], row["type"], row["payment_id"], row["facts"], row["created_at"]),
        endpoint_id=row["endpoint_id"],
        merchant_id=row["merchant_id"],
        url=row["url"],
        sealed_secrets=tuple(bytes(each) for each in sealed if each is not None),
        tries=row["tries"],
        fence=row["fence"],
    )
