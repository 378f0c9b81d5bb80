"""Merchants let a mobile number be topped up: opened like a payment, complete once the operator delivered."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from foundation.rial import Rial
from gateway.api.asking import body, caller, gateway_of_app, idempotency
from gateway.api.operations import PREFIX, Operation, Said
from gateway.api.schemas import Amount, OpenIn, PaymentOut, Text, payment_out
from gateway.domain.scopes import Scope
from gateway.domain.top_up import Operator
from gateway.services.top_ups import OpenTopUp, open_top_up

_NUMBER_MOST = 32
_OPERATOR_MOST = 16


class OpenTopUpIn(OpenIn):
    """Open a payment that tops up a number; nobody has to confirm it, and an operator's no gives the money back."""

    topped_mobile: Annotated[Text, Field(max_length=_NUMBER_MOST, description="the number that is topped up")]
    amount: Annotated[Amount, Field(description="whole rials; one of the amounts that the operator sells")]
    operator: Annotated[
        Text | None,
        Field(
            max_length=_OPERATOR_MOST,
            description="of a number that was ported; without, that of its prefix",
            json_schema_extra={"pattern": f"^({'|'.join(Operator)})$"},
        ),
    ] = None


def open_() -> Response:
    """Open a top-up."""
    sent = body(OpenTopUpIn)
    wanted = OpenTopUp(
        mobile=sent.topped_mobile,
        amount=Rial(sent.amount),
        order_id=sent.order_id,
        callback_url=sent.callback_url,
        operator=sent.operator,
        description=sent.description,
        payer_mobile=sent.mobile,
    )
    record = open_top_up(gateway_of_app(), caller(), wanted, idempotency(sent))
    response = Response(
        payment_out(record, gateway_of_app().settings).model_dump_json(), 201, mimetype="application/json"
    )
    response.headers["Location"] = f"{PREFIX}/payments/{record.payment_id}"
    return response


OPERATIONS = (
    Operation(
        name="openTopUp",
        method="POST",
        path="/topups",
        serve=open_,
        scope=Scope.PAYMENTS_WRITE,
        summary=Said("باز کردن پرداخت شارژ تلفن همراه", "Open a mobile top-up"),
        body=OpenTopUpIn,
        answer=PaymentOut,
        status=201,
        problems=(
            "invalid_top_up",
            "operator_not_offered",
            "duplicate_order",
            "invalid_amount",
            "invalid_order_id",
            "invalid_callback",
            "invalid_text",
        ),
    ),
)
