"""PIN requests: counted and recorded before the issuer is asked, answered after (D20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

_ASK = text("""
WITH counted AS (
  UPDATE payment SET pin_requests = pin_requests + 1 FROM merchant m, issuer i
  WHERE page_token = :page_token AND state = 'open' AND page_expires_at > house_now()
    AND pin_requests < :requests_max AND m.merchant_id = payment.merchant_id
    AND i.issuer_id = :issuer_id AND i.paused_at IS NULL
  RETURNING payment_id, pin_requests, kind, amount_rial, fee_rial, acquirer_id, payment.merchant_id,
  terminal_id, payee_name,
    reference),
used AS (
  INSERT INTO quota (scope, window_start, used)
  SELECT share.scope || :card, share.window_start, 1 FROM counted CROSS JOIN LATERAL (VALUES
    ('pin-day ', date_trunc('day', house_now() AT TIME ZONE 'Asia/Tehran') AT TIME ZONE 'Asia/Tehran'),
    ('pin-hour ', date_trunc('hour', house_now()))) AS share (scope, window_start)
  ON CONFLICT (scope, window_start) DO UPDATE SET used = quota.used + 1
  RETURNING scope, used),
recorded AS (
  INSERT INTO pin_request (request_id, payment_id, sequence, issuer_id, pan_hash, proven, state)
  SELECT CAST(:request_id AS uuid), payment_id, pin_requests, :issuer_id, :pan_hash, :proven, 'asked' FROM counted)
SELECT counted.*, (SELECT used FROM used WHERE scope LIKE 'pin-day %') AS day_used,
  (SELECT used FROM used WHERE scope LIKE 'pin-hour %') AS hour_used
FROM counted
""")
_ANSWER = text("""
UPDATE pin_request SET state = :state, reason = :reason, code_length = :code_length, mobile_last_two = :mobile_last_two,
  answered_at = house_now(), resend_at = house_now() + make_interval(secs => :resend_in_seconds),
  expires_at = house_now() + make_interval(secs => :expires_in_seconds)
WHERE request_id = CAST(:request_id AS uuid) AND state = 'asked'
""")


@dataclass(frozen=True, slots=True)
class Asked:
    """A recorded request: what the code will be bound to, and how much of the card's shares is now used."""

    payment_id: str
    pin_requests: int
    kind: str
    amount_rial: int
    fee_rial: int
    acquirer_id: str
    merchant_id: str
    terminal_id: str
    payee_name: str
    reference: str
    day_used: int
    hour_used: int


def ask(connection: Connection, values: Mapping[str, Any]) -> Asked | None:
    """Count and record a request; ``None`` when the payment's state, time or limit, or a paused issuer, forbids it."""
    row = connection.execute(_ASK, dict(values)).mappings().one_or_none()
    return None if row is None else Asked(**row)


def answer(connection: Connection, values: Mapping[str, Any]) -> None:
    """Record what the issuer answered."""
    connection.execute(_ANSWER, dict(values))
