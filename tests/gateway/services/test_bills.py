"""Bills paid together: one debit, each posted and told by itself, and each paid once (D12, I15)."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.domain.bill_errors import BillAlreadyPaid, InvalidBills, UnknownBiller
from gateway.domain.bills import Bill, payee_key
from gateway.domain.errors import DuplicateOrder, IdempotencyMismatch, NotPossible, RefusedRow
from gateway.domain.payment import PaymentState
from gateway.ports import Kind
from gateway.services.authorise import Checking, Paid, Refused
from gateway.services.bills import OpenBills, look_up, open_bills, open_own, own_terminal
from gateway.services.enrol import add_merchant
from gateway.services.gateway import Gateway
from gateway.services.idempotency import Idempotency
from gateway.services.open_payment import PaymentRecord
from gateway.services.owed import add_biller
from gateway.services.reverse import reverse
from gateway.services.show_page import page_of
from tests.fakes.shop import MERCHANT, Shop
from tests.fakes.switch import debit_but_silent, decline, lost

PHONE, WATER = Bill("7748317800142", "1770160"), Bill("2050327604613", "1070189")
PHONE_CO, WATER_CO = "000000000000201", "000000000000202"


@pytest.fixture
def town(shop: Shop) -> Shop:
    """A shop in a town with a telephone company and waterworks; the waterworks hear by webhook."""
    for merchant_id, terminal_id, bill in ((PHONE_CO, "20000201", PHONE), (WATER_CO, "20000202", WATER)):
        row = dataclasses.replace(MERCHANT, merchant_id=merchant_id, terminal_id=terminal_id)
        if bill is PHONE:
            row = dataclasses.replace(row, webhook_url=None, webhook_secret=None)
        add_merchant(shop.gateway, row)
        add_biller(shop.gateway, merchant_id, int(bill.service), bill.company)
    return shop


def opened(town: Shop, *bills: Bill, order: str = "b-1", key: str | None = None) -> PaymentRecord:
    """Open a payment of bills under the shop's terminal."""
    wanted = OpenBills(bills, order, "http://localhost:8200/back")
    idempotency = None if key is None else Idempotency(key, repr(bills).encode()[:32].ljust(32))
    return open_bills(town.gateway, town.caller, wanted, idempotency)


def with_terminal(town: Shop, terminal_id: str) -> Gateway:
    """Return the gateway with a terminal of its own for bills."""
    settings = town.gateway.settings.model_copy(update={"bill_terminal_id": terminal_id})
    return dataclasses.replace(town.gateway, settings=settings)


def test_d12_several_bills_are_one_debit_and_each_is_posted_by_itself(town: Shop) -> None:
    """The card gives the sum once; each company is owed its own; nobody has to confirm."""
    payment = opened(town, PHONE, WATER)

    assert town.pay(payment) == Paid()

    assert town.state(payment) is PaymentState.CONFIRMED
    (asked,) = town.switch.authorised
    assert (asked.order.kind, asked.order.amount.amount) == (Kind.BILL_PAYMENT, 27_000)
    assert asked.order.payee_key == payee_key([PHONE, WATER])
    owed = {f"payable:{PHONE_CO}": 17_000, f"payable:{WATER_CO}": 10_000}
    assert town.balances() == {"issuer:two": -27_000} | owed
    town.settle_down(after=5_000)
    assert town.state(payment) is PaymentState.CONFIRMED, "it does not go back unconfirmed"


def test_the_code_is_bound_to_just_these_bills(town: Shop) -> None:
    """Page, PIN request and authorisation name the same digest (D5)."""
    payment = opened(town, PHONE)
    view = page_of(town.gateway, payment.page_token)
    assert (view.order.payee_key, view.order.kind) == (payee_key([PHONE]), Kind.BILL_PAYMENT)
    assert [(line.bill, line.name_en) for line in view.bills] == [(PHONE, MERCHANT.name_en)]


def test_each_biller_hears_of_its_own_bills_once(town: Shop) -> None:
    """The waterworks are told of their bill alone; who opened the payment is told of the payment."""
    payment = opened(town, PHONE, WATER)
    town.pay(payment)
    town.work()

    told = town.rows("SELECT merchant_id, type, facts ->> 'bill_id' FROM webhook_event ORDER BY type, merchant_id")
    assert told == [
        (PHONE_CO, "bill.paid", PHONE.bill_id),
        (WATER_CO, "bill.paid", WATER.bill_id),
        (MERCHANT.merchant_id, "payment.confirmed", None),
    ]
    assert len(town.rows("SELECT 1 FROM webhook_delivery WHERE state = 'delivered'")) == 2


def test_i15_a_paid_bill_is_not_paid_again(town: Shop) -> None:
    """Looking it up and opening it again say so, with the receipt's code; another bill goes on."""
    payment = opened(town, PHONE)
    town.pay(payment)

    with pytest.raises(BillAlreadyPaid) as refused:
        look_up(town.gateway, (PHONE, WATER))
    assert refused.value.tracking_code == page_of(town.gateway, payment.page_token).receipt.tracking_code  # type: ignore[union-attr]  # where it is none the test fails
    with pytest.raises(BillAlreadyPaid):
        opened(town, PHONE, order="b-2")
    assert opened(town, WATER, order="b-2").amount_rial == 10_000


