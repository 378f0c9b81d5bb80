"""The gateway's invariants of top-ups as named queries, asked with all others (:mod:`gateway.store.checks`)."""

from __future__ import annotations

from foundation.checks import Check, Severity
from gateway.domain.payment import PaymentEvent
from gateway.store import second_legs
from gateway.store.top_ups import TOP_UP_TOPIC

_WHOLE = f"""
SELECT payment_id, greatest(abs(clearing - held) + abs(given - wanted) + abs(fees - due), 1) FROM (
  SELECT p.payment_id, p.state, p.amount_rial, t.credit, books.clearing, books.given, books.fees,
    CASE p.state WHEN 'authorised' THEN p.amount_rial ELSE 0 END AS held,
    CASE WHEN p.state IN ('confirmed', 'settled') THEN p.amount_rial ELSE 0 END AS wanted,
    CASE WHEN p.state IN ('authorised', 'confirmed', 'settled') THEN p.fee_rial ELSE 0 END AS due
  FROM payment p JOIN top_up t USING (payment_id) JOIN LATERAL (
    SELECT coalesce(sum(CASE 'transfer-clearing' WHEN destination THEN posting.amount_rial
        WHEN source THEN -posting.amount_rial END), 0) AS clearing,
      coalesce(sum(posting.amount_rial) FILTER (WHERE event = '{PaymentEvent.TOP_UP_DELIVERED}'
        AND destination = 'payable:' || t.operator_merchant_id), 0) AS given,
      coalesce(sum(CASE 'fees' WHEN destination THEN posting.amount_rial
        WHEN source THEN -posting.amount_rial END), 0) AS fees
    FROM attempt JOIN posting USING (attempt_id) WHERE attempt.payment_id = p.payment_id) AS books ON true
  WHERE p.payment_id = ANY(CAST(:subjects AS text[]))) AS moved
WHERE CASE WHEN state IN ('reversing', 'disputed') THEN given <> 0 OR clearing NOT IN (0, amount_rial)
    ELSE (clearing, given, fees) <> (held, wanted, due) END
  OR CASE WHEN state = 'authorised' THEN credit NOT IN ('owed', 'reversing')
    WHEN state IN ('confirmed', 'settled') THEN credit <> 'given' ELSE credit NOT IN ('none', 'refused', 'reversed') END
"""

TOP_UP_CHECKS = (
    Check(
        "I4_top_up",
        "a top-up's money is in clearing, with its operator, or back where it came from, as its state says",
        Severity.MONEY,
        _WHOLE,
        "payment",
    ),
    Check(
        "I5_top_up",
        "a top-up is decided an hour after its deadline (D7)",
        Severity.MONEY,
        second_legs.overdue("top_up"),
    ),
    Check(
        "I11_top_up",
        "a top-up that is owed has a living job",
        Severity.MONEY,
        second_legs.without_job("top_up", TOP_UP_TOPIC),
    ),
    Check(
        "I18_number",
        "a decided top-up has forgotten its number two minutes later",
        Severity.DELAY,
        second_legs.not_wiped("top_up", "mobile_sealed"),
    ),
)
