"""Top-ups: which operators are topped up here, whose number a payment is for, and the leg that delivers it (D7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from gateway.domain.payment import PaymentEvent
from gateway.domain.transfer import Credit
from gateway.store import second_legs
from gateway.store.approvals import approval
from gateway.store.fragments import FACTS, moved, noted, queued, told
from gateway.store.idempotency import BOUNDED, conflicts, kept
from gateway.store.payments import OrderTaken, PaymentRecord

TOP_UP_TOPIC = "top_up.deliver"

_OPERATORS = text("""
SELECT o.operator, o.merchant_id FROM top_up_operator o JOIN merchant m USING (merchant_id) WHERE o.active AND m.active
""")
_OPEN = text(f"""
WITH opened AS (
  INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    description, mobile, callback_url, reference, state, page_expires_at, confirm_window_seconds, payee_key, payee_name)
  SELECT :payment_id, :page_token, 'TOP_UP', t.terminal_id, t.merchant_id, :order_id, :amount_rial, :fee_rial,
    :description, :mobile, :callback_url, :reference, 'open', house_now() + make_interval(secs => :page_seconds),
    :confirm_window_seconds, :payee_key, :payee_name
  FROM terminal t, {BOUNDED} WHERE t.terminal_id = :terminal_id
  RETURNING {FACTS}, attempt_id),
named AS (
  INSERT INTO top_up (payment_id, operator, operator_merchant_id, mobile_masked, mobile_sealed)
  SELECT payment_id, :operator, :operator_merchant_id, :mobile_masked, :mobile_sealed FROM opened),
{noted(PaymentEvent.OPENED, "opened")},
{kept("opened")}
SELECT {FACTS} FROM opened
""")
_OF_PAYMENT = text("""
SELECT operator, mobile_masked, mobile_sealed, operator_reference FROM top_up WHERE payment_id = :payment_id
""")
_DEBITED = text(f"""
WITH {approval(PaymentEvent.DEBIT_APPROVED, "state = 'authorised'")},
{moved(PaymentEvent.DEBIT_APPROVED, "paid")},
owed AS (
  UPDATE top_up SET credit = 'owed', owed_at = house_now(),
    deadline_at = house_now() + make_interval(secs => :credit_seconds)
  FROM paid WHERE top_up.payment_id = paid.payment_id AND credit = 'none' RETURNING paid.attempt_id),
{queued(TOP_UP_TOPIC, "owed")}
SELECT payment_id FROM paid
""")
_READ = text("""
SELECT a.attempt_id, a.payment_id, t.credit, t.operator, t.mobile_sealed, t.deadline_at <= house_now() AS overdue,
  p.amount_rial
FROM attempt a JOIN payment p ON p.attempt_id = a.attempt_id JOIN top_up t ON t.payment_id = p.payment_id
WHERE a.attempt_id = :attempt_id AND t.credit IN ('owed', 'reversing')
""")
_DELIVERED = text(f"""
WITH {
    second_legs.given(
        "top_up",
        PaymentEvent.TOP_UP_DELIVERED,
        also="operator_reference = :operator_reference, mobile_sealed = NULL",
        returning="operator_merchant_id",
    )
},
owed_to AS (
  SELECT done.payment_id, done.attempt_id, done.amount_rial, done.fee_rial, done.issuer_id,
    given.operator_merchant_id AS merchant_id FROM done JOIN given USING (payment_id)),
{noted(PaymentEvent.TOP_UP_DELIVERED, "done")},
{moved(PaymentEvent.TOP_UP_DELIVERED, "owed_to")},
{told(PaymentEvent.TOP_UP_DELIVERED, "done")}
SELECT payment_id FROM done
""")
_NOT_DELIVERED = second_legs.not_given("top_up", also="mobile_sealed = NULL")
_DECIDE_CANCELLATION = second_legs.decide_reversal("top_up")
_WIPE = second_legs.wipe("top_up", "mobile_sealed")


@dataclass(frozen=True, slots=True)
class TopUpLine:
    """Whose number a payment tops up; ``mobile_sealed`` is there until it is decided."""

    operator: str
    mobile_masked: str
    mobile_sealed: bytes | None
    operator_reference: str | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A top-up that is owed or being cancelled."""

    attempt_id: str
    payment_id: str
    credit: str
    operator: str
    mobile_sealed: bytes
    overdue: bool
    amount_rial: int


def operators(connection: Connection) -> dict[str, str]:
    """Return the operators whose numbers are topped up here, with the merchants that are owed it."""
    return {row.operator: row.merchant_id for row in connection.execute(_OPERATORS)}


def open_top_up(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord:
    """Insert a payment that is a top-up, with its number, its event and its stored answer.

    Raises:
        KeyTaken, Busy, OrderTaken: as for a purchase.
    """
    with conflicts(payment_order=OrderTaken):
        return PaymentRecord.of(connection.execute(_OPEN, dict(values)).mappings().one())


def of_payment(connection: Connection, payment_id: str) -> TopUpLine:
    """Return whose number a payment tops up."""
    row = connection.execute(_OF_PAYMENT, {"payment_id": payment_id}).mappings().one()
    sealed = row["mobile_sealed"]
    return TopUpLine(**{**row, "mobile_sealed": None if sealed is None else bytes(sealed)})


def debited(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Record the approval of a top-up's debit: its delivery is owed from the same moment."""
    return connection.execute(_DEBITED, dict(values)).first() is not None


def read_delivery(connection: Connection, attempt_id: str) -> DeliveryRow | None:
    """Read the delivery that an attempt owes; ``None`` when it is decided."""
    row = connection.execute(_READ, {"attempt_id": attempt_id}).mappings().one_or_none()
    return None if row is None else DeliveryRow(**{**row, "mobile_sealed": bytes(row["mobile_sealed"])})


def delivered(
    connection: Connection, payment_id: str, before: Credit, *, action_code: str, operator_reference: str | None
) -> bool:
    """Record that the number was topped up: the payment is complete, the operator is owed it, the number forgotten."""
    values = {
        "payment_id": payment_id,
        "before": before,
        "action_code": action_code,
        "operator_reference": operator_reference,
    }
    return connection.execute(_DELIVERED, values).first() is not None


def not_delivered(connection: Connection, payment_id: str, before: Credit, after: Credit, *, action_code: str) -> bool:
    """Record that the number was not and never will be topped up by this payment, and give the debit back."""
    values = {"payment_id": payment_id, "before": before, "after": after, "action_code": action_code}
    return connection.execute(_NOT_DELIVERED, values).first() is not None


def decide_cancellation(connection: Connection, payment_id: str) -> bool:
    """Commit the decision to cancel a delivery whose deadline is over, before it is first asked for (D2)."""
    return connection.execute(_DECIDE_CANCELLATION, {"payment_id": payment_id}).first() is not None


def wipe_numbers(connection: Connection, *, most: int) -> int:
    """Wipe sealed numbers of top-ups that are decided; return how many."""
    return connection.execute(_WIPE, {"most": most}).rowcount
