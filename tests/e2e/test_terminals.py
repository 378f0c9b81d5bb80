"""The cash machine and the till in a real browser: by keyboard, by touch, without JavaScript, in both languages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from otp.domain.cash_machine import NEEDS
from sandbox.terminals.wording import TERMINAL_WORDS
from tests.e2e.browser import SIZES, assert_accessible, visiting
from tests.world import RunningWorld, wait_for

SHAPES = {**SIZES, "narrow": {"width": 320, "height": 700}}
SHOTS = os.environ.get("POOYA_SHOTS")
ONE, TWO = "Bank One (sandbox)", "Bank Two (sandbox)"

Visitors = Callable[..., "Visitor"]


class Visitor:
    """Somebody with a card in a bank's hall."""

    def __init__(self, world: RunningWorld, page: Page, card: dict[str, Any], language: str) -> None:
        self.world, self.page, self.card, self.language = world, page, card, language
        self.hall = next(bank["url"] for bank in world.info["banks"] if bank["name"] == card["bank"])

    def say(self, key: str) -> str:
        """Return a sentence in the visitor's language."""
        return str(getattr(TERMINAL_WORDS[key], self.language))

    def open(self, what: str = "atm") -> None:
        """Walk up to a terminal."""
        self.page.goto(f"{self.hall}/sandbox/{what}/?lang={self.language}")

    def let_in(self) -> None:
        """Put the card in and type its first PIN, by keyboard alone."""
        self.open()
        self.page.focus("#typed")
        self.page.keyboard.type(self.card["pan"])
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#pin")).to_be_focused()
        self.page.keyboard.type(self.card["pin1"])
        self.page.keyboard.press("Enter")
        self.at("menu")

    def key(self, name: str) -> None:
        """Press a key beside the screen, by keyboard."""
        self.page.locator(f".keys button[value={name}]").press("Enter")

    def at(self, screen: str) -> None:
        """Expect a screen."""
        expect(self.page.locator("h1")).to_have_text(self.say(f"atm.title.{screen}"))

    def told(self, key: str) -> None:
        """Expect a sentence."""
        expect(self.page.locator(".told")).to_have_text(self.say(f"atm.{key}"))

    def messages(self, mobile: str | None = None) -> list[dict[str, Any]]:
        """Return what is on a phone, newest first."""
        address = f"{self.hall}/sandbox/phone/{mobile or self.card['mobile']}/messages.json"
        found: list[dict[str, Any]] = self.page.request.get(address).json()
        return found

    def look(self, name: str) -> None:
        """Let axe look, and keep a picture for people."""
        assert_accessible(self.page)
        if SHOTS:
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}-{self.language}.png"), full_page=True)


