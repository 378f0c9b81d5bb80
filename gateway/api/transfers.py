"""Transfers from card to card over the merchant API: asked for without any card number, complete once they are paid."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from foundation.rial import Rial
from gateway.api.asking import body, caller, gateway_of_app, idempotency, query
from gateway.api.destinations import DestinationOut, destination_out
from gateway.api.operations import PREFIX, Operation, Said
from gateway.api.paging import cursor_of, position_of
from gateway.api.schemas import Amount, CardOut, OpenIn, PageQuery, State, Text, facts
from gateway.config import Settings
from gateway.domain.references import DESTINATION_TOKEN_PATTERN, ORDER_ID_PATTERN
from gateway.domain.scopes import Scope
from gateway.domain.transfer import LIMITS
from gateway.services.transfer_requests import (
    AskTransfer,
    TransferRecord,
    ask_transfer,
    get_transfer,
    list_transfers,
)

AMOUNT_SAID = (
    f"whole rials without the fee, {LIMITS[-1].least.amount} to {LIMITS[-1].most.amount}; "
    "left out, whoever pays types it"
)


class OpenTransferIn(OpenIn):
    """Open a transfer from card to card; card numbers are typed on its page and nowhere else."""

    amount: Annotated[
        Amount | None,
        Field(description=AMOUNT_SAID),
    ] = None
    destination_token: Annotated[
        Text | None,
        Field(
            pattern=DESTINATION_TOKEN_PATTERN,
            description="a saved destination of yours; left out, whoever pays types the card",
        ),
    ] = None


class TransferQuery(PageQuery):
    """Which transfers; filters are joined by and."""

    state: Annotated[State | None, Field(description="as they stand now")] = None
    order_id: Annotated[str | None, Field(pattern=ORDER_ID_PATTERN, description="every transfer of one order")] = None


class TransferOut(BaseModel):
    """A transfer as it stands."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(description="of the transfer")]
    state: Annotated[
        State, Field(description="authorised: taken from one card and on its way to the other; confirmed: complete")
    ]
    amount: Annotated[int | None, Field(description="rials, without the fee; null until whoever pays has typed it")]
    fee: Annotated[int, Field(description="rials the sender pays on top, once both cards are known")]
    order_id: str
    description: str | None
    page_url: Annotated[str, Field(description="send the sender's browser here")]
    callback_url: str
    created_at: dt.datetime
    expires_at: Annotated[dt.datetime, Field(description="until then the page can be paid")]
    decided_by: Annotated[
        dt.datetime | None,
        Field(description="while unknown: by then the result is known or the money is back; do not begin another"),
    ]
    authorised_at: Annotated[dt.datetime | None, Field(description="when the sender's card was debited")]
    confirmed_at: Annotated[dt.datetime | None, Field(description="when it was complete")]
    reversed_at: dt.datetime | None
    rrn: Annotated[str | None, Field(description="retrieval reference number, 12 digits")]
    tracking_code: Annotated[str | None, Field(description="what the sender reads on the receipt")]
    card: Annotated[CardOut | None, Field(description="the card that paid")]
    destination: Annotated[
        DestinationOut | None,
        Field(description="the saved destination that it is to, or that its sender let you keep once it was complete"),
    ]


class TransfersOut(BaseModel):
    """One page of a list."""

    model_config = ConfigDict(frozen=True)

    items: list[TransferOut]
    next_cursor: Annotated[str | None, Field(description="send it as cursor for the next page; null at the end")]


def transfer_out(record: TransferRecord, settings: Settings) -> TransferOut:
    """Show a transfer to its merchant."""
    destination = None if record.destination is None else destination_out(record.destination)
    known = {"amount": record.payment.amount_rial or None, "destination": destination}
    return TransferOut.model_validate(facts(record.payment, settings) | known)


def open_() -> Response:
    """Open a transfer."""
    sent = body(OpenTransferIn)
    wanted = AskTransfer(
        order_id=sent.order_id,
        callback_url=sent.callback_url,
        amount=None if sent.amount is None else Rial(sent.amount),
        destination_token=sent.destination_token,
        description=sent.description,
        mobile=sent.mobile,
    )
    record = ask_transfer(gateway_of_app(), caller(), wanted, idempotency(sent))
    response = _transfer(record, status=201)
    response.headers["Location"] = f"{PREFIX}/transfers/{record.payment.payment_id}"
    return response


def list_() -> Response:
    """List transfers, newest first."""
    asked = query(TransferQuery)
    filters = asked.model_dump(exclude_none=True, exclude={"limit", "cursor"})
    within = f"{request.path} {filters}"
    after = None if asked.cursor is None else position_of(asked.cursor, within=within)
    page = list_transfers(gateway_of_app(), caller(), filters, after=after, most=asked.limit)
    settings = gateway_of_app().settings
    following = None if page.next is None else cursor_of(page.next, within=within)
    answer = TransfersOut(items=[transfer_out(each, settings) for each in page.records], next_cursor=following)
    return Response(answer.model_dump_json(), mimetype="application/json")


def get(id: str) -> Response:  # noqa: A002 - the contract's name of the parameter
    """Show one transfer."""
    return _transfer(get_transfer(gateway_of_app(), caller(), id))


def _transfer(record: TransferRecord, *, status: int = 200) -> Response:
    answer = transfer_out(record, gateway_of_app().settings)
    return Response(answer.model_dump_json(), status, mimetype="application/json")


OPERATIONS = (
    Operation(
        name="openTransfer",
        method="POST",
        path="/transfers",
        serve=open_,
        scope=Scope.TRANSFERS_WRITE,
        summary=Said("باز کردن انتقال کارت به کارت", "Open a transfer from card to card"),
        body=OpenTransferIn,
        answer=TransferOut,
        status=201,
        problems=(
            "transfer_limit",
            "destination_not_found",
            "duplicate_order",
            "invalid_order_id",
            "invalid_callback",
            "invalid_text",
        ),
    ),
    Operation(
        name="listTransfers",
        method="GET",
        path="/transfers",
        serve=list_,
        scope=Scope.TRANSFERS_READ,
        summary=Said("فهرست انتقال‌ها، تازه‌ترین نخست", "List transfers, newest first"),
        query=TransferQuery,
        answer=TransfersOut,
        problems=("invalid_cursor",),
    ),
    Operation(
        name="getTransfer",
        method="GET",
        path="/transfers/{id}",
        serve=get,
        scope=Scope.TRANSFERS_READ,
        summary=Said("دیدن یک انتقال", "Show one transfer"),
        answer=TransferOut,
        problems=("payment_not_found",),
    ),
)
