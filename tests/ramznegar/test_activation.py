"""From the slip to the first code, through the screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.fakes.ramznegar import unpadded
from tests.ramznegar.conftest import PIN, Holder

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_slip_and_an_sms_make_a_phone_that_shows_the_banks_codes(holder: Holders, language: str) -> None:
    """Every screen on the way is accessible; the second and the first PIN are those the bank computes."""
    someone = holder(language)
    someone.open()
    someone.look("welcome")
    someone.press("activate")
    someone.look("activate")
    someone.type_parts(*someone.served.bank.issue())
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
    expect(someone.page).to_have_title(f"{someone.words('home.title')} – {someone.words('brand')}")
    someone.look("home")
    someone.to_card()
    assert someone.is_of_now(someone.code(), "second")
    someone.look("second")
    someone.press("first")
    expect(someone.page.locator("[data-purpose=first]")).to_have_attribute("aria-current", "page")
    assert someone.is_of_now(someone.code("first"), "first")
    someone.look("first")


def test_typing_as_people_do_activates_too(holder: Holders) -> None:
    """Persian digits, small letters, dashes; the whole SMS pasted into its field."""
    someone = holder(permissions=["clipboard-read", "clipboard-write"])
    someone.open("#/activate")
    activation_id, slip, sms = someone.served.bank.issue()
    persian = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    someone.type_parts(activation_id.translate(persian), f"{slip[:4]}-{slip[4:]}".translate(persian), "")
    message = f"بانک نمونه\nرمز رمزنگار: {sms.lower()}\nبه کسی نگویید."
    someone.page.evaluate("text => navigator.clipboard.writeText(text)", message)
    someone.page.focus("#sms")
    someone.page.keyboard.press("Control+v")
    expect(someone.page.locator("#sms")).to_have_value(f"{sms[:4]} {sms[4:]}")
    someone.press("continue")
    expect(someone.page.locator("h1")).to_have_text(someone.words("pin.choose"))


def test_wrong_parts_are_told_before_and_after_the_bank_is_asked(holder: Holders) -> None:
    """Lengths are told here; the bank's refusal is one sentence for all reasons, and what was typed stays."""
    someone = holder()
    someone.open("#/activate")
    activation_id, slip, sms = someone.served.bank.issue()
    mistake = someone.page.locator("[data-part=mistake]")
    someone.type_parts(activation_id, slip[:-1], sms)
    someone.press("continue")
    expect(mistake).to_have_text(someone.words("error.slip"))
    someone.type_parts(activation_id, slip[:-1] + "0", sms)
    someone.press("continue")
    expect(mistake).to_have_text(someone.words("error.ACTIVATION_REFUSED"))
    expect(someone.page.locator("#slip")).to_have_value(slip[:-1] + "0")
    someone.look("refused")
    assert someone.served.bank.devices == {}


def test_an_answer_that_is_not_the_banks_makes_no_device(holder: Holders) -> None:
    """Somebody between phone and bank cannot prove the parts: nothing is kept."""
    someone = holder(service_workers="block")  # what asks on its behalf may go by the test
    someone.open("#/activate")
    someone.type_parts(*someone.served.bank.issue())

    def meddle(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"proof": unpadded(bytes(32))})

    someone.page.route("**/api/activations", meddle)
    someone.press("continue")
    expect(someone.page.locator("[data-part=mistake]")).to_have_text(someone.words("error.not_the_bank"))
    someone.page.reload()
    expect(someone.page.locator("html")).to_have_attribute("data-stage", "none")


def test_a_poor_pin_is_refused_and_a_reload_loses_nothing(holder: Holders) -> None:
    """Too short, too simple, typed differently; after a reload the app still waits for the PIN."""
    someone = holder()
    someone.open("#/activate")
    someone.type_parts(*someone.served.bank.issue())
    someone.press("continue")
    expect(someone.page.locator("h1")).to_have_text(someone.words("pin.choose"))
    someone.page.reload()
    expect(someone.page.locator("h1")).to_have_text(someone.words("pin.choose"))
    poor = [("12345", "12345", "short"), ("111111", "111111", "guessable"), ("654321", "654321", "guessable")]
    for first, again, key in [*poor, (PIN, "482914", "differs")]:
        someone.page.fill("#pin", first)
        someone.page.fill("#again", again)
        someone.press("pin.set")
        expect(someone.page.locator("[data-part=mistake]")).to_have_text(someone.words(f"error.pin_{key}"))
    someone.page.fill("#again", "۴۸۲۹۱۳")
    someone.press("pin.set")
    expect(someone.page.locator("h1")).to_have_text(someone.words("ready.title"))
    someone.page.reload()
    expect(someone.page.locator("a.card")).to_be_visible()


def lose_answer(route: Route) -> None:
    """Let the call reach the bank, and its answer nobody."""
    route.fetch()
    route.abort()


def test_an_answer_that_was_lost_costs_no_second_slip(holder: Holders, complaints: list[str]) -> None:
    """The device is active at the bank: the same PIN finishes, another one is refused."""
    someone = holder(service_workers="block")  # what asks on its behalf may go by the test
    someone.open("#/activate")
    someone.type_parts(*someone.served.bank.issue())
    someone.press("continue")
    someone.page.route("**/api/confirm", lose_answer)
    answers = [(PIN, "no_answer"), ("739104", "CODE_WRONG"), (PIN, None)]
    for pin, mistake in answers:
        someone.page.fill("#pin", pin)
        someone.page.fill("#again", pin)
        someone.press("pin.set")
        if mistake:
            expect(someone.page.locator("[data-part=mistake]")).to_have_text(someone.words(f"error.{mistake}"))
            someone.page.unroute("**/api/confirm")
    expect(someone.page.locator("h1")).to_have_text(someone.words("ready.title"))
    someone.press("ready.go")
    someone.to_card()
    assert someone.is_of_now(someone.code(), "second")
    complaints[:] = [each for each in complaints if "ERR_FAILED" not in each]


def test_a_bank_that_cannot_be_reached_is_told_with_what_to_do(holder: Holders, complaints: list[str]) -> None:
    """Nothing typed is lost; the same press works once there is a network again."""
    someone = holder()
    someone.open("#/activate")
    someone.offline_ready()
    someone.type_parts(*someone.served.bank.issue())
    someone.context.set_offline(True)
    someone.press("continue")
    expect(someone.page.locator("[data-part=mistake]")).to_have_text(someone.words("error.no_answer"))
    someone.context.set_offline(False)
    someone.press("continue")
    expect(someone.page.locator("h1")).to_have_text(someone.words("pin.choose"))
    complaints[:] = [each for each in complaints if "ERR_INTERNET_DISCONNECTED" not in each]
