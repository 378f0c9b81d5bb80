"""What merchants read of closed batches, and what leaves the house as a settlement file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, text

_OURS = """
SELECT batch.batch_id, batch.business_day, batch.value_day, batch.closed_at, sums.lines, sums.gross_rial,
  sums.charge_rial, sums.net_rial
FROM settlement_batch AS batch CROSS JOIN LATERAL (
  SELECT count(*) AS lines, CAST(coalesce(sum(gross_rial), 0) AS bigint) AS gross_rial,
    CAST(coalesce(sum(fee_rial), 0) AS bigint) AS charge_rial, CAST(coalesce(sum(net_rial), 0) AS bigint) AS net_rial
  FROM settlement_line AS line WHERE line.batch_id = batch.batch_id AND line.merchant_id = :merchant_id) AS sums
WHERE batch.closed_at IS NOT NULL AND sums.lines > 0 {which}
"""
_LIST = text(_OURS.format(which="AND batch.batch_id < :before ORDER BY batch.batch_id DESC LIMIT :most"))
_ONE = text(_OURS.format(which="AND batch.batch_id = :batch_id"))
_OWN = "bill.number IS NULL AND payment.merchant_id = line.merchant_id"
_LINES = text(f"""
SELECT line.line_id, CASE WHEN bill.number IS NULL THEN line.payment_id END AS payment_id,
  CASE WHEN {_OWN} THEN payment.terminal_id END AS terminal_id,
  CASE WHEN {_OWN} THEN payment.order_id END AS order_id, payment.rrn, payment.confirmed_at,
  bill.bill_id, bill.pay_id, top_up.payment_id IS NOT NULL AS is_top_up, top_up.operator_reference,
  line.returned_payout, line.gross_rial, line.fee_rial AS charge_rial, line.net_rial
FROM settlement_line AS line LEFT JOIN payment USING (payment_id) LEFT JOIN top_up USING (payment_id)
LEFT JOIN bill ON bill.payment_id = line.payment_id AND bill.number = line.bill
WHERE line.merchant_id = :merchant_id AND line.batch_id = :batch_id AND line.line_id > :after
ORDER BY line.line_id LIMIT :most
""")
_PAYOUT = """
SELECT payout.payout_id, payout.batch_id, payout.merchant_id, merchant.name_fa, payout.iban, payout.amount_rial,
  back.at AS returned_at
FROM settlement_payout AS payout JOIN merchant USING (merchant_id)
LEFT JOIN settlement_return AS back USING (payout_id) WHERE {which} ORDER BY payout.payout_id LIMIT :most
"""
_PAYOUTS = text(
    _PAYOUT.format(which="payout.merchant_id = :merchant_id AND payout.batch_id = ANY(CAST(:batches AS bigint[]))")
)
_OF_BATCH = text(_PAYOUT.format(which="payout.batch_id = :batch_id AND payout.payout_id > :after"))
_BATCHES = text("""
SELECT batch_id, business_day, value_day, closed_at, lines, gross_rial, fee_rial AS charge_rial, net_rial
FROM settlement_batch WHERE batch_id < :before ORDER BY batch_id DESC LIMIT :most
""")
_CLOSED = text("""
SELECT batch_id, business_day, value_day, closed_at, lines, gross_rial, fee_rial AS charge_rial, net_rial
FROM settlement_batch WHERE batch_id = :batch_id AND closed_at IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class Statement:
    """A batch: one merchant's part of it, or all; sums are unset while it is open."""

    batch_id: int
    business_day: dt.date
    value_day: dt.date
    closed_at: dt.datetime | None
    lines: int | None
    gross_rial: int | None
    charge_rial: int | None
    net_rial: int | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line: a payment, a bill, a top-up, or a payout that came back and is paid again.

    Of a bill its biller learns the two numbers, and under which reference and when it was paid, but neither the id,
    order and terminal of the payment that it was in nor the other bills; of a top-up its operator learns under which
    reference it was asked, which is the payment's id, and under which it answered.
    """

    line_id: int
    payment_id: str | None
    terminal_id: str | None
    order_id: str | None
    rrn: str | None
    confirmed_at: dt.datetime | None
    bill_id: str | None
    pay_id: str | None
    is_top_up: bool
    operator_reference: str | None
    returned_payout: int | None
    gross_rial: int
    charge_rial: int
    net_rial: int


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """What one IBAN got; ``returned_at`` where the bank sent it back."""

    payout_id: int
    batch_id: int
    merchant_id: str
    name_fa: str
    iban: str
    amount_rial: int
    returned_at: dt.datetime | None


def of_merchant(connection: Connection, merchant_id: str, *, before: int, most: int) -> list[Statement]:
    """Read a merchant's part of closed batches, newest first, before a number."""
    return _statements(connection, _LIST, merchant_id=merchant_id, before=before, most=most)


def one_of_merchant(connection: Connection, merchant_id: str, batch_id: int) -> Statement | None:
    """Read a merchant's part of one closed batch."""
    found = _statements(connection, _ONE, merchant_id=merchant_id, batch_id=batch_id)
    return found[0] if found else None


def lines(connection: Connection, merchant_id: str, batch_id: int, *, after: int, most: int) -> list[StatementLine]:
    """Read a merchant's lines of a batch behind one, in their order."""
    values = {"merchant_id": merchant_id, "batch_id": batch_id, "after": after, "most": most}
    return [StatementLine(**row) for row in connection.execute(_LINES, values).mappings()]


def payouts(connection: Connection, merchant_id: str, batches: list[int], *, most: int) -> list[PayoutRow]:
    """Read what a merchant's IBANs got from these batches."""
    values = {"merchant_id": merchant_id, "batches": batches, "most": most}
    return [PayoutRow(**row) for row in connection.execute(_PAYOUTS, values).mappings()]


def payouts_of_batch(connection: Connection, batch_id: int, *, after: int, most: int) -> list[PayoutRow]:
    """Read what a batch pays out behind one payout, in their order."""
    values = {"batch_id": batch_id, "after": after, "most": most}
    return [PayoutRow(**row) for row in connection.execute(_OF_BATCH, values).mappings()]


def batches(connection: Connection, *, before: int, most: int) -> list[Statement]:
    """Read batches, newest first, before a number."""
    return _statements(connection, _BATCHES, before=before, most=most)


def closed(connection: Connection, batch_id: int) -> Statement | None:
    """Read a batch that is closed."""
    found = _statements(connection, _CLOSED, batch_id=batch_id)
    return found[0] if found else None


def _statements(connection: Connection, statement: TextClause, **values: object) -> list[Statement]:
    return [Statement(**row) for row in connection.execute(statement, values).mappings()]
