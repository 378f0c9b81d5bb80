"""Invariants of refunds: never more than was kept, each told and worked on, the card's number no longer than needed."""

from __future__ import annotations

from foundation.checks import Check, Severity
from gateway.domain.refund import ENDS, TELLS
from gateway.store.fragments import among

_PAYMENTS = "payment_id = ANY(CAST(:subjects AS text[]))"
_OVER = among(ENDS)

_SUMS = f"""
SELECT payment_id, greatest(abs(refunded_rial - wanted), abs(returned_rial - done), 1) FROM (
  SELECT p.payment_id, p.refunded_rial, p.returned_rial,
    coalesce(sum(r.amount_rial) FILTER (WHERE r.state <> 'refused'), 0) AS wanted,
    coalesce(sum(r.amount_rial) FILTER (WHERE r.state = 'done'), 0) AS done
  FROM payment p LEFT JOIN refund r USING (payment_id) WHERE p.{_PAYMENTS} GROUP BY p.payment_id) AS sums
WHERE (refunded_rial, returned_rial) <> (wanted, done)
"""

_BOOKED = f"""
SELECT payment_id, greatest(abs(under_way - wanted_under_way), abs(gone - wanted_gone), 1) FROM (
  SELECT r.payment_id, r.number, CASE WHEN r.state IN {_OVER} THEN 0 ELSE r.amount_rial + r.fee_rial END
      AS wanted_under_way,
    CASE r.state WHEN 'done' THEN r.amount_rial + r.fee_rial ELSE 0 END AS wanted_gone,
    coalesce(sum(CASE WHEN destination LIKE 'refunding:%' THEN posting.amount_rial
      WHEN source LIKE 'refunding:%' THEN -posting.amount_rial END), 0) AS under_way,
    coalesce(sum(CASE WHEN destination LIKE 'issuer:%' THEN posting.amount_rial
      WHEN source LIKE 'issuer:%' THEN -posting.amount_rial END), 0) AS gone
  FROM refund r LEFT JOIN posting ON posting.refund = r.number WHERE r.{_PAYMENTS}
  GROUP BY r.terminal_id, r.refund_id) AS books
WHERE (under_way, gone) <> (wanted_under_way, wanted_gone)
"""

_SEALED = f"""
SELECT a.payment_id, 0 FROM attempt a LEFT JOIN refund r ON r.attempt_id = a.attempt_id AND r.state NOT IN {_OVER}
WHERE a.{_PAYMENTS} GROUP BY a.attempt_id HAVING count(r.number) <> a.refunding
"""

_PAST_PROMISE = "SELECT payment_id, total_rial FROM refund_under_way WHERE past_promise"

_WORKED_ON = """
SELECT u.payment_id, u.total_rial FROM refund_under_way u LEFT JOIN outbox o ON o.done_at IS NULL AND o.dead_at IS NULL
  AND o.unique_key = 'switch.refund:' || u.number
WHERE o.id IS NULL
"""

_TOLD = ", ".join(f"('{state}', '{kind}')" for state, kind in TELLS.items())
_UNTOLD = f"""
SELECT r.payment_id, r.amount_rial FROM refund r JOIN (VALUES {_TOLD}) AS told (state, type) ON told.state = r.state
WHERE r.{_PAYMENTS} AND r.decided_at > house_now() - interval '29 days'
  AND NOT EXISTS (SELECT FROM webhook_event WHERE webhook_event.event_id = 'evt_' || left(encode(sha256(convert_to(
    told.type || ':' || r.number, 'UTF8')), 'hex'), 32))
"""

CHECKS_OF_REFUNDS = (
    Check(
        "I4_refunds",
        "a payment counts its refunds rightly, and so never gives back more than was kept",
        Severity.MONEY,
        _SUMS,
        "payment",
    ),
    Check(
        "I4_refund_booked",
        "a refund's postings are all of its money on the way, then at the issuer or back",
        Severity.MONEY,
        _BOOKED,
        "payment",
    ),
    Check(
        "I4_refund_card",
        "an attempt keeps its card's number for just the refunds that are not over (D1)",
        Severity.MONEY,
        _SEALED,
        "payment",
    ),
    Check("I5_refund_past_promise", "a refund is answered for within a day (D36)", Severity.MONEY, _PAST_PROMISE),
    Check("I11_refund_worked_on", "a refund under way has a living job that sends it", Severity.MONEY, _WORKED_ON),
    Check("I11_refund_told", "a refund that is over is in its merchant's feed", Severity.MONEY, _UNTOLD, "payment"),
)
