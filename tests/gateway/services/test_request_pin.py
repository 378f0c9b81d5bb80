"""Asking the issuer for a dynamic PIN."""

from __future__ import annotations

import pytest

from foundation.pan import Pan, with_check_digit
from gateway.domain.card import CardEntry
from gateway.domain.errors import AttemptInProgress, NotPossible, PaymentNotFound
from gateway.domain.pin_errors import TooManyPinRequests, TooManyPinRequestsOfCard, TooManyUnprovenPinRequests
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


def test_d19_who_knows_the_number_alone_uses_up_a_share_of_its_own(shop: Shop) -> None:
    """D19: three an hour and five a day, and the holder's ten are there as before."""
    shop.at_noon()
    stranger = CardEntry(Pan.parse(PAN))
    payments = [shop.open() for _ in range(4)]
    for _ in range(3):
        request_pin(shop.gateway, payments[0].page_token, stranger)
    with pytest.raises(TooManyUnprovenPinRequests):
        request_pin(shop.gateway, payments[1].page_token, stranger)
    shop.later(3_600)
    payment = shop.open()
    for _ in range(2):
        request_pin(shop.gateway, payment.page_token, stranger)
    shop.later(7_200)
    with pytest.raises(TooManyUnprovenPinRequests):
        request_pin(shop.gateway, shop.open().page_token, stranger)
    shop.later(0)

    for payment in payments[2:]:
        for _ in range(5):
            assert request_pin(shop.gateway, payment.page_token, card()) == SENT


@pytest.mark.parametrize(
    "answer",
    [
        PinRefused(PinRefusal.CARD_DATA_MISMATCH),
        PinRefused(PinRefusal.CARD_BLOCKED, 900),
        PinSent(correlation_id="0b9e1c9e-2f0a-4a53-9a3f-0d3b7c1f6a02"),
    ],
)
def test_d19_card_data_that_are_made_up_use_up_nothing_of_the_holders(shop: Shop, answer: PinRefused | PinSent) -> None:
    """D19: whether the issuer says so or says nothing about the card, they count as the number alone does."""
    shop.harim.will(*[answer] * 10)
    for payment in [shop.open() for _ in range(2)]:
        for _ in range(5):
            request_pin(shop.gateway, payment.page_token, card())
    assert {row[0] for row in shop.rows("SELECT proven FROM pin_request")} == {False}

    with pytest.raises(TooManyUnprovenPinRequests):
        request_pin(shop.gateway, shop.open().page_token, CardEntry(Pan.parse(PAN)))
    for payment in [shop.open() for _ in range(2)]:
        for _ in range(5):
            assert request_pin(shop.gateway, payment.page_token, card()) == SENT
    with pytest.raises(TooManyPinRequestsOfCard):
        request_pin(shop.gateway, shop.open().page_token, card())


@pytest.mark.parametrize("answer", [PinSent(), PinUnanswered("silent")])
def test_d19_where_the_proof_may_have_been_taken_it_counts_as_proven(
    shop: Shop, answer: PinSent | PinUnanswered
) -> None:
    """An issuer that never tells anything, or whose answer was lost, may have sent a code to the holder."""
    shop.harim.will(answer)
    request_pin(shop.gateway, shop.open().page_token, card())

    assert {row[0].rsplit(" ", 1)[0] for row in shop.rows("SELECT scope FROM quota")} == {
        "pin-day proven",
        "pin-hour proven",
    }


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
