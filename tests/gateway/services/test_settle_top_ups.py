"""A top-up's money is paid out to its operator's merchant, once, and to nobody else (I13, D7, D11)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from foundation.checks import Report
from gateway.domain.payment import PaymentState
from gateway.services import settle as service
from gateway.services.approve import approve
from gateway.services.authorise import Paid
from gateway.services.open_payment import PaymentRecord
from gateway.services.owed import add_operator
from gateway.services.settle import returned, settle
from gateway.services.statements import list_settlements, settlement_lines
from tests.fakes.clearing import Clearing
from tests.fakes.shop import MERCHANT, Shop
from tests.gateway.services.test_bills import PHONE, PHONE_CO
from tests.gateway.services.test_bills import opened as bills_opened
from tests.gateway.services.test_bills import town as town
from tests.gateway.services.test_settle import WEEK, matched, open_batch
from tests.gateway.services.test_settle_bills import four_settle, next_week, usable, wrong
from tests.gateway.services.test_top_ups import AMOUNT, again, opened
from tests.gateway.services.test_top_ups import kiosk as kiosk
from tests.gateway.test_checks import look as look
from tests.gateway.test_checks import reader as reader

OPERATOR = PHONE_CO
"""The phone company also delivers top-ups: one merchant, both kinds of money."""


@pytest.fixture
def exchange(town: Shop, kiosk: Shop) -> Shop:
    """A gateway whose first operator is somebody other than the shop that opens the top-ups, with an IBAN."""
    assert town is kiosk, "both set up the same shop"
    delivers(kiosk, OPERATOR)
    usable(kiosk, OPERATOR)
    return kiosk


def delivers(kiosk: Shop, merchant_id: str) -> None:
    """Let two people say that top-ups are owed to another merchant than before."""
    request = add_operator(kiosk.gateway, "mci", merchant_id, by="sara", reason="contract 17")
    assert request is not None
    approve(kiosk.gateway, request, by="ali")


def topped(exchange: Shop, order: str = "top-1", **changes: object) -> PaymentRecord:
    """Pay for a top-up, and let it be delivered."""
    payment = opened(exchange, order_id=order, **changes)
    assert exchange.pay(payment) == Paid()
    again(exchange, 2)
    assert exchange.state(payment) is PaymentState.CONFIRMED
    return payment


def lines(exchange: Shop) -> list[tuple[str, str, int]]:
    """Read who has a line, for which payment, over how much."""
    query = "SELECT merchant_id, payment_id, gross_rial FROM settlement_line ORDER BY line_id"
    return [(row[0], row[1], row[2]) for row in exchange.rows(query)]


def test_d11_the_operator_is_paid_what_it_delivered(exchange: Shop, look: Callable[[], Report]) -> None:
    """Beside bills of the same company and a sale of the opener's: lines, payouts, statements and books agree."""
    usable(exchange, MERCHANT.merchant_id)
    top_up, bills, sale = topped(exchange), bills_opened(exchange, PHONE, order="b-1"), exchange.paid(250_000)
    exchange.pay(bills)
    exchange.confirm(sale)
    matched(exchange, Clearing(exchange), top_up, bills, sale)

    assert (settle(exchange.gateway), settle(exchange.gateway)) == (3, 0)

    total = AMOUNT + PHONE.amount.amount
    assert exchange.rows("SELECT merchant_id, amount_rial FROM settlement_payout ORDER BY 1") == [
        (MERCHANT.merchant_id, 250_000),
        (OPERATOR, total),
    ]
    assert {exchange.state(each) for each in (top_up, bills, sale)} == {PaymentState.SETTLED}
    assert exchange.balances() == {"issuer:two": -250_000 - total, "bank:settlement": 250_000 + total}
    told = exchange.rows("SELECT merchant_id FROM webhook_event WHERE type = 'payment.settled'")
    assert told == [(MERCHANT.merchant_id,)] * 3, "whoever opened it hears of it"
    operator = dataclasses.replace(exchange.caller, merchant_id=OPERATOR)
    ((statement, _),) = list_settlements(exchange.gateway, operator).found
    assert (statement.lines, statement.net_rial) == (2, total)
    (own,) = [line for line in settlement_lines(exchange.gateway, operator, 1).found if line.is_top_up]
    assert (own.payment_id, own.operator_reference) == (top_up.payment_id, f"OP-{top_up.payment_id[-6:]}")
    assert (own.order_id, own.terminal_id) == (None, None), "that is the opener's business"
    (theirs,) = settlement_lines(exchange.gateway, exchange.caller, 1).found
    assert (theirs.payment_id, theirs.is_top_up, theirs.order_id) == (sale.payment_id, False, sale.order_id)
    exchange.settle_down(after=WEEK)
    assert wrong(look()) == set()


