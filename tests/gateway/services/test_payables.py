"""Neither a batch nor a refund spends money that can still leave the merchant's payable another way (D11, D32, I3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from foundation.checks import Report
from gateway.domain.four_eyes import Asked
from gateway.domain.payment import PaymentState
from gateway.domain.refund import RefundState
from gateway.domain.refund_errors import PayableTooLow
from gateway.services import settle as service
from gateway.services.approve import approve, ask
from gateway.services.open_payment import PaymentRecord
from gateway.services.reconcile import import_file, list_exceptions
from gateway.services.reverse import reverse
from gateway.services.settle import settle
from tests.fakes.clearing import Clearing
from tests.fakes.shop import Shop
from tests.gateway.services.test_bills import WATER
from tests.gateway.services.test_bills import town as town
from tests.gateway.services.test_refund import PAYABLE, work_on
from tests.gateway.services.test_refuse_bill import WATER_LATER, Waterworks
from tests.gateway.services.test_refuse_bill import water as water
from tests.gateway.services.test_settle import WEEK, bought, matched
from tests.gateway.services.test_settle import paid_to as paid_to
from tests.gateway.services.test_settle_bills import paid, usable, wrong
from tests.gateway.services.test_settle_top_ups import AMOUNT, delivers, topped
from tests.gateway.services.test_settle_top_ups import exchange as exchange
from tests.gateway.services.test_top_ups import kiosk as kiosk
from tests.gateway.test_checks import look as look
from tests.gateway.test_checks import reader as reader


@pytest.fixture
def settled(shop: Shop, paid_to: None) -> PaymentRecord:
    """A payment that was paid out a week ago."""
    payment = bought(shop)
    matched(shop, Clearing(shop), payment)
    assert (paid_to, settle(shop.gateway)) == (None, 1)
    return payment


def told(shop: Shop, *payments: PaymentRecord, week: int) -> None:
    """Let the bank tell of these payments a week later, and of nothing else that was paid today."""
    matched(shop, Clearing(shop), *payments, later=week * WEEK)


def give_back(shop: Shop, payment: PaymentRecord, *, disputed: bool = False) -> None:
    """Let the merchant reverse a payment; it may take longer than promised."""
    reverse(shop.gateway, shop.caller, payment.payment_id, None)
    if disputed:
        shop.change("UPDATE payment SET state = 'disputed' WHERE payment_id = :id", id=payment.payment_id)


@pytest.mark.parametrize("going", ["not_yet", "reversing", "disputed"])
def test_d11_a_batch_leaves_what_goes_back_or_may(
    shop: Shop, settled: PaymentRecord, going: str, look: Callable[[], Report]
) -> None:
    """A refund took from a payment that is due: the batch pays it with no other's money."""
    due = bought(shop)
    told(shop, due, week=2)
    fresh = bought(shop)
    if going != "not_yet":
        give_back(shop, fresh, disputed=going == "disputed")
    shop.refund(settled, 250_000, "r-1")
    assert shop.balances()[PAYABLE] == 250_000

    assert settle(shop.gateway) == 0

    if going == "not_yet":
        give_back(shop, fresh)
    work_on(shop)
    assert (shop.state(fresh), shop.state(due)) == (PaymentState.REVERSED, PaymentState.CONFIRMED)
    assert shop.balances().get(PAYABLE, 0) == 0
    newer = bought(shop)
    told(shop, newer, week=3)
    assert settle(shop.gateway) == 1
    assert (shop.state(due), shop.state(newer)) == (PaymentState.SETTLED, PaymentState.CONFIRMED)
    assert wrong(look()) == set()


@pytest.mark.parametrize("resolved", [False, True], ids=["open", "closed"])
def test_d11_money_that_the_books_differ_about_is_spent_on_nothing_else(
    shop: Shop, settled: PaymentRecord, *, resolved: bool
) -> None:
    """Not on a refund, not on a payment that is due; once two people let it be settled it is money like any."""
    missing = bought(shop)
    told(shop, week=2)
    (found,) = list_exceptions(shop.gateway)
    if resolved:
        resolve(shop, found.exception_id, settle=False)
    with pytest.raises(PayableTooLow):
        shop.refund(settled, 1, "r-1")
    due = bought(shop)
    told(shop, due, week=3)
    shop.refund(settled, 250_000, "r-2")

    assert settle(shop.gateway) == 0

    work_on(shop)
    if resolved:
        shop.refund(missing, 250_000, "r-3")
        work_on(shop)
        assert shop.state(missing) is PaymentState.REFUNDED, "its own money gives it back"
    else:
        resolve(shop, found.exception_id, settle=True)
        shop.later(4 * WEEK)
        assert settle(shop.gateway) == 1
        assert (shop.state(missing), shop.state(due)) == (PaymentState.SETTLED, PaymentState.CONFIRMED)


def resolve(shop: Shop, number: int, *, settle: bool) -> None:
    """Let two people close an exception."""
    wish = {"settle": settle}
    request = ask(shop.gateway, Asked.RESOLVE, number, by="sara", reason="the bank says so", facts=wish)
    approve(shop.gateway, request, by="ali")


def test_d12_a_bill_that_the_books_differ_about_refunds_no_other(town: Shop, water: Waterworks) -> None:
    """The waterworks say no to a bill they were paid for: not out of one that the bank's file lacks."""
    usable(town, water.caller.merchant_id)
    payment = paid(town, WATER)
    told(town, payment, week=1)
    assert settle(town.gateway) == 1
    missing = paid(town, WATER_LATER, order="b-2")
    told(town, week=2)

    with pytest.raises(PayableTooLow):
        water.refuse(payment)
    assert water.refuse(missing, WATER_LATER).state is RefundState.REQUESTED, "its own money gives it back"
    with pytest.raises(PayableTooLow):
        water.refuse(payment)


def test_d12_of_one_payment_each_bill_has_its_own_money(
    town: Shop, water: Waterworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two bills of one biller, the first paid out; then the bank tells twice: the second's money is the second's."""
    usable(town, water.caller.merchant_id)
    payment = paid(town, WATER, WATER_LATER)
    here = Clearing(town)
    line = here.line(payment)
    matched(town, here, payment)
    with monkeypatch.context() as patched:
        patched.setattr(service, "LINES_AT_ONCE", 1)
        patched.setattr(service, "ROUNDS_MOST", 1)
        assert settle(town.gateway) == 1
    import_file(town.gateway, "two", here.written(line, day=here.day + dt.timedelta(days=1)))
    assert [str(each.difference) for each in list_exceptions(town.gateway)] == ["duplicate"]

    with pytest.raises(PayableTooLow):
        water.refuse(payment, WATER)
    assert water.refuse(payment, WATER_LATER).state is RefundState.REQUESTED


def test_d11_a_top_up_that_the_books_differ_about_pays_for_nothing_else(exchange: Shop, water: Waterworks) -> None:
    """Where one company sends bills and delivers top-ups: no bill is refunded out of a top-up that the file lacks."""
    operator = water.caller.merchant_id
    delivers(exchange, operator)
    usable(exchange, operator)
    payment = paid(exchange, WATER)
    told(exchange, payment, week=1)
    assert settle(exchange.gateway) == 1
    topped(exchange)
    told(exchange, week=2)
    assert exchange.balances()[f"payable:{operator}"] == AMOUNT

    with pytest.raises(PayableTooLow):
        water.refuse(payment)