@pytest.fixture
def visitor(world: RunningWorld, browser: Browser) -> Iterator[Visitors]:
    """Give a maker of visitors."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def make(card: dict[str, Any] | None = None, language: str = "fa", **options: Any) -> Visitor:
            context = stack.enter_context(visiting(browser, complaints, **options))
            return Visitor(world, context.new_page(), card or world.fresh_card(), language)

        yield make
    assert complaints == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("fa", "phone", "light"), ("en", "narrow", "dark"), ("fa", "desktop", "dark"), ("en", "desktop", "light")],
)
def test_the_machine_prints_a_slip_and_texts_the_rest(visitor: Visitors, language: str, size: str, scheme: str) -> None:
    """From the card to the slip by keyboard; each screen is accessible at every size and in both themes."""
    holder = visitor(language=language, viewport=SHAPES[size], color_scheme=scheme)
    holder.open()
    holder.look(f"insert-{size}")
    holder.let_in()
    holder.look(f"menu-{size}")
    holder.key("services")
    holder.at("services")
    holder.look(f"services-{size}")
    holder.key("app")
    expect(holder.page.locator(".warns")).to_contain_text(f"•••••{holder.card['mobile'][-2:]}")
    holder.look(f"app-{size}")
    holder.key("yes")
    holder.at("slip")
    holder.look(f"slip-{size}")

    parts = [holder.page.locator(f"#slip-{name}").inner_text().replace(" ", "") for name in ("id", "part")]
    assert all(re.fullmatch(r"\d{8}", part) for part in parts)
    assert "svg" in str(holder.page.locator("#slip-qr").get_attribute("src"))
    wait_for(lambda: any("رمزنگار" in text["text"] for text in holder.messages()), "the other part")
    assert not any(parts[1] in text["text"] for text in holder.messages())
    holder.key("take")
    holder.told("taken")


@pytest.mark.browser
def test_codes_by_sms_static_pin_and_first_pin_without_javascript(visitor: Visitors) -> None:
    """Every key is a button of a form; what was switched on can be switched off, and a new PIN opens the machine."""
    holder = visitor(java_script_enabled=False, viewport=SIZES["phone"])
    holder.let_in()
    for steps, told in (
        (("services", "sms", "yes"), "done.sms"),
        (("back", "sms", "yes"), "no.sms_already"),
        (("back", "end", "end_sms"), "done.end_sms"),
        (("back", "end", "end_app"), "no.no_app"),
    ):
        for step in steps:
            holder.key(step)
        holder.told(told)

    holder.key("back")
    holder.key("static")
    holder.page.fill("#pin", "73519")
    holder.page.fill("#again", "73519")
    holder.key("enter")
    holder.told("not_agreed")
    holder.page.check("input[name=agree]")
    holder.page.fill("#pin", "۷۳۵۱۹")
    holder.page.fill("#again", "73519")
    holder.key("enter")
    holder.told("done.static")

    holder.key("back")
    holder.key("first")
    for pin, told in (("1234", "no.pin_weak"), ("7351", "done.first")):
        holder.page.fill("#pin", pin)
        holder.page.fill("#again", pin)
        holder.key("enter")
        holder.told(told)
    holder.key("take")
    holder.card = {**holder.card, "pin1": "7351"}
    holder.let_in()


@pytest.mark.browser
def test_d27_a_new_mobile_is_confirmed_at_the_machine(visitor: Visitors) -> None:
    """The code arrives on the new phone, and both phones are told."""
    holder, new = visitor(), "09990001122"
    holder.let_in()
    for step in ("services", "mobile"):
        holder.key(step)
    holder.page.fill("#mobile", "0999")
    holder.key("enter")
    holder.told("no.mobile_shape")
    holder.look("mobile")
    for step in ("back", "static"):
        holder.key(step)
    holder.look("static")
    for step in ("back", "mobile"):
        holder.key(step)
    holder.page.fill("#mobile", new)
    holder.key("enter")
    holder.at("mobile_code")
    wait_for(lambda: holder.messages(new), "the code")
    holder.page.fill("#code", holder.messages(new)[0]["text"].splitlines()[2])
    holder.key("enter")
    holder.told("done.mobile")

    wait_for(lambda: any("دیگر به این شماره" in text["text"] for text in holder.messages()), "word to the old phone")
    wait_for(lambda: any("این شماره برای" in text["text"] for text in holder.messages(new)), "word to the new phone")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("behaviour", "told"), [("blocked", "no_answer.104"), ("expired", "no_answer.101"), ("gift", "no.gift_card")]
)
def test_each_card_is_told_its_reason(visitor: Visitors, world: RunningWorld, behaviour: str, told: str) -> None:
    """A blocked and an expired card come back with the reason, a gift card learns that it has no services."""
    holder = visitor(world.card(behaviour))
    holder.open()
    holder.page.select_option("#card", holder.card["pan"])
    holder.page.click("button[name=insert]")
    holder.page.fill("#pin", holder.card["pin1"])
    holder.key("enter")
    if behaviour == "gift":
        holder.key("services")
    holder.told(told)
    holder.look(behaviour)


@pytest.mark.browser
def test_a_card_without_a_mobile_is_led_to_register_one(visitor: Visitors, world: RunningWorld) -> None:
    """The app cannot be activated, and the sentence says what to do first."""
    holder = visitor(world.card("no_mobile"))
    holder.let_in()
    for step in ("services", "app", "yes"):
        holder.key(step)

    holder.told("no.no_mobile")


@pytest.mark.browser
def test_a_wrong_pin_says_so_and_a_foreign_or_real_card_is_not_taken(visitor: Visitors, world: RunningWorld) -> None:
    """The pad types like a keyboard; another bank's card is shown the way; nothing of a real card is sent."""
    holder = visitor()
    holder.open()
    for typed, told in (("6037701689095443", "wrong.real"), ("1234", "wrong.card")):
        holder.page.fill("#typed", typed)
        holder.page.click("button[name=insert]")
        expect(holder.page.locator("[role=alert]")).to_contain_text(holder.say(f"atm.{told}"))
        expect(holder.page.locator("#typed")).to_have_attribute("aria-invalid", "true")
    other = next(card for card in world.info["cards"] if card["bank"] == ONE)
    holder.page.fill("#typed", other["pan"])
    holder.page.click("button[name=insert]")
    expect(holder.page.locator("[role=alert] a")).to_have_attribute("href", re.compile(r"/sandbox/atm/$"))

    holder.page.fill("#typed", holder.card["pan"])
    holder.page.click("button[name=insert]")
    for digit in "0000":
        holder.page.click(f"[data-digit='{digit}']")
    expect(holder.page.locator("#pin")).to_have_value("0000")
    holder.key("enter")
    holder.told("no_answer.117")
    holder.look("wrong-pin")
    holder.page.fill("#pin", holder.card["pin1"])
    holder.key("enter")
    holder.at("menu")


