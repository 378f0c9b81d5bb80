"""Batches: opened, filled merchant by merchant under its payable's lock, closed once and for ever (I13)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from foundation.rial import Rial
from gateway.domain.payment import MACHINE, PaymentEvent
from gateway.domain.refund import RefundState
from gateway.domain.settlement import Line, Owed, Payout
from gateway.store.bills import GIVEN_BACK
from gateway.store.fragments import among, facts_of, moved, noted, told
from gateway.store.ibans import USABLE

RETURNED, PAID_AGAIN = "payout_returned", "payout_paid_again"
"""Events of postings that are about a payout."""

_CONFIRMED = among(MACHINE.befores(PaymentEvent.SETTLED_IN_BATCH))
_MATCHED = """payment.confirmed_at <= :cut_off_at
  AND payment.confirmed_at + make_interval(secs => :reverse_window_seconds) <= house_now()
  AND (EXISTS (SELECT FROM clearing_line AS line WHERE line.attempt_id = payment.attempt_id
      AND line.kind = 'purchase' AND line.state = 'approved' AND line.verdict = 'matched')
    OR EXISTS (SELECT FROM clearing_exception AS found WHERE found.attempt_id = payment.attempt_id AND found.settle))
  AND NOT EXISTS (SELECT FROM clearing_exception AS found WHERE found.attempt_id = payment.attempt_id
    AND NOT found.settle)"""
_REFUNDING = f"""EXISTS (SELECT FROM refund WHERE refund.payment_id = payment.payment_id
    AND refund.state NOT IN ('{RefundState.DONE}', '{RefundState.REFUSED}'))"""
"""A condition: what is kept of a payment is not known yet; settled now, what a refused refund gives back would stand in
no line."""
_DUE = f"payment.kind = 'PURCHASE' AND payment.state IN {_CONFIRMED} AND {_MATCHED} AND NOT {_REFUNDING}"
_DUE_BILL = f"bill.owed AND NOT {GIVEN_BACK} AND payment.state IN ('confirmed', 'settled') AND {_MATCHED}"
"""A condition: a bill's biller may be paid for it. Its payment is settled already where a refund was refused later."""
_DUE_TOP_UP = f"payment.kind = 'TOP_UP' AND payment.state IN {_CONFIRMED} AND {_MATCHED}"
"""A condition: a top-up's operator may be paid for it; what was delivered nobody gives back (D7)."""
_CAME_BACK = """settlement_return.at <= :cut_off_at AND NOT EXISTS (
    SELECT FROM settlement_line AS line WHERE line.returned_payout = settlement_return.payout_id)"""

_IN_PAYABLE = """(SELECT coalesce(sum(CASE 'payable:' || payment.merchant_id WHEN destination THEN posting.amount_rial
    WHEN source THEN -posting.amount_rial ELSE 0 END), 0) FROM posting WHERE posting.attempt_id = payment.attempt_id)"""
"""What a payment has brought to its merchant's payable and nothing took away yet: a refund lessens it."""

