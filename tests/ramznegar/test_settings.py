"""Cards, ceilings, devices and the app's PIN, as their holder changes them."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.fakes.ramznegar import Device
from tests.ramznegar.conftest import PIN, Holder, put_finger
from tests.ramznegar.test_activation import lose_answer

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]
NEW_PIN = "739104"


def at_the_settings(someone: Holder) -> None:
    """Activate and open the settings."""
    someone.activate()
    someone.press("settings")
    expect(someone.page.locator("[data-part=devices] li")).to_have_count(1)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_ceiling_is_lowered_at_once_and_raised_by_sms_after_a_day(holder: Holders, language: str) -> None:
    """The bank's maximum is shown and kept; what will change is told with its time."""
    someone = holder(language)
    at_the_settings(someone)
    someone.look("settings")
    someone.page.locator("[data-part=change]").click()
    someone.look("ceiling")
    field, mistake = someone.page.locator("#new-ceiling"), someone.page.locator("[data-part=mistake]")
    field.fill("۵۰۰۰۰۰۱")
    someone.press("confirm")
    expect(mistake).to_have_text(someone.words("error.ceiling"))
    field.fill("400000")
    someone.press("confirm")
    expect(someone.page.locator("li [data-part=ceiling]")).to_have_text(
        {"fa": "۴۰۰٬۰۰۰ ریال", "en": "400,000 Rial"}[language]
    )
    someone.page.locator("[data-part=change]").click()
    field.fill("3000000")
    someone.press("confirm")
    someone.look("ceiling-sms")
    someone.page.fill("#sms", "5TOR MC4R")
    someone.press("confirm")
    expect(someone.page.locator("li [data-part=next]")).to_contain_text(
        {"fa": "۳٬۰۰۰٬۰۰۰", "en": "3,000,000"}[language]
    )
    expect(someone.page.locator("li [data-part=ceiling]")).to_contain_text({"fa": "۴۰۰٬۰۰۰", "en": "400,000"}[language])


def test_another_card_comes_by_sms_and_a_third_by_slip_and_one_goes(holder: Holders) -> None:
    """A card of the same customer needs only the SMS; codes of each card are its own."""
    someone = holder()
    someone.served.bank.addable = [{"card_no": "f" * 32, "masked_pan": "999001******0025"}]
    at_the_settings(someone)
    someone.press("card.add")
    someone.look("add-card")
    someone.page.get_by_role("button", name=someone.words("card.add.one", tail="0025")).click()
    expect(someone.page.locator("[data-part=sent]")).to_contain_text("۴۵")
    someone.page.fill("#sms", "5T0RMC4R")
    someone.press("confirm")
    expect(someone.page.locator("a.card")).to_have_count(2)
    someone.open("#/add")
    expect(someone.page.locator("[data-part=mine]")).to_be_hidden()
    someone.type_parts(*someone.served.bank.issue("0033"))
    someone.page.locator("main form button").click()
    expect(someone.page.locator("a.card")).to_have_count(3)
    someone.look("three-cards")
    someone.open("#/settings")
    someone.page.get_by_role("button", name=someone.words("card.remove.of", tail="0025")).click()
    someone.look("remove-card", colours=False)
    someone.press("no")
    assert len(someone.device.cards) == 3
    someone.page.get_by_role("button", name=someone.words("card.remove.of", tail="0025")).click()
    someone.page.locator("#ask [data-part=yes]").click()
    expect(someone.page.locator("[data-part=cards] li")).to_have_count(2)
    assert [card["masked_pan"][-4:] for card in someone.device.cards] == ["0017", "0033"]


def test_another_device_is_removed_from_here(holder: Holders) -> None:
    """Every device of the customer is listed; this one says so, and has no button beside its name."""
    someone = holder()
    someone.activate()
    other = Device(str(uuid.uuid4()), b"", b"", name="تبلت", state="suspended")
    someone.served.bank.devices[other.device_id] = other
    someone.press("settings")
    rows = someone.page.locator("[data-part=devices] li")
    expect(rows).to_have_count(2)
    expect(rows.first.locator("[data-part=this]")).to_be_visible()
    expect(rows.first.locator("button")).to_be_hidden()
    someone.look("two-devices")
    someone.page.get_by_role("button", name=someone.words("device.remove.of", name="تبلت")).click()
    someone.page.locator("#ask [data-part=yes]").click()
    expect(rows).to_have_count(1)
    assert other.device_id not in someone.served.bank.devices


def test_a_new_pin_is_proven_by_the_old_one_and_the_finger_follows(holder: Holders) -> None:
    """A wrong old PIN is refused by the bank; afterwards finger and new PIN make the codes of the new root."""
    someone = holder()
    put_finger(someone.page)
    someone.activate(finger=True)
    old_root = someone.device.code_root
    someone.page.reload()
    mistake = someone.page.locator("[data-part=mistake]")
    for typed in ("482914", PIN):
        someone.open("#/help")
        someone.open("#/settings/pin")
        someone.page.reload()
        someone.unlock(typed)
        someone.page.fill("#pin", NEW_PIN)
        someone.page.fill("#again", NEW_PIN)
        someone.page.locator("main form button.first").click()
        if typed != PIN:
            expect(mistake).to_have_text(someone.words("error.CODE_WRONG"))
            assert someone.device.code_root == old_root
    expect(someone.page.locator("h1")).to_have_text(someone.words("pin.changed"))
    someone.look("pin-changed")
    assert someone.device.code_root != old_root
    someone.press("home")
    someone.to_card()
    assert someone.is_of_now(someone.code(), "second")
    for opened in (lambda: someone.unlock(NEW_PIN), lambda: someone.press("unlock.finger")):
        someone.press("unlock.again")
        opened()
        assert someone.is_of_now(someone.code(), "second")


