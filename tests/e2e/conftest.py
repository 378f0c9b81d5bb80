"""Browsers and shoppers at a running sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from sandbox.audit import audit
from tests.e2e.browser import assert_accessible, visiting
from tests.world import RunningWorld, wait_for

SHOTS = os.environ.get("POOYA_SHOTS")
"""A folder for pictures of every page seen, for people to look at."""


@pytest.fixture(autouse=True)
def books_agree(world: RunningWorld) -> Iterator[None]:
    """Before a test nobody has called yet; after it gateway, bank and shop tell the same story to the rial."""
    world.forget_calls()
    yield
    report = audit(world.world)
    assert report.clean, "\n".join(report.lines)


@dataclass
class Customer:
    """Somebody with a card and a browser, buying in the shop."""

    world: RunningWorld
    context: BrowserContext
    page: Page
    card: dict[str, Any]
    name: str
    language: str = "fa"
    _pictures: int = 0

    def order(self, product: str = "soap", *, looking: bool = False) -> None:
        """Fill the basket, check out, and arrive at the payment page; ``looking`` at every page of the shop."""
        look = self.look if looking else self.picture
        self.page.goto(f"{self.world.info['shop']}/?lang={self.language}")
        look("shop")
        self.page.locator(f"form[action$='/basket/{product}'] button").click()
        if looking:
            self.page.goto(f"{self.world.info['shop']}/basket")
            look("basket")
        self.page.goto(f"{self.world.info['shop']}/checkout")
        self.page.fill("#name", "نگار آزمون")
        look("checkout")
        self.page.click("#pay")
        expect(self.page.locator("#pan")).to_be_visible()

    def type_card(self, **instead: str) -> None:
        """Type the card as a person does."""
        card = {"pan": self.card["pan"], "cvv2": self.card["cvv2"]}
        card |= {"exp_month": self.card["exp_month"], "exp_year": self.card["exp_year"]} | instead
        for field, text in card.items():
            self.page.fill(f"#{field}", text)

    def code(self, press: Callable[[], object]) -> str:
        """Ask for a PIN and read the code on the phone."""
        before = len(self.messages())
        press()
        wait_for(lambda: len(self.messages()) > before, "the SMS")
        return str(self.messages()[0]["code"])

    def messages(self) -> list[dict[str, Any]]:
        """Return what is on the phone, newest first."""
        address = f"{self.world.info['banks'][0]['url']}/sandbox/phone/{self.card['mobile']}/messages.json"
        found: list[dict[str, Any]] = self.context.request.get(address).json()
        return found

    def press(self, action: str) -> None:
        """Press a button of the payment page."""
        self.page.locator(f"button[name=action][value={action}]:not([tabindex])").click()

    def look(self, what: str) -> None:
        """Check the page as it stands, and keep a picture if pictures are wanted."""
        assert_accessible(self.page)
        self.picture(what)

    def picture(self, what: str) -> None:
        """Keep a picture if pictures are wanted."""
        if SHOTS:
            self._pictures += 1
            self.page.screenshot(path=Path(SHOTS) / f"{self.name}-{self._pictures:02}-{what}.png", full_page=True)


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the consoles complained about; there must be nothing."""
    found: list[str] = []
    yield found
    assert not found


@pytest.fixture
def customer(
    world: RunningWorld, browser: Browser, complaints: list[str], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Customer]]:
    """Give a maker of customers: ``customer(card=…, language=…, **browser options)``."""
    with ExitStack() as stack:

        def make(card: dict[str, Any] | None = None, language: str = "fa", **options: Any) -> Customer:
            context = stack.enter_context(visiting(browser, complaints, **options))
            name = request.node.name.removeprefix("test_").replace("[", "-").rstrip("]")
            return Customer(world, context, context.new_page(), card or world.fresh_card(), name, language)

        yield make
