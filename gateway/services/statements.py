"""Read what was paid out: merchants their own part of closed batches, operators every batch and its file."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain import payout_file
from gateway.domain.errors import RefusedRow, SettlementNotFound
from gateway.domain.payout_file import Order
from gateway.services.gateway import Gateway
from gateway.store import statements
from gateway.store.directory import Caller
from gateway.store.statements import PayoutRow as PayoutRow
from gateway.store.statements import Statement as Statement
from gateway.store.statements import StatementLine as StatementLine

NEWEST = 2**62
"""Beyond every number of a batch."""
AT_ONCE = 1_000
PAYOUTS_MOST = 2_000
FORMS = {"csv": payout_file.as_csv, "xml": payout_file.as_xml}


@dataclass(frozen=True, slots=True)
class Settlements:
    """Some of a merchant's statements with their payouts, and the number to go on before; ``None`` at the end."""

    found: list[tuple[Statement, list[PayoutRow]]]
    next: int | None


@dataclass(frozen=True, slots=True)
class Lines:
    """A statement with some of its lines, and the line to go on behind; ``None`` at the end."""

    statement: Statement
    payouts: list[PayoutRow]
    found: list[StatementLine]
    next: int | None


def list_settlements(gateway: Gateway, caller: Caller, *, before: int = NEWEST, most: int = 100) -> Settlements:
    """Return the caller's merchant's part of closed batches, newest first."""
    with gateway.database.begin() as connection:
        found = statements.of_merchant(connection, caller.merchant_id, before=before, most=most + 1)
        shown = found[:most]
        numbers = [each.batch_id for each in shown]
        paid = statements.payouts(connection, caller.merchant_id, numbers, most=PAYOUTS_MOST)
    rows = [(each, [one for one in paid if one.batch_id == each.batch_id]) for each in shown]
    return Settlements(rows, numbers[-1] if len(found) > most else None)


def settlement_lines(gateway: Gateway, caller: Caller, batch_id: int, *, after: int = 0, most: int = 100) -> Lines:
    """Return one statement with its lines, in their order.

    Raises:
        SettlementNotFound: the caller's merchant has no part in a closed batch of this number.
    """
    with gateway.database.begin() as connection:
        statement = statements.one_of_merchant(connection, caller.merchant_id, batch_id)
        if statement is None:
            raise SettlementNotFound("your merchant has no settlement with this id")
        found = statements.lines(connection, caller.merchant_id, batch_id, after=after, most=most + 1)
        paid = statements.payouts(connection, caller.merchant_id, [batch_id], most=PAYOUTS_MOST)
    return Lines(statement, paid, found[:most], found[most - 1].line_id if len(found) > most else None)


def list_batches(gateway: Gateway, *, before: int = NEWEST) -> list[Statement]:
    """Return batches, newest first, at most a thousand."""
    with gateway.database.single() as connection:
        return statements.batches(connection, before=before, most=AT_ONCE)


def payouts_of(gateway: Gateway, batch_id: int) -> list[PayoutRow]:
    """Return everything that a batch pays out."""
    found: list[PayoutRow] = []
    with gateway.database.begin() as connection:
        while some := statements.payouts_of_batch(
            connection, batch_id, after=found[-1].payout_id if found else 0, most=AT_ONCE
        ):
            found += some
    return found


def export(gateway: Gateway, batch_id: int, *, form: str) -> str:
    """Write a closed batch's file in one of :data:`FORMS`; asked again, the same file.

    Raises:
        RefusedRow: there is no closed batch of this number.
    """
    with gateway.database.single() as connection:
        batch = statements.closed(connection, batch_id)
    if batch is None:
        raise RefusedRow(f"there is no closed batch {batch_id}; see: python -m gateway settlement list")
    paid = payouts_of(gateway, batch_id)
    orders = [Order(one.payout_id, one.merchant_id, one.name_fa, one.iban, one.amount_rial) for one in paid]
    return FORMS[form](batch_id, batch.value_day, orders)