def failed(route: Route) -> None:
    """Let the call reach the bank, which takes the PIN and fails then."""
    route.fetch()
    route.fulfill(status=503, json={"code": "TEMPORARILY_UNAVAILABLE", "message": {"fa": "نشد", "en": "Failed"}})


@pytest.mark.parametrize("lost", [lose_answer, failed])
@pytest.mark.parametrize("finger", [True, False])
def test_a_lost_answer_to_a_new_pin_is_told_as_what_it_is(
    holder: Holders,
    complaints: list[str],
    lost: Callable[[Route], None],
    finger: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The bank may have changed it: the app says to try the new one first, and a finger opens the old one no more."""
    someone = holder(service_workers="block")  # what asks on its behalf may go by the test
    put_finger(someone.page)
    someone.activate(finger=finger)
    someone.open("#/settings/pin")
    someone.page.route("**/api/pin", lost)
    someone.page.fill("#pin", NEW_PIN)
    someone.page.fill("#again", NEW_PIN)
    someone.page.locator("main form button.first").click()
    sentences = [someone.words(key) for key in ["error.pin_unknown", *(["finger.is_off"] if finger else [])]]
    expect(someone.page.locator("[data-part=mistake]")).to_have_text(" ".join(sentences))
    someone.page.reload()
    someone.open()
    someone.to_card()
    expect(someone.page.locator("[data-part=finger]")).to_be_hidden()
    someone.unlock(NEW_PIN)
    assert someone.is_of_now(someone.code(), "second")
    complaints[:] = [each for each in complaints if "ERR_FAILED" not in each and "503" not in each]


@pytest.mark.parametrize(("sensor", "heading"), [(True, "safety"), (False, "safety.pin")])
def test_the_settings_speak_of_fingers_where_there_is_a_sensor(
    holder: Holders,
    sensor: bool,  # noqa: FBT001 - a parameter of the test
    heading: str,
) -> None:
    """Elsewhere the heading names the app PIN alone."""
    someone = holder()
    if sensor:
        put_finger(someone.page)
    someone.activate()
    someone.press("settings")
    expect(someone.page.locator("[data-part=safety]")).to_have_text(someone.words(heading))


def test_the_finger_is_turned_on_and_off_later(holder: Holders) -> None:
    """The picture is shown before a finger is tied to what was typed: a slip would make wrong codes for ever."""
    someone = holder()
    put_finger(someone.page)
    someone.activate()
    someone.press("settings")
    someone.press("finger.on")
    someone.page.fill("#pin", "482914")
    someone.press("continue")
    someone.look("is-this-your-picture", colours=False)
    someone.press("no")
    expect(someone.page.locator("[data-part=mistake]")).to_have_text(someone.words("error.picture"))
    someone.page.fill("#pin", PIN)
    someone.press("continue")
    someone.press("picture.yes")
    expect(someone.page.locator("[data-part=finger]")).to_have_text(someone.words("finger.off"))
    someone.page.reload()
    someone.open("#/")
    someone.to_card()
    someone.press("unlock.finger")
    assert someone.is_of_now(someone.code(), "second")
    someone.open("#/settings")
    someone.press("finger.off")
    expect(someone.page.locator("[data-part=finger]")).to_have_text(someone.words("finger.on"))


def test_removing_the_app_leaves_nothing(holder: Holders) -> None:
    """The bank ends the device, the phone forgets its keys."""
    someone = holder()
    at_the_settings(someone)
    someone.press("remove")
    someone.page.locator("#ask [data-part=yes]").click()
    expect(someone.page.locator("h1")).to_have_text(someone.words("welcome.title"))
    assert someone.served.bank.devices == {}
    someone.page.reload()
    expect(someone.page.locator("html")).to_have_attribute("data-stage", "none")


@pytest.mark.parametrize("refusal", ["CALL_REFUSED", "DEVICE_SUSPENDED"])
def test_a_device_that_the_bank_does_not_serve_is_told_and_may_begin_again(holder: Holders, refusal: str) -> None:
    """A copy that called first, a removal elsewhere, or wrong codes: the app says what that means, wherever it is."""
    someone = holder()
    someone.activate()
    devices = someone.served.bank.devices
    if refusal == "DEVICE_SUSPENDED":
        someone.device.state = "suspended"
    else:
        devices.clear()
    someone.press("settings")
    sentence = someone.page.locator("[data-part=sentence]")
    expect(sentence).to_have_text(someone.words(f"error.{refusal}"))
    someone.page.reload()
    expect(sentence).to_have_text(someone.words(f"error.{refusal}"))
    someone.look(refusal.lower())
    someone.press("trouble.again")
    expect(someone.page.locator("h1")).to_have_text(someone.words("welcome.title"))


def test_the_language_is_kept(holder: Holders) -> None:
    """One press changes words, digits and direction on the spot, and the next start has it."""
    someone = holder()
    someone.activate()
    someone.page.locator("#language").click()
    someone.language = "en"
    expect(someone.page.locator("h1")).to_have_text(someone.words("home.title"))
    expect(someone.page.locator("html")).to_have_attribute("dir", "ltr")
    someone.page.goto(someone.served.url)
    expect(someone.page.locator("h1")).to_have_text(someone.words("home.title"))
    expect(someone.page.locator("a.card .hint")).to_contain_text("1,000,000 Rial")
