"""While a customer waits for the SMS: help for a late one, and a page that lasts as long as its code."""

from __future__ import annotations

import re

from gateway.ports import PinUnanswered
from gateway.services.show_page import page_of
from gateway.web.wording import WORDS
from tests.fakes.shop import Shop
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
