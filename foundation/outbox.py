"""The outbox: work that became true together with the state change that caused it.

Rows are added in the business transaction. A worker leases a batch by moving its due time into the future (database
time, ``SKIP LOCKED``) and takes a new fence number with it; whoever lost the lease can no longer write the result
(fencing). So a job is done at least once, and its effects must be idempotent by the job's id or its payload.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from foundation.database import Database

DDL = """
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic text NOT NULL,
  unique_key text UNIQUE,
  payload jsonb NOT NULL,
  due_at timestamptz NOT NULL DEFAULT house_now(),
  tries integer NOT NULL DEFAULT 0,
  fence integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT house_now(),
  done_at timestamptz,
  dead_at timestamptz,
  last_error text
);
CREATE INDEX outbox_waiting ON outbox (topic, due_at) WHERE done_at IS NULL AND dead_at IS NULL;
"""

_ADD = text("""
INSERT INTO outbox (topic, unique_key, payload, due_at)
VALUES (:topic, :unique_key, CAST(:payload AS jsonb), house_now() + make_interval(secs => :delay_seconds))
ON CONFLICT (unique_key) DO NOTHING
""")

_CLAIM = text("""
WITH wanted AS (
  SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:most AS integer[]), CAST(:leases AS double precision[]))
    AS want (topic, most, lease_seconds)),
due AS (
  SELECT found.id, wanted.lease_seconds FROM wanted CROSS JOIN LATERAL (
    SELECT id FROM outbox
    WHERE topic = wanted.topic AND done_at IS NULL AND dead_at IS NULL AND due_at <= house_now()
    ORDER BY due_at LIMIT wanted.most FOR UPDATE SKIP LOCKED) AS found)
UPDATE outbox
SET fence = fence + 1, tries = tries + 1, due_at = house_now() + make_interval(secs => due.lease_seconds)
FROM due WHERE outbox.id = due.id
RETURNING outbox.id, topic, payload, tries, fence, created_at
""")

_RENEW = text("""
UPDATE outbox SET due_at = house_now() + make_interval(secs => :lease_seconds)
FROM unnest(CAST(:ids AS bigint[]), CAST(:fences AS integer[])) AS held (held_id, held_fence)
WHERE id = held_id AND fence = held_fence AND done_at IS NULL AND dead_at IS NULL
""")

_MINE = "WHERE id = :id AND fence = :fence AND done_at IS NULL AND dead_at IS NULL"
_DONE = text(f"UPDATE outbox SET done_at = house_now() {_MINE}")
_POSTPONE = text(
    "UPDATE outbox SET tries = tries - 1, due_at = house_now() + make_interval(secs => :delay_seconds), "
    f"last_error = :error {_MINE}"
)
_DEAD = text(f"UPDATE outbox SET dead_at = house_now(), last_error = :error {_MINE}")
_RETRY = text(
    f"UPDATE outbox SET due_at = house_now() + make_interval(secs => :delay_seconds), last_error = :error {_MINE}"
)


@dataclass(frozen=True, slots=True)
class Want:
    """What a worker has room for: up to ``most`` jobs of a topic, each to be due again if nobody renews its lease."""

    topic: str
    most: int
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class Job:
    """One leased row; ``tries`` counts this lease, ``fence`` is the right to write its result."""

    id: int
    topic: str
    payload: dict[str, Any]
    tries: int
    fence: int
    created_at: dt.datetime


def add(
    connection: Connection,
    topic: str,
    payload: dict[str, Any],
    *,
    unique_key: str | None = None,
    delay_seconds: float = 0,
) -> None:
    """Queue work inside the caller's transaction; a second row with the same ``unique_key`` is not added."""
    values = {"topic": topic, "unique_key": unique_key, "delay_seconds": delay_seconds}
    connection.execute(_ADD, {**values, "payload": json.dumps(payload)})


class Outbox:
    """The worker's side of the table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, wants: Sequence[Want]) -> list[Job]:
        """Lease what is due of these topics, all in one statement; no topic takes another's room."""
        values = {
            "topics": [want.topic for want in wants],
            "most": [want.most for want in wants],
            "leases": [float(want.lease_seconds) for want in wants],
        }
        with self._database.single() as connection:
            rows = connection.execute(_CLAIM, values).all()
        jobs = [Job(row.id, row.topic, row.payload, row.tries, row.fence, row.created_at) for row in rows]
        return sorted(jobs, key=lambda job: job.id)

    def renew(self, jobs: Sequence[Job], *, lease_seconds: float) -> None:
        """Keep the leases of jobs still being worked on; what was lost meanwhile stays lost."""
        held = {"ids": [job.id for job in jobs], "fences": [job.fence for job in jobs]}
        with self._database.single() as connection:
            connection.execute(_RENEW, {**held, "lease_seconds": lease_seconds})

    def done(self, job: Job) -> bool:
        """Mark the job done; ``False`` when the lease was lost meanwhile."""
        return self._write(_DONE, job)

    def retry(self, job: Job, *, delay_seconds: float, error: str) -> bool:
        """Give the job back, due after ``delay_seconds``; ``False`` when the lease was lost meanwhile."""
        return self._write(_RETRY, job, delay_seconds=delay_seconds, error=error)

    def postpone(self, job: Job, *, delay_seconds: float, error: str) -> bool:
        """Give the job back as if it had not been leased: no try is counted; ``False`` when the lease was lost."""
        return self._write(_POSTPONE, job, delay_seconds=delay_seconds, error=error)

    def dead(self, job: Job, *, error: str) -> bool:
        """Take the job out of the queue for a person to see; ``False`` when the lease was lost meanwhile."""
        return self._write(_DEAD, job, error=error)

    def _write(self, statement: Any, job: Job, **values: Any) -> bool:
        with self._database.single() as connection:
            return connection.execute(statement, {"id": job.id, "fence": job.fence, **values}).rowcount == 1
