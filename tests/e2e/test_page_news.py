"""Pages that change by themselves: a waiting page shows its news in place, and a receipt asks before it leads back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from gateway.web.outcomes import SECONDS_UNTIL_RETURN
from gateway.web.wording import WORDS
from tests.e2e.conftest import Customer
from tests.world import RunningWorld, wait_for

pytestmark = [pytest.mark.world, pytest.mark.browser]

Customers = Callable[..., Customer]
NO_NEWS = 3
NEWS_MS = 60_000
"""Within this a bank whose answer was lost has been asked and has answered."""


def pay(buyer: Customer) -> None:
    """Buy with the code from the phone; returns at whatever page the answer leads to."""
    buyer.order()
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    buyer.type_card(pin=code)  # a page that came anew holds no CVV2
    buyer.press("pay")
    expect(buyer.page.locator("[data-kind]")).to_be_visible(timeout=NEWS_MS)


def heading(page: Page, key: str) -> None:
    """Wait for a page by its Persian heading."""
    expect(page.locator("h1")).to_have_text(WORDS[key].fa, timeout=NEWS_MS)


def silence(world: RunningWorld) -> dict[str, str]:
    """Return the card whose bank pays, and whose answer is lost."""
    return world.card("answer_lost")


def test_a_waiting_page_shows_the_result_in_its_place(customer: Customers, world: RunningWorld) -> None:
    """No reload: the page is asked for quietly, the result is said politely, and the focus is on it if it was there."""
    buyer = customer(silence(world))
    page = buyer.page
    pay(buyer)
    heading(page, "unknown.title")
    buyer.look("unknown")
    page.evaluate("globalThis.sameDocument = true")
    page.locator(".press.first").focus()

    heading(page, "receipt.title")
    assert page.evaluate("globalThis.sameDocument")
    assert page.title() == WORDS["title"].fa.format(title=WORDS["receipt.title"].fa)
    expect(page.locator("h1")).to_be_focused()
    page.click("#stay")
    expect(page.locator("[data-onward]")).to_be_hidden()
    buyer.look("known")


def test_without_news_a_waiting_page_stays_as_it_is(customer: Customers, world: RunningWorld) -> None:
    """Asked three times and told the same, nothing in the document changes and nothing is said."""
    buyer = customer(silence(world))
    page = buyer.page
    pay(buyer)
    heading(page, "unknown.title")
    same = page.context.request.get(page.url).text()
    assert 'data-kind="unknown"' in same
    asked: list[str] = []
    page.route("**/pay/*", lambda route: (asked.append(route.request.method), route.fulfill(body=same))[1])
    page.clock.install()
    page.reload()
    page.evaluate(
        "globalThis.changes = 0; new MutationObserver(all => changes += all.length).observe(document.body, "
        "{ subtree: true, childList: true, attributes: true, characterData: true })"
    )
    wait_for(lambda: page.clock.run_for(5_000) or len(asked) > NO_NEWS, "the page to ask so often")
    assert page.evaluate("changes") == 0


def test_without_javascript_a_waiting_page_waits_to_be_asked(customer: Customers, world: RunningWorld) -> None:
    """Nothing reloads by itself (WCAG 2.2.1); «بررسی دوباره» shows the result once there is one."""
    buyer = customer(silence(world), java_script_enabled=False)
    pay(buyer)
    heading(buyer.page, "unknown.title")
    assert "http-equiv" not in buyer.page.content()

    def is_known() -> bool:
        with buyer.page.expect_navigation():
            buyer.page.get_by_role("link", name=WORDS["refresh"].fa).click()
        return buyer.page.locator("[data-kind=receipt]").is_visible()

    wait_for(is_known, "the result", NEWS_MS / 1000)
    heading(buyer.page, "receipt.title")
    assert "http-equiv" not in buyer.page.content()


def test_a_receipt_says_that_it_will_lead_back_and_can_be_stopped(customer: Customers) -> None:
    """Twenty seconds to press one button (WCAG 2.2.1); then the page stays, and the focus is on the way back."""
    buyer = customer()
    page = buyer.page
    page.clock.install()
    pay(buyer)
    heading(page, "receipt.title")
    assert SECONDS_UNTIL_RETURN >= 20
    page.clock.run_for(100)
    expect(page.locator("#live")).to_contain_text(WORDS["return.in"].fa.partition("{")[0].strip())
    page.clock.run_for((SECONDS_UNTIL_RETURN - 2) * 1000)
    page.get_by_role("button", name=WORDS["return.stay"].fa).press("Enter")
    expect(page.locator(".press.first")).to_be_focused()
    page.clock.run_for(60_000)
    heading(page, "receipt.title")
