"""The shopkeeper's desk in a real browser: an order is refunded in part and then whole, at a running sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from foundation.persian import grouped
from merchant_demo.wording import WORDS
from tests.e2e.conftest import Customer
from tests.world import wait_for

pytestmark = pytest.mark.browser
PART = 100_000


def bought(buyer: Customer) -> str:
    """Buy a soap; return the order's number."""
    buyer.order()
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    buyer.type_card(pin=code)
    buyer.press("pay")
    buyer.page.locator(f"a[href^='{buyer.world.info['shop']}']").first.click()
    expect(buyer.page.locator("#state[data-state=paid]")).to_be_visible()
    return str(buyer.page.locator("h1").inner_text().split()[-1])


@pytest.mark.parametrize(
    ("language", "options"),
    [
        ("fa", {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark", "java_script_enabled": False}),
        ("en", {"viewport": {"width": 1180, "height": 820}, "color_scheme": "light"}),
    ],
)
def test_an_order_is_refunded_in_part_and_then_whole(
    customer: Callable[..., Customer], language: str, options: dict[str, Any]
) -> None:
    """Plain forms for everybody; pending becomes done when the bank has answered; nothing is left in the end."""
    keeper = customer(language=language, **options)
    look = keeper.look if options.get("java_script_enabled", True) else keeper.picture
    page, number = keeper.page, bought(keeper)
    buyers_page = page.url

    page.get_by_text(getattr(WORDS["keeper"], language), exact=True).click()
    look("desk")
    page.locator(f"a[href='/shopkeeper/{number}']").click()
    look("order")
    page.fill("#amount", "999999999")
    page.click("#refund")
    expect(page.locator("#errors")).to_be_visible()
    look("too-much")
    page.fill("#amount", str(PART))
    page.click("#refund")
    expect(page.locator("[data-refund]")).to_have_count(1)
    look("asked")
    over(keeper, 1)
    expect(page.locator("[data-refund]").first).to_contain_text(grouped(PART, "fa" if language == "fa" else "en"))
    page.click("#refund")
    expect(page.locator("[data-refund]")).to_have_count(2)

    over(keeper, 2)
    expect(page.locator("form")).to_have_count(0)
    expect(page.get_by_text(getattr(WORDS["refund.nothing_left"], language))).to_be_visible()
    look("whole")
    paid_back = page.locator("#refunded")
    wait_for(lambda: page.goto(buyers_page) and paid_back.count() == 1, "the shop to hear of the refund")
    expect(paid_back).to_contain_text(getattr(WORDS["order.refunded"], language))
    look("buyer")


def over(keeper: Customer, number: int) -> None:
    """Load the page until so many refunds are done."""
    done = keeper.page.locator("[data-refund=done]")
    wait_for(lambda: keeper.page.reload() and done.count() == number, "the refund")
