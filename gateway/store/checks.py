"""The gateway's invariants as named queries (the monitor asks them each minute), and the numbers beside them.

A name begins with the invariant it belongs to. All of them only read, as the role that can only read (D39).
"""

from __future__ import annotations

from collections.abc import Iterable

from foundation.checks import Check, Rules, Scope, Severity
from gateway.domain.payment import MACHINE, TELLS, TOLD_AFTER_UNKNOWN, TOLD_PER_ATTEMPT, PaymentEvent
from gateway.store.account_checks import ACCOUNTS, CHECKPOINTS, CHECKS_OF_ACCOUNTS
from gateway.store.fragments import WITH_SECOND_LEG
from gateway.store.measures import MEASURES
from gateway.store.refund_checks import CHECKS_OF_REFUNDS
from gateway.store.settlement_checks import SETTLEMENT_CHECKS
from gateway.store.top_up_checks import TOP_UP_CHECKS
from gateway.store.transfer_checks import TRANSFER_CHECKS

_MONEY, _DELAY = Severity.MONEY, Severity.DELAY
_PAYMENTS = "payment_id = ANY(CAST(:subjects AS text[]))"

PAYMENTS = Scope(
    "payment",
    recent="""
SELECT DISTINCT payment_id FROM (
  SELECT payment_id FROM payment_event WHERE at >= :since
  UNION ALL SELECT payment_id FROM posting WHERE at >= :since AND payment_id IS NOT NULL
) AS touched LIMIT :most
""",
    following="SELECT payment_id FROM payment WHERE payment_id > :after ORDER BY payment_id LIMIT :most",
)

_FOREIGN_ACCOUNT = f"""
SELECT p.payment_id, posting.amount_rial FROM payment p JOIN attempt a USING (payment_id)
JOIN posting ON posting.attempt_id = a.attempt_id
WHERE p.{_PAYMENTS} AND (posting.payment_id <> p.payment_id
  OR NOT (ARRAY[posting.source, posting.destination] <@ (ARRAY[
  'issuer:' || a.issuer_id, 'pending:' || p.merchant_id, 'payable:' || p.merchant_id,
  'refunding:' || p.merchant_id, 'fees', 'suspense', 'bank:settlement']
  || ARRAY(SELECT account FROM bill CROSS JOIN LATERAL (VALUES ('payable:' || biller_id), ('refunding:' || biller_id))
    AS own (account) WHERE bill.payment_id = p.payment_id)
  || ARRAY(SELECT account FROM transfer t CROSS JOIN LATERAL (VALUES ('transfer-clearing'),
    ('issuer:' || t.destination_issuer_id)) AS own (account) WHERE t.payment_id = p.payment_id)
  || ARRAY(SELECT account FROM top_up t CROSS JOIN LATERAL (VALUES ('transfer-clearing'),
    ('payable:' || t.operator_merchant_id)) AS own (account) WHERE t.payment_id = p.payment_id))))
"""

_TWO_DEBITS = f"""
SELECT payment_id, sum(amount_rial + fee_rial) - max(amount_rial + fee_rial) FROM attempt
WHERE {_PAYMENTS} AND state = 'approved' GROUP BY payment_id HAVING count(*) > 1
"""

_KEPT = f"""
SELECT payment_id, greatest(abs(pending - wanted_pending) + abs(payable - wanted_payable), 1) FROM (
  SELECT p.payment_id, p.state, p.amount_rial, p.confirmed_at, coalesce(held.pending, 0) AS pending,
    coalesce(held.payable, 0) AS payable,
    CASE p.state WHEN 'authorised' THEN p.amount_rial ELSE 0 END AS wanted_pending,
    CASE WHEN p.state IN ('confirmed', 'settled') THEN p.amount_rial - p.refunded_rial ELSE 0 END
      - coalesce((SELECT sum(gross_rial) FROM settlement_line AS line WHERE line.payment_id = p.payment_id), 0)
      AS wanted_payable
  FROM payment p LEFT JOIN LATERAL (
    SELECT sum(CASE WHEN destination LIKE 'pending:%' THEN posting.amount_rial
        WHEN source LIKE 'pending:%' THEN -posting.amount_rial END) AS pending,
      sum(CASE WHEN destination LIKE 'payable:%' THEN posting.amount_rial
        WHEN source LIKE 'payable:%' THEN -posting.amount_rial END) AS payable
    FROM attempt JOIN posting USING (attempt_id) WHERE attempt.payment_id = p.payment_id) AS held ON true
  WHERE p.{_PAYMENTS} AND p.kind NOT IN {WITH_SECOND_LEG}) AS books
WHERE CASE WHEN state IN ('reversing', 'disputed')
    THEN pending < 0 OR payable < 0 OR pending + payable NOT IN (0, amount_rial)
    ELSE pending <> wanted_pending OR payable <> wanted_payable END
  OR (payable > 0 AND confirmed_at IS NULL)
"""

