"""The monitor's one row: who looks now, how far was looked, and what was found last.

Several workers share it. Whoever claims the round looks; everybody may read what came of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import text

from foundation.checks import Inspector, Report, Verdict
from foundation.database import Database

log = structlog.get_logger()

EVERY_SECONDS = 60.0
READER_TIMEOUT_MS = 5_000
"""For one question; a slow one is given up and said to be so, before it hurts anybody."""

_OVERLAP_SECONDS = 60
"""Looked at twice, because a transaction commits later than its rows say; longer than any transaction may last."""

_FIRST_LOOK_SECONDS = 3_600

DDL = """
CREATE TABLE monitor (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  begun_at timestamptz NOT NULL,
  ended_at timestamptz,
  checked_until timestamptz,
  cursors jsonb NOT NULL DEFAULT '{}',
  report jsonb
);
COMMENT ON TABLE monitor IS 'the last look at the invariants; checked_until closes the window of recent changes';
"""
RIGHTS = "GRANT INSERT, UPDATE ON monitor TO {app};"

_CLAIM = text("""
INSERT INTO monitor AS row (begun_at) VALUES (house_now())
ON CONFLICT (only_row) DO UPDATE SET begun_at = house_now()
  WHERE row.begun_at NOT BETWEEN house_now() - make_interval(secs => :every_seconds) AND house_now()
RETURNING begun_at, cursors, coalesce(checked_until - make_interval(secs => :overlap_seconds),
  begun_at - make_interval(secs => :first_look_seconds)) AS since
""")
_KEEP = text("""
UPDATE monitor SET ended_at = house_now(), checked_until = :begun_at, cursors = CAST(:cursors AS jsonb),
  report = CAST(:report AS jsonb)
WHERE begun_at = :begun_at
""")
_LAST = text("SELECT extract(epoch FROM ended_at) AS ended_at, report FROM monitor WHERE report IS NOT NULL")


@dataclass(frozen=True, slots=True)
class LastLook:
    """What the last round found; ``at`` is its end in seconds since 1970, by the deciding clock."""

    at: float
    report: Report


def look(database: Database, inspector: Inspector, *, slack_seconds: float = 5.0) -> LastLook | None:
    """Take this minute's round unless another worker has it; return what was found last, by whomever.

    Each broken rule is one error line in the log: its name, how often, how much money, and ids.
    """
    values = {"overlap_seconds": _OVERLAP_SECONDS, "first_look_seconds": _FIRST_LOOK_SECONDS}
    with database.single() as connection:
        claim = connection.execute(_CLAIM, {**values, "every_seconds": EVERY_SECONDS - slack_seconds}).one_or_none()
    if claim is not None:
        began = time.monotonic()
        report, cursors = inspector.latest(claim.since, claim.cursors)
        for verdict in report.verdicts:
            _say(verdict)
        log.info("monitor_looked", clean=report.clean, seconds=round(time.monotonic() - began, 3))
        kept = {"begun_at": claim.begun_at, "cursors": json.dumps(cursors), "report": json.dumps(report.as_json())}
        with database.single() as connection:
            connection.execute(_KEEP, kept)
    return last_look(database)


def last_look(database: Database) -> LastLook | None:
    """Read what the last round found; ``None`` before the first."""
    with database.single() as connection:
        row = connection.execute(_LAST).one_or_none()
    return None if row is None else LastLook(float(row.ended_at), Report.of_json(row.report))


def open_reader(url: str, application_name: str) -> Database:
    """Open a database for the monitor: one connection of the read-only role, that asks for nothing but reading."""
    return Database(
        url, pool_size=1, application_name=application_name, read_only=True, statement_timeout_ms=READER_TIMEOUT_MS
    )


def print_report(report: Report, *, as_json: bool, write: Callable[[str], None]) -> int:
    """Write a report for a person or a program; return the exit code: 1 unless every rule holds."""
    if as_json:
        write(json.dumps(report.as_json(), indent=2))
    else:
        for line in report.lines:
            write(line)
    return 0 if report.clean else 1


def _say(verdict: Verdict) -> None:
    if verdict.failed is not None:
        log.error("check_not_asked", check=verdict.name, why=verdict.failed)
    elif verdict.number:
        log.error(
            "invariant_violated",
            check=verdict.name,
            severity=verdict.severity,
            number=verdict.number,
            rial=verdict.rial,
            examples=list(verdict.examples),
        )
