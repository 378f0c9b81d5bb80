"""The audit trail: who did what to what and why, written in the transaction that did it, and chained afterwards (D31).

Writers never wait for each other: each database connection numbers its own rows without a gap, and each row carries a
MAC over all it says. :func:`seal` puts committed rows in one order and chains them. What the application's role may do
is add rows; it can neither change nor delete one (D39).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from foundation.keys import Keyring

PURPOSE = "audit"
"""HMAC key of rows and chain."""

DDL = """
CREATE TABLE audit_writer (
  writer text PRIMARY KEY,
  counter bigint NOT NULL CHECK (counter > 0)
);
CREATE TABLE audit_entry (
  entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  writer text NOT NULL,
  counter bigint NOT NULL,
  at timestamptz NOT NULL,
  actor text NOT NULL CHECK (actor <> ''),
  action text NOT NULL CHECK (action <> ''),
  subject text NOT NULL,
  reason text NOT NULL,
  details jsonb NOT NULL,
  key_id text NOT NULL,
  row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32),
  CONSTRAINT audit_entry_counter UNIQUE (writer, counter)
);
CREATE INDEX audit_entry_of_subject ON audit_entry (subject, entry_id);
CREATE TABLE audit_seal (
  sealed_no bigint PRIMARY KEY CHECK (sealed_no > 0),
  entry_id bigint NOT NULL UNIQUE REFERENCES audit_entry,
  key_id text NOT NULL,
  chain_mac bytea NOT NULL CHECK (octet_length(chain_mac) = 32),
  sealed_at timestamptz NOT NULL DEFAULT house_now()
);
COMMENT ON TABLE audit_entry IS 'who did what to what and why; never a secret, never changed (D31)';
COMMENT ON COLUMN audit_entry.writer IS 'one database connection; its counter has no gap, for it commits with the row';
COMMENT ON TABLE audit_seal IS 'the one order of committed rows; each MAC covers the one before';
"""
RIGHTS = """
GRANT INSERT, UPDATE ON audit_writer TO {app};
GRANT INSERT ON audit_entry, audit_seal TO {app};
"""

SEAL_AT_ONCE_MAX = 1_000
STRAGGLERS = 10_000
"""How far behind the last sealed row one may still turn up: its transaction took its id early and committed late."""
_SEALER_LOCK = 0x506F6F7961  # "Pooya": an advisory lock of this database alone

_NUMBER = text("""
INSERT INTO audit_writer AS own (writer, counter)
SELECT concat_ws('/', application_name, pid, to_char(backend_start, 'YYYYMMDDHH24MISSUS')), 1
  FROM pg_stat_activity WHERE pid = pg_backend_pid()
ON CONFLICT (writer) DO UPDATE SET counter = own.counter + 1
RETURNING writer, counter, house_now() AS at
""")

_ADD = text("""
INSERT INTO audit_entry (writer, counter, at, actor, action, subject, reason, details, key_id, row_mac)
VALUES (:writer, :counter, :at, :actor, :action, :subject, :reason, CAST(:details AS jsonb), :key_id, :row_mac)
""")

_NEWEST = text("""
SELECT at, actor, action, subject, reason, details FROM audit_entry
 WHERE CAST(:subject AS text) IS NULL OR subject = :subject
 ORDER BY entry_id DESC LIMIT :most
""")

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_HEAD = text("SELECT sealed_no, entry_id, chain_mac FROM audit_seal ORDER BY sealed_no DESC LIMIT 1")
_UNSEALED = text("""
SELECT entry_id, row_mac FROM audit_entry
 WHERE entry_id > (SELECT coalesce(max(entry_id), 0) FROM audit_seal) - :stragglers
   AND NOT EXISTS (SELECT FROM audit_seal WHERE audit_seal.entry_id = audit_entry.entry_id)
 ORDER BY entry_id LIMIT :most
""")
_SEAL = text("""
INSERT INTO audit_seal (sealed_no, entry_id, key_id, chain_mac)
SELECT * FROM unnest(CAST(:numbers AS bigint[]), CAST(:entries AS bigint[]), CAST(:key_ids AS text[]),
                     CAST(:macs AS bytea[]))
