"""The banks' clearing files: kept as they came, each line with its verdict, and what the two books differ about.

Three of our books meet a bank's file: attempts take money, credits of transfers and refunds give it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, text

from gateway.domain.attempt import AttemptState
from gateway.domain.clearing import CREDIT, CREDIT_REVERSAL, PURCHASE, REVERSAL, BankLine, ClearingFile, Key
from gateway.domain.reconciliation import Difference, Judged, Missing, Ours, Verdict
from gateway.domain.reconciliation import at_rest as resting
from gateway.domain.refund import RefundState
from gateway.domain.transfer import Credit
from gateway.store.fragments import among
from gateway.store.movements import (
    APART,
    ATTEMPTS,
    CREDITS,
    REFUNDS,
    TAKEN_BACK_ON,
    VOIDED_ON,
    WITH_DEBIT,
    captured_on,
    linked,
    ours_of,
)
from gateway.store.second_legs import OVERDUE

AT_ONCE = 5_000
"""Lines in one statement."""

_TEHRAN_NOW = text("SELECT house_now() AT TIME ZONE 'Asia/Tehran'")
_LINK = text("SELECT coalesce(switch_of, issuer_id) FROM issuer WHERE issuer_id = :issuer_id")
_SAME_CONTENT = text("""
SELECT issuer_id FROM clearing_file WHERE sha256 = :sha256 AND lines > 0 AND issuer_id <> :issuer_id LIMIT 1
""")
_KEEP_FILE = text("""
INSERT INTO clearing_file (issuer_id, acquirer_id, day, sha256, lines, sum_rial)
VALUES (:issuer_id, :acquirer_id, :day, :sha256, :lines, :sum_rial) ON CONFLICT DO NOTHING RETURNING file_id
""")
_KEPT_FILE = text("""
SELECT sha256 FROM clearing_file WHERE issuer_id = :issuer_id AND acquirer_id = :acquirer_id AND day = :day
""")

_LINKED = linked(":issuer_id")
_BEGINS = "CAST(CAST(:day AS date) AS timestamp) AT TIME ZONE 'Asia/Tehran'"
_KEYS = """unnest(CAST(:acquirers AS text[]), CAST(:terminals AS text[]), CAST(:stans AS text[]), CAST(:rrns AS text[]),
  CAST(:times AS text[])) AS told (acquirer_id, terminal_id, stan, rrn, local_time)"""
_NAMED = text(f"""
SELECT {ATTEMPTS} FROM {_KEYS} JOIN attempt USING (acquirer_id, terminal_id, stan, rrn, local_time)
WHERE attempt.issuer_id {_LINKED}
UNION ALL SELECT {CREDITS} FROM {_KEYS} JOIN transfer USING (stan, rrn, local_time) {WITH_DEBIT}
WHERE transfer.destination_issuer_id {_LINKED}
  AND (attempt.acquirer_id, attempt.terminal_id) = (told.acquirer_id, told.terminal_id)
UNION ALL SELECT {REFUNDS} FROM {_KEYS} JOIN refund USING (acquirer_id, terminal_id, stan, rrn, local_time)
WHERE refund.issuer_id {_LINKED}
""")
_TOLD = text(f"""
SELECT line.acquirer_id, line.terminal_id, line.stan, line.rrn, line.local_time, line.kind
FROM {_KEYS} JOIN clearing_line AS line USING (acquirer_id, terminal_id, stan, rrn, local_time)
WHERE line.issuer_id = :issuer_id AND NOT line.duplicate
""")
_CAPTURED = text(captured_on(":issuer_id", ":acquirer_id", "CAST(:day AS date)"))


def _told_only(kind: str, undone: str, undone_on: str) -> str:
    """Return the condition that all files from the approval's day to that of its end are read, and none tells the end.

    Files may come in any order: whichever is the last of them decides.
    """
    return f"""EXISTS (SELECT FROM clearing_line AS line WHERE line.attempt_id = attempt.attempt_id
    AND line.kind = '{kind}' AND line.state = 'approved' AND NOT line.duplicate
    AND line.captured <= CAST(:day AS date) AND line.captured < {undone_on}
    AND {undone_on} - line.captured + 1 = (SELECT count(*) FROM clearing_file AS file
      WHERE file.issuer_id = :issuer_id AND file.acquirer_id = :acquirer_id
        AND file.day BETWEEN line.captured AND {undone_on}))
  AND NOT EXISTS (SELECT FROM clearing_line AS line WHERE line.attempt_id = attempt.attempt_id
    AND line.kind = '{undone}')"""


_UNDONE = text(f"""
SELECT {ATTEMPTS} FROM attempt WHERE attempt.issuer_id {_LINKED} AND acquirer_id = :acquirer_id AND state = 'voided'
  AND capture_date IS NOT NULL AND decided_at >= {_BEGINS} - {APART} AND {_told_only(PURCHASE, REVERSAL, VOIDED_ON)}
