"""Attempts: the intent before the call, and every way it ends but by an approval (:mod:`gateway.store.approvals`).

Each change is one statement with all it owes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import OperationalError

from gateway.domain.attempt import MACHINE as ATTEMPT
from gateway.domain.attempt import AttemptEvent
from gateway.domain.payment import MACHINE, PaymentEvent
from gateway.store.bills import BillTaken, claimed, released
from gateway.store.fragments import among, facts_of, moved_back, noted, queued, told
from gateway.store.idempotency import conflicts

FIRST_INQUIRY_SECONDS = 2

_MONEY = "payment.payment_id, payment.merchant_id, payment.amount_rial, payment.fee_rial, payment.state"
_FACTS = facts_of("payment")
_TEHRAN = "house_now() AT TIME ZONE 'Asia/Tehran'"

_SUBMIT = text(f"""
WITH taken AS (
  UPDATE payment SET state = 'paying', attempts = attempts + 1, attempt_id = :attempt_id,
    decided_by = house_now() + make_interval(secs => :promise_seconds) FROM merchant m, issuer i
  WHERE page_token = :page_token AND state IN {among(MACHINE.befores(PaymentEvent.ATTEMPT_SUBMITTED))}
    AND page_expires_at > house_now() AND attempts < :attempts_max AND m.merchant_id = payment.merchant_id AND m.active
    AND i.issuer_id = :issuer_id AND i.paused_at IS NULL AND (kind <> 'CARD_TRANSFER' OR CAST(:transfer AS boolean))
  RETURNING payment_id, attempt_id, state, attempts, kind, inside,
    CASE kind WHEN 'CARD_TRANSFER' THEN (SELECT t.destination_sealed FROM transfer t
      WHERE t.payment_id = payment.payment_id) END AS destination_sealed, amount_rial, fee_rial, acquirer_id,
    payment.merchant_id,
    terminal_id, coalesce(payment.payee_name, m.payee_name) AS payee_name, payee_key, reference),
submitted AS (
  INSERT INTO attempt (attempt_id, payment_id, number, state, acquirer_id, terminal_id, stan, rrn, local_time,
  issuer_id,
    amount_rial, fee_rial, pan_sealed, pan_masked, pan_hash, answer_due_at)
  SELECT :attempt_id, payment_id, attempts, 'submitted', acquirer_id, terminal_id,
    lpad(CAST(nextval('stan') AS text), 6, '0'),
    right(to_char({_TEHRAN}, 'YYYYDDD'), 4) || lpad(CAST(nextval('rrn') AS text), 8, '0'),
    to_char({_TEHRAN}, 'YYMMDDHH24MISS'), :issuer_id, amount_rial, fee_rial, :pan_sealed, :pan_masked, :pan_hash,
    house_now() + make_interval(secs => :answer_within_seconds)
  FROM taken RETURNING stan, rrn, local_time),
{claimed("taken")},
{noted(PaymentEvent.ATTEMPT_SUBMITTED, "taken")}
SELECT taken.*, submitted.stan, submitted.rrn, submitted.local_time FROM taken CROSS JOIN submitted
""")

_DECLINE = text(f"""
WITH decided AS (
  UPDATE attempt SET state = 'declined', action_code = :action_code, decided_at = house_now(), pan_sealed = NULL
  WHERE attempt_id = :attempt_id AND state IN {among(ATTEMPT.befores(AttemptEvent.SWITCH_DECLINED))}
  RETURNING attempt_id, payment_id),
refused AS (
  UPDATE payment SET state = 'open' FROM decided
  WHERE payment.payment_id = decided.payment_id AND payment.attempt_id = decided.attempt_id
    AND payment.state IN {among(MACHINE.befores(PaymentEvent.ATTEMPT_DECLINED))}
  RETURNING {_FACTS}, payment.attempt_id),
{released("refused")},
{noted(PaymentEvent.ATTEMPT_DECLINED, "refused")},
{told(PaymentEvent.ATTEMPT_DECLINED, "refused")}
SELECT payment_id FROM refused
""")

_UNANSWERED = f"""
unanswered AS (
  UPDATE payment SET state = 'unknown' FROM lost
  WHERE payment.payment_id = lost.payment_id AND payment.attempt_id = lost.attempt_id AND payment.state = 'paying'
  RETURNING {_FACTS}, payment.attempt_id),
"""
_UNANSWERED_OWES = f"""
{noted(PaymentEvent.ATTEMPT_UNANSWERED, "unanswered")},
{told(PaymentEvent.ATTEMPT_UNANSWERED, "unanswered")}"""
_LOSE = text(f"""
WITH lost AS (
  UPDATE attempt SET state = 'unknown' WHERE attempt_id = :attempt_id AND state = 'submitted'
  RETURNING attempt_id, payment_id),
{_UNANSWERED}{_UNANSWERED_OWES},
{queued("switch.inquire", "lost", delay_seconds=FIRST_INQUIRY_SECONDS)}
SELECT payment_id FROM unanswered
""")
_RECOVER_LOST = text(f"""
WITH lost AS (
  UPDATE attempt SET state = 'unknown' WHERE attempt_id IN (
    SELECT attempt_id FROM attempt WHERE state = 'submitted' AND answer_due_at <= house_now()
    ORDER BY answer_due_at LIMIT :most FOR UPDATE SKIP LOCKED)
  RETURNING attempt_id, payment_id),
{_UNANSWERED}{_UNANSWERED_OWES},
{queued("switch.inquire", "lost")}
SELECT payment_id FROM unanswered
""")

_DECIDE_REVERSAL = text(f"""
WITH decided AS (
  UPDATE attempt SET state = 'voiding', reversal_decided_at = house_now()
  WHERE attempt_id = :attempt_id AND state = 'unknown' RETURNING attempt_id, payment_id, state),
{noted(AttemptEvent.REVERSAL_DECIDED, "decided")},
{queued("switch.reverse", "decided")}
SELECT payment_id FROM decided
""")

_REVERSED = text(f"""
WITH ended AS (
  UPDATE attempt SET state = 'voided', pan_sealed = NULL, decided_at = house_now()
  WHERE attempt_id = :attempt_id AND state IN {among(ATTEMPT.befores(AttemptEvent.REVERSAL_ACCEPTED))}
  RETURNING attempt_id, payment_id, late),
