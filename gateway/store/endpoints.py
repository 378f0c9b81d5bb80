"""Webhook endpoints as rows: who hears where, about what, under which secrets. None is ever deleted, only marked so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from gateway.store.idempotency import BOUNDED, conflicts, kept

_COLUMNS = (
    "endpoint_id, url, description, event_types, enabled, disabled_at, disabled_why, failures, failing_since, "
    "previous_until, created_at"
)
_OWN = "merchant_id = :merchant_id AND endpoint_id = :endpoint_id AND deleted_at IS NULL"
_LOCK = text(f"""
SELECT merchant_id FROM merchant, {BOUNDED} WHERE merchant_id = :merchant_id FOR NO KEY UPDATE OF merchant
""")
_COUNT = text("SELECT count(*) FROM webhook_endpoint WHERE merchant_id = :merchant_id AND deleted_at IS NULL")
_KEPT = f"{_COLUMNS}, secret_sealed, CAST(:terminal_id AS text) AS terminal_id"
_HELD = "house_now() + make_interval(hours => :hold_hours)"
_ADD = text(f"""
WITH added AS (
  INSERT INTO webhook_endpoint (endpoint_id, merchant_id, url, description, event_types, secret_sealed, refuses_from)
  VALUES (:endpoint_id, :merchant_id, :url, :description, :event_types, :secret_sealed, {_HELD}) RETURNING {_KEPT}),
{kept("added")}
SELECT {_COLUMNS} FROM added
""")
_PUT = text("""
INSERT INTO webhook_endpoint (endpoint_id, merchant_id, url, secret_sealed)
VALUES (:endpoint_id, :merchant_id, :url, :secret_sealed)
ON CONFLICT (endpoint_id) DO UPDATE SET url = EXCLUDED.url, secret_sealed = EXCLUDED.secret_sealed,
  refuses_from = EXCLUDED.refuses_from
""")
_LIST = text(f"""
SELECT {_COLUMNS} FROM webhook_endpoint WHERE merchant_id = :merchant_id AND deleted_at IS NULL
ORDER BY created_at, endpoint_id
""")
_GET = text(f"SELECT {_COLUMNS} FROM webhook_endpoint WHERE {_OWN}")
_CHANGE = text(f"""
UPDATE webhook_endpoint SET url = coalesce(:url, url), description = coalesce(:description, description),
  event_types = coalesce(CAST(:event_types AS text[]), event_types), enabled = coalesce(:enabled, enabled),
  disabled_at = CASE coalesce(:enabled, enabled) WHEN true THEN NULL ELSE coalesce(disabled_at, house_now()) END,
  disabled_why = CASE coalesce(:enabled, enabled) WHEN true THEN NULL ELSE coalesce(disabled_why, 'asked') END,
  failing_since = CASE WHEN :enabled AND NOT enabled THEN NULL ELSE failing_since END,
  failures = CASE WHEN :enabled AND NOT enabled THEN 0 ELSE failures END,
  recovered_at = CASE WHEN :enabled AND NOT enabled THEN house_now() ELSE recovered_at END
WHERE {_OWN} RETURNING {_COLUMNS}
""")
_REMOVE = text(f"""
WITH removed AS (UPDATE webhook_endpoint SET deleted_at = house_now() WHERE {_OWN} RETURNING endpoint_id),
abandoned AS (
  UPDATE webhook_delivery SET state = 'dead', leased_until = NULL, last_error = 'endpoint removed'
  WHERE endpoint_id IN (SELECT endpoint_id FROM removed) AND state = 'waiting')
SELECT endpoint_id FROM removed
""")
_ROTATE = text(f"""
WITH rotated AS (
  UPDATE webhook_endpoint SET secret_sealed = :secret_sealed,
    previous_secret_sealed = CASE WHEN :overlap_seconds > 0 THEN secret_sealed END,
    previous_until = CASE WHEN :overlap_seconds > 0
      THEN house_now() + make_interval(secs => :overlap_seconds) END,
    refuses_from = {_HELD}, previous_refuses_from = CASE WHEN :overlap_seconds > 0 THEN refuses_from END
  WHERE {_OWN} AND (:overlap_seconds = 0 OR previous_until IS NULL OR previous_until <= house_now())
  RETURNING {_KEPT}),
{kept("rotated")}
SELECT {_COLUMNS} FROM rotated
""")
_REFUSING = text("""
SELECT sealed FROM webhook_endpoint, LATERAL (VALUES (secret_sealed, refuses_from, NULL),
  (previous_secret_sealed, previous_refuses_from, previous_until)) AS secret (sealed, since, until)
WHERE merchant_id = :merchant_id AND deleted_at IS NULL AND since <= house_now()
  AND (until IS NULL OR until > house_now())
