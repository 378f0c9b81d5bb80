"""Each object of the contract, member for member as published: an unmeant change of a name or form is seen here."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from gateway.api.bills import OpenBillsIn, RefuseBillIn, refused_bill_out
from gateway.api.destinations import DestinationsOut, destination_out
from gateway.api.door import OPERATIONS
from gateway.api.openapi import document
from gateway.api.reference import catalogue
from gateway.api.refunds import RefundIn, RefundsOut, refund_out, refunded_out
from gateway.api.schemas import (
    ConfirmedOut,
    ConfirmIn,
    EventsOut,
    FlawOut,
    OpenPaymentIn,
    PaymentsOut,
    Problem,
    ReverseIn,
    event_out,
    facts,
    payment_out,
)
from gateway.api.settlements import SettlementLinesOut, SettlementsOut, line_out, settlement_out
from gateway.api.top_ups import OpenTopUpIn
from gateway.api.transfers import OpenTransferIn, TransfersOut, transfer_out
from gateway.config import Settings
from gateway.domain.bills import Bill
from gateway.domain.order import Kind
from gateway.domain.payment import PaymentState
from gateway.domain.refund import RefundState
from gateway.store.destinations import Destination
from gateway.store.payments import EventRecord, PaymentRecord
from gateway.store.refunds import RefundRecord
from gateway.store.statements import PayoutRow, Statement, StatementLine
from gateway.store.transfer_requests import TransferRecord

EXAMPLES = Path(__file__).parents[3] / "contracts" / "merchant" / "v1" / "examples"
NOON = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
STATEMENT = Statement(12, NOON.date(), NOON.date() + dt.timedelta(days=1), NOON, 2, 250_000, 1_200, 248_800)
IBANS = ("IR062960000000100324200001", "IR760570028180010800000101")
PAYOUTS = [
    PayoutRow(31, 12, "000000000000001", "کتاب", IBANS[0], 165_867, None),
    PayoutRow(32, 12, "000000000000001", "کتاب", IBANS[1], 82_933, NOON + dt.timedelta(days=2)),
]
DESTINATION = Destination(
    "dest_0123456789abcdef0123456789abcdef",
    "999001******4719",
    "م*** ر***",
    "بانک یک (آزمایشی)",
    "Bank One (sandbox)",
    NOON - dt.timedelta(days=20),
    NOON,
)
LINES = [
    StatementLine(
        7,
        "pay_0123456789ABCDEFGHJK",
        "10000001",
        "A-1001",
        "632800000001",
        NOON,
        None,
        None,
        is_top_up=False,
        operator_reference=None,
        returned_payout=None,
        gross_rial=200_000,
        charge_rial=1_200,
        net_rial=198_800,
    ),
    StatementLine(
        8,
        *[None] * 7,
        is_top_up=False,
        operator_reference=None,
        returned_payout=30,
        gross_rial=50_000,
        charge_rial=0,
        net_rial=50_000,
    ),
]
OBJECTS = (
    *("PaymentOut", "ConfirmedOut", "PaymentsOut", "EventsOut", "RefundOut", "RefundsOut", "RefundedOut"),
    "RefusedBillOut",
    *("TransferOut", "TransfersOut", "DestinationsOut"),
    *("Problem", "ProblemsOut", "SettlementsOut", "SettlementLinesOut"),
)
SENT = {
    "OpenPaymentIn": OpenPaymentIn,
    "OpenBillsIn": OpenBillsIn,
    "OpenTopUpIn": OpenTopUpIn,
    "OpenTransferIn": OpenTransferIn,
    "ConfirmIn": ConfirmIn,
    "ReverseIn": ReverseIn,
    "RefundIn": RefundIn,
    "RefuseBillIn": RefuseBillIn,
}


def record(state: PaymentState) -> PaymentRecord:
    """Make the one payment of all examples."""
    paid = state is not PaymentState.OPEN
    return PaymentRecord(
        payment_id="pay_0123456789ABCDEFGHJK",
        page_token="0123456789ABCDEFGHJKMNPQRSTVWXYZ",
        kind=Kind.PURCHASE,
        state=state,
        terminal_id="10000001",
        merchant_id="000000000000001",
        order_id="A-1001",
        amount_rial=250_000,
        fee_rial=0,
        description="کتاب",
        callback_url="https://shop.example/back",
        created_at=NOON,
        page_expires_at=NOON + dt.timedelta(minutes=15),
        confirm_window_seconds=900,
        authorised_at=NOON + dt.timedelta(minutes=2) if paid else None,
        confirmed_at=NOON + dt.timedelta(minutes=3) if state is PaymentState.CONFIRMED else None,
        reversed_at=None,
        rrn="632800000001" if paid else None,
        tracking_code="48151623420815" if paid else None,
        pan_masked="999002******1234" if paid else None,
        card_token="card_0123456789abcdef0123456789abcdef" if paid else None,
        issuer_id="two" if paid else None,
        decided_by=None,
        refunded_rial=0,
    )


def transfer(state: PaymentState) -> TransferRecord:
    """Make the one transfer of all examples: left to whoever pays, or complete and to a saved destination."""
    of_cards = replace(record(state), kind=Kind.CARD_TRANSFER, order_id="T-1001", description=None)
    if state is PaymentState.OPEN:
        return TransferRecord(replace(of_cards, amount_rial=0), None)
    payment = replace(of_cards, amount_rial=20_000_000, fee_rial=10_000)
    return TransferRecord(payment, DESTINATION)


def refund(state: RefundState) -> RefundRecord:
    """Make the one refund of all examples."""
    over = state is RefundState.DONE
    return RefundRecord(
        number=1,
        refund_id="A-1001-1",
        payment_id="pay_0123456789ABCDEFGHJK",
        amount_rial=100_000,
        fee_rial=0,
        reason="یک جلد کم بود",
        state=state,
        asked_at=NOON + dt.timedelta(minutes=10),
        decided_at=NOON + dt.timedelta(minutes=10, seconds=1) if over else None,
        action_code="000" if over else None,
        bill=None,
    )


def answers(settings: Settings) -> dict[str, str]:
    """Return what each example's object is today."""
    settings = settings.model_copy(update={"public_url": "https://gateway.example"})
    confirmed = facts(record(PaymentState.CONFIRMED), settings) | {"first_time": True}
    payment = payment_out(record(PaymentState.AUTHORISED), settings)
    part = replace(record(PaymentState.CONFIRMED), refunded_rial=100_000)
    refunded = refunded_out(part, refund(RefundState.DONE), settings)
    complete = transfer_out(transfer(PaymentState.CONFIRMED), settings)
    settlement = settlement_out(STATEMENT, PAYOUTS)
    event = EventRecord("attempt_approved", PaymentState.AUTHORISED, NOON, 1)
    problem = Problem(
        type="https://gateway.example/api/v1/problems#malformed",
        title="The request does not follow the contract",
        status=400,
        detail="the request does not follow the contract",
        code="malformed",
        errors=[FlawOut(pointer="#/amount", detail="Input should be a valid integer")],
    )
    return {
        "PaymentOut": payment_out(record(PaymentState.OPEN), settings).model_dump_json(),
        "ConfirmedOut": ConfirmedOut.model_validate(confirmed).model_dump_json(),
        "PaymentsOut": PaymentsOut(items=[payment], next_cursor="q83vAQIDBAUGXw").model_dump_json(),
        "EventsOut": EventsOut(items=[event_out(event)]).model_dump_json(),
        "RefundOut": refund_out(refund(RefundState.UNKNOWN)).model_dump_json(),
        "RefundsOut": RefundsOut(items=[refund_out(refund(RefundState.DONE))]).model_dump_json(),
        "RefusedBillOut": refused_bill_out(
            Bill("7748317800142", "1770160"), replace(refund(RefundState.WAITING), amount_rial=17_000, bill=2)
        ).model_dump_json(),
        "RefundedOut": refunded.model_dump_json(),
        "TransferOut": transfer_out(transfer(PaymentState.OPEN), settings).model_dump_json(),
        "TransfersOut": TransfersOut(items=[complete], next_cursor="q83vAQIDBAUGXw").model_dump_json(),
        "DestinationsOut": DestinationsOut(items=[destination_out(DESTINATION)], next_cursor=None).model_dump_json(),
        "Problem": problem.model_dump_json(exclude_none=True),
        "SettlementsOut": SettlementsOut(items=[settlement], next_cursor="q83vAQIDBAUGXw").model_dump_json(),
        "SettlementLinesOut": SettlementLinesOut(
            settlement=settlement, items=[line_out(row) for row in LINES], next_cursor=None
        ).model_dump_json(),
        "ProblemsOut": catalogue(settings.public_url).model_dump_json(),
    }


