"""Merchants let several bills be paid at once: opened like a payment, complete without a confirmation."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.asking import body, caller, gateway_of_app, idempotency
from gateway.api.operations import PREFIX, Operation, Said
from gateway.api.refunds import Reason, RefundStateOut
from gateway.api.schemas import In, OpenIn, PaymentOut, Text, payment_out
from gateway.domain.bill_refusal import SIGNATURE_PATTERN
from gateway.domain.bills import BILLS_MOST, Bill
from gateway.domain.refund import OUTSIDE
from gateway.domain.scopes import Scope
from gateway.services.bills import OpenBills, open_bills
from gateway.services.refund import RefundRecord
from gateway.services.refuse_bill import BillRefusal, refuse_bill

_DIGITS_MOST = 64


class BillIn(In):
    """One bill, by the two numbers on it; digits of any script, zeros in front mean nothing."""

    bill_id: Annotated[Text, Field(max_length=_DIGITS_MOST, description="6 to 13 digits")]
    pay_id: Annotated[
        Text,
        Field(max_length=_DIGITS_MOST, description="the other number on the bill, 6 to 13 digits; the amount is in it"),
    ]


class OpenBillsIn(OpenIn):
    """Open one payment of several bills; the amount is their sum, and nobody has to confirm it."""

    bills: Annotated[
        list[BillIn],
        Field(description=f"1 to {BILLS_MOST} bills", json_schema_extra={"minItems": 1, "maxItems": BILLS_MOST}),
    ]


class RefuseBillIn(BillIn):
    """Say no to a bill of yours that was paid: its money goes back to the card, out of what you are owed."""

    tracking_code: Annotated[Text, Field(max_length=_DIGITS_MOST, description="as `bill.paid` named it")]
    signature: Annotated[
        Text,
        Field(
            max_length=_DIGITS_MOST,
            description="`v1,` and HMAC-SHA-256 in base64, under a secret of your webhook endpoints, over "
            "`bill.refused.<tracking_code>.<bill_id>.<pay_id>` as `bill.paid` named them",
            json_schema_extra={"pattern": SIGNATURE_PATTERN},
        ),
    ]
    reason: Reason | None = None


class RefusedBillOut(BaseModel):
    """A bill that was paid and then refused, and where its refund stands.

    `bill.refunded` or `bill.refund_refused` tells its end.
    """

    model_config = ConfigDict(frozen=True)

    bill_id: str
    pay_id: str
    amount: Annotated[int, Field(description="rials that go back to the card")]
    state: RefundStateOut
    reason: str | None
    asked_at: dt.datetime
    decided_at: Annotated[dt.datetime | None, Field(description="when it was done or refused")]


def open_() -> Response:
    """Open a payment of bills."""
    sent = body(OpenBillsIn)
    wanted = OpenBills(
        bills=tuple(Bill.parse(bill.bill_id, bill.pay_id) for bill in sent.bills[: BILLS_MOST + 1]),
        order_id=sent.order_id,
        callback_url=sent.callback_url,
        description=sent.description,
        mobile=sent.mobile,
    )
    record = open_bills(gateway_of_app(), caller(), wanted, idempotency(sent))
    answer = payment_out(record, gateway_of_app().settings).model_dump_json()
    response = Response(answer, 201, mimetype="application/json")
    response.headers["Location"] = f"{PREFIX}/payments/{record.payment_id}"
    return response


def refuse_() -> Response:
    """Say no to a bill that was paid."""
    sent = body(RefuseBillIn)
    bill = Bill.parse(sent.bill_id, sent.pay_id)
    refusal = BillRefusal(sent.tracking_code, bill, sent.signature, sent.reason)
    record = refuse_bill(gateway_of_app(), caller(), refusal, idempotency(sent))
    return Response(refused_bill_out(bill, record).model_dump_json(), 202, mimetype="application/json")


def refused_bill_out(bill: Bill, record: RefundRecord) -> RefusedBillOut:
    """Show a biller the refund that its no became."""
    return RefusedBillOut(
        bill_id=bill.bill_id,
        pay_id=bill.payment_id,
        amount=record.amount_rial,
        state=OUTSIDE[record.state],  # type: ignore[arg-type]  # a test compares the words
        reason=record.reason,
        asked_at=record.asked_at,
        decided_at=record.decided_at,
    )


OPERATIONS = (
    Operation(
        name="openBills",
        method="POST",
        path="/bills",
        serve=open_,
        scope=Scope.PAYMENTS_WRITE,
        summary=Said("باز کردن پرداخت چند قبض", "Open a payment of bills"),
        body=OpenBillsIn,
        answer=PaymentOut,
        status=201,
        problems=(
            "invalid_bill",
            "invalid_bills",
            "unknown_biller",
            "bill_already_paid",
            "duplicate_order",
            "invalid_amount",
            "invalid_order_id",
            "invalid_callback",
            "invalid_text",
        ),
    ),
    Operation(
        name="refuseBill",
        method="POST",
        path="/bills/refusals",
        serve=refuse_,
        scope=Scope.PAYMENTS_REFUND,
        summary=Said("نپذیرفتن قبضی که پرداخت شده است", "Say no to a bill of yours that was paid"),
        body=RefuseBillIn,
        answer=RefusedBillOut,
        status=202,
        problems=(
            "invalid_bill",
            "bill_not_found",
            "refusal_not_signed",
            "not_possible",
            "refund_window_over",
            "payable_too_low",
            "invalid_text",
        ),
    ),
)
