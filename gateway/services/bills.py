"""Bills are looked up and paid, several at once with one code and one debit (D12)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.domain.bill_errors import BillAlreadyPaid, UnknownBiller
from gateway.domain.bills import Bill, check_bills, payee_key
from gateway.domain.errors import DuplicateOrder, RequestInProgress
from gateway.domain.references import new_order_id
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Idempotency, first_answer, kept_under
from gateway.services.open_payment import PaymentRecord, values_of
from gateway.store import bills as store
from gateway.store import payments
from gateway.store.bills import Biller
from gateway.store.bills import BillLine as BillLine
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken
from gateway.store.payments import OrderTaken

PAGE = "/bill"
"""Where customers pay bills without a merchant, below the gateway's own address."""


@dataclass(frozen=True, slots=True)
class OpenBills:
    """What a merchant asks for: bills in place of an amount."""

    bills: tuple[Bill, ...]
    order_id: str
    callback_url: str
    description: str | None = None
    mobile: str | None = None


def look_up(gateway: Gateway, bills: tuple[Bill, ...]) -> tuple[BillLine, ...]:
    """Return the bills with the names of who is paid for each.

    Raises:
        InvalidBills: there is none, there are too many, or one is there twice.
        UnknownBiller: nobody here sends one of them.
        BillAlreadyPaid: one is paid, or is being paid at this moment.
    """
    with gateway.database.begin() as connection:
        found = _payable(connection, bills)
    return tuple(BillLine(bill, found[bill].name_fa, found[bill].name_en) for bill in bills)


def open_bills(gateway: Gateway, caller: Caller, wanted: OpenBills, idempotency: Idempotency | None) -> PaymentRecord:
    """Open one payment of several bills; the same key with the same body returns the first answer.

    The bills are not held before somebody submits a card: until then others may pay them (D12).

    Raises:
        InvalidBills, UnknownBiller, BillAlreadyPaid: as :func:`look_up`.
        InvalidAmount, InvalidOrderId, InvalidCallback, InvalidText: a part of the request is outside its rules.
        IdempotencyMismatch: the key was used for another request.
        RequestInProgress: a request with this key, or for this order, is being carried out.
        DuplicateOrder: the terminal has a live payment for this order (D42).
    """
    amount = check_bills(wanted.bills)
    values = values_of(gateway, caller, wanted, amount) | kept_under(idempotency)
    try:
        with gateway.database.begin() as connection:
            if (answer := first_answer(connection, caller, idempotency)) is not None:
                return PaymentRecord.of(answer)
            found = _payable(connection, wanted.bills)
            return store.open_bills(connection, values | _lines(wanted.bills, found))
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except (KeyTaken, OrderTaken):
        pass
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return PaymentRecord.of(answer)
        raise DuplicateOrder(payments.of_order(connection, caller.terminal_id, wanted.order_id) or "a payment")


def open_own(gateway: Gateway, bills: tuple[Bill, ...]) -> PaymentRecord:
    """Open a payment of bills for somebody on the gateway's own page.

    Raises:
        InvalidBills, UnknownBiller, BillAlreadyPaid, InvalidAmount: as :func:`open_bills`.
        LookupError: this gateway takes no bills of its own.
    """
    caller = own_terminal(gateway)
    if caller is None:
        raise LookupError("set GATEWAY_BILL_TERMINAL_ID to a terminal that may work")
    return open_bills(gateway, caller, OpenBills(bills, new_order_id("bill"), gateway.settings.public_url + PAGE), None)


def own_terminal(gateway: Gateway) -> Caller | None:
    """Return the gateway's own terminal for bills, if there is one."""
    return terminal_caller(gateway, gateway.settings.bill_terminal_id)


def terminal_caller(gateway: Gateway, terminal_id: str | None) -> Caller | None:
    """Return a terminal of the gateway's own as somebody who opens payments; ``None`` where there is none."""
    if terminal_id is None:
        return None
    with gateway.database.single() as connection:
        found = store.terminal(connection, terminal_id)
    if found is None:
        return None
    _, merchant_id, _ = found
    return Caller("", gateway.settings.mode, frozenset(), terminal_id, merchant_id, gateway.settings.public_url)


def _payable(connection: Connection, bills: tuple[Bill, ...]) -> dict[Bill, Biller]:
    check_bills(bills)
    found = store.billers(connection, bills)
    unknown = next((bill for bill in bills if bill not in found), None)
    if unknown is not None:
        raise UnknownBiller(f"nobody is connected here who sends bill {unknown.bill_id}")
    for paid in store.paid(connection, bills):
        raise BillAlreadyPaid(paid.bill.bill_id, paid_at=paid.authorised_at, tracking_code=paid.tracking_code)
    return found


def _lines(bills: tuple[Bill, ...], found: dict[Bill, Biller]) -> dict[str, object]:
    rows = [
        {
            "number": number,
            "bill_id": bill.bill_id,
            "pay_id": bill.payment_id,
            "biller_id": found[bill].merchant_id,
            "amount_rial": bill.amount.amount,
        }
        for number, bill in enumerate(bills, start=1)
    ]
    return {"bills": json.dumps(rows), "payee_key": payee_key(bills)}
