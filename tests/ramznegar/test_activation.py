"""From the slip to the first code, through the screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.fakes.ramznegar import code_of
from tests.ramznegar.conftest import PIN, Holder

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]


def is_of_now(holder: Holder, code: str, purpose: str, question: str = "") -> bool:
    """Tell whether this is the bank's code of this minute or the one that just ended."""
    step = holder.served.bank.step()
    root = holder.device.code_root
    return code in {code_of(root, purpose, holder.card_ref, at, question) for at in (step, step - 1)}


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_slip_and_an_sms_make_a_phone_that_shows_the_banks_codes(holder: Holders, language: str) -> None:
    """Every screen on the way is accessible; the second and the first PIN are those the bank computes."""
    someone = holder(language)
    someone.open()
    someone.look("welcome")
    someone.press("activate")
    someone.look("activate")
    activation_id, slip, sms = someone.served.bank.issue()
    someone.type_parts(activation_id, slip, sms)
    someone.press("continue")
    expect(someone.page.locator("h1")).to_have_text(someone.words("pin.choose"))
    someone.look("choose-pin")
    someone.page.fill("#pin", PIN)
    someone.page.fill("#again", PIN)
    someone.press("pin.set")
    expect(someone.page.locator("h1")).to_have_text(someone.words("ready.title"))
    someone.look("ready")
    someone.press("ready.go")
    expect(someone.page.locator("a.card")).to_be_visible()
    someone.look("home")
    someone.to_card()
    assert is_of_now(someone, someone.code(), "second")
    someone.look("second")
    someone.press("first")
    expect(someone.page.locator("[data-purpose=first]")).to_have_attribute("aria-current", "page")
    assert is_of_now(someone, someone.code(), "first")
    someone.look("first")
