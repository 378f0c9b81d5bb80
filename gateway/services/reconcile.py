"""Compare our books with a bank's clearing file: keep every line with its verdict, list what differs, move no money."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from gateway.domain.clearing import ClearingFile, check_in_time, read
from gateway.domain.errors import RefusedRow
from gateway.domain.reconciliation import Difference, Judged, Missing, judge, judge_all, missing
from gateway.services.gateway import Gateway
from gateway.store import clearing, exceptions, unnamed
from gateway.store.exceptions import Found as Found

log = structlog.get_logger()

BATCH = 200
LISTED_MOST = 1_000
HISTORY_MOST = 500
AGAIN = "imported before"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: how many lines have which verdict, how many differences of which kind."""

    day: dt.date
    lines: int
    verdicts: Mapping[str, int]
    differences: Mapping[str, int]
    again: bool = False


def import_file(gateway: Gateway, issuer_id: str, content: bytes) -> Imported:
    """Compare a bank's file with our books; all of it or nothing. The same file again changes nothing.

    Raises:
        RefusedRow: the file is not whole, early, late, of another bank, or not the one this day already has.
    """
    file = read(content)
    with gateway.database.begin() as connection:
        _check_belongs(connection, gateway, issuer_id, file)
        file_id = clearing.keep_file(connection, issuer_id, file)
        if file_id is None:
            return _again(connection, issuer_id, file)
        judged, gone = _compare(connection, file_id, issuer_id, file)
        overdue = clearing.keep_overdue(connection, most=BATCH)
    verdicts = Counter(str(each.verdict) for each in judged)
    found: list[Judged | Missing] = [*judged, *gone]
    differences = Counter(str(each.difference) for each in found if each.difference)
    differences += Counter({str(Difference.DEBIT_WITHOUT_CREDIT): overdue})
    log.info("clearing_file_imported", issuer_id=issuer_id, day=str(file.day), verdicts=dict(verdicts))
    if differences:
        log.warning("books_differ", issuer_id=issuer_id, day=str(file.day), differences=dict(differences))
    return Imported(file.day, len(judged), verdicts, differences)


def judge_again(gateway: Gateway) -> int:
    """Judge lines about money that was under way when their file came, and has come to rest; return how many.

    Transfers whose debit is in a file and whose credit is overdue are listed as well.
    """
    with gateway.database.begin() as connection:
        waiting = clearing.at_rest(connection, most=BATCH)
        for line_id, day, line, ours in waiting:
            clearing.judge_again(connection, line_id, judge(line, ours, day), ours)
        overdue = clearing.keep_overdue(connection, most=BATCH)
    if overdue:
        log.warning("debits_without_credit", count=overdue)
    return len(waiting)


def list_unnamed(gateway: Gateway) -> int:
    """List what stands here and no file of its bank will name, for two people to decide about; return how many.

    It came to rest after the file of its day was read, or that file never came in time.
    """
    with gateway.database.begin() as connection:
        found = [*unnamed.rested_late(connection, most=BATCH), *unnamed.never_told(connection, most=BATCH)]
        for file_id, ours in found:
            clearing.keep_missing(connection, file_id, missing((), (ours,), ()))
    if found:
        log.warning("books_differ_without_a_file", count=len(found))
    return len(found)


def list_exceptions(gateway: Gateway, *, after: int = 0) -> list[Found]:
    """Return what the books differ about and nobody has resolved, oldest first, at most a thousand."""
    with gateway.database.single() as connection:
        return exceptions.open_ones(connection, after=after, most=LISTED_MOST)


def show_exception(gateway: Gateway, exception_id: int) -> tuple[Found, list[tuple[str, dt.datetime, str]]]:
    """Return one exception and what bank, gateway and merchant know of its attempt, side by side.

    Raises:
        RefusedRow: there is no such exception.
    """
    with gateway.database.begin() as connection:
        found = exceptions.one(connection, exception_id)
        if found is None:
            raise RefusedRow(f"there is no exception {exception_id}; see: python -m gateway reconcile list")
        if found.attempt_id is None:
            return found, []
        return found, exceptions.history(connection, found.attempt_id, most=HISTORY_MOST)


def _check_belongs(connection: Connection, gateway: Gateway, issuer_id: str, file: ClearingFile) -> None:
    check_in_time(file.day, clearing.tehran_now(connection))
    link = clearing.link_of(connection, issuer_id)
    if link is None:
        raise RefusedRow(f"there is no issuer {issuer_id}; see: python -m gateway issuer list")
    if link != issuer_id:
        raise RefusedRow(
            f"{issuer_id} is reached over the link of {link}, whose file has its lines too: import it there"
        )
    if file.acquirer_id != gateway.settings.acquirer_id:
        raise RefusedRow(f"this file is for acquirer {file.acquirer_id}; we are {gateway.settings.acquirer_id}")
    if other := clearing.other_issuer_of(connection, issuer_id, file.sha256):
        raise RefusedRow(f"this very file was imported as that of {other}")


def _again(connection: Connection, issuer_id: str, file: ClearingFile) -> Imported:
    if clearing.kept_sha256(connection, issuer_id, file) != file.sha256:
        raise RefusedRow(
            f"{issuer_id} has another file for {file.day}: ask the bank which is right, and resolve by hand"
        )
    return Imported(file.day, len(file.lines), {}, {}, again=True)


def _compare(
    connection: Connection, file_id: int, issuer_id: str, file: ClearingFile
) -> tuple[list[Judged], list[Missing]]:
    ours = clearing.named(connection, issuer_id, file.lines)
    told = clearing.told_before(connection, issuer_id, file.lines)
    judged = judge_all(file.lines, ours, file.day, told)
    clearing.keep_lines(connection, file_id, issuer_id, judged, ours)
    gone = missing(
        file.lines,
        clearing.captured(connection, issuer_id, file),
        clearing.undone(connection, issuer_id, file),
    )
    clearing.keep_missing(connection, file_id, gone)
    return judged, gone