@pytest.mark.browser
def test_whoever_does_nothing_is_asked_and_can_stay(visitor: Visitors) -> None:
    """After 30 s the machine asks; "more time" keeps the screen, silence gives the card back (WCAG 2.2.1)."""
    holder = visitor()
    holder.page.clock.install()
    holder.let_in()
    holder.page.clock.run_for(29_000)
    expect(holder.page.locator("#more")).to_be_hidden()
    holder.page.clock.run_for(2_000)
    expect(holder.page.locator("#more")).to_be_visible()
    holder.look("more-time")
    holder.page.locator("[data-stay]").press("Enter")
    expect(holder.page.locator("#more")).to_be_hidden()
    holder.at("menu")

    holder.page.clock.run_for(31_000)
    expect(holder.page.locator("#more")).to_be_visible()
    holder.page.clock.run_for(31_000)
    holder.told("taken")


@pytest.mark.browser
@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_till_sells_declines_takes_back_and_the_audit_explains_it(
    visitor: Visitors, world: RunningWorld, language: str
) -> None:
    """Approved and given back, a wrong PIN, no funds, another bank's card: books agree to the rial throughout."""
    shopper = visitor(language=language, viewport=SIZES["phone"])
    poor = world.card("insufficient_funds")
    other = next(card for card in world.info["cards"] if card["bank"] == ONE and card["behaviour"] == "approve")
    shopper.open("pos")
    shopper.look("till")
    for card, pin, state in (
        (shopper.card, shopper.card["pin1"], "approved"),
        (shopper.card, "0000", "declined"),
        (poor, poor["pin1"], "declined"),
        (other, other["pin1"], "approved"),
    ):
        shopper.page.fill("#typed", card["pan"])
        shopper.page.fill("#pin", pin)
        shopper.page.press("#pin", "Enter")
        expect(shopper.page.locator("#outcome")).to_have_attribute("data-state", state)
    shopper.look("till-sold")
    world.audit()

    shopper.page.locator("[name=back]").first.click()
    expect(shopper.page.get_by_text(shopper.say("till.state.reversed"))).not_to_have_count(0)
    shopper.look("till-reversed")


@pytest.mark.browser
def test_d2_a_sale_whose_answer_is_lost_is_undone(visitor: Visitors, world: RunningWorld) -> None:
    """The bank took the money and its answer never came: the till has it undone before it says anything."""
    shopper = visitor(world.card("answer_lost"))
    shopper.open("pos")
    shopper.page.fill("#typed", shopper.card["pan"])
    shopper.page.fill("#pin", shopper.card["pin1"])
    shopper.page.press("#pin", "Enter")

    expect(shopper.page.locator("#outcome")).to_have_attribute("data-state", "reversed", timeout=20_000)


def test_every_refusal_has_a_sentence() -> None:
    """Whatever the bank says no to, the machine can say why, in both languages."""
    for needs in NEEDS.values():
        assert all(f"atm.no.{need}" in TERMINAL_WORDS for need in needs)
