"""Hashes that rows are found by: which are under another key than the one that writes, and written anew (D41)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, text

from otp.domain import purposes
from otp.domain.card import mobile_place, pan_place
from otp.domain.customer import national_code_place

_NAME = "coalesce(card.card_name, card.card_token)"


@dataclass(frozen=True, slots=True)
class TokenColumn:
    """Where hashes of a purpose stand, beside what they are made of.

    Args:
        sealed: the column with what the hash is made of.
        place: what that is bound to, by ``bound_by``: the card's name, or the row's own number.
        lasts: rows whose hash stays and can be made anew; one that waits for its code has it in the code, and soon
            ends.
        joined: where the card's name stands, if not in the row.
        named: what else is written: a card goes on under the name it had.
    """

    table: str
    row_id: str
    column: str
    key_column: str
    sealed: str
    place: Callable[[Any], str]
    lasts: str
    bound_by: str = _NAME
    joined: str = ""
    named: str = ""


COLUMNS: Mapping[str, tuple[TokenColumn, ...]] = MappingProxyType(
    {
        purposes.CARD_TOKEN: (
            TokenColumn(
                "card", "card_id", "card_token", "card_token_key", "pan_sealed", pan_place, "card_token IS NOT NULL",
                named=f", card_name = {_NAME}",
            ),
        ),
        purposes.MOBILE_TOKEN: (
            TokenColumn(
                "card", "card_id", "mobile_token", "mobile_token_key", "mobile_sealed", mobile_place,
                "mobile_token IS NOT NULL",
            ),
            TokenColumn(
                "mobile_change", "change_id", "mobile_token", "mobile_token_key", "mobile_sealed", mobile_place,
                "erased_at IS NULL AND mobile_change.state <> 'issued'", joined="JOIN card USING (card_id)",
            ),
        ),
        purposes.CUSTOMER_TOKEN: (
            TokenColumn(
                "customer", "customer_id", "customer_token", "customer_token_key", "national_code_sealed",
                national_code_place, "national_code_sealed IS NOT NULL", bound_by="customer_id",
            ),
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hashed:
    """A row that is found by a hash, locked: what the hash is made of, sealed, and the place that is bound to."""

    row_id: int
    sealed: bytes
    place: str


def under_other_keys(connection: Connection, where: TokenColumn, key_id: str, *, after: int, most: int) -> list[Hashed]:
    """Lock and read rows behind ``after`` whose hash is under another key than this one, at most ``most``."""
    statement = text(
        f"SELECT {where.row_id} AS row_id, {where.table}.{where.sealed} AS sealed, {where.bound_by} AS bound_by "
        f"FROM {where.table} {where.joined} WHERE {where.row_id} > :after AND {_of(where)} "
        f"ORDER BY {where.row_id} LIMIT :most FOR UPDATE OF {where.table}"
    )
    rows = connection.execute(statement, {"key_id": key_id, "after": after, "most": most})
    return [Hashed(row.row_id, bytes(row.sealed), where.place(row.bound_by)) for row in rows]


def write(connection: Connection, where: TokenColumn, key_id: str, hashes: Sequence[tuple[int, bytes]]) -> None:
    """Write hashes that were made under this key; their rows are locked."""
    statement = text(
        f"UPDATE {where.table} SET {where.column} = fresh.hash, {where.key_column} = :key_id{where.named} "
        "FROM unnest(CAST(:ids AS bigint[]), CAST(:hashes AS bytea[])) AS fresh (id, hash) "
        f"WHERE {where.row_id} = fresh.id"
    )
    ids, fresh = [row_id for row_id, _ in hashes], [each for _, each in hashes]
    connection.execute(statement, {"key_id": key_id, "ids": ids, "hashes": fresh})


def not_under(connection: Connection, where: TokenColumn, key_id: str) -> int:
    """Count the hashes that are under another key than this one, those that wait for their code included."""
    statement = text(
        f"SELECT count(*) FROM {where.table} "
        f"WHERE {where.column} IS NOT NULL AND {where.key_column} IS DISTINCT FROM :key_id"
    )
    number: int = connection.execute(statement, {"key_id": key_id}).scalar_one()
    return number


def _of(where: TokenColumn) -> str:
    return f"{where.table}.{where.key_column} IS DISTINCT FROM :key_id AND {where.table}.{where.lasts}"