_AMOUNTS = f"""
SELECT p.payment_id, abs(a.amount_rial + a.fee_rial - p.amount_rial - p.fee_rial)
FROM payment p JOIN attempt a USING (payment_id)
WHERE p.{_PAYMENTS} AND (a.amount_rial, a.fee_rial) IS DISTINCT FROM (p.amount_rial, p.fee_rial)
"""

_WHOLE = f"""
SELECT payment_id, greatest(abs(taken - CASE state WHEN 'approved' THEN total ELSE 0 END), 1) FROM (
  SELECT a.payment_id, a.state, a.fee_rial AS fee, a.amount_rial + a.fee_rial AS total,
    coalesce(sum(CASE WHEN source LIKE 'issuer:%' THEN posting.amount_rial
      WHEN destination LIKE 'issuer:%' THEN -posting.amount_rial END), 0) AS taken,
    coalesce(sum(CASE 'fees' WHEN destination THEN posting.amount_rial
      WHEN source THEN -posting.amount_rial END), 0) AS fees,
    coalesce(sum(CASE 'suspense' WHEN destination THEN posting.amount_rial
      WHEN source THEN -posting.amount_rial END), 0) AS suspense
  FROM attempt a LEFT JOIN posting ON posting.attempt_id = a.attempt_id AND posting.refund IS NULL
    AND posting.event <> '{PaymentEvent.SETTLED_IN_BATCH}'
  WHERE a.{_PAYMENTS} AND NOT EXISTS (SELECT FROM transfer WHERE transfer.payment_id = a.payment_id)
  GROUP BY a.attempt_id) AS books
WHERE NOT CASE WHEN state = 'approved' THEN (taken, fees, suspense) = (total, fee, 0)
  WHEN state IN ('voiding', 'disputed')
    THEN (taken, fees, suspense) IN ((0, 0, 0), (total, fee, 0), (total, 0, total))
  ELSE (taken, fees, suspense) = (0, 0, 0) END
"""

_LOST = """
SELECT payment_id, amount_rial + fee_rial FROM attempt
WHERE state = 'submitted' AND answer_due_at < house_now() - interval '1 minute'
"""

_PAST_PROMISE = "SELECT attempt_id, total_rial FROM attempt_under_way WHERE past_promise AND state <> 'disputed'"
_DISPUTED = "SELECT attempt_id, total_rial FROM attempt_under_way WHERE state = 'disputed'"

_PAIRS = f"""
SELECT p.payment_id, p.amount_rial + p.fee_rial FROM payment p LEFT JOIN attempt a ON a.attempt_id = p.attempt_id
WHERE p.{_PAYMENTS} AND NOT coalesce(a.late, false) AND NOT CASE p.state
  WHEN 'paying' THEN coalesce(a.state = 'submitted', false)
  WHEN 'unknown' THEN coalesce(a.state IN ('unknown', 'voiding', 'disputed'), false)
  WHEN 'authorised' THEN coalesce(a.state = 'approved', false)
  WHEN 'confirmed' THEN coalesce(a.state = 'approved' OR (a.state = 'stood' AND p.inside), false)
  WHEN 'settled' THEN coalesce(a.state = 'approved', false)
  WHEN 'refunded' THEN coalesce(a.state = 'approved', false)
  WHEN 'reversing' THEN coalesce(a.state = 'voiding', false)
  WHEN 'disputed' THEN coalesce(a.state = 'disputed', false)
  WHEN 'reversed' THEN coalesce(a.state = 'voided', false)
  ELSE coalesce(a.state, 'declined') IN ('declined', 'voided') END
"""


