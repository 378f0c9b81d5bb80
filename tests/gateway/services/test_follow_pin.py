"""The page follows the SMS: bounded in count and rate by the database, asked once whoever looks."""

from __future__ import annotations

import dataclasses
import threading
import time
import uuid

import pytest
from sqlalchemy import text

from gateway.domain.errors import PaymentNotFound
from gateway.domain.limits import DELIVERY_CHECK_SECONDS, DELIVERY_CHECKS_MAX
from gateway.ports import Delivery
from gateway.services.follow_pin import page_with_delivery
from gateway.services.request_pin import request_pin
from gateway.store.payments import PaymentRecord
from tests.fakes.counting import counting
from tests.fakes.harim import SENT
from tests.fakes.shop import Shop, card

FOLLOWED = dataclasses.replace(SENT, correlation_id=str(uuid.UUID(int=7)))


def asked(shop: Shop, answer: object = FOLLOWED) -> PaymentRecord:
    """Open a payment and ask for its PIN."""
    payment = shop.open()
    shop.harim.will(answer)  # type: ignore[arg-type]  # an answer or what raises one
    request_pin(shop.gateway, payment.page_token, card())
    return payment


def test_the_state_is_asked_when_it_is_due_and_kept(shop: Shop) -> None:
    """At once it is on its way and nobody is asked; later the issuer says more, and the page remembers it."""
    payment = asked(shop)
    first = page_with_delivery(shop.gateway, payment.page_token).pin
    shop.later(DELIVERY_CHECK_SECONDS + 1)
    shop.harim.deliveries.append(Delivery.ACCEPTED)
    second = page_with_delivery(shop.gateway, payment.page_token).pin
    third = page_with_delivery(shop.gateway, payment.page_token).pin

    assert (first.delivery, first.ask_in_seconds) == (Delivery.QUEUED, DELIVERY_CHECK_SECONDS)
    assert (second.delivery, second.ask_in_seconds) == (Delivery.ACCEPTED, None)
    assert third == dataclasses.replace(
        second, expires_in_seconds=third.expires_in_seconds, resend_in_seconds=third.resend_in_seconds
    )
    assert shop.harim.followed == [FOLLOWED.correlation_id]


def test_questions_are_bounded_in_count_and_come_ever_later(shop: Shop) -> None:
    """A message that stays on its way is asked about ten times, however often the page is looked at."""
    payment = asked(shop)
    waits = []
    for second in range(1, 200):
        shop.later(second)
        before = len(shop.harim.followed)
        pin = page_with_delivery(shop.gateway, payment.page_token).pin
        if len(shop.harim.followed) > before:
            waits.append(pin.ask_in_seconds)

    assert len(shop.harim.followed) == DELIVERY_CHECKS_MAX
    assert waits == [*range(4, 2 * DELIVERY_CHECKS_MAX + 2, 2), None][:DELIVERY_CHECKS_MAX]


def test_twelve_looks_at_once_ask_once(shop: Shop) -> None:
    """Many tabs are no load for the bank: all find the question due, one asks it."""
    payment = asked(shop)
    shop.later(DELIVERY_CHECK_SECONDS + 1)
    looks = [threading.Thread(target=page_with_delivery, args=(shop.gateway, payment.page_token)) for _ in range(12)]

    with shop.owner.engine.begin() as holder:
        holder.execute(text("SELECT 1 FROM pin_request FOR UPDATE"))
        for look in looks:
            look.start()
        until = time.monotonic() + 10
        while shop.rows("SELECT count(*) FROM pg_locks WHERE NOT granted") != [(len(looks),)]:
            assert time.monotonic() < until
    for look in looks:
        look.join()

    assert len(shop.harim.followed) == 1


@pytest.mark.parametrize("change", [{"correlation_id": None}, {"expires_in_seconds": None}])
def test_d19_where_nothing_was_disclosed_nobody_is_asked(shop: Shop, change: dict[str, None]) -> None:
    """An unproven request has no message that could be followed."""
    payment = asked(shop, dataclasses.replace(FOLLOWED, **change))
    shop.later(30)

    pin = page_with_delivery(shop.gateway, payment.page_token).pin

    assert (pin.delivery, pin.ask_in_seconds, shop.harim.followed) == (None, None, [])


@pytest.mark.parametrize("heard", [None, Delivery.UNDISCLOSED])
def test_an_issuer_that_tells_nothing_changes_nothing(shop: Shop, heard: Delivery | None) -> None:
    """A silent one is asked again, one that will not say is not."""
    payment = asked(shop)
    shop.later(DELIVERY_CHECK_SECONDS + 1)
    shop.harim.deliveries.append(heard)

    pin = page_with_delivery(shop.gateway, payment.page_token).pin

    assert pin.delivery is Delivery.QUEUED
    assert (pin.ask_in_seconds is None) == (heard is Delivery.UNDISCLOSED)


def test_a_code_that_was_sent_before_is_not_said_to_be_on_its_way(shop: Shop) -> None:
    """What became of the earlier message is not known yet."""
    payment = asked(shop, dataclasses.replace(FOLLOWED, already_sent=True))

    pin = page_with_delivery(shop.gateway, payment.page_token).pin

    assert (pin.delivery, pin.ask_in_seconds) == (None, DELIVERY_CHECK_SECONDS)


def test_a_new_request_is_followed_anew(shop: Shop) -> None:
    """The last request of the payment is what the page speaks of."""
    payment = asked(shop)
    shop.later(DELIVERY_CHECK_SECONDS + 1)
    shop.harim.deliveries.append(Delivery.REFUSED)
    page_with_delivery(shop.gateway, payment.page_token)
    shop.harim.will(FOLLOWED)
    request_pin(shop.gateway, payment.page_token, card())

    assert page_with_delivery(shop.gateway, payment.page_token).pin.delivery is Delivery.QUEUED


def test_a_paid_payment_asks_nobody(shop: Shop) -> None:
    """Its page has no PIN any more."""
    payment = asked(shop)
    shop.pay(payment)
    shop.later(30)
    page_with_delivery(shop.gateway, payment.page_token)

    assert shop.harim.followed == []


def test_an_unknown_page_is_none(shop: Shop) -> None:
    """As everywhere."""
    with pytest.raises(PaymentNotFound):
        page_with_delivery(shop.gateway, "nobody")


def test_performance_a_look_costs_one_statement_unless_a_question_is_due(shop: Shop) -> None:
    """Looking too early asks for nothing and writes nothing; what a due question costs is in the table of budgets."""
    payment = asked(shop)
    with counting(shop.gateway.database) as early:
        page_with_delivery(shop.gateway, payment.page_token)

    assert (len(early.statements), early.commits) == (1, 0)
