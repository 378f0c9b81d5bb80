"""Merchants' secret keys: their hashes, what each may do, and until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

_COLUMNS = "key_id, terminal_id, mode, name, scopes, created_at, expires_at, revoked_at, last_used_on, replaces"
_ADD = text("""
INSERT INTO api_key (key_id, terminal_id, secret_hash, mode, name, scopes, expires_at)
VALUES (:key_id, :terminal_id, :secret_hash, :mode, :name, :scopes, house_now() + make_interval(days => :expires_days))
ON CONFLICT (secret_hash) DO NOTHING
""")
_ROTATE = text("""
WITH old AS (
  UPDATE api_key SET expires_at = least(expires_at, house_now() + make_interval(hours => :overlap_hours))
  WHERE key_id = :replaces AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > house_now())
  RETURNING key_id, terminal_id, mode, name, scopes, expires_at)
INSERT INTO api_key (key_id, terminal_id, secret_hash, mode, name, scopes, expires_at, replaces)
SELECT :key_id, terminal_id, :secret_hash, mode, name, scopes,
  house_now() + make_interval(days => :expires_days), key_id
FROM old RETURNING (SELECT expires_at FROM old)
""")
_REVOKE = text("UPDATE api_key SET revoked_at = house_now() WHERE key_id = :key_id AND revoked_at IS NULL")
_OF_TERMINAL = text(f"""
SELECT {_COLUMNS}, revoked_at IS NULL AND (expires_at IS NULL OR expires_at > house_now()) AS usable
FROM api_key WHERE terminal_id = :terminal_id ORDER BY created_at, key_id
""")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as an operator sees it: everything but the key."""

    key_id: str
    terminal_id: str
    mode: str
    name: str
    scopes: tuple[str, ...]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    last_used_on: dt.date | None
    replaces: str | None
    usable: bool


def add(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Insert a key's hash; the same secret again changes nothing. Tell whether it did."""
    return connection.execute(_ADD, dict(values)).rowcount == 1


def rotate(connection: Connection, values: Mapping[str, Any]) -> dt.datetime | None:
    """Insert the successor of a usable key and return when the old one ends; ``None`` when there is no such key."""
    return connection.execute(_ROTATE, dict(values)).scalar()


def revoke(connection: Connection, key_id: str) -> bool:
    """End a key now; tell whether it was there and not ended before."""
    return connection.execute(_REVOKE, {"key_id": key_id}).rowcount > 0


def of_terminal(connection: Connection, terminal_id: str) -> list[KeyRow]:
    """Read every key of a terminal, oldest first."""
    rows = connection.execute(_OF_TERMINAL, {"terminal_id": terminal_id}).mappings()
    return [KeyRow(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]
