"""While a customer waits for the SMS: help for a late one, and a page that lasts as long as its code."""

from __future__ import annotations

import re

import pytest

from gateway.ports import PinUnanswered
from gateway.services.show_page import page_of
from gateway.web.wording import WORDS
from tests.fakes.shop import Shop
from tests.fakes.switch import Behaviour, decline, lost
from tests.gateway.web.conftest import Page, words_of

HELP = re.compile(r'<details id="late"( hidden)?>')


def seconds_left(page: Page, shop: Shop) -> int:
    """Return how long the page lasts."""
    return page_of(shop.gateway, page.payment.page_token).seconds_left


def test_help_for_a_late_sms_is_there_once_a_code_was_asked_for(page: Page) -> None:
    """A plain details element, on every later rendering too; before, there is nothing to wait for."""
    assert HELP.findall(page.look().text) == [" hidden"]
    answer = page.press("request_pin")
    assert HELP.findall(answer.text) == [""]
    assert WORDS["late.resend"].fa in words_of(answer)
    assert HELP.findall(page.look().text) == [""]


def test_d29_a_page_that_would_end_before_its_code_gets_its_first_extension(page: Page, shop: Shop) -> None:
    """D29: five minutes more, once, and one extension is left for the customer."""
    shop.later(900 - 60)
    answer = page.press("request_pin", json=True).get_json()
    assert 300 < answer["seconds_left"] <= 360
    assert page_of(shop.gateway, page.payment.page_token).extensions_left == 1
    shop.later(900 + 300 - 60)
    page.press("request_pin")
    assert seconds_left(page, shop) <= 60


def test_a_page_with_time_enough_or_without_a_code_is_not_extended(page: Page, shop: Shop) -> None:
    """Nothing comes by itself where nothing would be lost."""
    page.press("request_pin")
    assert seconds_left(page, shop) <= 900
    shop.later(900 - 60)
    shop.harim.will(PinUnanswered("silent"))
    page.press("request_pin")
    assert seconds_left(page, shop) <= 60


@pytest.mark.parametrize("bank", [decline("116"), lost])
def test_d4_a_code_that_an_attempt_may_have_used_up_is_not_called_valid(
    page: Page, shop: Shop, bank: Behaviour
) -> None:
    """D4: loaded again, the page says to use the code only until a card was submitted, and again once one more came."""
    good = WORDS["pin.already_sent"].fa
    page.press("request_pin")
    fresh = words_of(page.look())
    shop.switch.will(bank)
    page.press("pay")
    shop.later(5)
    shop.work()
    shop.work()
    used = words_of(page.look())
    page.press("request_pin")

    assert good in fresh
    assert 'name="pan"' in used
    assert good not in used
    assert good in words_of(page.look())
