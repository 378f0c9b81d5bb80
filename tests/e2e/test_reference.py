"""The API reference in a real browser: readable in both languages, and a request sent with a typed key."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import SIZES, assert_accessible, visiting
from tests.world import RunningWorld

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("lang", ["fa", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_the_reference_can_be_read_by_everybody(world: RunningWorld, browser: Browser, lang: str, size: str) -> None:
    """Axe finds nothing on reference and problems, on a phone and a desk; the console stays silent under the policy."""
    complaints: list[str] = []
    with visiting(browser, complaints, viewport=SIZES[size]) as context:
        page = context.new_page()
        for path in ("docs", "problems"):
            page.goto(f"{world.info['gateway']}/api/v1/{path}?lang={lang}")
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path

    assert complaints == []


def test_a_request_is_tried_with_a_typed_key_that_is_kept_nowhere(world: RunningWorld, browser: Browser) -> None:
    """The list is asked for and shown; a wrong key shows its problem; nothing is stored, nothing goes elsewhere."""
    complaints: list[str] = []
    with visiting(browser, complaints) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{world.info['gateway']}/api/v1/docs?lang=en")
        page.fill("#key", world.info["merchant"]["secret_key"])
        section = page.locator("#listPayments")
        section.locator("summary").click()
        section.locator("input[name=limit]").fill("1")
        section.locator("button").click()
        output = section.locator("pre")
        expect(output).to_contain_text("next_cursor")
        status, _, body = output.inner_text().partition("\n")
        kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")

        assert (status, len(json.loads(body)["items"]) <= 1) == ("200", True)
        assert kept == [0, 0, ""]
        assert all(url.startswith((world.info["gateway"], "data:")) for url in asked)
        assert complaints == []
        page.fill("#key", "sk_live_" + "A" * 40)
        section.locator("button").click()
        expect(output).to_contain_text("key_of_other_mode")
