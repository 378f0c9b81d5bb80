"""Who is owed what is paid for bills of a company and for numbers of an operator; only two people write another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, text

from gateway.domain.four_eyes import Asked


@dataclass(frozen=True, slots=True)
class _Register:
    add: TextClause
    hold: TextClause
    move: TextClause


def _register(table: str, name: str, columns: str, values: str) -> _Register:
    """Return a register's statements; ``name`` is what a row of it is called, as SQL."""
    return _Register(
        text(f"""
INSERT INTO {table} ({columns}, merchant_id) SELECT {values}, merchant_id FROM merchant WHERE merchant_id = :merchant_id
ON CONFLICT ({columns}) DO UPDATE SET active = true
  WHERE {table}.merchant_id = EXCLUDED.merchant_id AND NOT {table}.active RETURNING merchant_id
"""),
        text(f"SELECT merchant_id FROM {table} WHERE {name} = :name FOR UPDATE"),
        text(f"""
UPDATE {table} SET merchant_id = :merchant_id, active = true, moved_by = :request_id WHERE {name} = :name
"""),
    )


_REGISTERS: Mapping[Asked, _Register] = {
    Asked.MOVE_BILLER: _register(
        "biller",
        "CAST(service AS text) || company",
        "service, company",
        "CAST(left(:name, 1) AS integer), substr(:name, 2)",
    ),
    Asked.MOVE_OPERATOR: _register("top_up_operator", "operator", "operator", "CAST(:name AS text)"),
}
_MERCHANT = text("SELECT FROM merchant WHERE merchant_id = :merchant_id")


def knows(connection: Connection, merchant_id: str) -> bool:
    """Tell whether there is such a merchant."""
    return connection.execute(_MERCHANT, {"merchant_id": merchant_id}).one_or_none() is not None


def add(connection: Connection, asks: Asked, name: str, merchant_id: str) -> bool:
    """Let a merchant be owed what is paid under a name that nobody has; tell whether that changed anything."""
    values = {"name": name, "merchant_id": merchant_id}
    return connection.execute(_REGISTERS[asks].add, values).one_or_none() is not None


def hold(connection: Connection, asks: Asked, name: str) -> str | None:
    """Return who is owed what is paid under a name, and hold that until the transaction ends."""
    found: str | None = connection.execute(_REGISTERS[asks].hold, {"name": name}).scalar()
    return found


def move(connection: Connection, asks: Asked, name: str, merchant_id: str, request_id: int) -> None:
    """Let another merchant be owed what is paid under a held name from now on, as two people said."""
    values = {"name": name, "merchant_id": merchant_id, "request_id": request_id}
    connection.execute(_REGISTERS[asks].move, values)
