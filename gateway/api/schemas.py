"""What merchants send and get: the models behind contracts/merchant/v1 (a test compares the two)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.services.open_payment import PaymentRecord

State = Literal[
    "open",
    "authorised",
    "confirmed",
    "settled",
    "reversing",
    "reversed",
    "refunded",
    "cancelled",
    "expired",
    "unknown",
]
Amount = Annotated[int, Field(strict=True, ge=1, description="whole rials")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class OpenPaymentIn(_In):
    """Open a payment of one amount for one order."""

    amount: Amount
    order_id: Annotated[str, Field(strict=True, description="your own number: 1 to 64 letters, digits and ._-")]
    callback_url: Annotated[str, Field(strict=True, description="on your registered site; the shopper returns there")]
    description: Annotated[str, Field(strict=True, description="shown on the page, at most 120 characters")] | None = (
        None
    )
    mobile: Annotated[str, Field(strict=True, description="the shopper's, 09 and nine digits")] | None = None


class ConfirmIn(_In):
    """Confirm a payment; the amount must be the payment's."""

    amount: Amount


class CardOut(_Out):
    """The card that paid: never its number."""

    masked_pan: Annotated[str, Field(description="first six and last four digits")]
    token: Annotated[str, Field(description="the same card of yours has the same token; other merchants see another")]


class PaymentOut(_Out):
    """A payment as it stands."""

    id: str
    state: State
    amount: Annotated[int, Field(description="rials, without the fee")]
    fee: Annotated[int, Field(description="rials the cardholder pays on top")]
    order_id: str
    description: str | None
    page_url: Annotated[str, Field(description="send the shopper's browser here")]
    callback_url: str
    created_at: dt.datetime
    expires_at: Annotated[dt.datetime, Field(description="until then the page can be paid")]
    confirm_before: Annotated[
        dt.datetime | None, Field(description="authorised money not confirmed by then goes back by itself")
    ]
    decided_by: Annotated[
        dt.datetime | None,
        Field(description="while unknown: by then the result is known or the money is back; do not charge again"),
    ]
    authorised_at: dt.datetime | None
    confirmed_at: dt.datetime | None
    reversed_at: dt.datetime | None
    rrn: Annotated[str | None, Field(description="retrieval reference number, 12 digits")]
    tracking_code: Annotated[str | None, Field(description="what the shopper reads on the receipt")]
    card: CardOut | None


class ConfirmedOut(PaymentOut):
    """A confirmed payment."""

    first_time: Annotated[
        bool,
        Field(description="true for the call that confirmed and for repeats under its Idempotency-Key; deliver once"),
    ]


class PaymentsOut(_Out):
    """Up to a hundred payments, by id."""

    items: list[PaymentOut]
    has_more: Annotated[bool, Field(description="ask again with after = the last id")]


class Problem(_Out):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(description="stable, for machines")]
    errors: list[dict[str, str]] | None = None
    payment_id: str | None = None
    state: str | None = None


def payment_out(record: PaymentRecord, public_url: str) -> PaymentOut:
    """Show a payment to its merchant."""
    return PaymentOut.model_validate(facts(record, public_url))


def facts(record: PaymentRecord, public_url: str) -> dict[str, object]:
    """Return what a merchant may know of a payment, by the names of the contract."""
    card = None
    if record.pan_masked is not None and record.card_token is not None:
        card = CardOut(masked_pan=record.pan_masked, token=record.card_token)
    window = dt.timedelta(seconds=record.confirm_window_seconds)
    return {
        "id": record.payment_id,
        "state": OUTSIDE[record.state],
        "amount": record.amount_rial,
        "fee": record.fee_rial,
        "order_id": record.order_id,
        "description": record.description,
        "page_url": f"{public_url.rstrip('/')}/pay/{record.page_token}",
        "callback_url": record.callback_url,
        "created_at": record.created_at,
        "expires_at": record.page_expires_at,
        "confirm_before": record.authorised_at + window if record.authorised_at else None,
        "decided_by": record.decided_by if record.state is PaymentState.UNKNOWN else None,
        "authorised_at": record.authorised_at,
        "confirmed_at": record.confirmed_at,
        "reversed_at": record.reversed_at,
        "rrn": record.rrn,
        "tracking_code": record.tracking_code,
        "card": card,
    }
