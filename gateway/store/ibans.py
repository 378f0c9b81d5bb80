"""Where merchants' money goes: IBANs with their parts, usable two days after two people said so (D11)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from gateway.domain.iban import HOLD_HOURS
from gateway.domain.webhooks import IBAN_ADDED, IBAN_REMOVED
from gateway.store.fragments import owed_to_endpoints

USABLE = """merchant_iban.usable_from <= :at
  AND (merchant_iban.removed_at IS NULL OR merchant_iban.removed_at > :at)"""
"""A condition: money may go to this IBAN by a batch opened at ``:at``."""

_COLUMNS = "iban_id, merchant_id, iban, parts, added_at, approved_at, usable_from, removed_at"
_ADD = text("""
INSERT INTO merchant_iban (merchant_id, iban, parts)
SELECT merchant_id, :iban, :parts FROM merchant WHERE merchant_id = :merchant_id
ON CONFLICT DO NOTHING RETURNING iban_id
""")
_HOLD = text(f"SELECT {_COLUMNS} FROM merchant_iban WHERE iban_id = :iban_id FOR UPDATE")


def _told(kind: str, of: str, once: str) -> str:
    """Tell the merchant of the IBAN in ``of``, in feed and webhooks; the event's id is ``once`` and its number."""
    return (
        f"told_{of} AS (INSERT INTO webhook_event (event_id, merchant_id, type, facts) "
        f"SELECT '{once}' || iban_id, merchant_id, '{kind}', "
        f"jsonb_build_object('iban', iban, 'parts', parts, 'usable_from', usable_from) FROM {of} "
        "RETURNING event_id, number, merchant_id, payment_id, type), "
        f"{owed_to_endpoints(of)}"
    )


_ADMIT = text(f"""
WITH admitted AS (
  UPDATE merchant_iban SET approved_by = :request_id, approved_at = now,
    usable_from = now + interval '{HOLD_HOURS} hours'
  FROM (SELECT house_now() AS now) AS clock WHERE iban_id = :iban_id RETURNING {_COLUMNS}),
{_told(IBAN_ADDED, "admitted", "evt_iban")}
SELECT iban_id FROM admitted
""")
_REMOVE = text(f"""
WITH removed AS (
  UPDATE merchant_iban SET removed_by = :request_id, removed_at = house_now() WHERE iban_id = :iban_id
  RETURNING {_COLUMNS}),
{_told(IBAN_REMOVED, "removed", "evt_noiban")}
SELECT iban_id FROM removed
""")
_LIST = text(f"""
SELECT {_COLUMNS} FROM merchant_iban WHERE merchant_id = :merchant_id ORDER BY iban_id LIMIT :most
""")
_SHARES = text(f"""
SELECT merchant_id, iban, parts FROM merchant_iban
WHERE merchant_id = ANY(CAST(:merchants AS text[])) AND {USABLE} ORDER BY merchant_id, iban_id
""")


@dataclass(frozen=True, slots=True)
class Iban:
    """One IBAN of a merchant; without ``usable_from`` nobody has approved it yet."""

    iban_id: int
    merchant_id: str
    iban: str
    parts: int
    added_at: dt.datetime
    approved_at: dt.datetime | None
    usable_from: dt.datetime | None
    removed_at: dt.datetime | None


def add(connection: Connection, merchant_id: str, iban: str, parts: int) -> int | None:
    """Write an IBAN down, not yet usable; ``None`` when the merchant is not known, or has it."""
    found = connection.execute(_ADD, {"merchant_id": merchant_id, "iban": iban, "parts": parts}).scalar()
    return None if found is None else int(found)


def hold(connection: Connection, iban_id: int) -> dict[str, Any] | None:
    """Read an IBAN's row and hold it until the transaction ends."""
    row = connection.execute(_HOLD, {"iban_id": iban_id}).mappings().one_or_none()
    return None if row is None else dict(row)


def admit(connection: Connection, iban_id: int, request_id: int) -> None:
    """Let money go to a held IBAN from two days on, and tell its merchant so."""
    connection.execute(_ADMIT, {"iban_id": iban_id, "request_id": request_id})


def remove(connection: Connection, iban_id: int, request_id: int) -> None:
    """Let no more money go to a held IBAN, and tell its merchant so."""
    connection.execute(_REMOVE, {"iban_id": iban_id, "request_id": request_id})


def of_merchant(connection: Connection, merchant_id: str, *, most: int) -> list[Iban]:
    """Read a merchant's IBANs, those that were removed too, oldest first."""
    rows = connection.execute(_LIST, {"merchant_id": merchant_id, "most": most}).mappings()
    return [Iban(**row) for row in rows]


def shares(connection: Connection, merchants: list[str], at: dt.datetime) -> dict[str, list[tuple[str, int]]]:
    """Return each merchant's IBANs usable at ``at`` with their parts, the first one first."""
    found: dict[str, list[tuple[str, int]]] = {}
    for row in connection.execute(_SHARES, {"merchants": merchants, "at": at}):
        found.setdefault(row.merchant_id, []).append((row.iban, row.parts))
    return found