""")

START = bytes(32)
"""What the first sealed row is chained to."""


Details = Mapping[str, str | int | bool | None]
"""What else a reader of an act needs."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did.

    Args:
        actor: who, with the kind in front: ``operator:sara``, ``app:<device id>``, ``atm:<terminal>``.
        action: what, a verb of the domain: ``psp.registered``.
        subject: to what: ``card:17``, ``psp:pooya``; never a card number or a mobile number.
        reason: why, in a person's words; may be empty where the act speaks for itself.
        details: what else a reader needs; plain numbers and texts, no secret.
    """

    actor: str
    action: str
    subject: str
    reason: str = ""
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """An act as the trail has it."""

    at: dt.datetime
    act: Act


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of the chain: how many rows it holds, and its MAC."""

    sealed_no: int
    chain_mac: bytes


def append(connection: Connection, keys: Keyring, act: Act) -> None:
    """Write an act in the caller's transaction: it is there if and only if what it tells of happened."""
    numbered = connection.execute(_NUMBER).one()
    key_id = keys.active_id(PURPOSE)
    row = {
        "writer": numbered.writer,
        "counter": numbered.counter,
        "at": numbered.at,
        "actor": act.actor,
        "action": act.action,
        "subject": act.subject,
        "reason": act.reason,
    }
    row_mac = keys.mac_with(key_id, written(**row, details=dict(act.details)))
    values = {**row, "details": json.dumps(dict(act.details)), "key_id": key_id, "row_mac": row_mac}
    connection.execute(_ADD, values)


def newest(connection: Connection, *, subject: str | None, most: int) -> list[Kept]:
    """Read the newest acts, newest first; of one subject, or of all."""
    rows = connection.execute(_NEWEST, {"subject": subject, "most": most})
    return [Kept(row.at, Act(row.actor, row.action, row.subject, row.reason, row.details)) for row in rows]


def written(  # noqa: PLR0913 - the columns of one row
    *,
    writer: str,
    counter: int,
    at: dt.datetime,
    actor: str,
    action: str,
    subject: str,
    reason: str,
    details: Mapping[str, object],
) -> bytes:
    """Write a row the one way its MAC covers it."""
    moment = at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    columns = [writer, counter, moment, actor, action, subject, reason, details]
    return json.dumps(columns, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def seal(connection: Connection, keys: Keyring) -> tuple[Head, bool] | None:
    """Chain committed rows, at most a thousand; return the head, and whether there may be more to chain.

    ``None`` while there is no chain, and where another sealer is at work: then nothing is done here.
    """
    if not connection.execute(_TRY_LOCK, {"lock": _SEALER_LOCK}).scalar_one():
        return None
    head = connection.execute(_HEAD).one_or_none()
    last = Head(0, START) if head is None else Head(int(head.sealed_no), bytes(head.chain_mac))
    rows = connection.execute(_UNSEALED, {"stragglers": STRAGGLERS, "most": SEAL_AT_ONCE_MAX}).all()
    if not rows:
        return (last, False) if last.sealed_no else None
    key_id = keys.active_id(PURPOSE)
    macs = list(_links(keys, key_id, last.chain_mac, [(int(row.entry_id), bytes(row.row_mac)) for row in rows]))
    numbers = list(range(last.sealed_no + 1, last.sealed_no + 1 + len(rows)))
    entries = [int(row.entry_id) for row in rows]
    connection.execute(_SEAL, {"numbers": numbers, "entries": entries, "key_ids": [key_id] * len(rows), "macs": macs})
    return Head(numbers[-1], macs[-1]), len(rows) == SEAL_AT_ONCE_MAX


def link(keys: Keyring, key_id: str, before: bytes, entry_id: int, row_mac: bytes) -> bytes:
    """Chain one row to all before it."""
    return keys.mac_with(key_id, b"audit-link\x00" + before + entry_id.to_bytes(8, "big") + row_mac)


def _links(keys: Keyring, key_id: str, before: bytes, rows: Iterable[tuple[int, bytes]]) -> Iterable[bytes]:
    for entry_id, row_mac in rows:
        before = link(keys, key_id, before, entry_id, row_mac)
        yield before
