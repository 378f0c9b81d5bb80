"""Attempts that were approved: in time, for good, too late, or after they were given up; one statement each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, TextClause, text

from gateway.domain.payment import MACHINE, TELLS, PaymentEvent
from gateway.store.bills import LINES, OWED, TOLD_BILLERS
from gateway.store.fragments import among, dated, facts_of, moved, noted, queued, told

_MONEY = "payment.payment_id, payment.merchant_id, payment.amount_rial, payment.fee_rial, payment.state"
_FACTS = facts_of("payment")


def approval(event: PaymentEvent, changes: str) -> str:
    """Return the first part of an approval: the attempt is decided, and the payment it wins is changed and told of."""
    telling = f",\n{told(event, 'paid')}" if event in TELLS else ""
    return f"""
decided AS (
  UPDATE attempt SET state = 'approved', action_code = '000', approval_code = :approval_code,
    capture_date = {dated("submitted_at")}, decided_at = house_now()
  FROM payment p
  WHERE attempt.attempt_id = :attempt_id AND attempt.state IN ('submitted', 'unknown')
    AND p.payment_id = attempt.payment_id AND (CAST(:in_time AS boolean) OR p.page_expires_at > house_now())
  RETURNING attempt.attempt_id, attempt.payment_id, attempt.pan_masked, attempt.issuer_id, attempt.rrn),
paid AS (
  UPDATE payment SET {changes}, authorised_at = house_now(), rrn = decided.rrn,
    tracking_code = :tracking_code, pan_masked = decided.pan_masked, card_token = :card_token,
    issuer_id = decided.issuer_id
  FROM decided
  WHERE payment.payment_id = decided.payment_id AND payment.attempt_id = decided.attempt_id
    AND payment.state IN {among(MACHINE.befores(event))}
  RETURNING {_FACTS}, payment.attempt_id),
{noted(event, "paid")}{telling}"""


_APPROVE = text(f"""
WITH {approval(PaymentEvent.ATTEMPT_APPROVED, "state = 'authorised'")},
{moved(PaymentEvent.ATTEMPT_APPROVED, "paid")}
SELECT payment_id FROM paid
""")
_COMPLETE_BILLS = text(f"""
WITH {approval(PaymentEvent.ATTEMPT_COMPLETED, "state = 'confirmed', confirmed_at = house_now()")},
{LINES},
{moved(PaymentEvent.ATTEMPT_COMPLETED, "lines")},
{OWED},
{TOLD_BILLERS}
SELECT payment_id FROM paid
""")
_TELL_BALANCE = text(f"""
WITH {approval(PaymentEvent.BALANCE_TOLD, "state = 'confirmed', confirmed_at = house_now()")},
{moved(PaymentEvent.BALANCE_TOLD, "paid")}
SELECT payment_id FROM paid
""")

_APPROVED_TOO_LATE = text(f"""
WITH decided AS (
  UPDATE attempt SET state = 'voiding', action_code = '000', approval_code = :approval_code,
    capture_date = {dated("submitted_at")}, decided_at = house_now(), reversal_decided_at = house_now()
  FROM payment p
  WHERE attempt.attempt_id = :attempt_id AND attempt.state = 'unknown' AND p.payment_id = attempt.payment_id
    AND (p.page_expires_at <= house_now() OR p.kind = 'BALANCE_INQUIRY')
  RETURNING attempt.attempt_id, attempt.payment_id, attempt.issuer_id),
late AS (
  UPDATE payment SET state = 'reversing' FROM decided
  WHERE payment.payment_id = decided.payment_id AND payment.attempt_id = decided.attempt_id
    AND payment.state IN {among(MACHINE.befores(PaymentEvent.APPROVED_TOO_LATE))}
  RETURNING {facts_of("payment", without="issuer_id")}, decided.issuer_id, payment.attempt_id),
{noted(PaymentEvent.APPROVED_TOO_LATE, "late")},
{moved(PaymentEvent.APPROVED_TOO_LATE, "late")},
{told(PaymentEvent.APPROVED_TOO_LATE, "late")},
{queued("switch.reverse", "late")}
SELECT payment_id FROM late
""")

_LATE_APPROVAL = text(f"""
WITH before AS (
  SELECT attempt_id, state FROM attempt
  WHERE attempt_id = :attempt_id AND state IN ('declined', 'voiding', 'disputed', 'voided') FOR UPDATE),
recorded AS (
  UPDATE attempt SET approval_code = :approval_code, capture_date = {dated("submitted_at")},
    state = CASE before.state WHEN 'declined' THEN 'voiding' ELSE before.state END,
    late = attempt.late OR before.state = 'declined',
    pan_sealed = CASE before.state WHEN 'declined' THEN CAST(:pan_sealed AS bytea) ELSE attempt.pan_sealed END,
    reversal_decided_at = coalesce(attempt.reversal_decided_at, house_now())
  FROM before WHERE attempt.attempt_id = before.attempt_id
  RETURNING attempt.attempt_id, attempt.payment_id, attempt.issuer_id, before.state AS was),
seen AS (
  SELECT {_MONEY}, recorded.attempt_id, recorded.issuer_id, recorded.was
  FROM recorded JOIN payment ON payment.payment_id = recorded.payment_id),
owed AS (SELECT * FROM seen WHERE was = 'declined'),
{noted(PaymentEvent.LATE_APPROVAL, "seen")},
{moved(PaymentEvent.LATE_APPROVAL, "owed")},
{queued("switch.reverse", "owed")}
SELECT payment_id FROM seen
""")


def approve(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record an approval of the attempt in flight; ``in_time`` skips the deadline that an inquiry's answer has (D8)."""
    return _changed(connection, _APPROVE, values)


def complete_bills(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record an approval of a payment of bills: each is posted to its biller and told to it; nobody has to confirm."""
    return _changed(connection, _COMPLETE_BILLS, values)


def tell_balance(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record that a balance may be shown: its fee is posted, and nothing of the balance is written."""
    return _changed(connection, _TELL_BALANCE, values)


def approved_too_late(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record an inquiry's approval after the page's deadline, or of a balance, and decide to give the money back."""
    return _changed(connection, _APPROVED_TOO_LATE, values)


def late_approval(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record an approval that can win nothing any more; after a decline, also give that money back."""
    return _changed(connection, _LATE_APPROVAL, values)


def _changed(connection: Connection, statement: TextClause, values: Mapping[str, Any]) -> bool:
    return connection.execute(statement, dict(values)).first() is not None
