"""What second legs share, to a bank or to an operator: their statements, and what the monitor asks of them (D7).

A table of second legs has the columns ``payment_id``, ``credit``, ``decided_at``, ``action_code`` and ``deadline_at``.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text

from gateway.domain.payment import MACHINE, PaymentEvent
from gateway.store.fragments import among, facts_of, noted, queued, voiding

OVERDUE = "interval '1 hour'"
"""How long after its deadline a second leg may still be under way before somebody has to look."""
_FACTS = facts_of("payment")
_DECIDED = """leg.credit NOT IN ('owed', 'reversing')
    AND p.state IN ('confirmed', 'settled', 'reversed', 'cancelled', 'expired')"""


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


def wipe(table: str, column: str, *others: str) -> TextClause:
    """Return the statement that forgets whom decided legs were for, a bounded batch at a time, and what hangs on it."""
    emptied = ", ".join(f"{name} = NULL" for name in (column, *others))
    return text(f"""
UPDATE {table} SET {emptied} WHERE payment_id IN (
  SELECT leg.payment_id FROM {table} AS leg JOIN payment p USING (payment_id)
  WHERE leg.{column} IS NOT NULL AND {_DECIDED} LIMIT :most FOR UPDATE OF leg SKIP LOCKED)
""")


def overdue(table: str) -> str:
    """Return the question for legs that are not decided an hour after their deadline."""
    return f"""
SELECT payment_id, amount_rial FROM {table} JOIN payment USING (payment_id)
WHERE credit IN ('owed', 'reversing') AND deadline_at < house_now() - {OVERDUE}
"""


def without_job(table: str, topic: str) -> str:
    """Return the question for legs that are owed and that nobody works on."""
    return f"""
SELECT p.payment_id, p.amount_rial FROM {table} AS leg JOIN payment p USING (payment_id)
LEFT JOIN outbox o ON o.done_at IS NULL AND o.dead_at IS NULL AND o.unique_key = '{topic}:' || p.attempt_id
WHERE leg.credit IN ('owed', 'reversing') AND o.id IS NULL
"""


def not_wiped(table: str, column: str) -> str:
    """Return the question for decided legs that still know whom they were for two minutes later."""
    return f"""
SELECT leg.payment_id, 0 FROM {table} AS leg JOIN payment p USING (payment_id)
WHERE leg.{column} IS NOT NULL AND {_DECIDED}
  AND coalesce(leg.decided_at, p.page_expires_at) < house_now() - interval '2 minutes'
"""
