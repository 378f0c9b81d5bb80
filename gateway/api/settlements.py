"""What was paid out, over the merchant API: statements and their lines. The table at the end says what is served."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.asking import caller, gateway_of_app, query
from gateway.api.operations import Operation, Said
from gateway.api.paging import cursor_of, position_of
from gateway.api.schemas import PageQuery
from gateway.domain.errors import InvalidCursor, SettlementNotFound
from gateway.domain.scopes import Scope
from gateway.domain.settlement import SETTLEMENT_ID_PATTERN, number_of, settlement_id
from gateway.services.read_payment import Position
from gateway.services.statements import (
    NEWEST,
    PayoutRow,
    Statement,
    StatementLine,
    list_settlements,
    settlement_lines,
)

START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""Settlements and lines are ordered by number alone; their cursors carry no time."""


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class PayoutOut(_Out):
    """What one of your IBANs got."""

    iban: str
    amount: Annotated[int, Field(description="rials")]
    returned_at: Annotated[dt.datetime | None, Field(description="when the bank sent it back; it is paid again later")]


class SettlementOut(_Out):
    """Your part of one batch; it never changes."""

    id: Annotated[str, Field(pattern=SETTLEMENT_ID_PATTERN, description="of the settlement")]
    business_day: Annotated[dt.date, Field(description="the day that was cut off, in Tehran")]
    value_day: Annotated[dt.date, Field(description="the next business day, on which the bank pays")]
    closed_at: dt.datetime
    lines: Annotated[int, Field(description="how many")]
    gross: Annotated[int, Field(description="rials kept, refunds of before already taken off")]
    charge: Annotated[int, Field(description="rials that you pay us of them")]
    net: Annotated[int, Field(description="rials paid out: gross without the charge")]
    payouts: list[PayoutOut]


class SettlementsOut(_Out):
    """One page of your settlements, newest first."""

    items: list[SettlementOut]
    next_cursor: Annotated[str | None, Field(description="send it as cursor for the next page; null at the end")]


class SettlementLineOut(_Out):
    """A payment that was paid out, a bill that you sent, a top-up you delivered, or a payout that is paid again."""

    kind: Literal["payment", "bill", "top_up", "returned_payout"]
    payment_id: Annotated[str | None, Field(description="of a payment; of a top-up the reference you were asked under")]
    order_id: str | None
    rrn: Annotated[str | None, Field(description="retrieval reference number, 12 digits")]
    confirmed_at: dt.datetime | None
    bill_id: Annotated[str | None, Field(description="of a bill")]
    pay_id: Annotated[str | None, Field(description="the other number on the bill")]
    operator_reference: Annotated[str | None, Field(description="of a top-up: how you called what you delivered")]
    gross: Annotated[int, Field(description="rials kept, refunds of before already taken off")]
    charge: Annotated[int, Field(description="rials that you pay us of them")]
    net: Annotated[int, Field(description="rials paid out: gross without the charge")]


class SettlementLinesOut(_Out):
    """A settlement, and one page of its lines."""

    settlement: SettlementOut
    items: list[SettlementLineOut]
    next_cursor: Annotated[str | None, Field(description="send it as cursor for the next page; null at the end")]


def list_() -> Response:
    """List settlements, newest first."""
    asked = query(PageQuery)
    before = _number(asked, NEWEST)
    page = list_settlements(gateway_of_app(), caller(), before=before, most=asked.limit)
    items = [settlement_out(each, paid) for each, paid in page.found]
    return _json(SettlementsOut(items=items, next_cursor=_cursor(page.next)))


def lines(settlement_id: str) -> Response:
    """Show one settlement with its lines."""
    asked = query(PageQuery)
    if not re.fullmatch(SETTLEMENT_ID_PATTERN, settlement_id):
        raise SettlementNotFound("your merchant has no settlement with this id")
    after = _number(asked, 0)
    page = settlement_lines(gateway_of_app(), caller(), number_of(settlement_id), after=after, most=asked.limit)
    return _json(
        SettlementLinesOut(
            settlement=settlement_out(page.statement, page.payouts),
            items=[line_out(each) for each in page.found],
            next_cursor=_cursor(page.next),
        )
    )


def settlement_out(each: Statement, paid: list[PayoutRow]) -> SettlementOut:
    """Show a merchant's part of a closed batch."""
    payouts = [PayoutOut(iban=one.iban, amount=one.amount_rial, returned_at=one.returned_at) for one in paid]
    values = {name: getattr(each, name) for name in ("business_day", "value_day", "closed_at", "lines")}
    sums = {"gross": each.gross_rial, "charge": each.charge_rial, "net": each.net_rial}
    return SettlementOut.model_validate({"id": settlement_id(each.batch_id), **values, **sums, "payouts": payouts})


def line_out(each: StatementLine) -> SettlementLineOut:
    """Show one line."""
    names = ("payment_id", "order_id", "rrn", "confirmed_at", "bill_id", "pay_id", "operator_reference")
    values = {name: getattr(each, name) for name in names}
    sums = {"gross": each.gross_rial, "charge": each.charge_rial, "net": each.net_rial}
    return SettlementLineOut.model_validate({"kind": _kind(each), **values, **sums})


def _kind(each: StatementLine) -> str:
    if each.bill_id:
        return "bill"
    if each.is_top_up:
        return "top_up"
    return "payment" if each.payment_id else "returned_payout"


def _number(asked: PageQuery, usual: int) -> int:
    if asked.cursor is None:
        return usual
    number = position_of(asked.cursor, within=request.path).payment_id
    if not number.isdecimal() or not number.isascii():
        raise InvalidCursor("this is no cursor of this list")
    return min(int(number), NEWEST)


def _cursor(number: int | None) -> str | None:
    return None if number is None else cursor_of(Position(START, str(number)), within=request.path)


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), 200, mimetype="application/json")


OPERATIONS = (
    Operation(
        name="listSettlements",
        method="GET",
        path="/settlements",
        serve=list_,
        scope=Scope.PAYMENTS_READ,
        summary=Said("واریزهای شما، تازه‌ترین نخست", "List what was paid out to you, newest first"),
        query=PageQuery,
        answer=SettlementsOut,
        problems=("invalid_cursor",),
    ),
    Operation(
        name="listSettlementLines",
        method="GET",
        path="/settlements/{settlement_id}",
        serve=lines,
        scope=Scope.PAYMENTS_READ,
        summary=Said("یک واریز و ردیف‌هایش", "Show one settlement with its lines"),
        query=PageQuery,
        answer=SettlementLinesOut,
        problems=("settlement_not_found", "invalid_cursor"),
    ),
)
