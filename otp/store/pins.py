"""Static PINs as they are kept: under which key, and anew under another when the right one is shown (D27, D41)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import Connection, text


class PinKind(StrEnum):
    """Which PIN of a card."""

    FIRST = "first"
    STATIC = "static"


_COLUMNS: Mapping[PinKind, tuple[str, str]] = {
    PinKind.FIRST: ("first_pin_mac", "first_pin_key"),
    PinKind.STATIC: ("static_second_pin_mac", "static_pin_key"),
}
_KEEP = {
    kind: text(f"UPDATE card SET {mac} = :mac, {key} = :key_id WHERE card_id = :card_id AND {mac} IS NOT NULL")
    for kind, (mac, key) in _COLUMNS.items()
}
_COUNT = {
    kind: text(f"SELECT count(*) FROM card WHERE {mac} IS NOT NULL AND {key} IS DISTINCT FROM :key_id")
    for kind, (mac, key) in _COLUMNS.items()
}


def keep(connection: Connection, card_id: int, kind: PinKind, mac: bytes, key_id: str) -> None:
    """Keep the same PIN under another key; the card is held, and the PIN was right."""
    connection.execute(_KEEP[kind], {"card_id": card_id, "mac": mac, "key_id": key_id})


def not_under(connection: Connection, key_id: str) -> int:
    """Count the PINs that are kept under another key than this one."""
    return sum(int(connection.execute(_COUNT[kind], {"key_id": key_id}).scalar_one()) for kind in PinKind)
