"""Every sealed value of the bank's database: found by the key it is sealed under, and sealed anew (D41)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, text

from otp.domain import purposes
from otp.domain.card import mobile_place, pan_place
from otp.domain.customer import national_code_place
from otp.domain.holder import holder_place


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Where sealed values of a purpose stand.

    Args:
        row_id: the column that names a row.
        bound_by: the column that the place is made of, by ``place``.
    """

    table: str
    row_id: str
    column: str
    bound_by: str
    place: Callable[[Any], str]


def _device_place(part: str) -> Callable[[Any], str]:
    return lambda device_id: f"device|{part}|{device_id}"


_NAME = "coalesce(card_name, card_token)"
_CARD_OF_CHANGE = f"(SELECT {_NAME} FROM card WHERE card.card_id = mobile_change.card_id)"

COLUMNS: Mapping[str, tuple[SealedColumn, ...]] = MappingProxyType(
    {
        purposes.PAN_SEAL: (
            SealedColumn("card", "card_id", "pan_sealed", _NAME, pan_place),
            SealedColumn("card", "card_id", "holder_name_sealed", _NAME, holder_place),
            SealedColumn("customer", "customer_id", "national_code_sealed", "customer_id", national_code_place),
        ),
        purposes.MOBILE_SEAL: (
            SealedColumn("card", "card_id", "mobile_sealed", _NAME, mobile_place),
            SealedColumn("mobile_change", "change_id", "mobile_sealed", _CARD_OF_CHANGE, mobile_place),
            SealedColumn("mobile_change", "change_id", "former_sealed", _CARD_OF_CHANGE, mobile_place),
        ),
        purposes.DEVICE_SEAL: (
            SealedColumn("device", "device_id", "auth_key_sealed", "device_id", _device_place("auth-key")),
            SealedColumn("device", "device_id", "wrap_key_sealed", "device_id", _device_place("wrap-key")),
            SealedColumn("device", "device_id", "code_root_sealed", "device_id", _device_place("code-root")),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class SealedValue:
    """One sealed value, its row locked, and the place it is bound to."""

    row_id: object
    sealed: bytes
    place: str


def under_other_keys(connection: Connection, where: SealedColumn, key_id: str, most: int) -> list[SealedValue]:
    """Lock and read values that are sealed under another key than ``key_id``, at most ``most``."""
    statement = text(
        f"SELECT {where.row_id} AS row_id, {where.column} AS sealed, {where.bound_by} AS bound_by FROM {where.table} "
        f"WHERE {where.column} IS NOT NULL AND NOT starts_with(encode({where.column}, 'escape'), :prefix) "
        f"ORDER BY {where.row_id} LIMIT :most FOR UPDATE SKIP LOCKED"
    )
    rows = connection.execute(statement, {"prefix": f"v1|{key_id}|", "most": most})
    return [SealedValue(row.row_id, bytes(row.sealed), where.place(row.bound_by)) for row in rows]


def write(connection: Connection, where: SealedColumn, values: Sequence[tuple[object, bytes]]) -> None:
    """Write values that were sealed anew; their rows are locked."""
    kind = "uuid" if where.row_id == "device_id" else "bigint"
    statement = text(
        f"UPDATE {where.table} SET {where.column} = fresh.sealed "
        f"FROM unnest(CAST(:ids AS {kind}[]), CAST(:sealed AS bytea[])) AS fresh (id, sealed) "
        f"WHERE {where.row_id} = fresh.id"
    )
    connection.execute(statement, {"ids": [row_id for row_id, _ in values], "sealed": [each for _, each in values]})


def count_under(connection: Connection, where: SealedColumn, key_id: str) -> int:
    """Count the values that are sealed under one key."""
    statement = text(f"SELECT count(*) FROM {where.table} WHERE starts_with(encode({where.column}, 'escape'), :prefix)")
    number: int = connection.execute(statement, {"prefix": f"v1|{key_id}|"}).scalar_one()
    return number


_LAST_WRITTEN = text("""
SELECT at < house_now() - make_interval(hours => :hours) FROM audit_entry
 WHERE subject = 'key:' || :key_id AND action = 'key.retired' ORDER BY entry_id DESC LIMIT 1
""")


def retired_long_enough(connection: Connection, key_id: str, hours: int) -> bool:
    """Tell whether the trail says that a key was retired so many hours ago."""
    return bool(connection.execute(_LAST_WRITTEN, {"key_id": key_id, "hours": hours}).scalar_one_or_none())