def read(name: str) -> Any:
    """Read a published example."""
    return json.loads((EXAMPLES / f"{name}.json").read_text())


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_as_published(settings: Settings, name: str) -> None:
    """Same members, same order, same forms."""
    assert json.dumps(read(name), ensure_ascii=False) == json.dumps(
        json.loads(answers(settings)[name]), ensure_ascii=False
    )


@pytest.mark.parametrize("name", SENT)
def test_a_request_is_read_as_published(name: str) -> None:
    """Every member of the example arrives."""
    assert SENT[name].model_validate(read(name)).model_dump(exclude_none=True) == read(name)


def test_every_object_has_an_example_that_the_document_allows() -> None:
    """Examples and schemas name each other; parts of objects are seen inside these."""
    spec = document(OPERATIONS, "https://gateway.example")
    names = {path.stem for path in EXAMPLES.glob("*.json")}

    assert names == set(spec["components"]["schemas"]) - {
        "BillIn",
        "BillPaidOut",
        "BillRefundOut",
        "CardOut",
        "DestinationOut",
        "EventOut",
        "FlawOut",
        "ProblemRow",
        "DeliveryOut",
        "TryOut",
        "UndeliveredOut",
        "DisabledOut",
        "IbanOut",
        "PayoutOut",
        "SettlementOut",
        "SettlementLineOut",
    }
    for name in names:
        schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(read(name))
