"""Saved destinations over the merchant API: seen and deleted; only a payer's page saves one (D16)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.asking import caller, gateway_of_app, query
from gateway.api.operations import Operation, Said
from gateway.api.paging import cursor_of, position_of
from gateway.api.schemas import PageQuery
from gateway.domain.scopes import Scope
from gateway.domain.transfer import DESTINATION_KEPT_DAYS
from gateway.services.destinations import Destination, delete_destination, list_destinations
from gateway.services.read_payment import Position

PATH = "/transfer_destinations"


class DestinationOut(BaseModel):
    """A saved destination: never its number."""

    model_config = ConfigDict(frozen=True)

    token: Annotated[str, Field(description="send it as destination_token; other merchants see another for this card")]
    masked_pan: Annotated[str, Field(description="first six and last four digits")]
    holder_name: Annotated[str, Field(description="as its bank told it, masked")]
    bank_fa: str
    bank_en: str
    saved_at: dt.datetime
    kept_until: Annotated[dt.datetime, Field(description="then it is deleted, unless it is used before")]


class DestinationsOut(BaseModel):
    """One page of saved destinations."""

    model_config = ConfigDict(frozen=True)

    items: list[DestinationOut]
    next_cursor: Annotated[str | None, Field(description="send it as cursor for the next page; null at the end")]


def destination_out(destination: Destination) -> DestinationOut:
    """Show a saved destination to its merchant."""
    return DestinationOut(
        token=destination.token,
        masked_pan=destination.pan_masked,
        holder_name=destination.holder_name,
        bank_fa=destination.bank_fa,
        bank_en=destination.bank_en,
        saved_at=destination.saved_at,
        kept_until=destination.used_at + dt.timedelta(days=DESTINATION_KEPT_DAYS),
    )


def list_() -> Response:
    """List saved destinations, newest first."""
    asked = query(PageQuery)
    position = None if asked.cursor is None else position_of(asked.cursor, within=request.path)
    after = None if position is None else (position.at, position.payment_id)
    page = list_destinations(gateway_of_app(), caller(), after=after, most=asked.limit)
    following = None if page.next is None else cursor_of(Position(*page.next), within=request.path)
    answer = DestinationsOut(items=[destination_out(each) for each in page.destinations], next_cursor=following)
    return Response(answer.model_dump_json(), mimetype="application/json")


def delete(destination_token: str) -> Response:
    """Delete one."""
    delete_destination(gateway_of_app(), caller(), destination_token)
    return Response(status=204)


OPERATIONS = (
    Operation(
        name="listDestinations",
        method="GET",
        path=PATH,
        serve=list_,
        scope=Scope.TRANSFERS_READ,
        summary=Said("کارت‌های مقصد ذخیره‌شده، تازه‌ترین نخست", "List saved destinations, newest first"),
        query=PageQuery,
        answer=DestinationsOut,
        problems=("invalid_cursor",),
    ),
    Operation(
        name="deleteDestination",
        method="DELETE",
        path=f"{PATH}/{{destination_token}}",
        serve=delete,
        scope=Scope.TRANSFERS_WRITE,
        summary=Said("حذف یک کارت مقصد", "Delete a saved destination"),
        answer=None,
        status=204,
        problems=("destination_not_found",),
    ),
)
