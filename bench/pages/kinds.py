"""The gateway's own pages beside purchases: bills, and money from card to card."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import expect

from bench.pages.walker import Sight, Walker
from sandbox.bills import new_bill
from sandbox.cards import APPROVE

RECEIPT_SECONDS = 20
AMOUNT = "1500000"


def bills(walker: Walker) -> Iterator[Sight]:
    """Collect a bill, mistyped at first, pay it, and try to pay it again."""
    page, bill, address = walker.page, new_bill(), f"{walker.gateway}/bill"
    yield walker.at("bill", "empty", address)
    page.fill("#bill_id", bill.bill_id)
    page.fill("#payment_id", bill.payment_id[:-1])
    walker.press("add")
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("bill", "mistake")
    page.fill("#payment_id", bill.payment_id)
    walker.press("add")
    expect(page.locator(".bills li")).to_have_count(1)
    yield walker.sight("bill", "collected")
    walker.press("continue")
    expect(page.locator("#pan")).to_be_visible()
    yield walker.sight("bill", "card")
    card = walker.world.fresh_card()
    walker.pay(card, walker.code(card))
    expect(page.locator("[data-kind=receipt]")).to_be_visible()
    yield walker.sight("bill", "receipt")
    walker.open(address)
    page.fill("#barcode", bill.barcode)
    walker.press("continue")
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("bill", "paid-before")


def transfers(walker: Walker) -> Iterator[Sight]:
    """Send money to a card of the other bank, to one's own card at first."""
    page, card = walker.page, walker.world.fresh_card()
    others = [each for each in walker.world.info["cards"] if each["behaviour"] == APPROVE]
    destination = next(each["pan"] for each in others if each["bank"] != card["bank"])
    yield walker.at("transfer", "empty", f"{walker.gateway}/transfer")
    page.fill("#pan", card["pan"])
    page.fill("#destination_pan", card["pan"])
    page.fill("#amount", AMOUNT)
    walker.press("continue")
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("transfer", "mistake")
    page.fill("#destination_pan", destination)
    walker.press("continue")
    expect(page.locator(".purchase .payee")).to_be_visible()
    yield walker.sight("transfer", "confirm")
    code = walker.code(card)
    yield walker.sight("transfer", "code-sent")
    walker.pay(card, code)
    expect(page.locator("[data-print]").first).to_be_visible(timeout=RECEIPT_SECONDS * 1_000)
    yield walker.sight("transfer", "receipt")