UNION ALL SELECT {CREDITS} FROM transfer {WITH_DEBIT}
WHERE transfer.destination_issuer_id {_LINKED} AND attempt.acquirer_id = :acquirer_id AND transfer.credit = 'reversed'
  AND transfer.decided_at >= {_BEGINS} - {APART} AND {_told_only(CREDIT, CREDIT_REVERSAL, TAKEN_BACK_ON)}
""")

_KEEP_LINES = text(f"""
WITH kept AS (
  INSERT INTO clearing_line (file_id, number, issuer_id, acquirer_id, terminal_id, stan, rrn, local_time, kind, state,
    amount_rial, captured, duplicate, attempt_id, verdict)
  SELECT :file_id, number, :issuer_id, acquirer_id, terminal_id, stan, rrn, local_time, kind, state, amount_rial,
    captured, difference IS NOT DISTINCT FROM '{Difference.DUPLICATE}', attempt_id, verdict
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (number integer, acquirer_id text, terminal_id text, stan text,
    rrn text, local_time text, kind text, state text, amount_rial bigint, captured date, attempt_id text, verdict text,
    difference text)
  RETURNING line_id, number)
INSERT INTO clearing_exception (file_id, line_id, attempt_id, difference, rial, theirs, ours)
SELECT :file_id, kept.line_id, row.attempt_id, row.difference, row.rial, row.theirs, row.ours
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (number integer, attempt_id text, difference text, rial bigint,
  theirs jsonb, ours jsonb) JOIN kept USING (number) WHERE row.difference IS NOT NULL
""")
_KEEP_MISSING = text("""
INSERT INTO clearing_exception (file_id, attempt_id, difference, rial, ours)
SELECT :file_id, attempt_id, difference, rial, ours FROM jsonb_to_recordset(CAST(:rows AS jsonb))
  AS row (attempt_id text, difference text, rial bigint, ours jsonb) ON CONFLICT DO NOTHING
""")

_SAID = "line.line_id, line.number, line.kind, line.state AS said, line.amount_rial, line.captured, file.day"
_WAITING = "FROM clearing_line AS line JOIN clearing_file AS file USING (file_id)"
_AT_REST = text(f"""
SELECT {_SAID}, ours.* {_WAITING} CROSS JOIN LATERAL (
  SELECT {ATTEMPTS} FROM attempt WHERE attempt.attempt_id = line.attempt_id AND line.kind IN ('purchase', 'reversal')
    AND attempt.state IN {among(resting(AttemptState))}
  UNION ALL SELECT {CREDITS} FROM attempt JOIN payment ON payment.attempt_id = attempt.attempt_id
    JOIN transfer ON transfer.payment_id = payment.payment_id
  WHERE attempt.attempt_id = line.attempt_id AND transfer.stan = line.stan AND transfer.rrn = line.rrn
    AND transfer.credit IN {among(resting(Credit))}
  UNION ALL SELECT {REFUNDS} FROM refund WHERE refund.acquirer_id = line.acquirer_id
    AND refund.terminal_id = line.terminal_id AND refund.stan = line.stan AND refund.rrn = line.rrn
    AND refund.local_time = line.local_time AND refund.state IN {among(resting(RefundState))}) AS ours
WHERE line.verdict = 'under_way' ORDER BY line.line_id LIMIT :most FOR UPDATE OF line SKIP LOCKED
""")
_JUDGE_AGAIN = text("""
WITH judged AS (
  UPDATE clearing_line SET verdict = :verdict WHERE line_id = :line_id AND verdict = 'under_way'
  RETURNING line_id, file_id, attempt_id)
