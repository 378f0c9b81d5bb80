"""Is the audit trail as it was written? Every row, every counter, every link, and the heads kept elsewhere (D31)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from foundation.audit import START, STRAGGLERS, Head, link, written
from foundation.keys import Keyring, UnknownKey

AT_ONCE = 1_000
SEALED_WITHIN_SECONDS = 120
"""A committed row older than this is chained, where a worker runs."""

NOT_SEALED = f"""
SELECT entry_id, 0 FROM audit_entry
WHERE entry_id > (SELECT coalesce(max(entry_id), 0) FROM audit_seal) - {STRAGGLERS}
  AND at < house_now() - interval '2 minutes'
  AND NOT EXISTS (SELECT FROM audit_seal WHERE audit_seal.entry_id = audit_entry.entry_id)
"""  # noqa: S608 - a number of this house
"""Rows that should be chained by then and are not: a monitor's question, each minute. A row further behind is one whose
link was taken away; :func:`examine` finds it."""

_ROWS = text("""
SELECT sealed_no, seal.key_id AS seal_key_id, chain_mac, entry.*
  FROM audit_seal seal LEFT JOIN audit_entry entry USING (entry_id)
 WHERE sealed_no > :after ORDER BY sealed_no LIMIT :most
""")
_ENTRIES = text("""
SELECT page.*, seal.entry_id IS NULL AS loose, at < house_now() - make_interval(secs => :seconds) AS overdue
  FROM (SELECT * FROM audit_entry WHERE entry_id > :after ORDER BY entry_id LIMIT :most) AS page
  LEFT JOIN audit_seal seal ON seal.entry_id = page.entry_id AND seal.entry_id > :after
 ORDER BY page.entry_id
""")
_GAPS = text("""
SELECT writer, coalesce(own.counter, 0) AS counted, count(entry.counter) AS kept,
       coalesce(max(entry.counter), 0) AS last
  FROM audit_writer own FULL JOIN audit_entry entry USING (writer)
 GROUP BY writer, own.counter
HAVING count(entry.counter) <> coalesce(own.counter, 0) OR coalesce(max(entry.counter), 0) <> coalesce(own.counter, 0)
 ORDER BY writer LIMIT :most
""")
_LINKS = text("SELECT sealed_no, chain_mac FROM audit_seal WHERE sealed_no = ANY(CAST(:numbers AS bigint[]))")


class Fault(StrEnum):
    """What can be wrong with a trail."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    CUT = "cut"
    NOT_SEALED = "not_sealed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written, in a sentence."""

    fault: Fault
    says: str


def examine(connection: Connection, keys: Keyring, heads: Iterable[Head] = ()) -> Iterator[Finding]:
    """Walk the whole trail and tell what is wrong, in batches of a thousand rows.

    Args:
        connection: of the reader's role, in one repeatable-read transaction.
        keys: with every key that rows were written under.
        heads: kept in a second place; without them a tail that was cut off together with its links is not seen.
    """
    yield from _sealed(connection, keys)
    yield from _loose(connection, keys)
    for row in connection.execute(_GAPS, {"most": AT_ONCE}):
        says = f"writer {row.writer} counted {row.counted} rows; there are {row.kept}, the last is number {row.last}"
        yield Finding(Fault.MISSING, says)
    yield from against(connection, _LINKS, heads, "trail")


def against(connection: Connection, links: TextClause, heads: Iterable[Head], what: str) -> Iterator[Finding]:
    """Compare the links of a chain with heads kept elsewhere; ``what`` is its name in a sentence.

    ``links`` reads ``sealed_no`` and ``chain_mac`` of the links with these ``:numbers``.
    """
    known = {head.sealed_no: head.chain_mac for head in heads}
    numbers = sorted(known)
    for start in range(0, len(numbers), AT_ONCE):
        batch = numbers[start : start + AT_ONCE]
        found = {row.sealed_no: bytes(row.chain_mac) for row in connection.execute(links, {"numbers": batch})}
        for number in batch:
            if number not in found:
                yield Finding(Fault.CUT, f"the {what} was cut: link {number} stood in a head kept elsewhere")
            elif not hmac.compare_digest(found[number], known[number]):
                yield Finding(Fault.CHANGED, f"link {number} is not the one in the head kept elsewhere")


def _sealed(connection: Connection, keys: Keyring) -> Iterator[Finding]:
    number, before, entry_before = 0, START, 0
    while rows := connection.execute(_ROWS, {"after": number, "most": AT_ONCE}).all():
        for row in rows:
            if row.sealed_no != number + 1:
                yield Finding(Fault.MISSING, f"links {number + 1} to {row.sealed_no - 1} are gone")
            number = int(row.sealed_no)
            if row.entry_id is None:
                yield Finding(Fault.MISSING, f"the row of link {number} is gone")
            else:
                yield from _row(keys, row)
                yield from _link(keys, row, before, entry_before)
                entry_before = int(row.entry_id)
            before = bytes(row.chain_mac)


def _row(keys: Keyring, row: Row[Any]) -> Iterator[Finding]:
    columns = ("writer", "counter", "at", "actor", "action", "subject", "reason", "details")
    try:
        expected = keys.mac_with(row.key_id, written(**{name: getattr(row, name) for name in columns}))
    except UnknownKey:
        expected = b""
    if not hmac.compare_digest(expected, bytes(row.row_mac)):
        yield Finding(Fault.CHANGED, f"row {row.entry_id} ({row.action}) is not as it was written")


def _link(keys: Keyring, row: Row[Any], before: bytes, entry_before: int) -> Iterator[Finding]:
    try:
        expected = link(keys, row.seal_key_id, before, int(row.entry_id), bytes(row.row_mac))
    except UnknownKey:
        expected = b""
    if not hmac.compare_digest(expected, bytes(row.chain_mac)):
        yield Finding(Fault.REORDERED, f"link {row.sealed_no} (row {row.entry_id}) does not follow row {entry_before}")


def _loose(connection: Connection, keys: Keyring) -> Iterator[Finding]:
    page = {"after": 0, "most": AT_ONCE, "seconds": SEALED_WITHIN_SECONDS}
    while rows := connection.execute(_ENTRIES, page).all():
        for row in (row for row in rows if row.loose):
            yield from _row(keys, row)
            if row.overdue:
                yield Finding(Fault.NOT_SEALED, f"row {row.entry_id} is not chained; is a worker running?")
        page["after"] = int(rows[-1].entry_id)
