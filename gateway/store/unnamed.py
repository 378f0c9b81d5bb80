"""What we keep and no file of its bank names or will name: each is to be listed, so that somebody can decide."""

from __future__ import annotations

from sqlalchemy import Connection, text

from gateway.domain.clearing import LATE_DAYS
from gateway.domain.reconciliation import Ours
from gateway.store.movements import ATTEMPTS, CREDITS, KEPT, NAMED, REFUNDS, WITH_DEBIT, about, captured_on, ours_of

TOO_LATE_DAYS = LATE_DAYS + 2
"""From when on a day's file is no longer taken, an import under way at midnight included."""
LOOKED_BACK_DAYS = 30
"""How long days without a file are looked at after that."""

_SLOW = "interval '5 minutes'"
"""What was decided sooner had come to rest before the file of its day could be read. The indexes say the same."""
_SINCE = f"house_now() - interval '{LATE_DAYS} days'"

_RESTED_LATE = text(f"""
SELECT file.file_id, ours.* FROM (
  SELECT {ATTEMPTS}, attempt.issuer_id, attempt.capture_date, attempt.submitted_at AS at FROM attempt
  WHERE {KEPT["attempt"]} AND attempt.decided_at - attempt.submitted_at > {_SLOW} AND attempt.decided_at > {_SINCE}
  UNION ALL SELECT {CREDITS}, transfer.destination_issuer_id, transfer.capture_date, transfer.owed_at
  FROM transfer {WITH_DEBIT}
  WHERE {KEPT["credit"]} AND transfer.decided_at - transfer.owed_at > {_SLOW} AND transfer.decided_at > {_SINCE}
  UNION ALL SELECT {REFUNDS}, refund.issuer_id, refund.capture_date, refund.decided_at FROM refund
  WHERE {KEPT["refund"]} AND refund.decided_at - refund.sent_at > {_SLOW} AND refund.decided_at > {_SINCE}) AS ours
JOIN issuer USING (issuer_id)
JOIN clearing_file AS file ON file.issuer_id = coalesce(issuer.switch_of, issuer.issuer_id)
  AND file.acquirer_id = ours.acquirer_id AND to_char(file.day, 'MMDD') = ours.capture_date
  AND ours.at {about("file.day")}
WHERE NOT {NAMED} LIMIT :most
""")
_NEVER_TOLD = text(f"""
SELECT late.file_id, ours.* FROM (
  SELECT newest.*, CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date) - ago AS day FROM (
    SELECT DISTINCT ON (issuer_id, acquirer_id) issuer_id, acquirer_id, file_id FROM clearing_file
    ORDER BY issuer_id, acquirer_id, day DESC) AS newest
  CROSS JOIN generate_series({TOO_LATE_DAYS}, {TOO_LATE_DAYS + LOOKED_BACK_DAYS}) AS ago) AS late
CROSS JOIN LATERAL ({captured_on("late.issuer_id", "late.acquirer_id", "late.day")}) AS ours
WHERE NOT EXISTS (SELECT FROM clearing_file AS file WHERE file.issuer_id = late.issuer_id
    AND file.acquirer_id = late.acquirer_id AND file.day = late.day)
  AND NOT {NAMED} LIMIT :most
""")


def rested_late(connection: Connection, *, most: int) -> list[tuple[int, Ours]]:
    """Read what came to rest after the file of its day was read, which does not name it; each with that file."""
    return [(int(row["file_id"]), ours_of(row)) for row in connection.execute(_RESTED_LATE, {"most": most}).mappings()]


def never_told(connection: Connection, *, most: int) -> list[tuple[int, Ours]]:
    """Read what is of a day whose file never came in time; each with the newest file that its bank did write."""
    return [(int(row["file_id"]), ours_of(row)) for row in connection.execute(_NEVER_TOLD, {"most": most}).mappings()]
