"""Opening, reading and listing payments."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from foundation.rial import Rial
from gateway.domain.errors import (
    DuplicateOrder,
    IdempotencyMismatch,
    InvalidAmount,
    InvalidCallback,
    InvalidOrderId,
    InvalidText,
    NotPossible,
    OrderNotFound,
    PaymentNotFound,
)
from gateway.domain.payment import PaymentState
from gateway.services.cancel import cancel
from gateway.services.look_up_receipt import look_up_receipt
from gateway.services.open_payment import OpenPurchase, open_payment
from gateway.services.read_payment import (
    events_of,
    get_payment,
    list_payments,
    list_unconfirmed,
    payment_of_order,
)
from gateway.services.show_page import page_of
from tests.fakes.shop import Shop

BACK = "http://localhost:8200/back"


def test_an_open_payment_has_a_page_for_fifteen_minutes(shop: Shop) -> None:
    """What the page shows of a payment just opened."""
    payment = shop.open(1_500_000, order_id="A-1")

    page = page_of(shop.gateway, payment.page_token)
    assert (page.total, page.order_id, page.state, page.in_flight) == (
        Rial(1_500_000),
        "A-1",
        PaymentState.OPEN,
        False,
    )
    assert page.seconds_left in range(895, 901)
    assert (page.receipt, page.last_decline, page.confirm_seconds_left) == (None, None, None)
    assert (page.pin.sent, page.pin.requests_left) == (False, 5)
    assert get_payment(shop.gateway, shop.caller, payment.payment_id) == payment


def test_the_same_key_and_body_is_one_payment(shop: Shop) -> None:
    """I10: the stored answer comes back, even after the payment has moved on."""
    first = shop.open(order_id="A-1", key="key-1")
    cancel(shop.gateway, first.page_token)

    assert shop.open(order_id="A-1", key="key-1") == first
    with pytest.raises(IdempotencyMismatch):
        shop.open(9_999, order_id="A-1", key="key-1")
    assert shop.rows("SELECT count(*) FROM payment") == [(1,)]


def test_the_same_key_ten_times_at_once_is_one_payment(shop: Shop) -> None:
    """I10: a race of equals has one payment and one answer."""
    start = threading.Barrier(8)

    def call(_: int) -> str:
        start.wait()
        return shop.open(order_id="A-1", key="key-1").payment_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(call, range(8)))) == 1


def test_d42_an_order_again_only_after_the_first_came_to_nothing(shop: Shop) -> None:
    """D42: 409 names the live payment; cancelled, expired and reversed orders may be tried again."""
    first = shop.open(order_id="A-1")
    with pytest.raises(DuplicateOrder) as refused:
        shop.open(order_id="A-1", key="key-2")
    assert refused.value.payment_id == first.payment_id

    cancel(shop.gateway, first.page_token)
    second = shop.open(order_id="A-1")
    shop.later(901)
    shop.sweep()
    assert shop.state(second) is PaymentState.EXPIRED
    third = shop.open(order_id="A-1")
    shop.pay(third)
    shop.later(2_000)
    shop.sweep()
    shop.work()
    assert shop.state(third) is PaymentState.REVERSED
    assert shop.open(order_id="A-1").state is PaymentState.OPEN


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount": Rial(999)}, InvalidAmount),
        ({"amount": Rial(1_000_000_001)}, InvalidAmount),
        ({"order_id": ""}, InvalidOrderId),
        ({"order_id": "a b"}, InvalidOrderId),
        ({"callback_url": "http://evil.example/"}, InvalidCallback),
        ({"description": "x" * 121}, InvalidText),
        ({"mobile": "9121234567"}, InvalidText),
    ],
)
def test_a_part_outside_its_rules_is_refused(shop: Shop, change: dict[str, object], error: type[Exception]) -> None:
    """Nothing is opened, and the reason is named."""
    values: dict[str, object] = {"amount": Rial(10_000), "order_id": "A-1", "callback_url": BACK} | change
    with pytest.raises(error):
        open_payment(shop.gateway, shop.caller, OpenPurchase(**values), None)  # type: ignore[arg-type]  # fields by name
    assert shop.rows("SELECT 1 FROM payment") == []


def test_a_merchant_finds_what_is_paid_and_not_yet_confirmed(shop: Shop) -> None:
    """The list that a shop works off after its server was down."""
    paid = [shop.paid() for _ in range(3)]
    shop.open()
    shop.confirm(paid[0])

    page = list_unconfirmed(shop.gateway, shop.caller)

    assert [record.payment_id for record in page.records] == [record.payment_id for record in paid[1:]]
    assert page.next is None


def test_nobody_reads_another_terminals_payment(shop: Shop) -> None:
    """A payment is its own terminal's (D29)."""
    payment = shop.open()
    stranger = type(shop.caller)("key_x", "test", frozenset(), "00000009", "000000000000009", "http://localhost")

    with pytest.raises(PaymentNotFound):
        get_payment(shop.gateway, stranger, payment.payment_id)
    assert list_payments(shop.gateway, stranger, {}).records == []
    assert list_payments(shop.gateway, shop.caller, {}).records == [payment]
    with pytest.raises(PaymentNotFound):
        events_of(shop.gateway, stranger, payment.payment_id)
    with pytest.raises(OrderNotFound):
        payment_of_order(shop.gateway, stranger, payment.order_id)