_BILLS = f"""
SELECT p.payment_id, greatest(abs(p.amount_rial - lines.amount_rial), 1) FROM payment p JOIN LATERAL (
  SELECT coalesce(sum(bill.amount_rial), 0) AS amount_rial, bool_or(claimed) AS any_claimed,
    bool_and(claimed <> coalesce(refund.state = 'done', false)) AS all_claimed,
    coalesce(sum(bill.amount_rial) FILTER (WHERE refund.state = 'done'), 0) AS returned_rial
  FROM bill LEFT JOIN refund ON refund.payment_id = bill.payment_id AND refund.bill = bill.number
    AND refund.amount_rial = bill.amount_rial AND refund.merchant_id = bill.biller_id
  WHERE bill.payment_id = p.payment_id) AS lines ON true
WHERE p.{_PAYMENTS} AND p.kind = 'BILL_PAYMENT' AND (
  (lines.amount_rial, lines.returned_rial) <> (p.amount_rial, p.returned_rial)
  OR (p.state IN ('paying', 'unknown', 'confirmed', 'settled', 'reversing', 'disputed', 'refunded')
    AND NOT lines.all_claimed)
  OR (p.state IN ('open', 'cancelled', 'expired', 'reversed') AND lines.any_claimed))
"""


def _rows(rows: Iterable[tuple[str | bool | None, ...]]) -> str:
    """Write rows of our own words as the body of VALUES."""
    return ", ".join("(" + ", ".join(map(_cell, row)) + ")" for row in rows)


def _cell(cell: str | bool | None) -> str:  # noqa: FBT001 - a value to write, not a switch
    if cell is None:
        return "CAST(NULL AS text)"
    return str(cell).lower() if isinstance(cell, bool) else f"'{cell}'"


_ALLOWED = _rows(
    [
        (None if row.before is None else str(row.before), str(row.event), str(row.after))
        for row in MACHINE.transitions
        if row.event is not PaymentEvent.LATE_APPROVAL
    ]
)
_EVENTS = ", ".join(f"'{event}'" for event in PaymentEvent if event is not PaymentEvent.LATE_APPROVAL)

_MOVES = f"""
SELECT p.payment_id, 0 FROM payment p JOIN LATERAL (
  SELECT bool_and(EXISTS (SELECT FROM (VALUES {_ALLOWED}) AS allowed (before, event, after)
      WHERE allowed.before IS NOT DISTINCT FROM move.before AND allowed.event = move.event
        AND allowed.after = move.state)) AS along_the_table,
    (array_agg(move.state ORDER BY move.event_id DESC))[1] AS last
  FROM (SELECT event_id, event, state, lag(state) OVER (ORDER BY event_id) AS before
    FROM payment_event WHERE payment_event.payment_id = p.payment_id AND event IN ({_EVENTS})) AS move) AS history
  ON true
WHERE p.{_PAYMENTS} AND (history.along_the_table IS NOT true OR history.last <> p.state)
"""

_ATTEMPT_COUNT = f"""
SELECT p.payment_id, 0 FROM payment p WHERE p.{_PAYMENTS}
  AND p.attempts <> (SELECT count(*) FROM attempt WHERE attempt.payment_id = p.payment_id)
"""

_CONFIRMED = f"""
SELECT p.payment_id, p.amount_rial FROM payment p LEFT JOIN LATERAL (
  SELECT count(*) FILTER (WHERE event IN ('{PaymentEvent.PAYEE_CONFIRMED}', '{PaymentEvent.ATTEMPT_COMPLETED}',
      '{PaymentEvent.TRANSFER_MOVED}', '{PaymentEvent.TRANSFER_STOOD}', '{PaymentEvent.CREDIT_GIVEN}',
      '{PaymentEvent.BALANCE_TOLD}', '{PaymentEvent.TOP_UP_DELIVERED}')) AS confirmed,
    count(*) FILTER (WHERE event = '{PaymentEvent.CONFIRM_WINDOW_ELAPSED}') AS elapsed
  FROM payment_event WHERE payment_event.payment_id = p.payment_id) AS said ON true
WHERE p.{_PAYMENTS} AND (said.confirmed > 1 OR (said.confirmed > 0 AND said.elapsed > 0)
  OR (said.confirmed > 0) <> (p.confirmed_at IS NOT NULL)
  OR (p.kind NOT IN {WITH_SECOND_LEG}
    AND p.confirmed_at > p.authorised_at + make_interval(secs => confirm_window_seconds + 5)))
"""