INSERT INTO clearing_exception (file_id, line_id, attempt_id, difference, rial, theirs, ours)
SELECT file_id, line_id, attempt_id, :difference, :rial, CAST(:theirs AS jsonb), CAST(:ours AS jsonb) FROM judged
WHERE CAST(:difference AS text) IS NOT NULL
""")

_KEEP_OVERDUE = text(f"""
INSERT INTO clearing_exception (file_id, attempt_id, difference, rial, theirs, ours)
SELECT line.file_id, attempt.attempt_id, '{Difference.DEBIT_WITHOUT_CREDIT}', attempt.amount_rial,
  jsonb_build_object('acquirer_id', line.acquirer_id, 'terminal_id', line.terminal_id, 'stan', line.stan,
    'rrn', line.rrn, 'local_time', line.local_time, 'kind', line.kind, 'state', line.state,
    'amount_rial', line.amount_rial, 'captured', line.captured),
  jsonb_build_object('acquirer_id', attempt.acquirer_id, 'terminal_id', attempt.terminal_id, 'stan', transfer.stan,
    'rrn', transfer.rrn, 'local_time', transfer.local_time, 'attempt_id', attempt.attempt_id,
    'state', transfer.credit, 'total_rial', attempt.amount_rial, 'deadline_at', transfer.deadline_at)
FROM transfer {WITH_DEBIT} JOIN clearing_line AS line ON line.attempt_id = attempt.attempt_id
WHERE transfer.credit IN ('owed', 'reversing') AND transfer.deadline_at < house_now() - {OVERDUE}
  AND line.kind = '{PURCHASE}' AND line.state = 'approved' AND NOT line.duplicate
  AND NOT EXISTS (SELECT FROM clearing_line AS other WHERE other.attempt_id = attempt.attempt_id
    AND other.kind <> '{PURCHASE}')
  AND EXISTS (SELECT FROM clearing_file AS theirs JOIN issuer ON issuer.issuer_id = transfer.destination_issuer_id
    WHERE theirs.issuer_id = coalesce(issuer.switch_of, issuer.issuer_id)
      AND theirs.acquirer_id = attempt.acquirer_id AND theirs.day >= line.captured)
  AND NOT EXISTS (SELECT FROM clearing_exception AS found WHERE found.attempt_id = attempt.attempt_id
    AND found.difference = '{Difference.DEBIT_WITHOUT_CREDIT}')
ORDER BY transfer.owed_at LIMIT :most ON CONFLICT DO NOTHING
""")


def tehran_now(connection: Connection) -> dt.datetime:
    """Return the moment by the clock that decides, as a clock on a wall in Tehran shows it."""
    moment: dt.datetime = connection.execute(_TEHRAN_NOW).scalar_one()
    return moment


def link_of(connection: Connection, issuer_id: str) -> str | None:
    """Return the issuer whose host answers for this one, which is the one that writes files; ``None``: no issuer."""
    found = connection.execute(_LINK, {"issuer_id": issuer_id}).scalar()
    return None if found is None else str(found)


def other_issuer_of(connection: Connection, issuer_id: str, sha256: bytes) -> str | None:
    """Return another issuer that this very file was imported for."""
    found = connection.execute(_SAME_CONTENT, {"issuer_id": issuer_id, "sha256": sha256}).scalar()
    return None if found is None else str(found)


def keep_file(connection: Connection, issuer_id: str, file: ClearingFile) -> int | None:
    """Claim a bank's capture date for a file; ``None`` when it has one. Waits for an import that is under way."""
    values = {"issuer_id": issuer_id, "acquirer_id": file.acquirer_id, "day": file.day, "sha256": file.sha256}
    found = connection.execute(_KEEP_FILE, {**values, "lines": len(file.lines), "sum_rial": file.sum_rial}).scalar()
    return None if found is None else int(found)


def kept_sha256(connection: Connection, issuer_id: str, file: ClearingFile) -> bytes:
    """Return the SHA-256 of the file that a bank's capture date has."""
    values = {"issuer_id": issuer_id, "acquirer_id": file.acquirer_id, "day": file.day}
    return bytes(connection.execute(_KEPT_FILE, values).scalar_one())


def named(connection: Connection, issuer_id: str, lines: Sequence[BankLine]) -> dict[Key, Ours]:
    """Read our movements of these lines' keys, whatever became of them."""
    found: dict[Key, Ours] = {}
    for some in _some(lines):
        rows = connection.execute(_NAMED, {"issuer_id": issuer_id, **_arrays(some)}).mappings()
        found |= {own.key: own for own in map(ours_of, rows)}
    return found


def told_before(connection: Connection, issuer_id: str, lines: Sequence[BankLine]) -> set[tuple[Key, str]]:
    """Return which of these keys and kinds earlier files of this bank told of."""
    found = set()
    for some in _some(lines):
        rows = connection.execute(_TOLD, {"issuer_id": issuer_id, **_arrays(some)})
        found |= {(Key(*row[:5]), str(row.kind)) for row in rows}
    return found


def captured(connection: Connection, issuer_id: str, file: ClearingFile) -> list[Ours]:
    """Read what stands in our books and whose approval names this file's day."""
    return _of_day(connection, issuer_id, file, undone=False)