_NOW = text("SELECT house_now()")
_OPEN_BATCH = text("SELECT batch_id, business_day, cut_off_at, opened_at FROM settlement_batch WHERE closed_at IS NULL")
_HAS_BATCH = text("SELECT FROM settlement_batch WHERE business_day = :business_day")
_BEGIN = text("""
INSERT INTO settlement_batch (business_day, value_day, cut_off_at) VALUES (:business_day, :value_day, :cut_off_at)
ON CONFLICT DO NOTHING
""")
_MERCHANTS = text(f"""
SELECT merchant_id FROM merchant WHERE merchant_id > :after
  AND EXISTS (SELECT FROM merchant_iban WHERE merchant_iban.merchant_id = merchant.merchant_id AND {USABLE})
  AND (EXISTS (SELECT FROM payment WHERE payment.merchant_id = merchant.merchant_id AND {_DUE})
    OR EXISTS (SELECT FROM bill JOIN payment USING (payment_id) WHERE bill.biller_id = merchant.merchant_id
      AND {_DUE_BILL})
    OR EXISTS (SELECT FROM top_up JOIN payment USING (payment_id)
      WHERE top_up.operator_merchant_id = merchant.merchant_id AND {_DUE_TOP_UP})
    OR EXISTS (SELECT FROM settlement_return WHERE settlement_return.merchant_id = merchant.merchant_id
      AND {_CAME_BACK}))
ORDER BY merchant_id LIMIT :most
""")
_SHARE_BATCH = text("SELECT FROM settlement_batch WHERE batch_id = :batch_id AND closed_at IS NULL FOR SHARE")
_HOLD_BATCH = text("SELECT FROM settlement_batch WHERE batch_id = :batch_id AND closed_at IS NULL FOR UPDATE")
_HOLD_DUE = text(f"""
SELECT payment_id FROM payment WHERE merchant_id = :merchant_id AND {_DUE} AND {_IN_PAYABLE} > 0
ORDER BY confirmed_at, payment_id LIMIT :most FOR UPDATE SKIP LOCKED
""")