_ANSWER_KEPT = f"""
SELECT p.payment_id, 0 FROM payment p
LEFT JOIN idempotency i ON i.terminal_id = p.terminal_id AND i.key = p.confirmed_by
WHERE p.{_PAYMENTS} AND p.confirmed_by IS NOT NULL AND p.confirmed_at > house_now() - interval '29 days'
  AND i.answer ->> 'payment_id' IS DISTINCT FROM p.payment_id
"""

_TOLD = _rows(
    [(str(event), kind, event in TOLD_PER_ATTEMPT, event in TOLD_AFTER_UNKNOWN) for event, kind in TELLS.items()]
)
_KEY = (
    "'evt_' || left(encode(sha256(convert_to(told.type || ':' || {of}.payment_id "
    "|| CASE WHEN told.per_attempt THEN ':' || {of}.attempt_id ELSE '' END, 'UTF8')), 'hex'), 32)"
)
"""As :func:`gateway.store.fragments.told` names an event."""

_OWED = f"""
SELECT e.payment_id, 0 FROM payment_event e
JOIN (VALUES {_TOLD}) AS told (event, type, per_attempt, after_unknown) ON told.event = e.event
JOIN payment p ON p.payment_id = e.payment_id JOIN merchant m ON m.merchant_id = p.merchant_id
WHERE e.{_PAYMENTS} AND e.at > m.feed_since
  AND e.at > house_now() - interval '29 days'
  AND (NOT told.after_unknown OR EXISTS (SELECT FROM payment_event before WHERE before.payment_id = e.payment_id
    AND before.attempt_id = e.attempt_id AND before.event = '{PaymentEvent.ATTEMPT_UNANSWERED}'))
  AND NOT EXISTS (SELECT FROM webhook_event WHERE webhook_event.event_id = {_KEY.format(of="e")})
"""

_OF_PAYMENTS = f"""
(SELECT p.payment_id, a.attempt_id FROM payment p LEFT JOIN attempt a USING (payment_id) WHERE p.{_PAYMENTS}) AS one
CROSS JOIN (VALUES {_TOLD}) AS told (event, type, per_attempt, after_unknown)
JOIN webhook_event ON webhook_event.event_id = {_KEY.format(of="one")}
"""

_UNTRUE = f"""
SELECT DISTINCT one.payment_id, 0 FROM {_OF_PAYMENTS}
WHERE NOT EXISTS (SELECT FROM payment_event e JOIN (VALUES {_TOLD}) AS same (event, type, per_attempt, after_unknown)
  ON same.event = e.event WHERE e.payment_id = one.payment_id AND same.type = told.type
    AND (NOT told.per_attempt OR e.attempt_id = one.attempt_id))
"""

_WITHOUT_TRY = f"""
SELECT DISTINCT one.payment_id, 0 FROM {_OF_PAYMENTS} JOIN webhook_delivery d USING (event_id)
WHERE d.state = 'delivered' AND NOT EXISTS (SELECT FROM webhook_attempt a WHERE a.event_id = d.event_id
  AND a.endpoint_id = d.endpoint_id AND a.status BETWEEN 200 AND 299)
"""

_WORKED_ON = """
SELECT u.attempt_id, u.total_rial FROM attempt_under_way u
LEFT JOIN outbox o ON o.done_at IS NULL AND o.dead_at IS NULL
  AND o.unique_key = CASE u.state WHEN 'unknown' THEN 'switch.inquire:' ELSE 'switch.reverse:' END || u.attempt_id
WHERE u.state <> 'submitted' AND o.id IS NULL
"""

_WEBHOOK_OVERDUE = """
SELECT d.event_id, 0 FROM webhook_delivery d JOIN webhook_endpoint e USING (endpoint_id)
WHERE d.state = 'waiting' AND d.give_up_at < house_now() + interval '66 hours' AND e.enabled AND e.deleted_at IS NULL
"""

