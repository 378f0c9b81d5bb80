"""The payment page when no card can be typed: how things ended, how they will, and what strangers are told."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import expect

from bench.pages.walker import Sight, Walker
from sandbox.running import wait_for

UNKNOWN_SECONDS = 40.0
NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"


def cancelling(walker: Walker) -> Iterator[Sight]:
    """Cancelled, and what the shop makes of it."""
    page = walker.page
    walker.to_the_gateway()
    walker.press("cancel")
    back = page.locator(f"a[href^='{walker.shop}']")
    expect(back).to_be_visible()
    yield walker.sight("payment", "cancelled")
    back.click()
    expect(page.locator("#state[data-state=failed]")).to_be_visible()
    yield walker.sight("shop", "failed")
    order = page.url.partition("?")[0]
    page.locator("form button.first").click()
    expect(page.locator("#pan")).to_be_visible()
    yield walker.at("shop", "awaiting", order)


def receipts(walker: Walker) -> Iterator[Sight]:
    """What a stranger with a tracking code is told."""
    newest = next(payment for payment in walker.payments() if payment["tracking_code"])
    yield walker.at("payment", "receipt-check", f"{walker.gateway}/receipt/{newest['tracking_code']}")
    yield walker.at("payment", "receipt-unknown", f"{walker.gateway}/receipt/00000000000000")


def endings(walker: Walker) -> Iterator[Sight]:
    """A page whose time is over, and one that never was."""
    walker.to_the_gateway()
    address = walker.page.url.partition("?")[0]
    walker.make_late("page_expires_at", address)
    yield walker.at("payment", "expired", address)
    yield walker.at("payment", "missing", f"{walker.gateway}/pay/nothing")


def failures(walker: Walker) -> Iterator[Sight]:
    """A gateway without its database, and one that is asked too much."""
    with walker.other_gateway(DATABASE_URL=NO_DATABASE) as broken:
        yield walker.at("payment", "unavailable", f"{broken}/pay/nothing")
    with walker.other_gateway(PAGE_CALLS_PER_MINUTE="1") as strict:
        walker.open(f"{strict}/pay/nothing")
        yield walker.at("payment", "flooded", f"{strict}/pay/nothing")


def waiting(walker: Walker) -> Iterator[Sight]:
    """The bank takes its time; a second window of the same payment waits."""
    walker.to_the_gateway()
    address = walker.page.url.partition("?")[0]
    card = walker.world.card("bank_slow")
    walker.pay(card, walker.code(card))
    with walker.beside():
        walker.open(address)
        waits = walker.page.locator("[data-kind=waiting]")
        wait_for(lambda: waits.is_visible() or not walker.page.reload(), "the second window to wait")
        with walker.staying(address):
            yield walker.sight("payment", "waiting")
    expect(walker.page.locator("[data-kind=receipt]")).to_be_visible(timeout=UNKNOWN_SECONDS * 1000)
    walker.page.goto("about:blank")
