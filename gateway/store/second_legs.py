"""What second legs share, to a bank or to an operator: a statement each for given, not given, and "take it back" (D7).

A table of second legs has the columns ``payment_id``, ``credit``, ``decided_at``, ``action_code`` and ``deadline_at``.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text

from gateway.domain.payment import MACHINE, PaymentEvent
from gateway.store.fragments import among, facts_of, noted, queued, voiding

_FACTS = facts_of("payment")


def given(table: str, event: PaymentEvent, *, also: str, returning: str) -> str:
    """Return the first part of a leg that is done: the leg as ``given``, its completed payment as ``done``."""
    return f"""
given AS (
  UPDATE {table} SET credit = 'given', decided_at = house_now(), action_code = :action_code, {also}
  WHERE payment_id = :payment_id AND credit = :before RETURNING payment_id, {returning}),
done AS (
  UPDATE payment SET state = 'confirmed', confirmed_at = house_now() FROM given
  WHERE payment.payment_id = given.payment_id AND payment.state IN {among(MACHINE.befores(event))}
  RETURNING {_FACTS}, payment.attempt_id)"""


def not_given(table: str, *, also: str) -> TextClause:
    """Return the statement that ends a leg which gave nothing and never will, and gives the debit back."""
    return text(f"""
WITH ended AS (
  UPDATE {table} SET credit = :after, decided_at = house_now(), action_code = :action_code, {also}
  WHERE payment_id = :payment_id AND credit = :before RETURNING payment_id),
refused AS (
  UPDATE payment SET state = 'reversing' FROM ended
  WHERE payment.payment_id = ended.payment_id AND payment.state IN {among(MACHINE.befores(PaymentEvent.CREDIT_REFUSED))}
  RETURNING {_FACTS}, payment.attempt_id),
{voiding("refused")},
{noted(PaymentEvent.CREDIT_REFUSED, "refused")},
{queued("switch.reverse", "voiding")}
SELECT payment_id FROM refused
""")


def decide_reversal(table: str) -> TextClause:
    """Return the statement that commits the decision to take back a leg whose deadline is over (D2)."""
    return text(f"""
UPDATE {table} SET credit = 'reversing'
WHERE payment_id = :payment_id AND credit = 'owed' AND deadline_at <= house_now() RETURNING payment_id
""")