given_back AS (
  UPDATE payment SET state = 'reversed', reversed_at = house_now() FROM ended
  WHERE payment.payment_id = ended.payment_id AND payment.attempt_id = ended.attempt_id AND NOT ended.late
    AND payment.state IN {among(MACHINE.befores(PaymentEvent.REVERSAL_ACCEPTED))}
  RETURNING {_FACTS}, payment.attempt_id),
freed AS (
  UPDATE payment SET state = 'open' FROM ended
  WHERE payment.payment_id = ended.payment_id AND payment.attempt_id = ended.attempt_id AND NOT ended.late
    AND payment.state IN {among(MACHINE.befores(PaymentEvent.ATTEMPT_VOIDED))}
  RETURNING {_FACTS}, payment.attempt_id),
{released("given_back")},
{released("freed")},
{noted(PaymentEvent.REVERSAL_ACCEPTED, "given_back")},
{noted(PaymentEvent.ATTEMPT_VOIDED, "freed")},
{told(PaymentEvent.ATTEMPT_VOIDED, "freed")},
{moved_back(PaymentEvent.REVERSAL_ACCEPTED, "ended")},
{told(PaymentEvent.REVERSAL_ACCEPTED, "given_back")}
SELECT payment_id FROM ended
""")

_OVERDUE = text(f"""
WITH late AS (
  UPDATE attempt SET state = 'disputed' WHERE state = 'voiding' AND attempt_id IN (
    SELECT attempt_id FROM attempt_under_way WHERE state = 'voiding'
      AND reversal_decided_at + make_interval(secs => :dispute_after_seconds) <= house_now() LIMIT :most)
  RETURNING attempt_id, payment_id),
disputed AS (
  UPDATE payment SET state = 'disputed' FROM late
  WHERE payment.payment_id = late.payment_id AND payment.attempt_id = late.attempt_id
    AND payment.state IN {among(MACHINE.befores(PaymentEvent.REVERSAL_OVERDUE))}
  RETURNING {_MONEY}, payment.attempt_id),
{noted(PaymentEvent.REVERSAL_OVERDUE, "disputed")}
SELECT attempt_id, payment_id FROM late
""")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A committed intent: what the 1200 will carry."""

    payment_id: str
    attempt_id: str
    state: str
    attempts: int
    kind: str
    amount_rial: int
    fee_rial: int
    acquirer_id: str
    merchant_id: str
    terminal_id: str
    payee_name: str
    payee_key: str
    inside: bool
    destination_sealed: bytes | None
    reference: str
    stan: str
    rrn: str
    local_time: str


def submit(connection: Connection, values: Mapping[str, Any], *, transfer: bool = False) -> Submitted | None:
    """Commit the intent; ``None`` when the payment's state, time or attempts, or its issuer's pause, forbid it (D8).

    ``transfer`` says that what a transfer needs besides was looked at; without, none is submitted.

    Raises:
        BillTaken: another payment has paid one of its bills, or is about to (D12).
    """
    try:
        with conflicts(bill_claimed=BillTaken):
            row = connection.execute(_SUBMIT, {**values, "transfer": transfer}).mappings().one_or_none()
    except OperationalError as error:
        if isinstance(error.orig, DeadlockDetected):  # two payments want the same bills in another order
            raise BillTaken from None
        raise
    return None if row is None else Submitted(**row)


def decline(connection: Connection, attempt_id: str, action_code: str) -> bool:
    """Record an explicit no and wipe the PAN."""
    return _changed(connection, _DECLINE, {"attempt_id": attempt_id, "action_code": action_code})


def lose(connection: Connection, attempt_id: str) -> bool:
    """Record that nobody answered, and queue the inquiry."""
    return _changed(connection, _LOSE, {"attempt_id": attempt_id})


def recover_lost(connection: Connection, *, most: int) -> int:
    """Turn attempts whose process died into unknown ones; return how many."""
    return len(connection.execute(_RECOVER_LOST, {"most": most}).all())


def decide_reversal(connection: Connection, attempt_id: str) -> bool:
    """Commit the decision to reverse an unknown attempt, before the first 1420 (D2)."""
    return _changed(connection, _DECIDE_REVERSAL, {"attempt_id": attempt_id})


def reversed_(connection: Connection, attempt_id: str) -> bool:
    """Record that the issuer accepted the reversal: inverse postings, PAN wiped, payment reversed or open again."""
    return _changed(connection, _REVERSED, {"attempt_id": attempt_id})


def overdue(connection: Connection, *, dispute_after_seconds: int, most: int) -> list[tuple[str, str]]:
    """Mark reversals that take longer than promised; they go on (D8). Return each attempt with its payment."""
    values = {"dispute_after_seconds": dispute_after_seconds, "most": most}
    return [(row.attempt_id, row.payment_id) for row in connection.execute(_OVERDUE, values)]


def _changed(connection: Connection, statement: TextClause, values: Mapping[str, Any]) -> bool:
    return connection.execute(statement, dict(values)).first() is not None
