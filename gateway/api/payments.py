"""Payments over the merchant API: parse, call one use case, render. The table at the end says what is served."""

from __future__ import annotations

from flask import Response, request
from pydantic import BaseModel

from foundation.rial import Rial
from gateway.api.asking import body, caller, gateway_of_app, idempotency, query
from gateway.api.operations import PREFIX, Operation, Said
from gateway.api.paging import cursor_of, position_of
from gateway.api.schemas import (
    ConfirmedOut,
    ConfirmIn,
    EventsOut,
    ListQuery,
    OpenPaymentIn,
    PageQuery,
    PaymentOut,
    PaymentsOut,
    ReverseIn,
    event_out,
    facts,
    payment_out,
)
from gateway.domain.scopes import Scope
from gateway.services.confirm import confirm
from gateway.services.open_payment import OpenPurchase, PaymentRecord, open_payment
from gateway.services.read_payment import (
    Page,
    Position,
    events_of,
    get_payment,
    list_payments,
    list_unconfirmed,
    payment_of_order,
)
from gateway.services.reverse import reverse


def open_() -> Response:
    """Open a payment."""
    sent = body(OpenPaymentIn)
    purchase = OpenPurchase(
        amount=Rial(sent.amount),
        order_id=sent.order_id,
        callback_url=sent.callback_url,
        description=sent.description,
        mobile=sent.mobile,
    )
    record = open_payment(gateway_of_app(), caller(), purchase, idempotency(sent))
    response = _payment(record, status=201)
    response.headers["Location"] = f"{PREFIX}/payments/{record.payment_id}"
    return response


def list_() -> Response:
    """List payments, newest first."""
    asked = query(ListQuery)
    filters = asked.model_dump(exclude_none=True, exclude={"limit", "cursor"})
    within = f"{request.path} {filters}"
    page = list_payments(gateway_of_app(), caller(), filters, after=_position(asked, within=within), most=asked.limit)
    return _page(page, within=within)


def unconfirmed() -> Response:
    """List what is paid and must still be confirmed, oldest first."""
    asked = query(PageQuery)
    after = _position(asked, within=request.path)
    page = list_unconfirmed(gateway_of_app(), caller(), after=after, most=asked.limit)
    return _page(page, within=request.path)


def get(id: str) -> Response:  # noqa: A002 - the contract's name of the parameter
    """Show one payment."""
    return _payment(get_payment(gateway_of_app(), caller(), id))


def events(id: str) -> Response:  # noqa: A002 - as above
    """Show what happened to one payment."""
    found = events_of(gateway_of_app(), caller(), id)
    return _json(EventsOut(items=[event_out(record) for record in found]))


def of_order(order_id: str) -> Response:
    """Show the payment that counts for an order."""
    return _payment(payment_of_order(gateway_of_app(), caller(), order_id))


def confirm_(id: str) -> Response:  # noqa: A002 - as above
    """Confirm an authorised payment."""
    sent = body(ConfirmIn)
    gateway = gateway_of_app()
    done = confirm(gateway, caller(), id, Rial(sent.amount), idempotency(sent))
    return _json(ConfirmedOut.model_validate(facts(done.record, gateway.settings) | {"first_time": done.first_time}))


def reverse_(id: str) -> Response:  # noqa: A002 - as above
    """Give the money back."""
    sent = body(ReverseIn, required=False)
    amount = None if sent.amount is None else Rial(sent.amount)
    return _payment(reverse(gateway_of_app(), caller(), id, idempotency(sent), amount=amount), status=202)


def _position(asked: PageQuery, *, within: str) -> Position | None:
    return None if asked.cursor is None else position_of(asked.cursor, within=within)


def _page(page: Page, *, within: str) -> Response:
    settings = gateway_of_app().settings
    items = [payment_out(record, settings) for record in page.records]
    following = None if page.next is None else cursor_of(page.next, within=within)
    return _json(PaymentsOut(items=items, next_cursor=following))


def _payment(record: PaymentRecord, *, status: int = 200) -> Response:
    return _json(payment_out(record, gateway_of_app().settings), status=status)


def _json(answer: BaseModel, *, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status, mimetype="application/json")


OPERATIONS = (
    Operation(
        name="openPayment",
        method="POST",
        path="/payments",
        serve=open_,
        scope=Scope.PAYMENTS_WRITE,
        summary=Said("باز کردن پرداخت", "Open a payment"),
        body=OpenPaymentIn,
        answer=PaymentOut,
        status=201,
        problems=("duplicate_order", "invalid_amount", "invalid_order_id", "invalid_callback", "invalid_text"),
    ),
    Operation(
        name="listPayments",
        method="GET",
        path="/payments",
        serve=list_,
        scope=Scope.PAYMENTS_READ,
        summary=Said("فهرست پرداخت‌ها، تازه‌ترین نخست", "List payments, newest first"),
        query=ListQuery,
        answer=PaymentsOut,
        problems=("invalid_cursor",),
    ),
    Operation(
        name="listUnconfirmed",
        method="GET",
        path="/payments/unconfirmed",
        serve=unconfirmed,
        scope=Scope.PAYMENTS_READ,
        summary=Said(
            "پرداخت‌شده‌هایی که هنوز باید تأیید کنید، کهنه‌ترین نخست",
            "List what is paid and must still be confirmed, oldest first",
        ),
        query=PageQuery,
        answer=PaymentsOut,
        problems=("invalid_cursor",),
    ),
    Operation(
        name="getPayment",
        method="GET",
        path="/payments/{id}",
        serve=get,
        scope=Scope.PAYMENTS_READ,
        summary=Said("دیدن یک پرداخت", "Show one payment"),
        answer=PaymentOut,
        problems=("payment_not_found",),
    ),
    Operation(
        name="listEvents",
        method="GET",
        path="/payments/{id}/events",
        serve=events,
        scope=Scope.PAYMENTS_READ,
        summary=Said("رویدادهای یک پرداخت، کهنه‌ترین نخست", "Show what happened to a payment, oldest first"),
        answer=EventsOut,
        problems=("payment_not_found",),
    ),
    Operation(
        name="getPaymentOfOrder",
        method="GET",
        path="/orders/{order_id}",
        serve=of_order,
        scope=Scope.PAYMENTS_READ,
        summary=Said(
            "پرداخت یک سفارش: زنده اگر باشد، وگرنه آخرین",
            "Show the payment of an order: the live one, otherwise the latest",
        ),
        answer=PaymentOut,
        problems=("order_not_found",),
    ),
    Operation(
        name="confirmPayment",
        method="POST",
        path="/payments/{id}/confirm",
        serve=confirm_,
        scope=Scope.PAYMENTS_CONFIRM,
        summary=Said("تأیید پرداخت", "Confirm an authorised payment"),
        body=ConfirmIn,
        answer=ConfirmedOut,
        problems=("payment_not_found", "amount_mismatch", "not_possible"),
    ),
    Operation(
        name="reversePayment",
        method="POST",
        path="/payments/{id}/reverse",
        serve=reverse_,
        scope=Scope.PAYMENTS_REVERSE,
        summary=Said("بازگرداندن پول", "Give the money back"),
        body=ReverseIn,
        body_required=False,
        answer=PaymentOut,
        status=202,
        problems=("payment_not_found", "amount_mismatch", "not_possible", "reversal_window_over", "refunds_exist"),
    ),
)
