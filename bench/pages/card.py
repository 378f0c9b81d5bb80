"""The payment page while a card can be typed: from the empty form over everything that can go wrong to the receipt."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import expect

from bench.pages.walker import Sight, Walker
from sandbox.running import wait_for
from sandbox.world import HANGING_BIN

RECEIPT_PAPER = 302
ORDER_PAPER = 794
"""80 millimetres and 210, in pixels of 1/96 inch."""

ATTEMPTS = 5
TWO_MINUTES_LEFT = (13 * 60 + 10) * 1000
LATE_SMS = 21_000
"""Milliseconds of a page's 15 minutes after which the clock warns; after a code was sent, until help is offered."""

NO_WORK = "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })"
"""A browser that cannot work off a challenge, as on a page that came over plain HTTP from elsewhere."""


def purchase(walker: Walker) -> Iterator[Sight]:
    """Buy the teapot that is in the basket: mistakes, a wrong code, the receipt, the paid order, and the same again."""
    page = walker.page
    walker.check_out()
    yield walker.sight("payment", "card")
    walker.press("pay")
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("payment", "mistakes")
    page.reload()
    card = walker.world.fresh_card()
    code = walker.code(card)
    yield walker.sight("payment", "code-sent")
    walker.pay(card, "0" * len(code) if code[0] != "0" else "9" * len(code))
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("payment", "wrong-code")
    with walker.staying(walker.shop):
        walker.pay(card, code)
        expect(page.locator("[data-print]").first).to_be_visible()
        yield walker.sight("payment", "receipt")
        yield walker.sight("payment", "receipt-printed", RECEIPT_PAPER)
        sealed = page.locator("#check").get_attribute("href")
    page.locator(f"a[href^='{walker.shop}']").click()
    expect(page.locator("#state[data-state=paid]")).to_be_visible()
    yield walker.sight("shop", "paid")
    yield walker.sight("shop", "paid-printed", ORDER_PAPER)
    yield walker.at("payment", "receipt-check-sealed", str(sealed))
    walker.to_the_gateway("teapot")
    walker.code(card)
    yield walker.sight("payment", "look-alike")


def typing(walker: Walker) -> Iterator[Sight]:
    """What the page says and offers while a card is typed."""
    page = walker.page
    walker.to_the_gateway("kilim")
    page.fill("#pan", "6219861034529007")
    page.locator("#pan").blur()
    yield walker.sight("payment", "real-card")
    page.fill("#pan", walker.world.fresh_card()["pan"])
    page.fill("#exp_month", "14")
    page.fill("#exp_year", "07")
    yield walker.sight("payment", "expiry-swapped")
    page.reload()
    page.locator("[data-keypad=cvv2]").click()
    yield walker.sight("payment", "keypad")
    page.reload()
    walker.type(walker.world.card("no_mobile"))
    walker.press("request_pin")
    expect(page.locator("#pin-answer.warn")).to_be_visible()
    yield walker.sight("payment", "no-mobile")


def refusals(walker: Walker) -> Iterator[Sight]:
    """A card without money, a form from elsewhere, and the last try."""
    page = walker.page
    walker.to_the_gateway("kilim")
    card = walker.world.card("insufficient_funds")
    walker.pay(card, walker.code(card))
    expect(page.locator("#errors")).to_be_visible()
    yield walker.sight("payment", "declined")
    page.locator("#card [name=csrf_token]").evaluate("field => { field.value = '0'; }")
    walker.pay(card, "123456")
    expect(page.locator("#pan")).to_have_value("")
    yield walker.sight("payment", "stale")
    card = walker.world.card("expired")
    for _ in range(ATTEMPTS - 1):
        walker.type(card)
        with page.expect_navigation():
            walker.pay(card, "123456")
    expect(page.locator("#card")).to_be_hidden()
    yield walker.sight("payment", "no-tries")


def time_passing(walker: Walker) -> Iterator[Sight]:
    """A late SMS, the last two minutes, and five more."""
    with walker.beside(clock=True) as page:
        walker.to_the_gateway()
        card = walker.world.fresh_card()
        walker.code(card)
        expect(page.locator("#pin")).to_be_focused()
        page.clock.run_for(LATE_SMS)
        expect(page.locator("#late ol")).to_be_visible()
        yield walker.sight("payment", "late-sms")
        page.clock.fast_forward(TWO_MINUTES_LEFT)
        yield walker.sight("payment", "two-minutes-left")
        walker.press("extend")
        expect(page.locator("#pin-answer.good")).to_be_visible()
        yield walker.sight("payment", "extended")


def troubles(walker: Walker) -> Iterator[Sight]:
    """A bank that an operator paused, before a card is typed and after."""
    page = walker.page
    walker.to_the_gateway()
    walker.world.operate(
        "gateway", "issuer", "pause", HANGING_BIN, "--by", "walk", "--reason", "to be looked at"
    ).check_returncode()
    notice = page.locator("#troubles")
    try:
        wait_for(lambda: page.reload() and notice.is_visible(), "the notice")
        yield walker.sight("payment", "bank-paused")
        walker.type(walker.world.card("unreachable_bank"))
        walker.press("request_pin")
        expect(page.locator("#pan-mistake")).to_be_visible()
        yield walker.sight("payment", "bank-paused-refused")
    finally:
        walker.world.operate("gateway", "issuer", "resume", HANGING_BIN, "--by", "walk").check_returncode()
    wait_for(lambda: page.reload() and not notice.is_visible(), "the notice to go")


def challenge(walker: Walker) -> Iterator[Sight]:
    """Digits to be seen or heard, where the browser cannot work and its address has asked for many codes."""
    paths = []
    for _ in range(2):
        walker.to_the_gateway()
        paths.append(walker.page.url.removeprefix(walker.gateway).partition("?")[0])
    with walker.other_gateway(UNCHALLENGED_PIN_REQUESTS="1") as strict, walker.beside(script=NO_WORK) as page:
        with walker.beside():
            walker.open(strict + paths[0])
            walker.code(walker.world.fresh_card())  # one is many here
        walker.open(strict + paths[1])
        walker.type(walker.world.fresh_card())
        walker.press("request_pin")
        expect(page.locator("#picture_code-mistake")).to_be_visible()
        yield walker.sight("payment", "challenge")
