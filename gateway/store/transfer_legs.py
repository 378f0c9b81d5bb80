"""The legs of a transfer: the debit that owes a credit, the whole of one within a bank, and the credit itself (D7).

Each change is one statement with its event, postings and what it owes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from gateway.domain.attempt import MACHINE as ATTEMPT
from gateway.domain.attempt import AttemptEvent
from gateway.domain.payment import MACHINE, PaymentEvent
from gateway.domain.transfer import Credit
from gateway.store import second_legs
from gateway.store.approvals import approval
from gateway.store.destinations import saved_of
from gateway.store.fragments import among, dated, facts_of, moved, noted, queued, told
from gateway.store.transfers import TRACE

CREDIT_TOPIC = "switch.credit"
_FACTS = facts_of("payment")


def _wiped(of: str) -> str:
    """Forget the destination of every transfer in ``of``, all of which are complete."""
    return (
        f"wiped_{of} AS (UPDATE transfer SET destination_sealed = NULL, saving_sealed = NULL, "
        f"decided_at = house_now() FROM {of} WHERE transfer.payment_id = {of}.payment_id)"
    )


_DEBITED = text(f"""
WITH {approval(PaymentEvent.DEBIT_APPROVED, "state = 'authorised'")},
{moved(PaymentEvent.DEBIT_APPROVED, "paid")},
key AS (SELECT paid.payment_id, paid.attempt_id, {TRACE} FROM paid),
owed AS (
  UPDATE transfer SET credit = 'owed', stan = key.stan, rrn = key.rrn, local_time = key.local_time,
    owed_at = house_now(), deadline_at = house_now() + make_interval(secs => :credit_seconds)
  FROM key WHERE transfer.payment_id = key.payment_id AND credit = 'none' RETURNING key.attempt_id),
{queued(CREDIT_TOPIC, "owed")}
SELECT payment_id FROM paid
""")
_MOVED = text(f"""
WITH {approval(PaymentEvent.TRANSFER_MOVED, "state = 'confirmed', confirmed_at = house_now()")},
{moved(PaymentEvent.TRANSFER_MOVED, "paid")},
{saved_of("paid")},
{_wiped("paid")}
SELECT payment_id FROM paid
""")
_STOOD = text(f"""
WITH ended AS (
  UPDATE attempt SET state = 'stood', pan_sealed = NULL, decided_at = house_now(),
    capture_date = {dated("submitted_at", "coalesce(CAST(:capture_date AS text), capture_date)")}
  WHERE attempt_id = :attempt_id AND state IN {among(ATTEMPT.befores(AttemptEvent.REVERSAL_IMPOSSIBLE))}
  RETURNING attempt_id, payment_id, pan_masked, issuer_id, rrn),
