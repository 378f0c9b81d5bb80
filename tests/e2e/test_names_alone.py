"""Buying with nothing but what a screen reader says: roles, names, news and where the focus is (WCAG 4.1.2, 4.1.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from foundation.persian import grouped
from gateway.web.wording import WORDS
from merchant_demo.catalogue import PRODUCTS
from merchant_demo.wording import WORDS as SHOP_WORDS
from tests.e2e.conftest import Customer

pytestmark = [pytest.mark.world, pytest.mark.browser]

SOAP = PRODUCTS["soap"]
CARD = {"pan": "pan", "cvv2": "cvv2", "month": "exp_month", "year": "exp_year"}
"""What the fields of a card are called in the words of the page, and on the card."""


class Listener:
    """Somebody who sees no page, only hears what is on it."""

    def __init__(self, customer: Customer) -> None:
        self.customer, self.page = customer, customer.page
        self.language: Any = customer.language
        self.price = grouped(SOAP.price.amount, self.language)

    def words(self, key: str, **values: str) -> str:
        """Return what the payment page says for a key."""
        return str(getattr(WORDS[key], self.language)).format(**values)

    def shop(self, key: str, **values: str) -> str:
        """Return what the shop says for a key."""
        return str(getattr(SHOP_WORDS[key], self.language)).format(**values)

    def by_name(self, role: Any, name: str) -> Locator:
        """Find what has exactly this role and name."""
        return self.page.get_by_role(role, name=name, exact=True)

    def press(self, role: Any, name: str) -> None:
        """Press Enter on it."""
        self.by_name(role, name).press("Enter")

    def fill(self, name: str, text: str) -> None:
        """Type into the field of this name."""
        self.by_name("textbox", name).fill(text)

    def hears(self, heading: str) -> None:
        """Arrive at a page of this title."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_buying_by_names_alone(customer: Callable[..., Customer], language: str) -> None:
    """Shelf, basket, checkout, code, a wrong code, the right one, receipt and back: nothing has to be seen."""
    buyer = Listener(customer(language=language))
    _orders(buyer)
    for key, field in CARD.items():
        buyer.fill(buyer.words(key), buyer.customer.card[field])
    code = buyer.customer.code(lambda: buyer.press("button", buyer.words("request_pin")))
    expect(buyer.by_name("textbox", buyer.words("pin"))).to_be_focused()
    _pays(buyer, "1" * len(code) if code[0] != "1" else "2" * len(code))
    expect(buyer.page.get_by_role("alert")).to_be_focused()
    _pays(buyer, code)

    buyer.hears(buyer.words("receipt.title"))
    buyer.press("link", buyer.words("return"))
    expect(buyer.page.get_by_text(buyer.shop("state.paid"), exact=True)).to_be_visible()


def _orders(buyer: Listener) -> None:
    title = SOAP.title.in_(buyer.language)
    buyer.page.goto(f"{buyer.customer.world.info['shop']}/?lang={buyer.language}")
    buyer.press("button", buyer.shop("basket.add.named", title=title))
    news = buyer.page.get_by_role("status")
    expect(news).to_contain_text(buyer.shop("basket.added", title=title))
    news.get_by_role("link", name=buyer.shop("basket")).press("Enter")
    buyer.press("link", buyer.shop("to_checkout"))
    buyer.fill(buyer.shop("name"), "Negar")
    buyer.press("button", buyer.shop("pay", amount=buyer.price))
    buyer.hears(buyer.words("pay.title"))


def _pays(buyer: Listener, code: str) -> None:
    buyer.fill(buyer.words("cvv2"), buyer.customer.card["cvv2"])
    buyer.fill(buyer.words("pin"), code)
    buyer.press("button", buyer.words("pay", amount=buyer.price))