def test_d28_a_receipt_is_checked_by_its_tracking_code(shop: Shop) -> None:
    """D28: genuine, amount, date, and whether the money stayed."""
    payment = shop.paid()
    receipt = page_of(shop.gateway, payment.page_token).receipt
    assert receipt is not None

    check = look_up_receipt(shop.gateway, receipt.tracking_code)

    assert (check.amount, check.state, check.authorised_at) == (
        Rial(250_000),
        PaymentState.AUTHORISED,
        receipt.authorised_at,
    )
    with pytest.raises(PaymentNotFound):
        look_up_receipt(shop.gateway, "10000000000000")


def test_a_paid_payment_is_not_cancelled(shop: Shop) -> None:
    """Cancel is for open payments."""
    payment = shop.paid()

    with pytest.raises(NotPossible):
        cancel(shop.gateway, payment.page_token)
    with pytest.raises(PaymentNotFound):
        cancel(shop.gateway, "no-such-token")


def test_d39_the_application_cannot_change_history_or_postings(shop: Shop) -> None:
    """D39: append-only is a missing right."""
    shop.paid()
    for statement in ("UPDATE posting SET amount_rial = 1", "DELETE FROM posting", "DELETE FROM payment_event"):
        with pytest.raises(Exception, match="permission denied"), shop.gateway.database.single() as connection:
            connection.exec_driver_sql(statement)


def test_stored_answers_are_forgotten_after_thirty_days(shop: Shop) -> None:
    """D43: the key may be used again after a month; jobs that are done go too, waiting ones stay."""
    shop.paid()
    shop.work()
    shop.open(order_id="A-1", key="key-1")
    shop.later(31 * 86_400)
    shop.sweep()

    assert shop.rows("SELECT 1 FROM idempotency") == []
    assert {row[0] for row in shop.rows("SELECT done_at FROM outbox")} == {None}


def test_d43_a_shoppers_mobile_is_erased_in_time(shop: Shop) -> None:
    """D43: phones go with the refund window."""
    purchase = OpenPurchase(Rial(10_000), "A-1", BACK, mobile="09121234567")
    open_payment(shop.gateway, shop.caller, purchase, None)
    shop.sweep()
    assert shop.rows("SELECT mobile FROM payment") == [("09121234567",)]
    shop.later(91 * 86_400)
    shop.sweep()

    assert shop.rows("SELECT mobile FROM payment") == [(None,)]