paid AS (
  UPDATE payment SET state = 'confirmed', confirmed_at = house_now(), authorised_at = house_now(), rrn = ended.rrn,
    tracking_code = :tracking_code, pan_masked = ended.pan_masked, card_token = :card_token, issuer_id = ended.issuer_id
  FROM ended
  WHERE payment.payment_id = ended.payment_id AND payment.attempt_id = ended.attempt_id AND payment.inside
    AND payment.state IN {among(MACHINE.befores(PaymentEvent.TRANSFER_STOOD))}
  RETURNING {_FACTS}, payment.attempt_id),
{noted(PaymentEvent.TRANSFER_STOOD, "paid")},
{moved(PaymentEvent.TRANSFER_STOOD, "paid")},
{told(PaymentEvent.TRANSFER_STOOD, "paid")},
{saved_of("paid")},
{_wiped("paid")}
SELECT payment_id FROM paid
""")
_GIVEN = text(f"""
WITH {
    second_legs.given(
        "transfer",
        PaymentEvent.CREDIT_GIVEN,
        also=f"capture_date = {dated('owed_at')}, destination_sealed = NULL, saving_sealed = NULL",
        returning="destination_issuer_id",
    )
},
credited AS (
  SELECT done.payment_id, done.attempt_id, done.amount_rial, done.fee_rial,
    given.destination_issuer_id AS payee_issuer_id FROM done JOIN given USING (payment_id)),
{noted(PaymentEvent.CREDIT_GIVEN, "done")},
{moved(PaymentEvent.CREDIT_GIVEN, "credited")},
{told(PaymentEvent.CREDIT_GIVEN, "done")},
{saved_of("done")}
SELECT payment_id FROM done
""")
_NOT_GIVEN = second_legs.not_given("transfer", also="destination_sealed = NULL, saving_sealed = NULL")
_DECIDE_REVERSAL = second_legs.decide_reversal("transfer")
_READ = text("""
SELECT a.attempt_id, a.payment_id, t.credit, t.destination_sealed, t.destination_issuer_id, t.deadline_at <= house_now()
  AS overdue, a.acquirer_id, a.terminal_id, t.stan, t.rrn, t.local_time, p.kind, p.amount_rial, p.fee_rial, p.inside,
  p.merchant_id, coalesce(p.payee_name, m.payee_name) AS payee_name, p.payee_key, p.reference,
  lpad(CAST(nextval('stan') AS text), 6, '0') AS own_stan,
  to_char(house_now() AT TIME ZONE 'Asia/Tehran', 'YYMMDDHH24MISS') AS own_local_time
FROM attempt a JOIN payment p ON p.attempt_id = a.attempt_id JOIN transfer t ON t.payment_id = p.payment_id
JOIN merchant m ON m.merchant_id = p.merchant_id
WHERE a.attempt_id = :attempt_id AND t.credit IN ('owed', 'reversing')
""")


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A credit that is owed or being taken back, with a fresh STAN and local time for a reversal."""

    attempt_id: str
    payment_id: str
    credit: str
    destination_sealed: bytes
    destination_issuer_id: str
    overdue: bool
    acquirer_id: str
    terminal_id: str
    stan: str
    rrn: str
    local_time: str
    kind: str
    amount_rial: int
    fee_rial: int
    inside: bool
    merchant_id: str
    payee_name: str
    payee_key: str
    reference: str
    own_stan: str
    own_local_time: str


def debited(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record the approval of a debit for another bank: its credit is owed from the same moment, under its own key."""
    return connection.execute(_DEBITED, dict(values)).first() is not None


def moved_inside(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record the approval of a transfer within one bank, which is all of it."""
    return connection.execute(_MOVED, dict(values)).first() is not None


def stood(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record that a transfer within one bank cannot be undone any more, and so is complete."""
    return connection.execute(_STOOD, dict(values)).first() is not None


def read_credit(connection: Connection, attempt_id: str) -> CreditRow | None:
    """Read the credit that an attempt owes; ``None`` when it is decided."""
    row = connection.execute(_READ, {"attempt_id": attempt_id}).mappings().one_or_none()
    return None if row is None else CreditRow(**{**row, "destination_sealed": bytes(row["destination_sealed"])})


def given(
    connection: Connection, payment_id: str, before: Credit, *, action_code: str, capture_date: str | None
) -> bool:
    """Record that the destination has its money: the transfer is complete, its card number forgotten."""
    values = {"payment_id": payment_id, "before": before, "action_code": action_code, "capture_date": capture_date}
    return connection.execute(_GIVEN, values).first() is not None


def not_given(connection: Connection, payment_id: str, before: Credit, after: Credit, *, action_code: str) -> bool:
    """Record that the destination has no money and never will by this transfer, and give the debit back."""
    values = {"payment_id": payment_id, "before": before, "after": after, "action_code": action_code}
    return connection.execute(_NOT_GIVEN, values).first() is not None


def decide_reversal(connection: Connection, payment_id: str) -> bool:
    """Commit the decision to take a credit back whose deadline is over, before the first 1420 (D2)."""
    return connection.execute(_DECIDE_REVERSAL, {"payment_id": payment_id}).first() is not None
