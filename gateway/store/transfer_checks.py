"""The gateway's invariants of transfers as named queries, asked with all others (:mod:`gateway.store.checks`)."""

from __future__ import annotations

from foundation.checks import Check, Severity
from gateway.domain.payment import PaymentEvent
from gateway.store.transfer_legs import CREDIT_TOPIC, OVERDUE

_GIVING = f"('{PaymentEvent.TRANSFER_MOVED}', '{PaymentEvent.TRANSFER_STOOD}', '{PaymentEvent.CREDIT_GIVEN}')"

_WHOLE = f"""
SELECT payment_id, greatest(abs(clearing - held) + abs(given - wanted) + abs(fees - due), 1) FROM (
  SELECT p.payment_id, p.state, p.amount_rial, p.inside, t.credit, books.clearing, books.given, books.fees,
    CASE p.state WHEN 'authorised' THEN p.amount_rial ELSE 0 END AS held,
    CASE WHEN p.state IN ('confirmed', 'settled') THEN p.amount_rial ELSE 0 END AS wanted,
    CASE WHEN p.state IN ('authorised', 'confirmed', 'settled') THEN p.fee_rial ELSE 0 END AS due
  FROM payment p JOIN transfer t USING (payment_id) JOIN LATERAL (
    SELECT coalesce(sum(CASE 'transfer-clearing' WHEN destination THEN posting.amount_rial
        WHEN source THEN -posting.amount_rial END), 0) AS clearing,
      coalesce(sum(posting.amount_rial) FILTER (WHERE source = 'transfer-clearing' AND event IN {_GIVING}), 0) AS given,
      coalesce(sum(CASE 'fees' WHEN destination THEN posting.amount_rial
        WHEN source THEN -posting.amount_rial END), 0) AS fees
    FROM attempt JOIN posting USING (attempt_id) WHERE attempt.payment_id = p.payment_id) AS books ON true
  WHERE p.payment_id = ANY(CAST(:subjects AS text[]))) AS moved
WHERE CASE WHEN state IN ('reversing', 'disputed') THEN given <> 0 OR clearing NOT IN (0, amount_rial)
    ELSE (clearing, given, fees) <> (held, wanted, due) END
  OR CASE WHEN inside THEN credit <> 'none'
    WHEN state = 'authorised' THEN credit NOT IN ('owed', 'reversing')
    WHEN state IN ('confirmed', 'settled') THEN credit <> 'given'
    ELSE credit NOT IN ('none', 'refused', 'reversed') END
"""

_OVERDUE = f"""
SELECT payment_id, amount_rial FROM transfer JOIN payment USING (payment_id)
WHERE credit IN ('owed', 'reversing') AND deadline_at < house_now() - {OVERDUE}
"""

_WORKED_ON = f"""
SELECT p.payment_id, p.amount_rial FROM transfer t JOIN payment p USING (payment_id)
LEFT JOIN outbox o ON o.done_at IS NULL AND o.dead_at IS NULL AND o.unique_key = '{CREDIT_TOPIC}:' || p.attempt_id
WHERE t.credit IN ('owed', 'reversing') AND o.id IS NULL
"""

_SEALED = """
SELECT t.payment_id, 0 FROM transfer t JOIN payment p USING (payment_id)
WHERE t.destination_sealed IS NOT NULL AND t.credit NOT IN ('owed', 'reversing')
  AND p.state IN ('confirmed', 'settled', 'reversed', 'cancelled', 'expired')
  AND coalesce(t.decided_at, p.page_expires_at) < house_now() - interval '2 minutes'
"""

TRANSFER_CHECKS = (
    Check(
        "I4_transfer",
        "a transfer's money is in clearing, with its destination, or back where it came from, as its state says",
        Severity.MONEY,
        _WHOLE,
        "payment",
    ),
    Check("I5_credit", "a transfer's credit is decided an hour after its deadline (D7)", Severity.MONEY, _OVERDUE),
    Check("I11_credit", "a credit that is owed has a living job", Severity.MONEY, _WORKED_ON),
    Check("I18_wiped", "a decided transfer has forgotten its destination two minutes later", Severity.DELAY, _SEALED),
)
