"""The purchase for people who do not use a mouse, a picture, a script, their own colours, or a wide screen."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.pages.around import controls, phones
from bench.pages.card import purchase
from bench.pages.shop import shelf
from bench.pages.walk import CARD, OUTCOMES
from bench.pages.walker import Walker
from foundation.digits import to_ascii_digits
from gateway.web.wording import WORDS
from tests.e2e.browser import findings, visiting
from tests.e2e.conftest import Customer
from tests.world import RunningWorld

pytestmark = [pytest.mark.world, pytest.mark.browser]

Customers = Callable[..., Customer]
GOLDEN = Path(__file__).parent / "aria"
WRITE = "POOYA_WRITE_ARIA"
"""Set, the pictures for screen readers are written anew instead of compared."""

STOPS_MOST = 40
FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    free: top === at || at.contains(top) || top?.contains(at),
    name: at.outerHTML.slice(0, 120),
  };
}"""
MOVING = """() => document.getAnimations().length + [...document.querySelectorAll("*")].filter(
  each => parseFloat(getComputedStyle(each).transitionDuration) > 0).length"""


def to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus; at every stop the focus is seen and nothing covers it."""
    for _ in range(STOPS_MOST):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        assert stop["seen"], stop["name"]
        assert stop["free"], stop["name"]
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{STOPS_MOST} stops and no {selector} on {page.url}")


def enter(page: Page) -> None:
    """Press Enter where it leads to another page, and arrive there."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_buying_by_keyboard_alone(customer: Customers) -> None:
    """From the shelf to the paid order with Tab, Enter and digits; the focus is always seen and never covered."""
    buyer = customer()
    page = buyer.page
    page.goto(f"{buyer.world.info['shop']}/")
    to(page, "form[action$='/basket/saffron'] button")
    enter(page)
    to(page, "[role=status] a")
    enter(page)
    to(page, "a[href$='/checkout']")
    enter(page)
    to(page, "#name")
    page.keyboard.type("نگار")
    to(page, "#pay")
    enter(page)
    expect(page.locator("#pan")).to_be_visible()
    for field in ("pan", "cvv2", "exp_month", "exp_year"):
        to(page, f"#{field}")
        page.keyboard.type(buyer.card[field])
    to(page, "#request_pin")
    code = buyer.code(lambda: page.keyboard.press("Enter"))
    expect(page.locator("#pin")).to_be_focused()
    page.keyboard.type(code)
    to(page, "#pay")
    enter(page)
    expect(page.locator("h1")).to_have_text(WORDS["receipt.title"].fa)
    to(page, f"a[href^='{buyer.world.info['shop']}']")
    enter(page)
    expect(page.locator("#state[data-state=paid]")).to_be_visible()


def test_the_first_stop_skips_to_the_content(customer: Customers) -> None:
    """On every organisation's page the first Tab offers the way past what repeats."""
    buyer = customer()
    buyer.order()
    bank = buyer.world.info["banks"][0]["url"]
    for address in (buyer.page.url, buyer.world.info["shop"], f"{bank}/sandbox/", f"{bank}/sandbox/phone/"):
        buyer.page.goto(address)
        to(buyer.page, "a.skip")
        expect(buyer.page.locator("a.skip")).to_be_in_viewport()
        buyer.page.keyboard.press("Enter")
        assert buyer.page.url.endswith("#main")


def test_screen_readers_hear_the_payment_in_persian(world: RunningWorld, browser: Browser) -> None:
    """Names, roles and order of each state, as published in ``aria/``; numbers that differ are left out."""
    heard: dict[str, str] = {}
    complaints: list[str] = []
    with visiting(browser, complaints) as context:
        walker = Walker(world, context)
        walker.open(f"{walker.shop}/")
        walker.page.locator("form[action$='/basket/teapot'] button").click()
        for part in (*CARD, *OUTCOMES):
            heard |= {
                sight.state: steady(sight.view.locator("body").aria_snapshot())
                for sight in part(walker)
                if sight.part == "payment" and not sight.paper
            }
    if os.environ.get(WRITE):
        for state, tree in heard.items():
            (GOLDEN / f"{state}.yml").write_text(tree)
    assert {file.stem: file.read_text() for file in GOLDEN.glob("*.yml")} == heard
    assert complaints == []


