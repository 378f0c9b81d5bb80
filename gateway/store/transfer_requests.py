"""Transfers that merchants ask for: opened without a payee, then named by whoever pays, as often as need be (D7).

The payment is there from the start, with its state, its order and its time; what a transfer needs besides comes with
the row in ``transfer``. One payment has at most one of them, and none is named anew once a card was submitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from gateway.domain.payment import PaymentEvent
from gateway.store.destinations import COLUMNS, Destination
from gateway.store.fragments import FACTS, noted
from gateway.store.idempotency import BOUNDED, conflicts, kept
from gateway.store.payments import OrderTaken, PaymentRecord

_OPEN = text(f"""
WITH opened AS (
  INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    description, mobile, callback_url, reference, state, page_expires_at, confirm_window_seconds)
  SELECT :payment_id, :page_token, 'CARD_TRANSFER', t.terminal_id, t.merchant_id, :order_id, :amount_rial, 0,
    :description, :mobile, :callback_url, :reference, 'open', house_now() + make_interval(secs => :page_seconds),
    :confirm_window_seconds
  FROM terminal t, {BOUNDED} WHERE t.terminal_id = :terminal_id
    AND (CAST(:destination_token AS text) IS NULL OR EXISTS (
      SELECT FROM saved_destination s WHERE s.merchant_id = t.merchant_id AND s.token = :destination_token))
  RETURNING {FACTS}, attempt_id),
fixed AS (
  INSERT INTO transfer_request (payment_id, amount_rial, destination_token)
  SELECT payment_id, nullif(amount_rial, 0), :destination_token FROM opened),
told AS (
  SELECT opened.*, {COLUMNS} FROM opened
  LEFT JOIN saved_destination saved ON saved.merchant_id = opened.merchant_id AND saved.token = :destination_token
  LEFT JOIN issuer bank ON bank.issuer_id = saved.issuer_id),
{noted(PaymentEvent.OPENED, "opened")},
{kept("told")}
SELECT * FROM told
""")
_DESTINATIONS = text(f"""
SELECT p.payment_id, {COLUMNS} FROM payment p
LEFT JOIN transfer_request r USING (payment_id) LEFT JOIN transfer t USING (payment_id)
LEFT JOIN saved_destination saved ON saved.merchant_id = p.merchant_id AND saved.token = coalesce(r.destination_token,
  CASE WHEN p.state IN ('confirmed', 'settled') THEN t.saving_token END)
LEFT JOIN issuer bank ON bank.issuer_id = saved.issuer_id
WHERE p.payment_id = ANY(:payment_ids) AND p.kind = 'CARD_TRANSFER'
""")
_OF_PAGE = text("""
SELECT p.payment_id, p.terminal_id, p.merchant_id, r.amount_rial, r.destination_token
FROM payment p JOIN transfer_request r USING (payment_id) WHERE p.page_token = :page_token
""")

# A payee named anew is another transfer to the bank: it has its own reference, and codes of the old one are over.
_NAME = text("""
WITH named AS (
  UPDATE payment SET amount_rial = :amount_rial, fee_rial = :fee_rial, payee_key = :payee_key, payee_name = :payee_name,
    inside = :inside, reference = :reference
  WHERE payment_id = :payment_id AND state = 'open' AND page_expires_at > house_now() AND attempts = 0
  RETURNING payment_id),
over AS (
  UPDATE pin_request SET resend_at = house_now(), expires_at = house_now(), delivery_due_at = NULL FROM named
  WHERE pin_request.payment_id = named.payment_id AND pin_request.expires_at > house_now())
INSERT INTO transfer (payment_id, source_hash, destination_hash, destination_sealed, destination_masked,
  destination_issuer_id, holder_name, saving_token, saving_sealed)
SELECT payment_id, :source_hash, :destination_hash, :destination_sealed, :destination_masked, :destination_issuer_id,
  :holder_name, :saving_token, :saving_sealed FROM named
ON CONFLICT (payment_id) DO UPDATE SET source_hash = excluded.source_hash,
  destination_hash = excluded.destination_hash, destination_sealed = excluded.destination_sealed,
  destination_masked = excluded.destination_masked, destination_issuer_id = excluded.destination_issuer_id,
  holder_name = excluded.holder_name, saving_token = excluded.saving_token, saving_sealed = excluded.saving_sealed,
  named_at = excluded.named_at
RETURNING payment_id
""")


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """A transfer as its merchant may know it: the payment, and the destination if that is a saved one."""

    payment: PaymentRecord
    destination: Destination | None

    @classmethod
    def of(cls, row: Mapping[str, Any] | RowMapping) -> TransferRecord:
        """Build from a row, or from the JSON of one that a stored answer keeps."""
        return cls(PaymentRecord.of(row), Destination.of(row))


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a merchant fixed of the transfer behind a page; ``None`` is left to whoever pays."""

    payment_id: str
    terminal_id: str
    merchant_id: str
    amount_rial: int | None
    destination_token: str | None


def open_request(connection: Connection, values: Mapping[str, Any]) -> TransferRecord | None:
    """Insert a payment that waits for its payee, with its event and stored answer; ``None``: no such destination.

    Raises:
        KeyTaken, Busy, OrderTaken: as for a purchase.
    """
    with conflicts(payment_order=OrderTaken):
        row = connection.execute(_OPEN, dict(values)).mappings().one_or_none()
    return None if row is None else TransferRecord.of(row)


def destinations_of(connection: Connection, payment_ids: Sequence[str]) -> dict[str, Destination | None]:
    """Return the saved destination, if any, of each of these payments that is a transfer.

    One that was left to the payer is told once the transfer to it is complete and saved it.
    """
    rows = connection.execute(_DESTINATIONS, {"payment_ids": list(payment_ids)}).mappings()
    return {row["payment_id"]: Destination.of(row) for row in rows}


def of_page(connection: Connection, page_token: str) -> Fixed | None:
    """Return what was fixed of the transfer behind a page; ``None`` when no merchant asked for one there."""
    row = connection.execute(_OF_PAGE, {"page_token": page_token}).mappings().one_or_none()
    return None if row is None else Fixed(**row)


def name_payee(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Name who gets the money, and from which card; ``False`` when state, time or a submitted card forbids it."""
    return connection.execute(_NAME, dict(values)).one_or_none() is not None