# A statement of its own after the locks: what is kept is what the books say now (D4).
_KEPT = text(f"""
SELECT payment_id, CAST(confirmed_at AT TIME ZONE 'Asia/Tehran' AS date) AS day, greatest({_IN_PAYABLE}, 0) AS kept
FROM payment WHERE payment_id = ANY(CAST(:payments AS text[])) ORDER BY confirmed_at, payment_id
""")
_HOLD_BILLS = text(f"""
SELECT bill.payment_id, bill.number FROM bill JOIN payment USING (payment_id)
WHERE bill.biller_id = :merchant_id AND {_DUE_BILL}
ORDER BY payment.confirmed_at, bill.payment_id, bill.number LIMIT :most FOR UPDATE OF bill SKIP LOCKED
""")
_KEPT_BILLS = text(f"""
SELECT bill.payment_id, bill.number, bill.amount_rial AS kept,
  CAST(payment.confirmed_at AT TIME ZONE 'Asia/Tehran' AS date) AS day
FROM unnest(CAST(:payments AS text[]), CAST(:numbers AS integer[])) AS held (payment_id, number)
JOIN bill USING (payment_id, number) JOIN payment USING (payment_id)
WHERE bill.owed AND NOT {GIVEN_BACK} ORDER BY payment.confirmed_at, bill.payment_id, bill.number
""")
_HOLD_TOP_UPS = text(f"""
SELECT payment.payment_id, payment.amount_rial AS kept,
  CAST(payment.confirmed_at AT TIME ZONE 'Asia/Tehran' AS date) AS day
FROM payment JOIN top_up USING (payment_id) WHERE top_up.operator_merchant_id = :merchant_id AND {_DUE_TOP_UP}
ORDER BY payment.confirmed_at, payment.payment_id LIMIT :most FOR UPDATE OF payment SKIP LOCKED
""")
_RETURNED = text(f"""
SELECT payout_id, amount_rial, CAST(at AT TIME ZONE 'Asia/Tehran' AS date) AS day FROM settlement_return
WHERE merchant_id = :merchant_id AND {_CAME_BACK} ORDER BY payout_id LIMIT :most
""")
_SETTLE = text(f"""
WITH chosen AS (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
  AS row (payment_id text, gross_rial bigint, charge_rial bigint, net_rial bigint)),
settled AS (
  UPDATE payment SET state = 'settled' FROM chosen LEFT JOIN top_up USING (payment_id)
  WHERE payment.payment_id = chosen.payment_id AND payment.state IN {_CONFIRMED}
  RETURNING {facts_of("payment")}, payment.attempt_id,
    coalesce(top_up.operator_merchant_id, payment.merchant_id) AS owed_to),
owed AS (
  SELECT payment_id, settled.attempt_id, settled.owed_to AS merchant_id, settled.confirmed_at, gross_rial, charge_rial,
    net_rial FROM settled JOIN chosen USING (payment_id)),
lined AS (
  INSERT INTO settlement_line (batch_id, merchant_id, payment_id, gross_rial, fee_rial, net_rial)
  SELECT :batch_id, merchant_id, payment_id, gross_rial, charge_rial, net_rial FROM owed
  ORDER BY confirmed_at, payment_id),
{noted(PaymentEvent.SETTLED_IN_BATCH, "settled")},
{moved(PaymentEvent.SETTLED_IN_BATCH, "owed")},
{told(PaymentEvent.SETTLED_IN_BATCH, "settled")}
SELECT payment_id FROM settled
""")
_SETTLE_BILLS = text(f"""
WITH chosen AS (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
  AS row (payment_id text, bill integer, gross_rial bigint, charge_rial bigint, net_rial bigint)),
settled AS (
  UPDATE bill SET owed = false FROM chosen JOIN payment USING (payment_id)
  WHERE bill.payment_id = chosen.payment_id AND bill.number = chosen.bill AND bill.owed
  RETURNING bill.payment_id, bill.number, bill.biller_id AS merchant_id, payment.attempt_id, payment.confirmed_at,
    chosen.gross_rial, chosen.charge_rial, chosen.net_rial),
lined AS (
  INSERT INTO settlement_line (batch_id, merchant_id, payment_id, bill, gross_rial, fee_rial, net_rial)
  SELECT :batch_id, merchant_id, payment_id, number, gross_rial, charge_rial, net_rial FROM settled
  ORDER BY confirmed_at, payment_id, number),
{moved(PaymentEvent.SETTLED_IN_BATCH, "settled")}
SELECT payment_id FROM settled
""")
_FINISH = text(f"""
WITH finished AS (
  UPDATE payment SET state = 'settled' WHERE payment.payment_id = ANY (ARRAY(
      SELECT payment_id FROM payment WHERE kind = 'BILL_PAYMENT' AND state = 'confirmed'
        AND EXISTS (SELECT FROM settlement_line AS line WHERE line.payment_id = payment.payment_id)
        AND NOT EXISTS (SELECT FROM bill WHERE bill.payment_id = payment.payment_id AND bill.owed
          AND NOT {GIVEN_BACK})
      ORDER BY payment_id LIMIT :most)) AND payment.state = 'confirmed'
  RETURNING {facts_of("payment")}, payment.attempt_id),
{noted(PaymentEvent.SETTLED_IN_BATCH, "finished")},
{told(PaymentEvent.SETTLED_IN_BATCH, "finished")}
SELECT payment_id FROM finished
""")
_PAY_AGAIN = text(f"""
WITH lined AS (
  INSERT INTO settlement_line (batch_id, merchant_id, returned_payout, gross_rial, fee_rial, net_rial)
  SELECT :batch_id, merchant_id, payout_id, amount_rial, 0, amount_rial FROM settlement_return
  WHERE payout_id = ANY(CAST(:payouts AS bigint[])) RETURNING returned_payout, merchant_id, net_rial)
INSERT INTO posting (payout_id, event, source, destination, amount_rial)
SELECT returned_payout, '{PAID_AGAIN}', 'payable:' || merchant_id, 'bank:settlement', net_rial FROM lined
""")
_TOTALS = text("""
SELECT merchant_id, CAST(sum(net_rial) AS bigint) AS net_rial FROM settlement_line WHERE batch_id = :batch_id
GROUP BY merchant_id HAVING sum(net_rial) > 0 ORDER BY merchant_id
""")
_PAY_OUT = text("""
INSERT INTO settlement_payout (batch_id, merchant_id, iban, amount_rial)
SELECT :batch_id, merchant_id, iban, amount_rial FROM jsonb_to_recordset(CAST(:rows AS jsonb))
  AS row (merchant_id text, iban text, amount_rial bigint)
""")
_CLOSE = text("""
UPDATE settlement_batch SET closed_at = house_now(), lines = sums.lines, gross_rial = sums.gross, fee_rial = sums.fee,
  net_rial = sums.net, payouts = (SELECT count(*) FROM settlement_payout WHERE batch_id = :batch_id)
FROM (SELECT count(*) AS lines, coalesce(sum(gross_rial), 0) AS gross, coalesce(sum(fee_rial), 0) AS fee,
  coalesce(sum(net_rial), 0) AS net FROM settlement_line WHERE batch_id = :batch_id) AS sums
WHERE batch_id = :batch_id AND closed_at IS NULL
""")
_PAID_OUT = """SELECT payout_id, merchant_id, iban, amount_rial
  FROM settlement_payout JOIN settlement_batch USING (batch_id)
  WHERE payout_id = :payout_id AND closed_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM settlement_return WHERE settlement_return.payout_id = settlement_payout.payout_id)"""
