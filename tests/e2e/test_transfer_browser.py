"""Card to card in a real browser at phone size, in both languages, every page looked at (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from gateway.web.wording import WORDS
from tests.e2e.conftest import Customer
from tests.world import RunningWorld

pytestmark = [pytest.mark.world, pytest.mark.browser]

Customers = Callable[..., Customer]
PHONE = {"width": 360, "height": 640}


@pytest.mark.parametrize("language", ["fa", "en"])
def test_money_is_sent_from_a_phone(customer: Customers, world: RunningWorld, language: str) -> None:
    """Form, mistakes, confirmation with the masked name, code, waiting, receipt; the address holds no card number."""
    card = world.fresh_card()
    sender = customer(card=card, language=language, viewport=PHONE)
    destination = next(
        other for other in world.info["cards"] if other["bank"] != card["bank"] and other["behaviour"] == "approve"
    )
    page = sender.page
    page.goto(f"{world.info['gateway']}/transfer?lang={language}")
    sender.look("form")
    page.fill("#pan", card["pan"])
    page.fill("#destination_pan", card["pan"])
    page.fill("#amount", "1500000")
    page.locator("button[value=continue]").click()
    expect(page.locator("#errors")).to_contain_text(getattr(WORDS["transfer.destination.same"], language))
    sender.look("mistake")

    page.fill("#destination_pan", destination["pan"])
    page.locator("button[value=continue]").click()
    expect(page.locator(".purchase .payee")).to_contain_text("***")
    expect(page).to_have_url(re.compile("/pay/"))
    assert card["pan"] not in page.url
    sender.look("confirm")
    sender.type_card()
    page.fill("#pin", sender.code(lambda: sender.press("request_pin")))
    sender.look("code")
    sender.press("pay")

    title = getattr(WORDS["receipt.title@CARD_TRANSFER"], language)
    expect(page.locator("h1")).to_have_text(title, timeout=20_000)
    expect(page.locator("main")).to_contain_text("***")
    sender.look("receipt")


def test_a_page_loaded_again_is_the_same_transfer_without_the_card(customer: Customers, world: RunningWorld) -> None:
    """Reloading asks for no second transfer, and the card number is gone (D29)."""
    card = world.fresh_card()
    sender = customer(card=card, viewport=PHONE)
    destination = next(other for other in world.info["cards"] if other["pan"] != card["pan"])
    page = sender.page
    page.goto(f"{world.info['gateway']}/transfer")
    page.fill("#pan", card["pan"])
    page.fill("#destination_pan", destination["pan"])
    page.fill("#amount", "1500000")
    page.locator("button[value=continue]").click()
    expect(page).to_have_url(re.compile("/pay/"))
    address = page.url

    page.reload()

    expect(page.locator("#pan")).to_have_value("")
    assert page.url == address
