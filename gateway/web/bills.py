"""The page ``GET|POST /bill``: bills are collected, checked and then paid like anything else, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from flask import make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from foundation.persian import isolate, jalali_moment
from gateway.domain.bill_errors import BillAlreadyPaid, InvalidBill, InvalidBills, UnknownBiller
from gateway.domain.bills import BILLS_MOST, Bill
from gateway.domain.errors import InvalidAmount
from gateway.services.bills import PAGE, BillLine, look_up, open_own, own_terminal
from gateway.web.first_pages import bills_page
from gateway.web.outcomes import Message
from gateway.web.own_pages import count_opening, own_pages
from gateway.web.rendering import gateway_of_app, language, page_address

blueprint = own_pages("bills", lambda gateway: own_terminal(gateway) is not None)

OPENED_PER_MINUTE = 30
"""Payments of bills that one address may open: more than anybody types."""

FIELDS = ("bill_id", "payment_id", "barcode")
TYPED_MOST = 64

Bills = tuple[Bill, ...]
Refused = (InvalidBill, InvalidBills, UnknownBiller, BillAlreadyPaid, InvalidAmount)


@blueprint.get(PAGE)
def show() -> AnyResponse:
    """Show an empty list."""
    return make_response(bills_page(()))


@blueprint.post(PAGE)
def submit() -> AnyResponse:
    """Add what was typed to the list, take one out of it, or go on to the payment page."""
    listed: Bills = ()
    try:
        listed = _listed()
        deed = "remove" if "remove" in request.form else request.form.get("action", "continue")
        return _DEEDS.get(deed, _go_on)(listed)
    except Refused as error:
        return _again(listed, _message(error))


def _listed() -> Bills:
    """Return the bills that the page already holds, less the one that shall go."""
    barcodes = request.form.getlist("bill")[: BILLS_MOST + 1]
    return tuple(Bill.of_barcode(text) for text in barcodes if text != request.form.get("remove"))


def _add(listed: Bills) -> AnyResponse:
    return make_response(bills_page(look_up(gateway_of_app(), _with_typed(listed))))


def _remove(listed: Bills) -> AnyResponse:
    return make_response(bills_page(look_up(gateway_of_app(), listed) if listed else ()))


def _go_on(listed: Bills) -> AnyResponse:
    gateway = gateway_of_app()
    bills = _with_typed(listed) if any(_typed().values()) or not listed else listed
    look_up(gateway, bills)
    count_opening("bill", OPENED_PER_MINUTE)
    return redirect(page_address(open_own(gateway, bills).page_token), HTTPStatus.SEE_OTHER)


_DEEDS: dict[str, Callable[[Bills], AnyResponse]] = {"add": _add, "remove": _remove, "continue": _go_on}


def _with_typed(listed: Bills) -> Bills:
    typed = _typed()
    if not any(typed.values()):
        raise InvalidBills("none", "name a bill")
    if typed["barcode"]:
        return (*listed, Bill.of_barcode(typed["barcode"]))
    return (*listed, Bill.parse(typed["bill_id"], typed["payment_id"]))


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "").strip()[:TYPED_MOST] for name in FIELDS}


def _again(listed: Bills, message: Message) -> AnyResponse:
    page = bills_page(_still_payable(listed), mistakes=(message,), typed=_typed())
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _still_payable(listed: Bills) -> tuple[BillLine, ...]:
    """Look each bill up by itself: one that somebody paid meanwhile takes no other out of the list."""
    lines: list[BillLine] = []
    for bill in listed:
        with suppress(*Refused):
            lines += look_up(gateway_of_app(), (bill,))
    return tuple(lines)


def _message(error: Exception) -> Message:
    match error:
        case InvalidBill(field=str(field), reason=reason):
            return Message(f"bill.{field}.{reason}", place=field)
        case InvalidBills(reason=reason):
            return Message(f"bill.{reason}", place="bill_id")
        case BillAlreadyPaid(bill_id=bill_id, paid_at=paid_at, tracking_code=str(tracking)) if paid_at is not None:
            values: dict[str, object] = {"bill_id": isolate(bill_id), "tracking": isolate(tracking)}
            return Message("bill.paid", "warn", values | {"when": jalali_moment(paid_at, language())})
        case BillAlreadyPaid(bill_id=bill_id):
            return Message("bill.being_paid", "warn", {"bill_id": isolate(bill_id)})
        case InvalidAmount():
            return Message("bill.amount")
        case _:
            return Message("bill.unknown_biller", place="bill_id")
