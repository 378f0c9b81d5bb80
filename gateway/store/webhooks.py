"""What a webhook needs: the payment's facts and the merchant's address and secret."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

_TARGET = text("""
SELECT m.merchant_id, m.webhook_url, m.webhook_secret_sealed, p.payment_id, p.order_id, p.amount_rial,
p.fee_rial, p.rrn,
  p.tracking_code, p.pan_masked, p.card_token
FROM payment p JOIN merchant m USING (merchant_id)
WHERE p.payment_id = :payment_id AND m.webhook_url IS NOT NULL AND m.active
""")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a payment's events go, and what may be said there."""

    merchant_id: str
    webhook_url: str
    webhook_secret_sealed: bytes
    payment_id: str
    order_id: str
    amount_rial: int
    fee_rial: int
    rrn: str | None
    tracking_code: str | None
    pan_masked: str | None
    card_token: str | None


def target(connection: Connection, payment_id: str) -> Target | None:
    """Read the address for a payment's events; ``None`` when its merchant wants none."""
    row = connection.execute(_TARGET, {"payment_id": payment_id}).mappings().one_or_none()
    if row is None:
        return None
    return Target(**{**row, "webhook_secret_sealed": bytes(row["webhook_secret_sealed"])})
