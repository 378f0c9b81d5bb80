"""The shop's pages on the way to the gateway, and the shopkeeper's; what stands between is beside its payment."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import expect

from bench.pages.walker import Sight, Walker
from sandbox.running import wait_for

PART, TOO_MUCH = "100000", "999999999"
"""Rials of a soap that go back, and more than it cost."""


def shelf(walker: Walker) -> Iterator[Sight]:
    """Shelf, basket, checkout and their mistakes; leaves a teapot in the basket."""
    yield walker.at("shop", "basket-empty", f"{walker.shop}/basket")
    yield walker.at("shop", "shelf", f"{walker.shop}/")
    walker.page.locator("form[action$='/basket/teapot'] button").click()
    yield walker.sight("shop", "added")
    yield walker.at("shop", "basket", f"{walker.shop}/basket")
    yield walker.at("shop", "checkout", f"{walker.shop}/checkout")
    walker.page.click("#pay")
    yield walker.sight("shop", "checkout-mistakes")
    yield walker.at("shop", "missing", f"{walker.shop}/nothing-here")


def shopkeeping(walker: Walker) -> Iterator[Sight]:
    """The desk, a paid order on it, a refund that is too large, one that is not, and what the buyer sees of it."""
    page, card = walker.page, walker.world.fresh_card()
    walker.to_the_gateway()
    walker.pay(card, walker.code(card))
    page.locator(f"a[href^='{walker.shop}']").first.click()
    expect(page.locator("#state[data-state=paid]")).to_be_visible()
    order = page.url.partition("?")[0]
    number = page.locator("h1").inner_text().split()[-1]
    yield walker.at("shop", "desk", f"{walker.shop}/shopkeeper")
    yield walker.at("shop", "desk-order", f"{walker.shop}/shopkeeper/{number}")
    page.fill("#amount", TOO_MUCH)
    page.click("#refund")
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("shop", "desk-mistake")
    page.fill("#amount", PART)
    page.click("#refund")
    expect(page.locator("[data-refund]")).to_have_count(1)
    done = page.locator("[data-refund=done]")
    wait_for(lambda: page.reload() and done.count() == 1, "the refund")
    yield walker.sight("shop", "desk-refunded")
    told = page.locator("#refunded")
    wait_for(lambda: page.goto(order) and told.count() == 1, "the shop to hear of the refund")
    yield walker.at("shop", "refunded", order)
