"""What the hosted page reads: a payment with its merchant, latest attempt and latest PIN request, in one statement."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

_LEFT = "greatest(0, CAST(ceil(extract(epoch FROM {} - house_now())) AS integer))"
_PAGE = text(f"""
SELECT p.payment_id, p.page_token, p.kind, p.state, p.amount_rial, p.fee_rial, m.name_fa AS merchant_name_fa,
  m.name_en AS merchant_name_en, coalesce(p.payee_name, m.payee_name) AS payee_name, p.payee_key, p.inside, m.site,
  m.acquirer_id, p.merchant_id, p.terminal_id, p.order_id, p.description, p.mobile,
  p.reference, p.callback_url, p.page_expires_at, {_LEFT.format("p.page_expires_at")} AS seconds_left, p.extensions,
  p.attempts, p.pin_requests, a.state AS attempt_state, a.action_code,
  {_LEFT.format("(p.authorised_at + make_interval(secs => p.confirm_window_seconds))")} AS confirm_seconds_left,
  r.state AS pin_state, {_LEFT.format("r.resend_at")} AS resend_in_seconds,
  {_LEFT.format("r.expires_at")} AS expires_in_seconds, r.code_length, r.mobile_last_two, r.delivery,
  coalesce(a.submitted_at >= r.requested_at, false) AS tried_since,
  CASE WHEN r.delivery_due_at IS NOT NULL THEN {_LEFT.format("r.delivery_due_at")} END AS ask_in_seconds, p.rrn,
  p.tracking_code, p.pan_masked, i.name_fa AS issuer_name_fa, i.name_en AS issuer_name_en, p.authorised_at,
  p.decided_by, coalesce(p.decided_by <= house_now(), false) AS promise_broken
FROM payment p JOIN merchant m USING (merchant_id)
LEFT JOIN LATERAL (
  SELECT state, action_code, submitted_at FROM attempt
  WHERE payment_id = p.payment_id ORDER BY number DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (
  SELECT * FROM pin_request WHERE payment_id = p.payment_id ORDER BY sequence DESC LIMIT 1) r ON true
LEFT JOIN issuer i ON i.issuer_id = p.issuer_id
WHERE p.page_token = :page_token
""")


@dataclass(frozen=True, slots=True)
class PageRow:
    """The row behind :class:`gateway.services.show_page.PageView`."""

    payment_id: str
    page_token: str
    kind: str
    state: str
    amount_rial: int
    fee_rial: int
    merchant_name_fa: str
    merchant_name_en: str
    payee_name: str
    payee_key: str
    inside: bool
    site: str
    acquirer_id: str
    merchant_id: str
    terminal_id: str
    order_id: str
    description: str | None
    mobile: str | None
    reference: str
    callback_url: str
    page_expires_at: dt.datetime
    seconds_left: int
    extensions: int
    attempts: int
    pin_requests: int
    attempt_state: str | None
    action_code: str | None
    confirm_seconds_left: int
    pin_state: str | None
    resend_in_seconds: int
    expires_in_seconds: int
    code_length: int | None
    mobile_last_two: str | None
    delivery: str | None
    tried_since: bool
    ask_in_seconds: int | None
    rrn: str | None
    tracking_code: str | None
    pan_masked: str | None
    issuer_name_fa: str | None
    issuer_name_en: str | None
    authorised_at: dt.datetime | None
    decided_by: dt.datetime | None
    promise_broken: bool


def page(connection: Connection, page_token: str) -> PageRow | None:
    """Read the payment of a page token."""
    row = connection.execute(_PAGE, {"page_token": page_token}).mappings().one_or_none()
    return None if row is None else PageRow(**row)
