"""Exchanged link keys: two sets per acquirer, the newest and the one it replaces."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, text

from otp.domain.link_keys import KeySet

_COLUMNS = "acquirer_id, name, kek_id, pin, request_mac, answer_mac, replaces"
_KEEP = text(f"""
WITH kept AS (
  INSERT INTO link_key_set ({_COLUMNS})
  VALUES (:acquirer_id, :name, :kek_id, :pin, :request_mac, :answer_mac, :replaces)
  ON CONFLICT (acquirer_id, name) DO NOTHING RETURNING acquirer_id, name, replaces)
DELETE FROM link_key_set USING kept WHERE link_key_set.acquirer_id = kept.acquirer_id
  AND link_key_set.name <> kept.name AND link_key_set.name IS DISTINCT FROM kept.replaces
""")
_SAME = text("""
SELECT true FROM link_key_set WHERE acquirer_id = :acquirer_id AND name = :name AND kek_id = :kek_id AND pin = :pin
  AND request_mac = :request_mac AND answer_mac = :answer_mac
""")
_LIVE = text(f"SELECT {_COLUMNS} FROM link_key_set WHERE acquirer_id = :acquirer_id ORDER BY set_id DESC LIMIT 2")


def keep(connection: Connection, keys: KeySet) -> bool:
    """Keep a set and let go of all but it and the one it replaces; ``False`` when its name is another set's.

    Two statements of one transaction: the second must see what the first may have waited for.
    """
    values = asdict(keys)
    connection.execute(_KEEP, values)
    return connection.execute(_SAME, values).first() is not None


def live(connection: Connection, acquirer_id: str) -> list[KeySet]:
    """Return the sets an acquirer may use, newest first."""
    return [KeySet(**row) for row in connection.execute(_LIVE, {"acquirer_id": acquirer_id}).mappings()]