_CHANGING = (
    (re.compile(r"S-[0-9A-Z]{8}"), "S-#"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "#"),
    (re.compile(r"(?<![=V])\d(?:[\d٬,:/*• ]*\d)?"), "#"),
    (re.compile(r"# \w+ #، ساعت #"), "#"),
    (re.compile(r"انقضا: \w+ #"), "انقضا: #"),
    (re.compile(r"(?m)^( *- status).*$"), r"\1"),
)
"""What differs from one run to the next, in any digits: order, trace, amounts, times, expiry, last words said."""

_NEWS = tuple(words.fa for key, words in WORDS.items() if key.startswith("pin.delivery."))
"""How far the SMS has come is a matter of a second."""


def steady(tree: str) -> str:
    """Leave out addresses and what differs from one run to the next."""
    passing = ("- /url:", *(f"- paragraph: {news}" for news in _NEWS))
    kept = [line for line in tree.splitlines() if not line.strip().startswith(passing)]
    text = to_ascii_digits("\n".join(kept)) + "\n"
    for changing, instead in _CHANGING:
        text = changing.sub(instead, text)
    return text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_ones_own_and_no_motion(world: RunningWorld, browser: Browser, scheme: str) -> None:
    """In forced colours every page keeps its marks; whoever asked for stillness sees nothing move."""
    complaints: list[str] = []
    wishes: dict[str, Any] = {"forced_colors": "active", "reduced_motion": "reduce", "color_scheme": scheme}
    with visiting(browser, complaints, viewport={"width": 320, "height": 640}, **wishes) as context:
        walker = Walker(world, context)
        for part in (shelf, purchase, phones, controls):
            for sight in part(walker):
                assert findings(sight.view, colours=False) == [], sight.state
                assert sight.view.evaluate(MOVING) == 0, sight.state
    assert complaints == []


@pytest.mark.parametrize("language", ["fa", "en"])
def test_without_a_script_at_320_pixels(customer: Customers, language: str) -> None:
    """The whole purchase is plain forms, and no page is wider than the screen."""
    buyer = customer(language=language, java_script_enabled=False, viewport={"width": 320, "height": 640})
    page, shop = buyer.page, buyer.world.info["shop"]
    for address in (f"{shop}/?lang={language}", f"{shop}/basket", f"{shop}/checkout"):
        page.goto(address)
        fits(page)
        if "lang" in address:
            page.locator("form[action$='/basket/hafez'] button").click()
    page.fill("#name", "Negar")
    page.click("#pay")
    fits(page)
    buyer.press("pay")
    expect(page.locator("#errors")).to_be_visible()
    fits(page)
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    fits(page)
    buyer.type_card(pin=code)
    page.press("#pin", "Enter")
    expect(page.locator("h1")).to_have_text(getattr(WORDS["receipt.title"], language))
    fits(page)
    page.locator(f"a[href^='{shop}']").first.click()
    expect(page.locator("#state[data-state=paid]")).to_be_visible()
    fits(page)
    page.goto(f"{buyer.world.info['banks'][0]['url']}/sandbox/phone/{buyer.card['mobile']}/?lang={language}")
    expect(page.locator("[role=log] .code bdi").first).to_have_text(code)
    fits(page)


def fits(page: Page) -> None:
    """Fail when the page is wider than its window; asks the browser, as no script runs."""
    session = page.context.new_cdp_session(page)
    layout = session.send("Page.getLayoutMetrics")
    session.detach()
    assert layout["cssContentSize"]["width"] <= layout["cssLayoutViewport"]["clientWidth"], page.url
