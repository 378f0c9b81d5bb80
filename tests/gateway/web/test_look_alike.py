"""A second payment like the first is asked about before its code is typed; nobody is stopped."""

from __future__ import annotations

import pytest

from foundation.pan import with_check_digit
from gateway.ports import PinSent
from gateway.web.wording import WORDS
from tests.fakes.shop import Shop
from tests.gateway.web.conftest import Page, words_of

AMOUNT = 12_500_000
ASKED = WORDS["pay.alike"].fa.partition("}")[2]
OTHER_PAN = with_check_digit("999002000000456")


def test_the_same_card_amount_and_shop_minutes_ago_is_asked_about(page: Page, shop: Shop) -> None:
    """With and without JavaScript, with the minutes; paying again works."""
    shop.paid(AMOUNT)
    shop.later(170)
    assert "\u2066۳\u2069 دقیقه پیش همین مبلغ" in page.press("request_pin", json=True).get_json()["alike"]
    assert ASKED in words_of(page.press("request_pin"))
    assert page.press("pay").status_code == 303
    assert len(shop.switch.authorised) == 2


@pytest.mark.parametrize(
    ("amount", "seconds", "pan"), [(AMOUNT + 1, 60, None), (AMOUNT, 601, None), (AMOUNT, 60, OTHER_PAN)]
)
def test_another_amount_or_card_or_an_older_payment_is_not(
    page: Page, shop: Shop, amount: int, seconds: int, pan: str | None
) -> None:
    """A question too many is not read."""
    shop.paid(amount)
    shop.later(seconds)
    typed = {"pan": pan} if pan else {}
    assert page.press("request_pin", json=True, **typed).get_json()["alike"] == ""


def test_money_that_went_back_is_not_asked_about(page: Page, shop: Shop) -> None:
    """Whoever pays again after a return means it."""
    first = shop.paid(AMOUNT)
    shop.change("UPDATE payment SET state = 'reversed' WHERE payment_id = :id", id=first.payment_id)
    assert page.press("request_pin", json=True).get_json()["alike"] == ""


def test_d19_what_a_card_paid_is_not_told_where_its_issuer_tells_nothing(page: Page, shop: Shop) -> None:
    """A number alone asks; the uniform answer stays uniform."""
    shop.paid(AMOUNT)
    shop.harim.will(PinSent())
    answer = page.press("request_pin", json=True, cvv2="", exp_month="", exp_year="").get_json()
    assert answer["alike"] == ""
