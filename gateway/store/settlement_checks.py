"""Rules about money paid out and about books compared (I13, I14), beside those of :mod:`gateway.store.checks`."""

from __future__ import annotations

from foundation.audit_proof import NOT_SEALED
from foundation.checks import Check, Severity
from gateway.domain.clearing import LATE_DAYS
from gateway.domain.payment import PaymentEvent
from gateway.store.ledger_seals import OVERDUE_SECONDS, STRAGGLERS
from gateway.store.movements import KEPT, NAMED, about, linked

BATCHES_LOOKED_AT = 5
"""Closed batches never change, so the newest are enough; older ones were looked at when they were new."""

EXCEPTION_DAYS = 3

_MONEY, _DELAY = Severity.MONEY, Severity.DELAY
_PAYMENTS = "payment_id = ANY(CAST(:subjects AS text[]))"

_PAID_OUT = f"""
SELECT p.payment_id, greatest(p.amount_rial, line.gross_rial) FROM payment p
LEFT JOIN LATERAL (
  SELECT count(*) AS number, sum(gross_rial) AS gross_rial, sum(net_rial) AS net_rial, sum(fee_rial) AS fee_rial
  FROM settlement_line WHERE settlement_line.payment_id = p.payment_id) AS line ON true
LEFT JOIN LATERAL (
  SELECT sum(posting.amount_rial) FILTER (WHERE destination = 'bank:settlement') AS net,
    sum(posting.amount_rial) FILTER (WHERE destination = 'fees') AS fee
  FROM posting WHERE posting.attempt_id = p.attempt_id AND posting.event = '{PaymentEvent.SETTLED_IN_BATCH}') AS moved
  ON true
WHERE p.{_PAYMENTS} AND ((p.state = 'settled') > (line.number > 0)
  OR (coalesce(line.net_rial, 0), coalesce(line.fee_rial, 0)) <> (coalesce(moved.net, 0), coalesce(moved.fee, 0)))
"""

_BILLERS_PAID = f"""
SELECT p.payment_id, bill.amount_rial FROM payment p JOIN bill USING (payment_id)
LEFT JOIN settlement_line AS line ON line.payment_id = bill.payment_id
  AND (line.bill = bill.number OR (line.bill IS NULL AND line.merchant_id = bill.biller_id))
LEFT JOIN refund ON refund.payment_id = bill.payment_id AND refund.bill = bill.number AND refund.state = 'done'
WHERE p.{_PAYMENTS} AND (bill.owed <> (p.state IN ('confirmed', 'settled', 'refunded') AND line.line_id IS NULL
    AND refund.number IS NULL)
  OR (line.bill IS NOT NULL AND (line.merchant_id, line.gross_rial) <> (bill.biller_id, bill.amount_rial)))
UNION ALL SELECT p.payment_id, line.gross_rial FROM payment p JOIN settlement_line AS line USING (payment_id)
LEFT JOIN top_up USING (payment_id)
WHERE p.{_PAYMENTS} AND CASE WHEN line.bill IS NULL
  THEN line.merchant_id <> coalesce(top_up.operator_merchant_id, p.merchant_id)
  ELSE p.kind <> 'BILL_PAYMENT' END
"""
"""A line's gross is all of the bill: together with what I3 says of the books, what is paid out for a payment to
merchant and billers is what was kept of it."""

_BATCH_SUMS = f"""
SELECT batch.batch_id, abs(batch.net_rial - coalesce(paid.rial, 0)) + abs(batch.gross_rial - coalesce(sums.gross, 0))
FROM settlement_batch AS batch
LEFT JOIN LATERAL (SELECT count(*) AS lines, sum(gross_rial) AS gross, sum(fee_rial) AS fee, sum(net_rial) AS net
  FROM settlement_line AS line WHERE line.batch_id = batch.batch_id) AS sums ON true
LEFT JOIN LATERAL (SELECT count(*) AS payouts, sum(amount_rial) AS rial
  FROM settlement_payout AS payout WHERE payout.batch_id = batch.batch_id) AS paid ON true
WHERE batch.closed_at IS NOT NULL
  AND batch.batch_id > (SELECT max(batch_id) FROM settlement_batch) - {BATCHES_LOOKED_AT}
  AND (batch.lines, batch.gross_rial, batch.fee_rial, batch.net_rial, batch.payouts, batch.net_rial) <> (sums.lines,
    coalesce(sums.gross, 0), coalesce(sums.fee, 0), coalesce(sums.net, 0), paid.payouts, coalesce(paid.rial, 0))
"""

_BATCH_LATE = """
SELECT batch_id, 0 FROM settlement_batch WHERE closed_at IS NULL AND opened_at < house_now() - interval '1 hour'
"""