def undone(connection: Connection, issuer_id: str, file: ClearingFile) -> list[Ours]:
    """Read what the bank's files call approved, and nothing else, up to the day when it was undone here.

    Only what this file, whose lines are kept, decides: it is the last of those days to come.
    """
    return _of_day(connection, issuer_id, file, undone=True)


def keep_lines(
    connection: Connection, file_id: int, issuer_id: str, judged: Sequence[Judged], ours: dict[Key, Ours]
) -> None:
    """Keep every line with its verdict, and each exception with both sides."""
    for start in range(0, len(judged), AT_ONCE):
        rows = [_line_row(each, ours.get(each.line.key)) for each in judged[start : start + AT_ONCE]]
        values = {"file_id": file_id, "issuer_id": issuer_id, "rows": json.dumps(rows, default=str)}
        connection.execute(_KEEP_LINES, values)


def keep_missing(connection: Connection, file_id: int, missing: Iterable[Missing]) -> None:
    """Keep what the file should name and does not."""
    rows = [
        {
            "attempt_id": each.ours.attempt_id,
            "difference": each.difference,
            "rial": each.ours.total_rial,
            "ours": _own_side(each.ours),
        }
        for each in missing
    ]
    connection.execute(_KEEP_MISSING, {"file_id": file_id, "rows": json.dumps(rows, default=str)})


def keep_overdue(connection: Connection, *, most: int) -> int:
    """Keep transfers whose debit is in the one bank's file and whose overdue credit is in none of the other's."""
    return connection.execute(_KEEP_OVERDUE, {"most": most}).rowcount


def at_rest(connection: Connection, *, most: int) -> list[tuple[int, dt.date, BankLine, Ours]]:
    """Hold lines about money that was under way and is no more: each with the file's day and our side now."""
    found = []
    for row in connection.execute(_AT_REST, {"most": most}).mappings():
        own = ours_of(row)
        line = BankLine(row["number"], own.key, row["kind"], row["amount_rial"], row["captured"], row["said"])
        found.append((int(row["line_id"]), row["day"], line, own))
    return found


def judge_again(connection: Connection, line_id: int, judged: Judged, ours: Ours) -> None:
    """Write the verdict on a line whose money came to rest."""
    row = _line_row(judged, ours)
    values = {name: row[name] for name in ("verdict", "difference", "rial")}
    sides = {name: json.dumps(row[name], default=str) for name in ("theirs", "ours")}
    connection.execute(_JUDGE_AGAIN, {"line_id": line_id, **values, **sides})


def _of_day(connection: Connection, issuer_id: str, file: ClearingFile, *, undone: bool) -> list[Ours]:
    values = {"issuer_id": issuer_id, "acquirer_id": file.acquirer_id, "day": file.day}
    return [ours_of(row) for row in connection.execute(_UNDONE if undone else _CAPTURED, values).mappings()]


def _line_row(judged: Judged, ours: Ours | None) -> dict[str, object]:
    line = judged.line
    row = {**line.key._asdict(), **asdict(line), "attempt_id": judged.attempt_id, "verdict": judged.verdict}
    row |= {"difference": judged.difference}
    if judged.verdict is Verdict.EXCEPTION:
        theirs = {**line.key._asdict(), "kind": line.kind, "state": line.state, "amount_rial": line.amount_rial}
        own = None if ours is None else _own_side(ours)
        row |= {"rial": _rial(judged, ours), "theirs": {**theirs, "captured": line.captured}, "ours": own}
    return {name: value for name, value in {"rial": None, "theirs": None, "ours": None, **row}.items() if name != "key"}


def _rial(judged: Judged, ours: Ours | None) -> int:
    if judged.difference is Difference.AMOUNT_DIFFERS and ours is not None:
        return abs(judged.line.amount_rial - ours.total_rial)
    return judged.line.amount_rial


def _own_side(ours: Ours) -> dict[str, object]:
    side = {**ours.key._asdict(), "attempt_id": ours.attempt_id, "state": ours.state, "total_rial": ours.total_rial}
    return {**side, "reversed_on": ours.reversed_on}


def _some(lines: Sequence[BankLine]) -> Iterable[Sequence[BankLine]]:
    return (lines[start : start + AT_ONCE] for start in range(0, len(lines), AT_ONCE))


def _arrays(lines: Sequence[BankLine]) -> dict[str, list[str]]:
    names = ("acquirers", "terminals", "stans", "rrns", "times")
    return {name: [line.key[at] for line in lines] for at, name in enumerate(names)}