def test_i15_of_two_pages_for_one_bill_one_pays(town: Shop) -> None:
    """Both were opened before either paid; the second card is not even asked (D12: claimed with the attempt)."""
    first, second = opened(town, PHONE, WATER), opened(town, PHONE, order="b-2")
    assert town.pay(first) == Paid()

    with pytest.raises(BillAlreadyPaid):
        town.pay(second)

    assert len(town.switch.authorised) == 1
    assert town.state(second) is PaymentState.OPEN
    assert town.rows("SELECT attempts FROM payment WHERE payment_id = :id", id=second.payment_id) == [(0,)]


def test_i15_twelve_at_once_pay_one_bill_once(town: Shop) -> None:
    """However many submit at the same moment, in whatever order their bills stand, one debit is made."""
    pages = [opened(town, *((PHONE, WATER) if each % 2 else (WATER, PHONE)), order=f"b-{each}") for each in range(12)]

    def submit(payment: PaymentRecord) -> str:
        try:
            return type(town.pay(payment)).__name__
        except BillAlreadyPaid:
            return "taken"

    with ThreadPoolExecutor(12) as crowd:
        said = sorted(crowd.map(submit, pages))

    assert said == ["Paid", *["taken"] * 11]
    assert len(town.switch.authorised) == 1
    assert town.balances()["issuer:two"] == -27_000


def test_d12_a_declined_bill_is_free_for_others_at_once(town: Shop) -> None:
    """The claim lasts as long as the attempt."""
    payment, other = opened(town, PHONE), opened(town, PHONE, order="b-2")
    town.switch.will(decline("116"))
    assert isinstance(town.pay(payment), Refused)
    assert town.pay(other) == Paid()


def test_d12_an_unanswered_bill_is_held_until_the_money_is_back(town: Shop) -> None:
    """Unknown is not failed: nobody pays the bill meanwhile; once the bank undid it, anybody may."""
    payment, other = opened(town, PHONE), opened(town, PHONE, order="b-2")
    town.switch.will(lost)
    assert town.pay(payment) == Checking()
    with pytest.raises(BillAlreadyPaid):
        town.pay(other)

    town.settle_down(after=10)

    assert town.rows("SELECT claimed FROM bill WHERE payment_id = :id", id=payment.payment_id) == [(False,)]
    assert town.pay(other) == Paid()


def test_an_answer_found_later_completes_the_bills(town: Shop) -> None:
    """The debit happened and its answer was lost: the inquiry completes the payment, posts and tells."""
    payment = opened(town, PHONE, WATER)
    town.switch.will(debit_but_silent)
    assert town.pay(payment) == Checking()

    town.settle_down(after=10)

    assert town.state(payment) is PaymentState.CONFIRMED
    assert town.balances()[f"payable:{WATER_CO}"] == 10_000


def test_a_bill_is_not_reversed_by_who_opened_it(town: Shop) -> None:
    """The biller was told already; its money goes back by a refund of that line alone (D12)."""
    payment = opened(town, PHONE)
    town.pay(payment)
    with pytest.raises(NotPossible) as refused:
        reverse(town.gateway, town.caller, payment.payment_id, None)
    assert (type(refused.value), refused.value.state) == (NotPossible, "confirmed")


def test_what_cannot_be_paid_is_refused_before_anything_is_opened(town: Shop) -> None:
    """Unknown billers, bills twice, no bill: nothing is left behind."""
    with pytest.raises(UnknownBiller):
        opened(town, Bill("9174639504124", "12908190"))
    with pytest.raises(InvalidBills):
        opened(town, PHONE, PHONE)
    with pytest.raises(InvalidBills):
        opened(town)
    assert town.rows("SELECT count(*) FROM payment") == [(0,)]


def test_i10_the_same_key_opens_the_same_payment(town: Shop) -> None:
    """Also after its bills were paid; with other bills it is refused, and so is the order under another key."""
    payment = opened(town, PHONE, key="k-1")
    town.pay(payment)
    assert opened(town, PHONE, key="k-1").payment_id == payment.payment_id
    with pytest.raises(IdempotencyMismatch):
        opened(town, WATER, key="k-1")
    with pytest.raises(DuplicateOrder):
        opened(town, WATER, key="k-2")


def test_the_gateways_own_page_needs_a_terminal(town: Shop) -> None:
    """Without the setting, or with a terminal that is not there, it takes no bills of its own."""
    assert own_terminal(town.gateway) is None
    with pytest.raises(LookupError):
        open_own(town.gateway, (PHONE,))
    assert own_terminal(with_terminal(town, "00000009")) is None
    assert town.pay(open_own(with_terminal(town, MERCHANT.terminal_id), (PHONE,))) == Paid()


@pytest.mark.parametrize(("service", "company"), [(0, "001"), (10, "001"), (4, "1"), (4, "۰۰۱")])
def test_a_biller_that_no_bill_could_name_is_refused(town: Shop, service: int, company: str) -> None:
    """Service and company are digits of a bill id."""
    with pytest.raises(RefusedRow):
        add_biller(town.gateway, PHONE_CO, service, company)