def test_d11_only_what_was_delivered_and_matched_is_paid_out(exchange: Shop, look: Callable[[], Report]) -> None:
    """Not what is still owed to the number, not what the bank's file lacks, not to an operator without an IBAN."""
    delivered, unmatched = topped(exchange), topped(exchange, "top-2")
    other = topped(exchange, "top-3", operator="irancell")
    waiting = opened(exchange, order_id="top-4")
    exchange.pay(waiting)
    matched(exchange, Clearing(exchange), delivered, other, waiting)

    assert settle(exchange.gateway) == 1

    assert lines(exchange) == [(OPERATOR, delivered.payment_id, AMOUNT)]
    states = [exchange.state(each) for each in (delivered, unmatched, other, waiting)]
    assert states == [PaymentState.SETTLED, PaymentState.CONFIRMED, PaymentState.CONFIRMED, PaymentState.AUTHORISED]
    assert exchange.balances()[f"payable:{MERCHANT.merchant_id}"] == AMOUNT, "irancell's, until it names an IBAN"
    assert wrong(look()) == {"I5_top_up"}, "a week without a delivery is somebody's business"


def test_d11_a_payout_that_came_back_is_owed_to_the_operator_again(exchange: Shop) -> None:
    """And goes out once more with a later batch."""
    matched(exchange, Clearing(exchange), topped(exchange))
    assert settle(exchange.gateway) == 1
    request, paid_out = returned(exchange.gateway, 1, by="sara", reason="account is closed")
    assert (paid_out.merchant_id, paid_out.amount_rial) == (OPERATOR, AMOUNT)
    approve(exchange.gateway, request, by="ali")
    assert next_week(exchange, 2) == 1
    assert exchange.balances() == {"issuer:two": -AMOUNT, "bank:settlement": AMOUNT}


def test_i13_several_workers_fill_one_batch_with_top_ups(exchange: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four at once, one line at a time: each top-up has one line."""
    monkeypatch.setattr(service, "LINES_AT_ONCE", 1)
    payments = [topped(exchange, f"top-{number}") for number in range(3)]
    matched(exchange, Clearing(exchange), *payments)
    open_batch(exchange)
    assert four_settle(exchange) == 3
    assert lines(exchange) == [(OPERATOR, each.payment_id, AMOUNT) for each in payments]
    assert exchange.balances() == {"issuer:two": -3 * AMOUNT, "bank:settlement": 3 * AMOUNT}


def test_an_operator_that_opens_top_ups_itself_is_paid_once(exchange: Shop) -> None:
    """Owed and opener are one merchant: one line, with its own order's number in it."""
    usable(exchange, MERCHANT.merchant_id)
    payment = topped(exchange, operator="irancell")
    matched(exchange, Clearing(exchange), payment)
    assert settle(exchange.gateway) == 1
    assert lines(exchange) == [(MERCHANT.merchant_id, payment.payment_id, AMOUNT)]
    (line,) = settlement_lines(exchange.gateway, exchange.caller, 1).found
    assert (line.is_top_up, line.order_id) == (True, payment.order_id)
