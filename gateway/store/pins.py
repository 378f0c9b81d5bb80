"""PIN requests: counted and recorded before the issuer is asked, answered after (D20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text


def _shares(at: str) -> str:
    """Return the windows that a request is counted in, as rows with the first part of their scope."""
    return f"""(VALUES ('pin-day ', date_trunc('day', {at}, 'Asia/Tehran')), ('pin-hour ', date_trunc('hour', {at})))
  AS share (scope, window_start)"""


_ASK = text(f"""
WITH counted AS (
  UPDATE payment SET pin_requests = pin_requests + 1 FROM merchant m, issuer i
  WHERE page_token = :page_token AND state = 'open' AND page_expires_at > house_now()
    AND pin_requests < :requests_max AND m.merchant_id = payment.merchant_id
    AND i.issuer_id = :issuer_id AND i.paused_at IS NULL AND (kind <> 'CARD_TRANSFER' OR EXISTS (
      SELECT FROM transfer t WHERE t.payment_id = payment.payment_id AND t.source_hash = :pan_hash))
  RETURNING payment_id, pin_requests, kind, inside, amount_rial, fee_rial, acquirer_id, payment.merchant_id,
    terminal_id, coalesce(payment.payee_name, m.payee_name) AS payee_name, payee_key, reference),
used AS (
  INSERT INTO quota (scope, window_start, used)
  SELECT share.scope || CASE WHEN :proven THEN 'proven ' ELSE 'unproven ' END || :card, share.window_start, 1
  FROM counted CROSS JOIN LATERAL {_shares("house_now()")} ORDER BY 1
  ON CONFLICT (scope, window_start) DO UPDATE SET used = quota.used + 1
  RETURNING scope, window_start, used),
kept AS (
  SELECT used.scope, used.used - coalesce(disproved.used, 0) AS used FROM used LEFT JOIN quota AS disproved
    ON disproved.scope = used.scope || ' disproved' AND disproved.window_start = used.window_start),
recorded AS (
  INSERT INTO pin_request (request_id, payment_id, sequence, issuer_id, pan_hash, proven, state)
  SELECT CAST(:request_id AS uuid), payment_id, pin_requests, :issuer_id, :pan_hash, :proven, 'asked' FROM counted)
SELECT counted.*, (SELECT used FROM kept WHERE scope LIKE 'pin-day %') AS day_used,
  (SELECT used FROM kept WHERE scope LIKE 'pin-hour %') AS hour_used
FROM counted
""")
# A code that outlives its page brings the page's first extension along (D29: two in all, by whomever).
_ANSWER = text(f"""
WITH answered AS (
  UPDATE pin_request SET state = :state, reason = :reason, proven = proven AND NOT :disproved,
    code_length = :code_length, mobile_last_two = :mobile_last_two, answered_at = house_now(),
    resend_at = house_now() + make_interval(secs => :resend_in_seconds),
    expires_at = house_now() + make_interval(secs => :expires_in_seconds), delivery = :delivery,
    correlation_id = CAST(:correlation_id AS uuid),
    delivery_due_at = CASE WHEN CAST(:correlation_id AS uuid) IS NOT NULL
      THEN house_now() + make_interval(secs => :check_seconds) END
  WHERE request_id = CAST(:request_id AS uuid) AND state = 'asked'
  RETURNING payment_id, state, expires_at, encode(pan_hash, 'hex') AS card, requested_at),
moved AS (
  INSERT INTO quota (scope, window_start, used)
  SELECT share.scope || row.proof || card || row.mark, share.window_start, 1
  FROM answered CROSS JOIN LATERAL {_shares("requested_at")}
  CROSS JOIN (VALUES ('proven ', ' disproved'), ('unproven ', '')) AS row (proof, mark) WHERE :disproved ORDER BY 1
  ON CONFLICT (scope, window_start) DO UPDATE SET used = quota.used + 1)
UPDATE payment SET extensions = extensions + 1,
  page_expires_at = page_expires_at + make_interval(secs => :extension_seconds)
FROM answered WHERE payment.payment_id = answered.payment_id AND answered.state = 'sent'
  AND answered.expires_at > payment.page_expires_at AND payment.page_expires_at > house_now()
  AND payment.state = 'open' AND payment.extensions = 0
""")

# Of two that find a check due at once, the second waits for the first and then finds it not due any more.
_CLAIM_CHECK = text("""
UPDATE pin_request SET delivery_checks = delivery_checks + 1,
  delivery_due_at = CASE WHEN delivery_checks + 1 < :checks_max
    THEN house_now() + make_interval(secs => :seconds * (delivery_checks + 2)) END
WHERE delivery_due_at <= house_now() AND request_id = (
  SELECT request_id FROM pin_request JOIN payment USING (payment_id) WHERE page_token = :page_token
  ORDER BY sequence DESC LIMIT 1)
RETURNING CAST(request_id AS text) AS request_id, issuer_id, CAST(correlation_id AS text) AS correlation_id,
  CASE WHEN delivery_due_at IS NOT NULL THEN :seconds * (delivery_checks + 1) END AS next_in_seconds
""")
_NOTE_DELIVERY = text("""
UPDATE pin_request SET delivery = :delivery, delivery_due_at = CASE WHEN NOT :done THEN delivery_due_at END
WHERE request_id = CAST(:request_id AS uuid)
""")


@dataclass(frozen=True, slots=True)
class Check:
    """A question about a message that its caller alone may ask now, and when the next one is possible, if ever."""

    request_id: str
    issuer_id: str
    correlation_id: str
    next_in_seconds: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A recorded request: what the code will be bound to, and how much of the card's shares is now used.

    Its shares are those of requests with card proof, without what issuers found to be none, or those of the others.
    """

    payment_id: str
    pin_requests: int
    kind: str
    amount_rial: int
    fee_rial: int
    acquirer_id: str
    merchant_id: str
    terminal_id: str
    payee_name: str
    payee_key: str
    inside: bool
    reference: str
    day_used: int
    hour_used: int


def ask(connection: Connection, values: Mapping[str, Any]) -> Asked | None:
    """Count and record a request; ``None`` when the payment's state, time or limit, or a paused issuer, forbids it."""
    row = connection.execute(_ASK, dict(values)).mappings().one_or_none()
    return None if row is None else Asked(**row)


def answer(connection: Connection, values: Mapping[str, Any]) -> None:
    """Record what the issuer answered; a request whose proof it did not take is counted as one without (D19)."""
    connection.execute(_ANSWER, dict(values))


def claim_check(connection: Connection, page_token: str, *, checks_max: int, seconds: int) -> Check | None:
    """Count a question about the payment's last message; ``None`` when it is not time for one."""
    values = {"page_token": page_token, "checks_max": checks_max, "seconds": seconds}
    row = connection.execute(_CLAIM_CHECK, values).mappings().one_or_none()
    return None if row is None else Check(**row)


def note_delivery(connection: Connection, request_id: str, delivery: str | None, *, done: bool) -> None:
    """Record what is known of a message; when ``done``, nobody asks again."""
    connection.execute(_NOTE_DELIVERY, {"request_id": request_id, "delivery": delivery, "done": done})
