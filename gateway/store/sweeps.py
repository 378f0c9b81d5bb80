"""What happens by itself when time is up. Bounded batches, ``SKIP LOCKED``; each sweep is one statement."""

from __future__ import annotations

from sqlalchemy import Connection, text

from gateway.domain.payment import MACHINE, PaymentEvent
from gateway.store.fragments import FACTS, WITH_SECOND_LEG, among, noted, queued, told, voiding

_EXPIRE = text(f"""
WITH expired AS (
  UPDATE payment SET state = 'expired' WHERE payment_id IN (
    SELECT payment_id FROM payment WHERE state IN {among(MACHINE.befores(PaymentEvent.WINDOW_ELAPSED))}
      AND page_expires_at <= house_now() ORDER BY page_expires_at LIMIT :most FOR UPDATE SKIP LOCKED)
  RETURNING {FACTS}, attempt_id),
{noted(PaymentEvent.WINDOW_ELAPSED, "expired")},
{told(PaymentEvent.WINDOW_ELAPSED, "expired")}
SELECT payment_id FROM expired
""")
_GIVE_BACK = text(f"""
WITH given_back AS (
  UPDATE payment SET state = 'reversing' WHERE payment_id IN (
    SELECT payment_id FROM payment WHERE state IN {among(MACHINE.befores(PaymentEvent.CONFIRM_WINDOW_ELAPSED))}
      AND kind NOT IN {WITH_SECOND_LEG}
      AND authorised_at + make_interval(secs => confirm_window_seconds) <= house_now()
    ORDER BY authorised_at LIMIT :most FOR UPDATE SKIP LOCKED)
  RETURNING {FACTS}, attempt_id),
{voiding("given_back")},
{noted(PaymentEvent.CONFIRM_WINDOW_ELAPSED, "given_back")},
{queued("switch.reverse", "voiding")}
SELECT payment_id FROM given_back
""")

# A second leg may stay undecided longer than any window, and its refusal gives the debit back, to this card number.
_WIPE = text(f"""
UPDATE attempt SET pan_sealed = NULL WHERE attempt_id IN (
  SELECT a.attempt_id FROM attempt a JOIN payment p USING (payment_id)
  WHERE a.pan_sealed IS NOT NULL AND a.state = 'approved' AND a.refunding = 0
    AND p.state NOT IN {among(MACHINE.befores(PaymentEvent.CREDIT_REFUSED))}
    AND a.decided_at + make_interval(days => :refund_window_days) <= house_now()
  ORDER BY a.decided_at LIMIT :most FOR UPDATE OF a SKIP LOCKED)
""")
_WIPE_MOBILES = text("""
UPDATE payment SET mobile = NULL WHERE payment_id IN (
  SELECT payment_id FROM payment WHERE mobile IS NOT NULL
    AND created_at + make_interval(days => :keep_days) <= house_now()
  ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED)
""")
_FORGET = text("""
DELETE FROM idempotency WHERE (terminal_id, key) IN (
  SELECT terminal_id, key FROM idempotency WHERE created_at <= (SELECT house_now() - make_interval(days => :keep_days))
  ORDER BY created_at LIMIT :most)
""")
_FORGET_JOBS = text("""
DELETE FROM outbox WHERE id IN (
  SELECT id FROM outbox WHERE done_at + make_interval(days => :keep_days) <= house_now()
  ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED)
""")
_FORGET_QUOTAS = text("DELETE FROM quota WHERE window_start < house_now() - interval '2 days'")


def expire(connection: Connection, *, most: int) -> int:
    """Expire open payments whose page time is over; return how many."""
    return len(connection.execute(_EXPIRE, {"most": most}).all())


def give_back_unconfirmed(connection: Connection, *, most: int) -> int:
    """Decide to reverse authorised payments nobody confirmed in time; return how many (complement of confirm, D30)."""
    return len(connection.execute(_GIVE_BACK, {"most": most}).all())


def wipe_pans(connection: Connection, *, refund_window_days: int, most: int) -> int:
    """Wipe sealed PANs of kept payments whose refund window, refunds and second leg are over (D1, D43): how many."""
    values = {"refund_window_days": refund_window_days, "most": most}
    return connection.execute(_WIPE, values).rowcount


def wipe_mobiles(connection: Connection, *, keep_days: int, most: int) -> int:
    """Erase shoppers' mobile numbers older than ``keep_days`` (D43); return how many."""
    return connection.execute(_WIPE_MOBILES, {"keep_days": keep_days, "most": most}).rowcount


def forget_answers(connection: Connection, *, keep_days: int, most: int) -> int:
    """Delete stored answers older than ``keep_days``; return how many."""
    return connection.execute(_FORGET, {"keep_days": keep_days, "most": most}).rowcount


def forget_jobs(connection: Connection, *, keep_days: int, most: int) -> int:
    """Delete done jobs older than ``keep_days``; dead ones stay for a person. Return how many."""
    return connection.execute(_FORGET_JOBS, {"keep_days": keep_days, "most": most}).rowcount


def forget_quotas(connection: Connection) -> int:
    """Delete counters of windows that are over; return how many."""
    return connection.execute(_FORGET_QUOTAS).rowcount
