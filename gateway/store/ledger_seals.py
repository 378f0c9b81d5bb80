"""The chain over the ledger: made by one sealer from committed postings, and examined as the read-only role (D31).

A posting's MAC is made when it is chained, not when it is written: the hot path pays nothing. Until then, a minute at
most, a posting is protected by rights alone.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Row, text

from foundation.audit import SEAL_AT_ONCE_MAX, START, Head, link
from foundation.audit_proof import Fault, Finding, against
from foundation.keys import Keyring, UnknownKey
from gateway.domain import purposes

AT_ONCE = 1_000
OVERDUE_SECONDS = 120
"""A committed posting older than this is chained, where a worker runs."""

STRAGGLERS = 10_000
"""How far behind the last chained posting one may still turn up: its transaction took its id early, committed late."""

_LOCK = 0x4C6564676572  # "Ledger": an advisory lock of this database alone
_COLUMNS = "posting_id, payment_id, attempt_id, payout_id, refund, event, source, destination, amount_rial, at"
_OF_POSTING = ", ".join(f"posting.{name}" for name in _COLUMNS.split(", "))

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_HEAD = text("SELECT sealed_no, chain_mac FROM ledger_seal ORDER BY sealed_no DESC LIMIT 1")
_UNSEALED = text(f"""
SELECT {_COLUMNS} FROM posting
WHERE posting_id > (SELECT coalesce(max(posting_id), 0) FROM ledger_seal) - :stragglers
  AND NOT EXISTS (SELECT FROM ledger_seal WHERE ledger_seal.posting_id = posting.posting_id)
ORDER BY posting_id LIMIT :most
""")
_SEAL = text("""
INSERT INTO ledger_seal (sealed_no, posting_id, key_id, row_mac, chain_mac)
SELECT number, posting_id, :key_id, row_mac, chain_mac FROM unnest(CAST(:numbers AS bigint[]),
  CAST(:postings AS bigint[]), CAST(:row_macs AS bytea[]), CAST(:chain_macs AS bytea[]))
  AS link (number, posting_id, row_mac, chain_mac)
""")
_LINKS = text(f"""
SELECT seal.sealed_no, seal.posting_id AS sealed_posting, seal.key_id, seal.row_mac, seal.chain_mac, {_OF_POSTING}
FROM ledger_seal AS seal LEFT JOIN posting USING (posting_id)
WHERE seal.sealed_no > :after ORDER BY seal.sealed_no LIMIT :most
""")
_POSTINGS = text("""
SELECT page.posting_id, link.posting_id IS NULL AND at < house_now() - make_interval(secs => :seconds) AS overdue
FROM (SELECT posting_id, at FROM posting WHERE posting_id > :after ORDER BY posting_id LIMIT :most) AS page
LEFT JOIN ledger_seal AS link ON link.posting_id = page.posting_id AND link.posting_id > :after
ORDER BY page.posting_id
""")
_CHAIN = text("SELECT sealed_no, chain_mac FROM ledger_seal WHERE sealed_no = ANY(CAST(:numbers AS bigint[]))")


def seal(connection: Connection, keys: Keyring) -> tuple[Head, bool] | None:
    """Chain committed postings, at most a thousand; return the head, and whether there may be more to chain.

    ``None`` while there is no chain, and where another sealer is at work: then nothing is done here.
    """
    if not connection.execute(_TRY_LOCK, {"lock": _LOCK}).scalar_one():
        return None
    head = connection.execute(_HEAD).one_or_none()
    number, before = (0, START) if head is None else (int(head.sealed_no), bytes(head.chain_mac))
    rows = connection.execute(_UNSEALED, {"stragglers": STRAGGLERS, "most": SEAL_AT_ONCE_MAX}).all()
    if not rows:
        return (Head(number, before), False) if number else None
    key_id = keys.active_id(purposes.LEDGER)
    row_macs, chain_macs = [], []
    for row in rows:
        row_macs.append(keys.mac_with(key_id, _written(row)))
        before = link(keys, key_id, before, int(row.posting_id), row_macs[-1])
        chain_macs.append(before)
    numbers = list(range(number + 1, number + 1 + len(rows)))
    values = {"numbers": numbers, "postings": [row.posting_id for row in rows], "key_id": key_id}
    connection.execute(_SEAL, {**values, "row_macs": row_macs, "chain_macs": chain_macs})
    return Head(numbers[-1], before), len(rows) == SEAL_AT_ONCE_MAX


def examine(connection: Connection, keys: Keyring, heads: Iterable[Head] = ()) -> Iterator[Finding]:
    """Walk the whole chain and tell what is wrong, in batches of a thousand links.

    Args:
        connection: of the reader's role, in one repeatable-read transaction.
        keys: with every key that links were made under.
        heads: kept in a second place; without them a tail that was cut off together with its links is not seen.
    """
    yield from _linked(connection, keys)
    yield from _loose(connection)
    yield from against(connection, _CHAIN, heads, "ledger")


def _linked(connection: Connection, keys: Keyring) -> Iterator[Finding]:
    number, before = 0, START
    while rows := connection.execute(_LINKS, {"after": number, "most": AT_ONCE}).all():
        for row in rows:
            if row.sealed_no != number + 1:
                yield Finding(Fault.MISSING, f"links {number + 1} to {row.sealed_no - 1} are gone")
            number = int(row.sealed_no)
            yield from _posting(keys, row)
            expected = _expected(keys, row, before)
            if not hmac.compare_digest(expected, bytes(row.chain_mac)):
                yield Finding(
                    Fault.REORDERED, f"link {number} (posting {row.sealed_posting}) does not follow the one before"
                )
            before = bytes(row.chain_mac)


def _posting(keys: Keyring, row: Row[Any]) -> Iterator[Finding]:
    if row.posting_id is None:
        yield Finding(Fault.MISSING, f"posting {row.sealed_posting} of link {row.sealed_no} is gone")
        return
    try:
        expected = keys.mac_with(row.key_id, _written(row))
    except UnknownKey:
        expected = b""
    if not hmac.compare_digest(expected, bytes(row.row_mac)):
        yield Finding(Fault.CHANGED, f"posting {row.posting_id} ({row.event}) is not as it was chained")


def _expected(keys: Keyring, row: Row[Any], before: bytes) -> bytes:
    try:
        return link(keys, row.key_id, before, int(row.sealed_posting), bytes(row.row_mac))
    except UnknownKey:
        return b""


def _loose(connection: Connection) -> Iterator[Finding]:
    page = {"after": 0, "most": AT_ONCE, "seconds": OVERDUE_SECONDS}
    while rows := connection.execute(_POSTINGS, page).all():
        for row in rows:
            if row.overdue:
                yield Finding(Fault.NOT_SEALED, f"posting {row.posting_id} is not chained; is a worker running?")
        page["after"] = int(rows[-1].posting_id)


def _written(row: Row[Any]) -> bytes:
    """Write a posting the one way its MAC covers it."""
    columns = [getattr(row, name) for name in _COLUMNS.split(", ")]
    moment = columns.pop().isoformat(timespec="microseconds")
    return json.dumps([*columns, moment], ensure_ascii=False, separators=(",", ":")).encode()
