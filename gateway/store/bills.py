"""Bills: who sends them, which ones a payment is for, and the claim that lets each be paid once (D12)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from gateway.domain.bills import Bill
from gateway.domain.payment import PaymentEvent
from gateway.domain.refund import OUTSIDE, RefundState
from gateway.domain.webhooks import BILL_PAID
from gateway.store.fragments import FACTS, noted, owed_to_endpoints
from gateway.store.idempotency import BOUNDED, conflicts, kept
from gateway.store.payments import OrderTaken, PaymentRecord

LINES = """
lines AS (
  SELECT paid.payment_id, paid.attempt_id, paid.issuer_id, bill.biller_id AS merchant_id, bill.amount_rial,
    CASE bill.number WHEN 1 THEN paid.fee_rial ELSE 0 END AS fee_rial
  FROM paid JOIN bill ON bill.payment_id = paid.payment_id ORDER BY bill.number)"""
"""What an approved payment pays to each biller; the fee goes with the first."""

OWED = "owed AS (UPDATE bill SET owed = true FROM paid WHERE bill.payment_id = paid.payment_id)"
"""From now on each biller is to be paid for its bill."""

GIVEN_BACK = f"""EXISTS (SELECT FROM refund WHERE refund.payment_id = bill.payment_id AND refund.bill = bill.number
    AND refund.state <> '{RefundState.REFUSED}')"""
"""A condition: the biller said no to the bill, and its money is back on the card or on its way."""


def _told_billers(kind: str, source: str, facts: str) -> str:
    """Tell the billers of the bills in ``source`` of what happened to theirs, and nothing of whoever else was paid."""
    return f"""
told_billers AS (
  INSERT INTO webhook_event (event_id, merchant_id, payment_id, type, facts)
  SELECT 'evt_' || left(encode(sha256(convert_to('{kind}:' || bill.payment_id || ':' || bill.number, 'UTF8')),
      'hex'), 32), bill.biller_id, bill.payment_id, '{kind}',
    jsonb_build_object('bill_id', bill.bill_id, 'pay_id', bill.pay_id, 'amount', bill.amount_rial, {facts})
  FROM {source} ORDER BY bill.number
  ON CONFLICT (event_id) DO NOTHING RETURNING event_id, number, merchant_id, payment_id, type),
{owed_to_endpoints("billers")}"""


def told_of_refund(kind: str, of: str) -> str:
    """Tell the biller of each bill that a refund in ``of`` is about how it ended; of a purchase there is none."""
    return _told_billers(
        kind,
        f"{of} JOIN bill ON bill.payment_id = {of}.payment_id AND bill.number = {of}.bill "
        "JOIN payment ON payment.payment_id = bill.payment_id",
        f"'tracking_code', payment.tracking_code, 'decided_at', {of}.decided_at",
    )


TOLD_BILLERS = _told_billers(
    BILL_PAID,
    "paid JOIN bill ON bill.payment_id = paid.payment_id",
    "'tracking_code', paid.tracking_code, 'paid_at', paid.authorised_at",
)
"""Each biller hears that its bills are paid, one by one."""

_BILLERS = text("""
SELECT wanted.service, wanted.company, m.merchant_id, m.name_fa, m.name_en
FROM jsonb_to_recordset(CAST(:wanted AS jsonb)) AS wanted (service integer, company text)
JOIN biller b ON b.service = wanted.service AND b.company = wanted.company AND b.active
JOIN merchant m ON m.merchant_id = b.merchant_id AND m.active
""")
_PAID = text("""
SELECT bill.bill_id, bill.pay_id, p.state, p.authorised_at, p.tracking_code
FROM jsonb_to_recordset(CAST(:wanted AS jsonb)) AS wanted (bill_id text, pay_id text)
JOIN bill ON bill.bill_id = wanted.bill_id AND bill.pay_id = wanted.pay_id AND bill.claimed
JOIN payment p ON p.payment_id = bill.payment_id
""")
_OPEN = text(f"""
WITH opened AS (
  INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    description, mobile, callback_url, reference, state, page_expires_at, confirm_window_seconds, payee_key)
  SELECT :payment_id, :page_token, 'BILL_PAYMENT', t.terminal_id, t.merchant_id, :order_id, :amount_rial, :fee_rial,
    :description, :mobile, :callback_url, :reference, 'open', house_now() + make_interval(secs => :page_seconds),
    :confirm_window_seconds, :payee_key
  FROM terminal t, {BOUNDED} WHERE t.terminal_id = :terminal_id
  RETURNING {FACTS}, attempt_id),
listed AS (
  INSERT INTO bill (payment_id, number, bill_id, pay_id, biller_id, amount_rial)
  SELECT opened.payment_id, row.number, row.bill_id, row.pay_id, row.biller_id, row.amount_rial
  FROM opened CROSS JOIN jsonb_to_recordset(CAST(:bills AS jsonb))
    AS row (number integer, bill_id text, pay_id text, biller_id text, amount_rial bigint)),
{noted(PaymentEvent.OPENED, "opened")},
{kept("opened")}
SELECT {FACTS} FROM opened
""")
_OF_PAYMENT = text("""
SELECT bill.bill_id, bill.pay_id, m.name_fa, m.name_en, refund.state
FROM bill JOIN merchant m ON m.merchant_id = bill.biller_id
LEFT JOIN refund ON refund.payment_id = bill.payment_id AND refund.bill = bill.number
WHERE bill.payment_id = :payment_id ORDER BY bill.number
""")
_PAID_LINE = text("""
SELECT bill.payment_id, bill.number, bill.amount_rial, p.terminal_id
FROM payment p JOIN bill USING (payment_id)
WHERE p.tracking_code = :tracking_code AND bill.biller_id = :biller_id AND bill.bill_id = :bill_id
  AND bill.pay_id = :pay_id
