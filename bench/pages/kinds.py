"""The gateway's own pages beside purchases: bills, money from card to card, top-ups and balances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import expect

from bench.pages.walker import Sight, Walker
from sandbox.biller import RefusingBiller
from sandbox.bills import POWER, new_bill
from sandbox.cards import APPROVE

RECEIPT_SECONDS = 20
AMOUNT = "1500000"
TOO_MUCH = "50000001"
OWN_NUMBER = "09121234567"


def bills(walker: Walker) -> Iterator[Sight]:
    """Collect a bill, mistyped at first, pay it, and try to pay it again."""
    page, bill, address = walker.page, new_bill(), f"{walker.gateway}/bill"
    yield walker.at("bill", "empty", address)
    page.fill("#bill_id", bill.bill_id)
    page.fill("#payment_id", f"{bill.payment_id[:-1]}{(int(bill.payment_id[-1]) + 1) % 10}")
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


def refused_bill(walker: Walker) -> Iterator[Sight]:
    """Pay two bills with one code; the power company says no to its own, and its money is back on the card."""
    page, card, phone, power = walker.page, walker.world.fresh_card(), new_bill(), new_bill("041", "2")
    walker.open(f"{walker.gateway}/bill")
    for bill, action in ((phone, "add"), (power, "continue")):
        page.fill("#barcode", bill.barcode)
        walker.press(action)
    expect(page.locator("#pan")).to_be_visible()
    address = page.url.partition("?")[0]
    walker.pay(card, walker.code(card))
    expect(page.locator("[data-kind=receipt]")).to_be_visible()
    RefusingBiller(walker.world, POWER).refuse(power)
    yield walker.at("bill", "refused", address)


def transfers(walker: Walker) -> Iterator[Sight]:
    """Send money to a card of the other bank, to one's own card at first."""
    page, card = walker.page, walker.world.fresh_card()
    destination = elsewhere(walker, card)
    yield walker.at("transfer", "empty", f"{walker.gateway}/transfer")
    page.fill("#pan", card["pan"])
    page.fill("#destination_pan", card["pan"])
    page.fill("#amount", AMOUNT)
    walker.press("continue")
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("transfer", "mistake")
    page.fill("#destination_pan", destination)
    page.fill("#amount", TOO_MUCH)
    walker.press("continue")
    expect(page.locator("#amount[aria-invalid=true]")).to_be_visible()
    yield walker.sight("transfer", "limit")
    page.fill("#amount", AMOUNT)
    walker.press("continue")
    expect(page.locator(".purchase .payee")).to_be_visible()
    yield walker.sight("transfer", "confirm")
    code = walker.code(card)
    yield walker.sight("transfer", "code-sent")
    if page.locator("#checked").count():  # the first transfer of this card to that destination
        page.check("#checked")
    walker.pay(card, code)
    expect(page.locator("[data-print]").first).to_be_visible(timeout=RECEIPT_SECONDS * 1_000)
    yield walker.sight("transfer", "receipt")
    begin(walker, "/transfer", {"pan": card["pan"], "destination_pan": destination, "amount": AMOUNT})
    walker.code(card)
    yield walker.sight("transfer", "look-alike")


def asked_transfers(walker: Walker) -> Iterator[Sight]:
    """A merchant asks for a transfer: where to is typed, and kept; the next goes there by its token."""
    page, card = walker.page, walker.world.fresh_card()
    destination = elsewhere(walker, card)
    asked = walker.ask("transfers", description={"fa": "قسط دوم", "en": "Second instalment"}[walker.language])
    yield walker.at("transfer", "asked", str(asked["page_url"]))
    for name, text in (("pan", card["pan"]), ("destination_pan", destination), ("amount", AMOUNT)):
        page.fill(f"#{name}", text)
    page.check("#save")
    page.press("#amount", "Enter")
    expect(page.locator(".purchase .payee")).to_be_visible()
    yield walker.sight("transfer", "asked-confirm")
    code = walker.code(card)
    if page.locator("#checked").count():
        page.check("#checked")
    with walker.staying(walker.shop):
        walker.pay(card, code)
        expect(page.locator("[data-print]").first).to_be_visible(timeout=RECEIPT_SECONDS * 1_000)
        yield walker.sight("transfer", "asked-receipt")
    token = walker.transfer(asked)["destination"]["token"]
    again = walker.ask("transfers", amount=int(AMOUNT), destination_token=token)
    yield walker.at("transfer", "saved", str(again["page_url"]))


def elsewhere(walker: Walker, card: dict[str, Any]) -> str:
    """Return the number of a good card of the other bank."""
    others = [each for each in walker.world.info["cards"] if each["behaviour"] == APPROVE]
    return str(next(each["pan"] for each in others if each["bank"] != card["bank"]))


def top_ups(walker: Walker) -> Iterator[Sight]:
    """Top up a number, mistyped at first."""
    page, card = walker.page, walker.world.fresh_card()
    yield walker.at("top-up", "empty", f"{walker.gateway}/topup")
    page.fill("#mobile", OWN_NUMBER[:-1])
    walker.press("continue")
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("top-up", "mistake")
    page.fill("#mobile", OWN_NUMBER)
    walker.press("continue")
    expect(page.locator("#cvv2")).to_be_visible()
    yield walker.sight("top-up", "card")
    walker.pay(card, walker.code(card))
    expect(page.locator("[data-print]").first).to_be_visible(timeout=RECEIPT_SECONDS * 1_000)
    yield walker.sight("top-up", "receipt")


def balances(walker: Walker) -> Iterator[Sight]:
    """Ask what is left on a card, be told once, and look for it again."""
    page, card = walker.page, walker.world.fresh_card()
    yield walker.at("balance", "start", f"{walker.gateway}/balance")
    walker.press("continue")
    expect(page.locator("#cvv2")).to_be_visible()
    yield walker.sight("balance", "card")
    walker.pay(card, walker.code(card))
    expect(page.locator("#balance")).to_be_visible()
    yield walker.sight("balance", "told")
    walker.open(page.url.partition("?")[0])
    expect(page.locator("[data-kind=balance]")).to_be_visible()
    yield walker.sight("balance", "gone")


def begin(walker: Walker, path: str, typed: dict[str, str]) -> str:
    """Fill in the first page of something and go on; return the address of its payment page."""
    page = walker.page
    walker.open(f"{walker.gateway}{path}")
    for name, text in typed.items():
        page.fill(f"#{name}", text)
    walker.press("continue")
    expect(page.locator("#cvv2")).to_be_visible()
    return f"{walker.gateway}{page.locator('#card').get_attribute('action')}".partition("?")[0]
