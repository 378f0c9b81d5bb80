"""Merchants let several bills be paid at once: opened like a payment, complete without a confirmation."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from gateway.api.asking import body, caller, gateway_of_app, idempotency
from gateway.api.operations import PREFIX, Operation, Said
from gateway.api.schemas import In, OpenIn, PaymentOut, Text, payment_out
from gateway.domain.bills import BILLS_MOST, Bill
from gateway.domain.scopes import Scope
from gateway.services.bills import OpenBills, open_bills

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
)
