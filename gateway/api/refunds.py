"""Refunds over the merchant API: money of a kept payment goes back to the card, whole or in parts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from foundation.rial import Rial
from gateway.api.asking import body, caller, gateway_of_app, idempotency
from gateway.api.operations import Operation, Said
from gateway.api.schemas import Amount, In, PaymentOut, Text, facts
from gateway.config import Settings
from gateway.domain.refund import OUTSIDE, REASON_MAX, REFUND_ID_PATTERN
from gateway.domain.scopes import Scope
from gateway.services.open_payment import PaymentRecord
from gateway.services.refund import AskedRefund, RefundRecord, refund, refunds_of

RefundStateWord = Literal["waiting", "pending", "done", "refused"]


Reason = Annotated[
    Text,
    Field(
        description=f"for the books, at most {REASON_MAX} printable characters",
        json_schema_extra={"maxLength": REASON_MAX},
    ),
]
RefundStateOut = Annotated[
    RefundStateWord,
    Field(description="waiting: for a second person; pending: until the bank answers; done; refused: yours again"),
]


class RefundIn(In):
    """Refund a payment that you confirmed, or a part of it."""

    refund_id: Annotated[
        Text,
        Field(
            description="your own name of this refund, once for ever: 1 to 64 letters, digits and ._-",
            json_schema_extra={"pattern": REFUND_ID_PATTERN, "minLength": 1, "maxLength": 64},
        ),
    ]
    amount: Annotated[Amount, Field(description="whole rials, at most what is left of the payment")]
    reason: Reason | None = None


class RefundOut(BaseModel):
    """A refund as it stands."""

    model_config = ConfigDict(frozen=True)

    refund_id: str
    payment_id: Annotated[str, Field(description="the payment it is of")]
    amount: Annotated[int, Field(description="rials that go back, without the fee")]
    fee: Annotated[
        int, Field(description="rials of the cardholder's fee that go back too: all of it with the whole payment")
    ]
    state: RefundStateOut
    reason: str | None
    asked_at: dt.datetime
    decided_at: Annotated[dt.datetime | None, Field(description="when it was done or refused")]
    action_code: Annotated[str | None, Field(description="what the bank answered (DE 39), once it did; 000 is yes")]
    bill: Annotated[
        int | None,
        Field(description="which bill of the payment its biller refused, counted from 1; null: you asked for it"),
    ]


class RefundsOut(BaseModel):
    """Every refund of a payment, oldest first."""

    model_config = ConfigDict(frozen=True)

    items: list[RefundOut]


class RefundedOut(PaymentOut):
    """A payment, and the refund of it that is over."""

    refund: RefundOut


def refund_out(record: RefundRecord) -> RefundOut:
    """Show a refund to its merchant."""
    return RefundOut(
        refund_id=record.refund_id,
        payment_id=record.payment_id,
        amount=record.amount_rial,
        fee=record.fee_rial,
        state=OUTSIDE[record.state],  # type: ignore[arg-type]  # a test compares the words
        reason=record.reason,
        asked_at=record.asked_at,
        decided_at=record.decided_at,
        action_code=record.action_code,
        bill=record.bill,
    )


def refunded_out(record: PaymentRecord, of: RefundRecord, settings: Settings) -> RefundedOut:
    """Show a payment with the refund that a webhook is about."""
    return RefundedOut.model_validate(facts(record, settings) | {"refund": refund_out(of)})


def refund_(id: str) -> Response:  # noqa: A002 - the contract's name of the parameter
    """Give money back."""
    sent = body(RefundIn)
    asked = AskedRefund(sent.refund_id, Rial(sent.amount), sent.reason)
    record = refund(gateway_of_app(), caller(), id, asked, idempotency(sent))
    return Response(refund_out(record).model_dump_json(), 202, mimetype="application/json")


def list_(id: str) -> Response:  # noqa: A002 - as above
    """Show the refunds of one payment."""
    found = refunds_of(gateway_of_app(), caller(), id)
    answer = RefundsOut(items=[refund_out(record) for record in found])
    return Response(answer.model_dump_json(), mimetype="application/json")


OPERATIONS = (
    Operation(
        name="refundPayment",
        method="POST",
        path="/payments/{id}/refund",
        serve=refund_,
        scope=Scope.PAYMENTS_REFUND,
        summary=Said("بازپرداخت همه یا بخشی از پرداخت", "Refund a payment, whole or in part"),
        body=RefundIn,
        answer=RefundOut,
        status=202,
        problems=(
            "payment_not_found",
            "not_possible",
            "refund_id_taken",
            "refund_above_rest",
            "refund_window_over",
            "refund_not_offered",
            "payable_too_low",
            "too_many_refunds",
            "invalid_amount",
            "invalid_text",
        ),
    ),
    Operation(
        name="listRefunds",
        method="GET",
        path="/payments/{id}/refunds",
        serve=list_,
        scope=Scope.PAYMENTS_READ,
        summary=Said("بازپرداخت‌های یک پرداخت، کهنه‌ترین نخست", "Show the refunds of a payment, oldest first"),
        answer=RefundsOut,
        problems=("payment_not_found",),
    ),
)
