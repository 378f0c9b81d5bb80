"""Asking the issuer for a dynamic PIN."""

from __future__ import annotations

import pytest

from foundation.pan import Pan, with_check_digit
from gateway.domain.card import CardEntry
from gateway.domain.errors import (
    AttemptInProgress,
    NotPossible,
    PaymentNotFound,
    TooManyPinRequests,
    TooManyPinRequestsOfCard,
)
from gateway.ports import PinRefusal, PinRefused, PinSent, PinUnanswered
from gateway.services.request_pin import request_pin
from gateway.services.show_page import page_of
from tests.fakes.harim import SENT
from tests.fakes.shop import MERCHANT, PAN, Shop, card
from tests.fakes.switch import meanwhile


def test_the_request_is_recorded_counted_and_answered(shop: Shop) -> None:
    """Record, call, record; the page knows when to offer a resend."""
    payment = shop.open()

    assert request_pin(shop.gateway, payment.page_token, card()) == SENT

    issuer, request = shop.harim.asked[0]
    page = page_of(shop.gateway, payment.page_token)
    assert issuer.issuer_id == "two"
    assert request.order.transaction_ref == page.reference
    assert (request.sequence, request.order.payee_name) == (1, MERCHANT.payee_name)
    assert (page.pin.sent, page.pin.requests_left, page.pin.code_length) == (True, 4, 6)
    assert (page.pin.resend_in_seconds in range(55, 61), page.pin.mobile_last_two) == (True, "67")
    assert shop.rows("SELECT state, proven, sequence FROM pin_request") == [("sent", True, 1)]


def test_d19_a_pan_alone_is_an_unproven_request(shop: Shop) -> None:
    """D19: CVV2 and expiry are optional; without an answer about times the issuer's profile serves."""
    payment = shop.open()
    shop.harim.will(PinSent())

    request_pin(shop.gateway, payment.page_token, CardEntry(Pan.parse(PAN)))

    assert shop.harim.asked[0][1].cvv2 is None
    assert shop.rows("SELECT proven FROM pin_request") == [(False,)]
    assert page_of(shop.gateway, payment.page_token).pin.expires_in_seconds in range(115, 121)


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (PinRefused(PinRefusal.TOO_MANY_REQUESTS, 30), "refused", "too_many_requests"),
        (PinUnanswered("silent"), "unanswered", "silent"),
    ],
)
def test_a_refusal_and_a_silence_are_answers(
    shop: Shop, answer: PinRefused | PinUnanswered, state: str, reason: str
) -> None:
    """Neither is an error, and the page stays open."""
    payment = shop.open()
    shop.harim.will(answer)

    assert request_pin(shop.gateway, payment.page_token, card()) == answer
    assert shop.rows("SELECT state, reason FROM pin_request") == [(state, reason)]
    assert not page_of(shop.gateway, payment.page_token).pin.sent


def test_d20_a_payment_has_five_requests(shop: Shop) -> None:
    """The sixth is refused before the issuer is asked."""
    payment = shop.open()
    for _ in range(5):
        request_pin(shop.gateway, payment.page_token, card())

    with pytest.raises(TooManyPinRequests):
        request_pin(shop.gateway, payment.page_token, card())
    assert [request.sequence for _, request in shop.harim.asked] == [1, 2, 3, 4, 5]


def test_d20_a_card_has_its_share_over_all_payments_by_database_rows(shop: Shop) -> None:
    """D20: ten an hour, twenty a day, and a refused request uses nothing up."""
    payments = [shop.open() for _ in range(3)]
    for payment in payments[:2]:
        for _ in range(5):
            request_pin(shop.gateway, payment.page_token, card())

    with pytest.raises(TooManyPinRequestsOfCard):
        request_pin(shop.gateway, payments[2].page_token, card())
    assert page_of(shop.gateway, payments[2].page_token).pin.requests_left == 5
    assert {row[0] for row in shop.rows("SELECT used FROM quota")} == {10}

    other = with_check_digit("999002000000999")
    assert request_pin(shop.gateway, payments[2].page_token, card(other)) == SENT


def test_no_pin_for_a_page_that_cannot_be_paid(shop: Shop) -> None:
    """Expired, unknown, and while an attempt is in flight (D8)."""
    payment, expired = shop.open(), shop.open()

    def ask() -> None:
        with pytest.raises(AttemptInProgress):
            request_pin(shop.gateway, payment.page_token, card())

    shop.switch.will(meanwhile(ask))
    shop.pay(payment)
    shop.later(901)
    with pytest.raises(NotPossible):
        request_pin(shop.gateway, expired.page_token, card())
    with pytest.raises(PaymentNotFound):
        request_pin(shop.gateway, "no-such-token", card())
    assert shop.harim.asked == []


def test_used_up_counters_are_erased(shop: Shop) -> None:
    """D43: a share of the day before yesterday is nobody's business."""
    request_pin(shop.gateway, shop.open().page_token, card())
    shop.later(4 * 86_400)
    shop.sweep()

    assert shop.rows("SELECT 1 FROM quota") == []