""")
_END_OVERLAPS = text("""
UPDATE webhook_endpoint SET previous_secret_sealed = NULL, previous_refuses_from = NULL, previous_until = NULL
WHERE previous_until <= house_now()
""")
_TIMES = ("disabled_at", "failing_since", "previous_until", "created_at")
_MERCHANT_OF = text("SELECT merchant_id FROM webhook_endpoint WHERE endpoint_id = :endpoint_id AND deleted_at IS NULL")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a merchant, without its secrets; no ``event_types`` means all."""

    endpoint_id: str
    url: str
    description: str | None
    event_types: tuple[str, ...]
    enabled: bool
    disabled_at: dt.datetime | None
    disabled_why: str | None
    failures: int
    failing_since: dt.datetime | None
    previous_until: dt.datetime | None
    created_at: dt.datetime

    @classmethod
    def of(cls, row: Mapping[str, Any] | RowMapping) -> Endpoint:
        """Build from a row, or from the JSON of one that a stored answer keeps."""
        values: dict[str, Any] = {name: row[name] for name in cls.__dataclass_fields__}
        for name in _TIMES:
            if isinstance(values[name], str):
                values[name] = dt.datetime.fromisoformat(values[name])
        return cls(**{**values, "event_types": tuple(values["event_types"])})


class AddressTaken(Exception):
    """The merchant has an endpoint with this address; nothing was changed."""


class NoMerchant(Exception):
    """There is no such merchant; nothing was changed."""


def lock(connection: Connection, merchant_id: str) -> None:
    """Let one request about webhooks of this merchant come after the other; payments do not wait for this lock.

    In this transaction nothing is waited for longer than :data:`gateway.store.idempotency.WAIT_MS` any more.
    """
    connection.execute(_LOCK, {"merchant_id": merchant_id})


def count(connection: Connection, merchant_id: str) -> int:
    """Return how many endpoints a merchant has."""
    return int(connection.execute(_COUNT, {"merchant_id": merchant_id}).scalar_one())


def add(connection: Connection, values: Mapping[str, Any]) -> Endpoint:
    """Insert an endpoint.

    Raises:
        AddressTaken, NoMerchant: the merchant has this address; there is none.
    """
    found = _changed(connection, _ADD, values)
    if found is None:
        raise LookupError("an insert returns its row")
    return found


def put(connection: Connection, values: Mapping[str, Any]) -> None:
    """Insert the operator's endpoint of a merchant, or correct its address and secret."""
    connection.execute(_PUT, dict(values))


def listed(connection: Connection, merchant_id: str) -> list[Endpoint]:
    """Read a merchant's endpoints, oldest first."""
    return [Endpoint.of(row) for row in connection.execute(_LIST, {"merchant_id": merchant_id}).mappings()]


def get(connection: Connection, merchant_id: str, endpoint_id: str) -> Endpoint | None:
    """Read one endpoint of this merchant."""
    row = connection.execute(_GET, {"merchant_id": merchant_id, "endpoint_id": endpoint_id}).mappings().one_or_none()
    return None if row is None else Endpoint.of(row)


def change(connection: Connection, values: Mapping[str, Any]) -> Endpoint | None:
    """Change what is not ``None``; enabling again forgets its failures, as an outage that ended.

    Raises:
        AddressTaken: the merchant has this address already.
    """
    return _changed(connection, _CHANGE, values)


def remove(connection: Connection, merchant_id: str, endpoint_id: str) -> bool:
    """Mark an endpoint as deleted and end what waits for it; tell whether there was one."""
    key = {"merchant_id": merchant_id, "endpoint_id": endpoint_id}
    return connection.execute(_REMOVE, key).one_or_none() is not None


def rotate(connection: Connection, values: Mapping[str, Any]) -> Endpoint | None:
    """Put a new secret in place, the old one beside it for the overlap; ``None`` while an overlap is running."""
    return _changed(connection, _ROTATE, values)


def end_overlaps(connection: Connection) -> int:
    """Erase old secrets whose overlap is over; return how many."""
    return connection.execute(_END_OVERLAPS).rowcount


def merchant_of(connection: Connection, endpoint_id: str) -> str | None:
    """Return whose endpoint this is."""
    found = connection.execute(_MERCHANT_OF, {"endpoint_id": endpoint_id}).scalar()
    return None if found is None else str(found)


def refusing_secrets(connection: Connection, merchant_id: str) -> list[bytes]:
    """Read the sealed secrets under which a merchant refuses bills: none too new, old ones while they overlap."""
    return [bytes(row.sealed) for row in connection.execute(_REFUSING, {"merchant_id": merchant_id})]


def sealed_secret_of(answer: Mapping[str, Any]) -> bytes:
    """Return the secret in a kept answer, sealed as in the endpoint's row: JSON has its bytes as PostgreSQL's hex."""
    return bytes.fromhex(answer["secret_sealed"].removeprefix("\\x"))


def _changed(connection: Connection, statement: Any, values: Mapping[str, Any]) -> Endpoint | None:
    with conflicts(webhook_endpoint_url=AddressTaken, webhook_endpoint_merchant_id_fkey=NoMerchant):
        row = connection.execute(statement, dict(values)).mappings().one_or_none()
    return None if row is None else Endpoint.of(row)