_STUCK = """
SELECT id, 0 FROM outbox WHERE done_at IS NULL AND dead_at IS NULL AND due_at < house_now() - interval '2 minutes'
"""

_NOT_SWEPT = f"""
SELECT payment_id, 0 FROM payment WHERE state = 'open' AND page_expires_at < house_now() - interval '2 minutes'
UNION ALL SELECT payment_id, amount_rial + fee_rial FROM payment
  WHERE state = 'authorised' AND kind NOT IN {WITH_SECOND_LEG}
  AND authorised_at + make_interval(secs => confirm_window_seconds) < house_now() - interval '2 minutes'
"""

CHECKS = (
    Check(
        "I1_own_accounts",
        "a posting moves money of its own payment, between accounts of its own issuer and merchant",
        _MONEY,
        _FOREIGN_ACCOUNT,
        "payment",
    ),
    Check("I2_one_debit", "a payment has one approved attempt at most", _MONEY, _TWO_DEBITS, "payment"),
    Check(
        "I3_kept",
        "a merchant's accounts hold what the payment's state says",
        _MONEY,
        _KEPT,
        "payment",
    ),
    Check("I3_amounts", "an attempt asks for the payment's amount and fee", _MONEY, _AMOUNTS, "payment"),
    Check(
        "I4_whole",
        "an attempt's postings are all of the money with its fee while approved, none after it went back",
        _MONEY,
        _WHOLE,
        "payment",
    ),
    Check("I5_lost", "an attempt whose process died is found a minute after its answer was due", _DELAY, _LOST),
    Check("I5_past_promise", "money under way is answered for in the promised time (D36)", _MONEY, _PAST_PROMISE),
    Check("I5_disputed", "no reversal is older than promised (D8)", _MONEY, _DISPUTED),
    Check(
        "I6_pairs",
        "a payment's state is what its attempt's state allows: unknown money never looks failed or free to pay again",
        _MONEY,
        _PAIRS,
        "payment",
    ),
    Check("I7_moves", "a payment moved along its table to where it stands", _MONEY, _MOVES, "payment"),
    Check("I7_attempts", "a payment counts its attempts rightly", _MONEY, _ATTEMPT_COUNT, "payment"),
    Check(
        "I8_confirmed_once",
        "a payment is confirmed once, in its window, and never both confirmed and given back unconfirmed",
        _MONEY,
        _CONFIRMED,
        "payment",
    ),
    Check(
        "I10_answer_kept", "a confirmation's key leads to that payment's stored answer", _MONEY, _ANSWER_KEPT, "payment"
    ),
    Check("I11_owed", "a change that a merchant is told of is in its feed", _MONEY, _OWED, "payment"),
    Check("I11_untrue", "no webhook tells of a change that never happened", _MONEY, _UNTRUE, "payment"),
    Check("I11_worked_on", "money under way has a living job that asks or gives back", _MONEY, _WORKED_ON),
    Check("I11_webhook_overdue", "no webhook is undelivered for six hours", _DELAY, _WEBHOOK_OVERDUE),
    Check(
        "I12_webhook",
        "no webhook counts as delivered that nobody answered with 2xx",
        _MONEY,
        _WITHOUT_TRY,
        "payment",
    ),
    Check(
        "I15_bills",
        "a payment of bills is for just their sum, and holds each of them from the intent until its money is back",
        _MONEY,
        _BILLS,
        "payment",
    ),
    *SETTLEMENT_CHECKS,
    Check("I18_jobs", "every job is taken up within two minutes of its time", _DELAY, _STUCK),
    Check("I18_swept", "what ends by itself has ended two minutes after its time", _DELAY, _NOT_SWEPT),
)

OF_SECOND_LEGS = (*TRANSFER_CHECKS, *TOP_UP_CHECKS)
RULES = Rules(
    (*CHECKS, *OF_SECOND_LEGS, *CHECKS_OF_ACCOUNTS, *CHECKS_OF_REFUNDS), MEASURES, (PAYMENTS, ACCOUNTS, CHECKPOINTS)
)
