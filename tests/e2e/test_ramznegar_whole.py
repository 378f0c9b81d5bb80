"""Ramznegar as one holder lives with it: machine, phone, shop and SMS of one bank, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from foundation.digits import to_persian_digits
from gateway.web.wording import WORDS
from tests.e2e.browser import visiting
from tests.e2e.conftest import Customer
from tests.e2e.test_terminals import Visitor
from tests.ramznegar.conftest import PHONE, PIN, Holder, put_finger
from tests.world import RunningWorld, wait_for

pytestmark = [pytest.mark.world, pytest.mark.browser]


@dataclass
class Life:
    """One person with two cards: in the bank's hall, with a phone in the hand, and buying at a desk."""

    hall: Visitor
    phone: Holder
    desk: Customer
    cards: tuple[dict[str, Any], dict[str, Any]]
    complaints: list[str]

    def slip(self, card: dict[str, Any]) -> tuple[str, str, str]:
        """Have a card's app activated at the machine; return both parts of the slip and the message."""
        self.hall.card = card
        before = len(self.hall.messages())
        self.hall.let_in()
        for key in ("services", "app", "yes"):
            self.hall.key(key)
        self.hall.at("slip")
        number, part = (self.hall.page.locator(f"#slip-{name}").inner_text() for name in ("id", "part"))
        wait_for(lambda: len(self.hall.messages()) > before, "the other part")
        self.hall.key("take")
        return number, part, str(self.hall.messages()[0]["text"])

    def code_of(self, card: int) -> str:
        """Open the app anew, put the finger on it and read a card's second PIN."""
        self.phone.page.reload()
        self.phone.open()
        self.phone.page.locator("a.card").nth(card).click()
        self.phone.press("unlock.finger")
        return self.phone.code()

    def pays(self, card: int, code: str) -> None:
        """Buy soap with a code; nobody presses the button that asks for one."""
        self.desk.card = self.cards[card]
        self.desk.order()
        self.desk.type_card()
        self.desk.page.fill("#pin", code)
        self.desk.press("pay")

    def has_paid(self) -> None:
        """Expect the receipt."""
        expect(self.desk.page.locator("h1")).to_have_text(getattr(WORDS["receipt.title"], self.desk.language))


@pytest.fixture(params=["fa", "en"])
def life(world: RunningWorld, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Life]:
    """Give somebody two cards, a phone with a fingerprint sensor, and a desk; what was activated is ended again."""
    complaints: list[str] = []
    language, cards = request.param, (world.fresh_card(), world.fresh_card())
    name = f"ramznegar-{language}"
    with ExitStack() as stack:
        hall, phone, desk = (
            stack.enter_context(visiting(browser, complaints, **options)) for options in ({}, {"viewport": PHONE}, {})
        )
        visitor = Visitor(world, hall.new_page(), cards[0], language)
        port = visitor.hall.rpartition(":")[2]
        served: Any = SimpleNamespace(url=f"http://localhost:{port}/ramznegar/")
        buyer = Customer(world, desk, desk.new_page(), cards[0], f"{name}-desk", language)
        yield Life(
            visitor, Holder(served, phone, phone.new_page(), language, f"{name}-phone"), buyer, cards, complaints
        )
    assert complaints == []


def test_every_way_to_a_code_serves_one_holder(life: Life) -> None:
    """Slip, two cards, a code made offline, first PIN, SMS, a ceiling and the code that has none; then all is ended."""
    phone, hall, desk = life.phone, life.hall, life.desk
    _activates(life)
    life.pays(0, _made_offline(life))
    life.has_paid()
    desk.look("paid-by-app")

    phone.press("first")
    hall.card = life.cards[0] | {"pin1": phone.code("first")}
    hall.let_in()
    for key in ("services", "sms", "yes"):
        hall.key(key)
    hall.told("done.sms")
    hall.key("take")
    life.pays(0, _texted(life))
    life.has_paid()

    _lowers_the_ceiling(life)
    life.pays(1, life.code_of(1))
    expect(desk.page.locator("#errors")).to_contain_text(
        getattr(WORDS["decline.above_code_ceiling"], hall.language).split("؛")[0].split(";")[0]
    )
    desk.look("ceiling")
    desk.page.fill("#cvv2", life.cards[1]["cvv2"])
    desk.page.fill("#pin", _code_for_this(life))
    desk.press("pay")
    life.has_paid()
    _ends(life)


def _activates(life: Life) -> None:
    phone = life.phone
    put_finger(phone.page)
    phone.open()
    phone.press("activate")
    phone.type_parts(*life.slip(life.cards[0]))
    phone.press("continue")
    phone.page.fill("#pin", PIN)
    phone.page.fill("#again", PIN)
    phone.press("pin.set")
    expect(phone.page.locator("h1")).to_have_text(phone.words("ready.title"))
    phone.look("ready")
    phone.press("finger.on")
    expect(phone.page.locator("h1")).to_have_text(phone.words("home.title"))
    phone.open("#/add")
    phone.type_parts(*life.slip(life.cards[1]))
    phone.page.locator("main form button").click()
    expect(phone.page.locator("a.card")).to_have_count(2)
    phone.look("two-cards")


def _made_offline(life: Life) -> str:
    phone = life.phone
    phone.offline_ready()
    phone.context.set_offline(True)
    code = life.code_of(0)
    phone.look("offline", colours=False)
    phone.context.set_offline(False)
    assert all("net::ERR_" in complaint for complaint in life.complaints)
    life.complaints.clear()
    return code


def _texted(life: Life) -> str:
    hall, card = life.hall, life.cards[0]
    hall.page.goto(f"{hall.hall}/sandbox/phone/{card['mobile']}?lang={hall.language}")
    expect(hall.page.locator("#to")).to_have_value("30003303")
    hall.page.fill("#text", to_persian_digits(card["pan"][-4:]))
    hall.page.locator("#text").press("Enter")
    code: str = wait_for(lambda: next((sms["code"] for sms in hall.messages() if sms["code"]), None), "the answer")
    assert len(code) == 7
    hall.page.reload()
    hall.look("ramznegar-by-sms")
    return code


def _lowers_the_ceiling(life: Life) -> None:
    phone = life.phone
    phone.open("#/settings")
    phone.page.get_by_role("link", name=phone.words("ceiling.change.of", tail=life.cards[1]["pan"][-4:])).click()
    phone.page.fill("#new-ceiling", "500000")
    phone.press("confirm")
    expect(phone.page.locator("li [data-part=ceiling]").nth(1)).to_contain_text(
        {"fa": "۵۰۰٬۰۰۰", "en": "500,000"}[phone.language]
    )
    phone.look("ceiling")


def _code_for_this(life: Life) -> str:
    """Take a photo of the QR code on the payment page, and read the code that the app makes of it."""
    phone, page = life.phone, life.desk.page
    page.get_by_text(getattr(WORDS["qr.title"], life.desk.language)).click()
    picture = page.locator(".purchase .qr img")
    picture.evaluate("async image => { await image.decode(); }")
    photo: FilePayload = {"name": "photo.png", "mimeType": "image/png", "buffer": picture.screenshot()}
    phone.press("bound")
    phone.page.locator("#picture-file").set_input_files([photo])
    code = phone.code("bound")
    phone.look("for-this-purchase")
    return code


def _ends(life: Life) -> None:
    hall = life.hall
    for card, services in zip(life.cards, (("end_app", "end_sms"), ("end_app",)), strict=True):
        hall.card = card
        for service in services:
            hall.let_in()
            for key in ("services", "end", service):
                hall.key(key)
            hall.told(f"done.{service}")
            hall.key("take")
