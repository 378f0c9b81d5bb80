"""Destinations that payers let a merchant keep: saved by a completed transfer, used by token, deleted (D16, D43)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, text

COLUMNS = (
    "saved.token AS destination_token, saved.pan_masked AS destination_masked, saved.holder_name AS "
    "destination_holder, bank.name_fa AS destination_bank_fa, bank.name_en AS destination_bank_en, "
    "saved.saved_at AS destination_saved_at, saved.used_at AS destination_used_at"
)
"""What a merchant may learn of a saved destination, beside other columns."""

_AFTER = "AND (saved.saved_at, saved.token) < (CAST(:after_at AS timestamptz), :after_token)"
_NEWEST = f"""
SELECT {COLUMNS} FROM saved_destination saved JOIN issuer bank USING (issuer_id)
WHERE saved.merchant_id = :merchant_id {{after}} ORDER BY saved.saved_at DESC, saved.token DESC LIMIT :most
"""
_FIRST_PAGE, _NEXT_PAGE = text(_NEWEST.format(after="")), text(_NEWEST.format(after=_AFTER))
_DELETE = text("DELETE FROM saved_destination WHERE merchant_id = :merchant_id AND token = :token")
_USE = text("""
UPDATE saved_destination SET used_at = house_now() WHERE merchant_id = :merchant_id AND token = :token
RETURNING pan_sealed
""")
_FORGET = text("""
DELETE FROM saved_destination WHERE (merchant_id, token) IN (
  SELECT merchant_id, token FROM saved_destination WHERE used_at <= house_now() - make_interval(days => :keep_days)
  ORDER BY used_at LIMIT :most)
""")


@dataclass(frozen=True, slots=True)
class Destination:
    """A saved destination as its merchant may know it."""

    token: str
    pan_masked: str
    holder_name: str
    bank_fa: str
    bank_en: str
    saved_at: dt.datetime
    used_at: dt.datetime

    @classmethod
    def of(cls, row: Mapping[str, Any] | RowMapping) -> Destination | None:
        """Build from :data:`COLUMNS`, or from the JSON of a stored answer with them; ``None`` where there is none."""
        if row.get("destination_token") is None:
            return None
        times = [row[name] for name in ("destination_saved_at", "destination_used_at")]
        return cls(
            row["destination_token"],
            row["destination_masked"],
            row["destination_holder"],
            row["destination_bank_fa"],
            row["destination_bank_en"],
            *(dt.datetime.fromisoformat(when) if isinstance(when, str) else when for when in times),
        )


def saved_of(of: str) -> str:
    """Save, or keep longer, the destination of every completed transfer in ``of`` whose payer ticked that."""
    return (
        f"saved_{of} AS (INSERT INTO saved_destination (merchant_id, token, pan_sealed, pan_masked, issuer_id, "
        f"holder_name) SELECT {of}.merchant_id, saving.saving_token, saving.saving_sealed, saving.destination_masked, "
        f"saving.destination_issuer_id, saving.holder_name FROM {of} JOIN transfer AS saving USING (payment_id) "
        "WHERE saving.saving_sealed IS NOT NULL ON CONFLICT (merchant_id, token) DO UPDATE "
        "SET pan_sealed = excluded.pan_sealed, holder_name = excluded.holder_name, used_at = excluded.used_at)"
    )


def newest_first(
    connection: Connection, merchant_id: str, *, after: tuple[dt.datetime, str] | None, most: int
) -> list[Destination]:
    """Read up to ``most`` destinations of a merchant, saved before ``after`` (time and token)."""
    values: dict[str, Any] = {"merchant_id": merchant_id, "most": most}
    if after is not None:
        values |= {"after_at": after[0], "after_token": after[1]}
    rows = connection.execute(_FIRST_PAGE if after is None else _NEXT_PAGE, values).mappings()
    return [found for row in rows if (found := Destination.of(row)) is not None]


def delete(connection: Connection, merchant_id: str, token: str) -> bool:
    """Delete a destination with its sealed number; tell whether there was one."""
    return connection.execute(_DELETE, {"merchant_id": merchant_id, "token": token}).rowcount > 0


def use(connection: Connection, merchant_id: str, token: str) -> bytes | None:
    """Return the sealed number of a destination, which from now on is kept its time anew; ``None``: it is gone."""
    sealed = connection.execute(_USE, {"merchant_id": merchant_id, "token": token}).scalar()
    return None if sealed is None else bytes(sealed)


def forget(connection: Connection, *, keep_days: int, most: int) -> int:
    """Delete destinations that nobody used for ``keep_days``; return how many (D43)."""
    return connection.execute(_FORGET, {"keep_days": keep_days, "most": most}).rowcount
