"""What the books differ about: lists, one with its history, and the end of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from gateway.domain.reconciliation import Difference

_COLUMNS = """e.exception_id, e.difference, e.rial, e.theirs, e.ours, e.attempt_id, e.found_at, f.issuer_id, f.day,
  CAST(floor(extract(epoch FROM house_now() - e.found_at)) AS bigint) AS age_seconds, e.resolved_at"""
_OPEN = text(f"""
SELECT {_COLUMNS} FROM clearing_exception e JOIN clearing_file f USING (file_id)
WHERE e.resolved_at IS NULL AND e.exception_id > :after ORDER BY e.exception_id LIMIT :most
""")
_ONE = text(f"""
SELECT {_COLUMNS} FROM clearing_exception e JOIN clearing_file f USING (file_id) WHERE e.exception_id = :exception_id
""")
_HOLD = text("SELECT exception_id FROM clearing_exception WHERE exception_id = :exception_id FOR UPDATE")
_RESOLVE = text("""
UPDATE clearing_exception SET resolved_at = house_now(), settle = :settle
WHERE exception_id = :exception_id AND resolved_at IS NULL
""")
_HISTORY = text("""
SELECT side, at, what FROM (
  SELECT 'bank' AS side, CAST(file.day AS timestamp) AT TIME ZONE 'Asia/Tehran' AS at,
    line.kind || ' ' || line.state || ' in the file of ' || file.issuer_id || ', ' || file.day AS what
  FROM clearing_line AS line JOIN clearing_file AS file USING (file_id) WHERE line.attempt_id = :attempt_id
  UNION ALL SELECT 'gateway', event.at, event.event || ' → ' || event.state
  FROM payment_event AS event JOIN attempt USING (payment_id)
  WHERE attempt.attempt_id = :attempt_id AND (event.attempt_id = :attempt_id OR event.attempt_id IS NULL)
  UNION ALL SELECT 'merchant', coalesce(delivery.delivered_at, delivery.due_at),
    told.type || ' ' || delivery.state
  FROM attempt JOIN webhook_event AS told USING (payment_id) JOIN webhook_delivery AS delivery USING (event_id)
  WHERE attempt.attempt_id = :attempt_id) AS history
ORDER BY at, side LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Found:
    """An exception with both sides; ``age_seconds`` since it was found."""

    exception_id: int
    difference: Difference
    rial: int
    theirs: Mapping[str, Any] | None
    ours: Mapping[str, Any] | None
    attempt_id: str | None
    found_at: dt.datetime
    issuer_id: str
    day: dt.date
    age_seconds: int
    resolved_at: dt.datetime | None


def open_ones(connection: Connection, *, after: int, most: int) -> list[Found]:
    """Read exceptions that nobody has resolved, oldest first, behind ``after``."""
    return [_found(row) for row in connection.execute(_OPEN, {"after": after, "most": most}).mappings()]


def one(connection: Connection, exception_id: int) -> Found | None:
    """Read one exception."""
    row = connection.execute(_ONE, {"exception_id": exception_id}).mappings().one_or_none()
    return None if row is None else _found(row)


def hold(connection: Connection, exception_id: int) -> None:
    """Lock an exception until the transaction ends; look at it in a statement of its own afterwards (D4)."""
    connection.execute(_HOLD, {"exception_id": exception_id})


def resolve(connection: Connection, exception_id: int, *, settle: bool) -> bool:
    """End an exception; tell whether it was open."""
    return connection.execute(_RESOLVE, {"exception_id": exception_id, "settle": settle}).rowcount == 1


def history(connection: Connection, attempt_id: str, *, most: int) -> list[tuple[str, dt.datetime, str]]:
    """Read what bank, gateway and merchant know of an attempt, side by side: who, when, what."""
    rows = connection.execute(_HISTORY, {"attempt_id": attempt_id, "most": most})
    return [(row.side, row.at, row.what) for row in rows]


def _found(row: Any) -> Found:
    return Found(**{**row, "difference": Difference(row["difference"])})
