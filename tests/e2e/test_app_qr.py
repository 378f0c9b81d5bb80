"""The payment page's QR code for banks' apps, in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from gateway.web.wording import WORDS
from tests.e2e.browser import SIZES
from tests.e2e.conftest import Customer

pytestmark = [pytest.mark.world, pytest.mark.browser]

Customers = Callable[..., Customer]


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_the_code_for_the_app_comes_when_it_is_asked_for(customer: Customers, size: str, scheme: str) -> None:
    """Nothing is loaded before it is unfolded; then it is drawn dark on white in either theme."""
    buyer = customer(viewport=SIZES[size], color_scheme=scheme)
    asked: list[str] = []
    buyer.page.on("request", lambda request: asked.append(request.url))
    buyer.order()
    if size == "phone":
        buyer.page.get_by_text(WORDS["details"].fa).click()
    picture = buyer.page.locator(".purchase .qr img")
    expect(picture).to_be_hidden()
    assert not [url for url in asked if "qr.svg" in url]
    buyer.page.get_by_text(WORDS["qr.title"].fa).click()
    expect(picture).to_be_in_viewport()
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth; }") > 0
    buyer.look(f"qr-{size}")
