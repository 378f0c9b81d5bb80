"""An event as merchants read it: the same words in the feed and in a webhook's body."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.api.refunds import RefundedOut, refunded_out
from gateway.api.schemas import PaymentOut, payment_out
from gateway.config import Settings
from gateway.domain.refund import TELLS as REFUND_TELLS
from gateway.domain.webhooks import BILL_PAID, BILL_REFUNDS, ENDPOINT_DISABLED, IBANS_CHANGED, UNDELIVERED
from gateway.services.deliver import Render
from gateway.services.endpoints import Event
from gateway.services.open_payment import PaymentRecord
from gateway.services.refund import RefundRecord


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class UndeliveredOut(_Out):
    """What a ``webhook.undelivered`` is about: an event that an endpoint was told of in vain."""

    endpoint_id: str
    event_id: str
    tries: int
    error: Annotated[str, Field(description="what the last try met")]


class DisabledOut(_Out):
    """What a ``webhook_endpoint.disabled`` is about: an endpoint that failed for days without one success."""

    endpoint_id: str
    url: str
    why: str
    failures: Annotated[int, Field(description="tries in a row that failed")]
    failing_since: dt.datetime


class BillPaidOut(_Out):
    """What a ``bill.paid`` is about: a bill of yours that somebody paid."""

    bill_id: str
    pay_id: Annotated[str, Field(description="the other number on the bill")]
    amount: Annotated[int, Field(description="whole rials")]
    tracking_code: Annotated[str, Field(description="of the receipt; one receipt may be for several bills")]
    paid_at: dt.datetime


class BillRefundOut(_Out):
    """What a ``bill.refunded`` or ``bill.refund_refused`` is about: how the refund of a bill you refused ended.

    After the first the bill can be paid again; after the second its money stays yours.
    """

    bill_id: str
    pay_id: Annotated[str, Field(description="the other number on the bill")]
    amount: Annotated[int, Field(description="whole rials")]
    tracking_code: Annotated[str, Field(description="as `bill.paid` named it")]
    decided_at: dt.datetime


class IbanOut(_Out):
    """What a ``settlement_iban.added`` or ``settlement_iban.removed`` is about: object at once if you did not ask."""

    iban: str
    parts: Annotated[int, Field(description="of several IBANs each gets its parts of all parts")]
    usable_from: dt.datetime


Data = RefundedOut | PaymentOut | BillPaidOut | BillRefundOut | UndeliveredOut | DisabledOut | IbanOut
"""What an event can be about."""

Told = BillPaidOut | BillRefundOut | UndeliveredOut | DisabledOut | IbanOut
SAID_AS: dict[str, type[Told]] = {
    UNDELIVERED: UndeliveredOut,
    ENDPOINT_DISABLED: DisabledOut,
    BILL_PAID: BillPaidOut,
    **dict.fromkeys(BILL_REFUNDS, BillRefundOut),
    **dict.fromkeys(IBANS_CHANGED, IbanOut),
}
"""Events whose facts are kept as they are told; all others are about a payment, or a refund of one."""


class WebhookEventOut(_Out):
    """One thing that happened, as it was at that moment; it never changes and its id stays its own."""

    id: Annotated[str, Field(description="of the event; the same at every try")]
    type: Annotated[str, Field(description="ignore types you do not know")]
    created_at: dt.datetime
    timestamp: Annotated[dt.datetime, Field(description="created_at, by the name that Standard Webhooks gives it")]
    data: Annotated[Data, Field(description="the payment as it was, or the bill; for notices, what they are about")]


def webhook_event_out(event: Event, settings: Settings) -> WebhookEventOut:
    """Show an event to its merchant."""
    data: Data
    if event.type in SAID_AS:
        data = SAID_AS[event.type].model_validate(event.facts)
    elif event.type in REFUND_TELLS.values():
        of = RefundRecord.of(event.facts["refund"])
        data = refunded_out(PaymentRecord.of(event.facts), of, settings)
    else:
        data = payment_out(PaymentRecord.of(event.facts), settings)
    when = event.created_at
    return WebhookEventOut(id=event.event_id, type=event.type, created_at=when, timestamp=when, data=data)


def renderer(settings: Settings) -> Render:
    """Return how a webhook's body is written: the event of the feed, in UTF-8."""
    return lambda event: webhook_event_out(event, settings).model_dump_json().encode()
