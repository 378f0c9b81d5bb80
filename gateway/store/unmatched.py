"""Answers that nobody waited for: appended, so many an hour, and counted for an operator."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from gateway.ports import UnmatchedAnswer

KEPT_PER_HOUR = 500
"""Rows an hour by issuer and why: one row is about 150 bytes, so garbage costs at most 2 MB a day and reason."""

_KEEP = text("""
WITH counted AS (
  INSERT INTO quota (scope, window_start, used)
  VALUES ('unmatched ' || :why || ' ' || :issuer_id, date_trunc('hour', house_now()), 1)
  ON CONFLICT (scope, window_start) DO UPDATE SET used = quota.used + 1 RETURNING used)
INSERT INTO unmatched_answer (issuer_id, why, message_type, processing_code, total_rial, stan, local_time, acquirer_id,
  rrn, action_code, terminal_id)
SELECT :issuer_id, :why, :message_type, nullif(:processing_code, ''), CAST(nullif(:total, '') AS bigint),
  nullif(:stan, ''), nullif(:local_time, ''), nullif(:acquirer_id, ''), nullif(:rrn, ''), nullif(:action_code, ''),
  nullif(:terminal_id, '')
FROM counted WHERE used <= :most
""")
_LAST_DAY = text("""
SELECT why, count(*) AS kept, max(received_at) AS newest FROM unmatched_answer
WHERE received_at > house_now() - interval '1 day' GROUP BY why ORDER BY why
""")
_NOT_KEPT = text("""
SELECT coalesce(sum(greatest(used - :most, 0)), 0) FROM quota
WHERE scope LIKE 'unmatched %' AND window_start > house_now() - interval '1 day'
""")
_FIELDS = ("message_type", "processing_code", "total", "stan", "local_time", "acquirer_id", "rrn", "action_code")


@dataclass(frozen=True, slots=True)
class UnmatchedReport:
    """A day's unmatched answers: how many of each kind, the newest, and how many were too many to keep."""

    kept: dict[str, int]
    newest: dt.datetime | None
    not_kept: int


def keep(connection: Connection, answer: UnmatchedAnswer) -> None:
    """Append an answer, or only count it when this hour has had enough of its kind."""
    values = {name: getattr(answer, name) for name in (*_FIELDS, "terminal_id", "issuer_id")}
    connection.execute(_KEEP, {**values, "why": str(answer.why), "most": KEPT_PER_HOUR})


def report(connection: Connection) -> UnmatchedReport:
    """Count the last twenty-four hours."""
    rows = connection.execute(_LAST_DAY).all()
    not_kept = connection.execute(_NOT_KEPT, {"most": KEPT_PER_HOUR}).scalar_one()
    newest = max((row.newest for row in rows), default=None)
    return UnmatchedReport({row.why: row.kept for row in rows}, newest, int(not_kept))