_ONE_PAID_OUT = text(_PAID_OUT)
_RETURN = text(f"""
WITH back AS (
  INSERT INTO settlement_return (payout_id, merchant_id, amount_rial, told_by, reason, approved_by)
  SELECT payout_id, merchant_id, amount_rial, :by, :reason, :request_id FROM ({_PAID_OUT}) AS paid_out
  RETURNING payout_id, merchant_id, amount_rial)
INSERT INTO posting (payout_id, event, source, destination, amount_rial)
SELECT payout_id, '{RETURNED}', 'bank:settlement', 'payable:' || merchant_id, amount_rial FROM back
""")


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that is not closed yet."""

    batch_id: int
    business_day: dt.date
    cut_off_at: dt.datetime
    opened_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PaidOut:
    """What one IBAN of a merchant got by a closed batch."""

    payout_id: int
    merchant_id: str
    iban: str
    amount_rial: int


def now(connection: Connection) -> dt.datetime:
    """Return the instant by the clock that decides (D38)."""
    moment: dt.datetime = connection.execute(_NOW).scalar_one()
    return moment


def open_batch(connection: Connection) -> Batch | None:
    """Return the batch that is being made, whoever began it."""
    row = connection.execute(_OPEN_BATCH).mappings().one_or_none()
    return None if row is None else Batch(**row)


def has_batch(connection: Connection, business_day: dt.date) -> bool:
    """Tell whether a business day has its batch."""
    return connection.execute(_HAS_BATCH, {"business_day": business_day}).one_or_none() is not None


def begin(connection: Connection, business_day: dt.date, value_day: dt.date, cut_off_at: dt.datetime) -> None:
    """Open the batch of a business day, unless it has one or another is open."""
    values = {"business_day": business_day, "value_day": value_day, "cut_off_at": cut_off_at}
    connection.execute(_BEGIN, values)


def merchants(
    connection: Connection, *, at: dt.datetime, cut_off_at: dt.datetime, window: int, after: str, most: int
) -> list[str]:
    """Return merchants behind ``after`` that have something due and an IBAN that was usable at ``at``."""
    values = {"at": at, "cut_off_at": cut_off_at, "reverse_window_seconds": window, "after": after, "most": most}
    return [str(row.merchant_id) for row in connection.execute(_MERCHANTS, values)]


def share(connection: Connection, batch_id: int) -> bool:
    """Keep a batch open until this transaction ends; tell whether it still was."""
    return connection.execute(_SHARE_BATCH, {"batch_id": batch_id}).one_or_none() is not None


def hold(connection: Connection, batch_id: int) -> bool:
    """Keep everybody else out of a batch until this transaction ends; tell whether it was open."""
    return connection.execute(_HOLD_BATCH, {"batch_id": batch_id}).one_or_none() is not None


def due(connection: Connection, merchant_id: str, cut_off_at: dt.datetime, *, window: int, most: int) -> list[Owed]:
    """Return what a merchant may be paid for, the payments held; its payable is locked.

    Payouts that came back are first, then payments in the order confirmed, then bills that it sent and top-ups that
    it delivered in the order paid.
    """
    values = {"merchant_id": merchant_id, "cut_off_at": cut_off_at, "reverse_window_seconds": window, "most": most}
    back = connection.execute(_RETURNED, values).all()
    held = [row.payment_id for row in connection.execute(_HOLD_DUE, values)]
    kept = connection.execute(_KEPT, {"payments": held}).all()
    bills = connection.execute(_HOLD_BILLS, values).all()
    pairs = {"payments": [row.payment_id for row in bills], "numbers": [row.number for row in bills]}
    kept_bills = connection.execute(_KEPT_BILLS, pairs).all()
    top_ups = connection.execute(_HOLD_TOP_UPS, values).all()
    return [
        *(Owed(Rial(row.amount_rial), row.day, returned_payout=row.payout_id) for row in back),
        *(Owed(Rial(int(row.kept)), row.day, payment_id=row.payment_id) for row in (*kept, *top_ups)),
        *(Owed(Rial(row.kept), row.day, payment_id=row.payment_id, bill=row.number) for row in kept_bills),
    ]


def settle(connection: Connection, batch_id: int, lines: Sequence[Line]) -> None:
    """Write the lines of one merchant: state, event, postings and webhook of each payment with its line.

    A payment of bills is settled later, when each of its billers was paid (:func:`finish_bills`).
    """
    rows = [
        {
            "payment_id": line.owed.payment_id,
            "bill": line.owed.bill,
            "gross_rial": line.owed.kept.amount,
            "charge_rial": line.charge.amount,
            "net_rial": line.net.amount,
        }
        for line in lines
        if line.owed.payment_id is not None
    ]
    payouts = [line.owed.returned_payout for line in lines if line.owed.returned_payout is not None]
    purchases, bills = [row for row in rows if row["bill"] is None], [row for row in rows if row["bill"] is not None]
    connection.execute(_SETTLE, {"batch_id": batch_id, "rows": json.dumps(purchases)})
    connection.execute(_SETTLE_BILLS, {"batch_id": batch_id, "rows": json.dumps(bills)})
    connection.execute(_PAY_AGAIN, {"batch_id": batch_id, "payouts": payouts})


def finish_bills(connection: Connection, *, most: int) -> int:
    """Settle payments of bills of which nobody is owed anything any more, and tell who opened them; return how many."""
    return len(connection.execute(_FINISH, {"most": most}).all())


def totals(connection: Connection, batch_id: int) -> dict[str, Rial]:
    """Return what each merchant gets from a held batch."""
    return {row.merchant_id: Rial(row.net_rial) for row in connection.execute(_TOTALS, {"batch_id": batch_id})}


def close(connection: Connection, batch_id: int, payouts: Iterable[Payout]) -> None:
    """Write a held batch's payouts and close it."""
    rows = [{"merchant_id": one.merchant_id, "iban": one.iban, "amount_rial": one.amount.amount} for one in payouts]
    connection.execute(_PAY_OUT, {"batch_id": batch_id, "rows": json.dumps(rows)})
    connection.execute(_CLOSE, {"batch_id": batch_id})


def paid_out(connection: Connection, payout_id: int) -> PaidOut | None:
    """Read a payout of a closed batch that the bank has not sent back; such a row never changes."""
    row = connection.execute(_ONE_PAID_OUT, {"payout_id": payout_id}).mappings().one_or_none()
    return None if row is None else PaidOut(**row)


def take_back(connection: Connection, payout_id: int, request_id: int, *, by: str, reason: str) -> None:
    """Post a payout that the bank sent back to its merchant's payable; a payout can come back once."""
    values = {"payout_id": payout_id, "request_id": request_id, "by": by, "reason": reason}
    connection.execute(_RETURN, values)