_COMPARED = f"""
SELECT payment_id, rial FROM (
  SELECT a.payment_id, attempt_id, issuer_id, acquirer_id, stan, rrn, capture_date, submitted_at AS at,
    amount_rial + fee_rial AS rial
  FROM attempt a WHERE a.{_PAYMENTS} AND a.state IN ('approved', 'stood')
  UNION ALL SELECT p.payment_id, a.attempt_id, t.destination_issuer_id, a.acquirer_id, t.stan, t.rrn, t.capture_date,
    t.owed_at, a.amount_rial
  FROM transfer t JOIN payment p USING (payment_id) JOIN attempt a ON a.attempt_id = p.attempt_id
  WHERE p.{_PAYMENTS} AND t.credit = 'given'
  UNION ALL SELECT r.payment_id, attempt_id, issuer_id, acquirer_id, stan, rrn, capture_date, decided_at,
    amount_rial + fee_rial
  FROM refund r WHERE r.{_PAYMENTS} AND r.state = 'done') AS ours
JOIN issuer i USING (issuer_id)
JOIN clearing_file AS file ON file.issuer_id = coalesce(i.switch_of, i.issuer_id)
  AND file.acquirer_id = ours.acquirer_id AND to_char(file.day, 'MMDD') = ours.capture_date
  AND ours.at {about("file.day")}
WHERE NOT {NAMED}
"""

_OLD_EXCEPTIONS = f"""
SELECT exception_id, rial FROM clearing_exception
WHERE resolved_at IS NULL AND found_at < house_now() - interval '{EXCEPTION_DAYS} days'
"""

_FILE_LATE = f"""
SELECT i.issuer_id || ' ' || CAST(day AS date), 0
FROM issuer i CROSS JOIN generate_series(2, {LATE_DAYS}) AS ago
CROSS JOIN LATERAL (SELECT CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date) - ago) AS late (day)
WHERE EXISTS (SELECT FROM clearing_file AS file WHERE file.issuer_id = i.issuer_id)
  AND NOT EXISTS (SELECT FROM clearing_file AS file WHERE file.issuer_id = i.issuer_id AND file.day = late.day)
  AND EXISTS (
    SELECT FROM attempt WHERE attempt.issuer_id {linked("i.issuer_id")} AND {KEPT["attempt"]}
      AND attempt.capture_date = to_char(late.day, 'MMDD') AND attempt.submitted_at {about("late.day")}
    UNION ALL SELECT FROM transfer WHERE transfer.destination_issuer_id {linked("i.issuer_id")} AND {KEPT["credit"]}
      AND transfer.capture_date = to_char(late.day, 'MMDD') AND transfer.owed_at {about("late.day")}
    UNION ALL SELECT FROM refund WHERE refund.issuer_id {linked("i.issuer_id")} AND {KEPT["refund"]}
      AND refund.capture_date = to_char(late.day, 'MMDD') AND refund.decided_at {about("late.day")})
"""
"""Afterwards what that day's file should have named is listed, and no day older than that is asked for any more."""

_NOT_CHAINED = f"""
SELECT posting_id, 0 FROM posting
WHERE posting_id > (SELECT coalesce(max(posting_id), 0) FROM ledger_seal) - {STRAGGLERS}
  AND at < house_now() - make_interval(secs => {OVERDUE_SECONDS})
  AND NOT EXISTS (SELECT FROM ledger_seal WHERE ledger_seal.posting_id = posting.posting_id)
LIMIT 1000
"""

SETTLEMENT_CHECKS = (
    Check(
        "I13_paid_out",
        "what is settled stands in one line of a batch, and the line is what moved in the ledger",
        _MONEY,
        _PAID_OUT,
        "payment",
    ),
    Check(
        "I13_billers",
        "a bill's money is owed to its biller, in one line of that biller's, or on the card; a line is its payee's",
        _MONEY,
        _BILLERS_PAID,
        "payment",
    ),
    Check("I13_batch", "a closed batch is the sum of its lines and of its payouts", _MONEY, _BATCH_SUMS),
    Check("I13_batch_late", "a batch is closed an hour after it was opened", _DELAY, _BATCH_LATE),
    Check(
        "I14_compared",
        "where a bank's file is here, each debit, credit and refund is in it or is a listed exception",
        _MONEY,
        _COMPARED,
        "payment",
    ),
    Check("I14_exceptions", "no difference between the books is older than three days", _DELAY, _OLD_EXCEPTIONS),
    Check("I14_file_late", "where a bank writes files, that of a day is here two days later", _DELAY, _FILE_LATE),
    Check("I18_trail", "an act of the approvals trail is chained within two minutes (D31)", _DELAY, NOT_SEALED),
    Check("I18_chained", "a posting is chained within two minutes (D31)", _DELAY, _NOT_CHAINED),
)