""")
_TERMINAL = text("""
SELECT t.terminal_id, m.merchant_id, m.site FROM terminal t JOIN merchant m USING (merchant_id)
WHERE t.terminal_id = :terminal_id AND t.active AND m.active
""")


class BillTaken(Exception):
    """Another payment has paid one of the bills, or is being authorised for it; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Biller:
    """Who is paid for a bill."""

    merchant_id: str
    name_fa: str
    name_en: str


@dataclass(frozen=True, slots=True)
class PaidBill:
    """A bill that a payment has claimed: paid where it has a time, otherwise under way."""

    bill: Bill
    state: str
    authorised_at: dt.datetime | None
    tracking_code: str | None


@dataclass(frozen=True, slots=True)
class BillLine:
    """One bill of a payment, with the names of who is paid, and where its refund stands after the biller's no."""

    bill: Bill
    name_fa: str
    name_en: str
    refund: RefundState | None = None

    @property
    def refund_said(self) -> str | None:
        """Where its refund stands, in the words that everybody outside reads."""
        return None if self.refund is None else OUTSIDE[self.refund]


@dataclass(frozen=True, slots=True)
class PaidLine:
    """Where a paid bill stands: which one of which payment, and under whose terminal that was opened."""

    payment_id: str
    number: int
    amount_rial: int
    terminal_id: str


def claimed(of: str) -> str:
    """Claim the bills of every payment in ``of``; a pair that is claimed elsewhere breaks ``bill_claimed``."""
    return f"claimed_{of} AS (UPDATE bill SET claimed = true FROM {of} WHERE bill.payment_id = {of}.payment_id)"


def released(of: str) -> str:
    """Let the bills of every payment in ``of`` be paid by others again."""
    return f"released_{of} AS (UPDATE bill SET claimed = false FROM {of} WHERE bill.payment_id = {of}.payment_id)"


def billers(connection: Connection, bills: Iterable[Bill]) -> dict[Bill, Biller]:
    """Return who is paid for each bill; one that nobody here sends is missing."""
    wanted = list(bills)
    pairs = [{"service": int(bill.service), "company": bill.company} for bill in wanted]
    rows = connection.execute(_BILLERS, {"wanted": json.dumps(pairs)}).all()
    known = {(row.service, row.company): Biller(row.merchant_id, row.name_fa, row.name_en) for row in rows}
    return {bill: known[key] for bill in wanted if (key := (int(bill.service), bill.company)) in known}


def paid(connection: Connection, bills: Iterable[Bill]) -> list[PaidBill]:
    """Return which of these bills a payment has claimed already."""
    wanted = json.dumps([{"bill_id": bill.bill_id, "pay_id": bill.payment_id} for bill in bills])
    rows = connection.execute(_PAID, {"wanted": wanted}).all()
    return [PaidBill(Bill(row.bill_id, row.pay_id), row.state, row.authorised_at, row.tracking_code) for row in rows]


def open_bills(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord:
    """Insert a payment of bills with its lines, its event and its stored answer.

    Raises:
        KeyTaken, Busy, OrderTaken: as for a purchase.
    """
    with conflicts(payment_order=OrderTaken):
        return PaymentRecord.of(connection.execute(_OPEN, dict(values)).mappings().one())


def of_payment(connection: Connection, payment_id: str) -> tuple[BillLine, ...]:
    """Return the bills of a payment, in their order."""
    rows = connection.execute(_OF_PAYMENT, {"payment_id": payment_id}).all()
    return tuple(
        BillLine(
            Bill(row.bill_id, row.pay_id),
            row.name_fa,
            row.name_en,
            None if row.state is None else RefundState(row.state),
        )
        for row in rows
    )


def paid_line(connection: Connection, biller_id: str, tracking_code: str, bill: Bill) -> PaidLine | None:
    """Find a bill of this biller that was paid under a tracking code."""
    values = {
        "biller_id": biller_id,
        "tracking_code": tracking_code,
        "bill_id": bill.bill_id,
        "pay_id": bill.payment_id,
    }
    row = connection.execute(_PAID_LINE, values).mappings().one_or_none()
    return None if row is None else PaidLine(**row)


def refunded(of: str) -> str:
    """Let the bills that refunds in ``of`` gave back be paid by others again; nobody is owed anything for them."""
    return (
        f"freed_{of} AS (UPDATE bill SET claimed = false, owed = false FROM {of} "
        f"WHERE bill.payment_id = {of}.payment_id AND bill.number = {of}.bill)"
    )


def terminal(connection: Connection, terminal_id: str) -> tuple[str, str, str] | None:
    """Return terminal, merchant and site of a terminal that may work."""
    row = connection.execute(_TERMINAL, {"terminal_id": terminal_id}).one_or_none()
    return None if row is None else (row.terminal_id, row.merchant_id, row.site)
