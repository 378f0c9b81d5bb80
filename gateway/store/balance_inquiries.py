"""Questions for a card's balance: opened here, answered like any attempt, their answer kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from gateway.domain.payment import PaymentEvent
from gateway.store.fragments import FACTS, noted
from gateway.store.payments import PaymentRecord

_OPEN = text(f"""
WITH opened AS (
  INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    callback_url, reference, state, page_expires_at, confirm_window_seconds)
  SELECT :payment_id, :page_token, 'BALANCE_INQUIRY', t.terminal_id, t.merchant_id, :order_id, 0, :fee_rial,
    :callback_url, :reference, 'open', house_now() + make_interval(secs => :page_seconds), :confirm_window_seconds
  FROM terminal t WHERE t.terminal_id = :terminal_id
  RETURNING {FACTS}, attempt_id),
{noted(PaymentEvent.OPENED, "opened")}
SELECT {FACTS} FROM opened
""")


def open_inquiry(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord:
    """Insert a question for a balance, with its event."""
    return PaymentRecord.of(connection.execute(_OPEN, dict(values)).mappings().one())
