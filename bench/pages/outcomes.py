"""The payment page when no card can be typed: how things ended, how they will, and what strangers are told."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import expect

from bench.pages.walker import LANGUAGES, Sight, Walker
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


def silence(walker: Walker) -> Iterator[Sight]:
    """The bank falls silent: a purchase without an answer, and money that cannot go back yet; then it speaks again.

    What takes long to reach is reached once, and looked at in both languages.
    """
    walker.language, card = "fa", walker.world.fresh_card()
    walker.to_the_gateway_alone()
    walker.pay(card, walker.code(card))
    expect(walker.page.locator("[data-kind=receipt]")).to_be_visible()
    returned = walker.payments()[0]
    walker.to_the_gateway()
    address = walker.page.url.partition("?")[0]
    code = walker.code(card)
    walker.wrong(bank="down")
    try:
        walker.pay(card, code)
        expect(walker.page.locator("[data-kind=unknown]")).to_be_visible(timeout=UNKNOWN_SECONDS * 1000)
        unknown = walker.payments()[0]
        walker.give_back(returned)
        yield from in_both(walker, ("payment", "unknown", address), ("shop", "checking", walker.order_page(unknown)))
        yield from in_both(walker, *_about(walker, returned, "reversing"))
        walker.make_late("decided_by", address)
        yield from in_both(walker, ("payment", "overdue", address))
    finally:
        walker.wrong(reset=True)
    walker.until(returned, "reversed")
    yield from in_both(walker, *_about(walker, returned, "reversed"))
    walker.until(unknown, "open")
    yield from in_both(walker, ("payment", "undone", address))


def _about(walker: Walker, payment: dict[str, str], state: str) -> tuple[tuple[str, str, str], ...]:
    check = f"{walker.gateway}/receipt/{payment['tracking_code']}"
    return ("payment", state, payment["page_url"]), ("payment", f"receipt-check-{state}", check)


def in_both(walker: Walker, *pages: tuple[str, str, str]) -> Iterator[Sight]:
    """Look in both languages at pages that took long to reach: part, state and address of each."""
    for walker.language in LANGUAGES:
        for part, state, address in pages:
            sight = walker.at(part, state, address)
            with walker.staying(address):
                yield sight
