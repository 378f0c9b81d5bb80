"""The bank's operators' page: how the bank fares, one card's story, and a card that two people unlock."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import expect

from bench.pages.walker import Sight, Walker
from otp.console.words_of_states import DELIVERY
from otp.domain.authorisation import PIN_LOCKS
from sandbox.running import wait_for
from sandbox.seed import OPERATOR_PASSWORD, OPERATORS
from sandbox.shopper import Shopper

WRONG_CODES = PIN_LOCKS[0][0]
"""As many as lock a card."""

RECEIPT_SECONDS = 60.0
"""Within which the bank has asked its SMS provider, and was told."""

LOOK_AGAIN_SECONDS = 3.0

TAIL = 4
"""Digits of a card's number that its masked form shows at the end."""

REASON = {"fa": "دارندهٔ کارت در شعبه شناسایی شد", "en": "The holder was identified at the branch"}


def console(walker: Walker) -> Iterator[Sight]:
    """Who is there, how the bank fares, wrong codes, and one card's story."""
    yield walker.at("console", "log-in", f"{_desk(walker)}/log-in")
    _log_in(walker, OPERATORS[0])
    yield walker.at("console", "overview", f"{_desk(walker)}/")
    yield walker.at("console", "wrong-codes", f"{_desk(walker)}/wrong-codes")
    yield walker.at("console", "cards", f"{_desk(walker)}/cards")
    _find(walker, "1234")
    yield walker.sight("console", "cards-mistake")
    _find(walker, walker.world.info["cards"][0]["pan"])  # it was bought with, so that there is a story
    yield walker.sight("console", "card")


def delivered(walker: Walker) -> Iterator[Sight]:
    """A code that its holder asked for, whose SMS the provider says is on the phone; nobody has typed it yet."""
    card = walker.world.fresh_card()
    shopper = Shopper(walker.world, card)
    shopper.check_out()
    shopper.request_pin()
    word = getattr(DELIVERY["delivery.delivered"], walker.language)

    def is_told() -> bool:
        _find(walker, card["pan"])
        return walker.page.get_by_text(word).count() > 0

    wait_for(is_told, "the receipt of the SMS", seconds=RECEIPT_SECONDS, poll_seconds=LOOK_AGAIN_SECONDS)
    yield walker.sight("console", "card-delivered")


def unlocking(walker: Walker) -> Iterator[Sight]:
    """Wrong codes lock a card; one operator asks for it to be unlocked, another approves."""
    page, card = walker.page, walker.world.fresh_card()
    _lock(walker, card)
    yield walker.at("console", "cards-locked", f"{_desk(walker)}/cards")
    _find(walker, card["pan"])
    yield walker.sight("console", "card-locked")
    story = page.url
    page.fill("#reason", REASON[walker.language])
    page.press("#reason", "Enter")
    expect(page.locator("h1.good")).to_be_visible()
    yield walker.sight("console", "unlock-asked")
    yield walker.at("console", "cards-own-request", f"{_desk(walker)}/cards")
    page.locator("form[action*='/log-out'] button").click()
    _log_in(walker, OPERATORS[1])
    yield walker.at("console", "cards-to-approve", f"{_desk(walker)}/cards")
    page.locator("li", has_text=card["pan"][-TAIL:]).locator("form[action*='/approve'] button").click()
    expect(page.locator("h1.good")).to_be_visible()
    yield walker.sight("console", "unlock-approved")
    yield walker.at("console", "card-unlocked", story)


def _desk(walker: Walker) -> str:
    return f"{walker.bank}/console"


def _log_in(walker: Walker, name: str) -> None:
    walker.page.fill("#name", name)
    walker.page.fill("#password", OPERATOR_PASSWORD)
    walker.page.press("#password", "Enter")
    expect(walker.page.locator("#password")).to_have_count(0)


def _find(walker: Walker, pan: str) -> None:
    walker.open(f"{_desk(walker)}/cards")
    walker.page.fill("#card", pan)
    with walker.page.expect_navigation():
        walker.page.press("#card", "Enter")


def _lock(walker: Walker, card: dict[str, str]) -> None:
    shopper = Shopper(walker.world, card)
    shopper.check_out()
    code = shopper.request_pin()
    for _ in range(WRONG_CODES):
        shopper.pay("0" * len(code) if code[0] != "0" else "9" * len(code))
