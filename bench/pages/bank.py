"""The bank's side as its customers see it: cash machine, the app Ramznegar, till."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Locator, expect

from bench.pages.walker import Sight, Walker
from otp.ramznegar.wording import WORDS
from sandbox.running import wait_for

APP_PIN = "482913"
NETWORK = """sign => {
  Object.defineProperty(navigator, "onLine", { configurable: true, get: () => sign === "online" });
  dispatchEvent(new Event(sign));
}"""
SHORT_CEILING = "500000"
OTHER_MOBILE = "09359998877"
FAST_MINUTES = 4


def machine(walker: Walker) -> Iterator[Sight]:
    """The cash machine, without a slip: which services there are, a wrong PIN, a PIN of one's own, another mobile."""
    page, card = walker.page, walker.world.fresh_card()
    yield walker.at("machine", "insert", f"{walker.bank}/sandbox/atm/")
    page.fill("#typed", "1234")
    page.click("button[name=insert]")
    yield walker.sight("machine", "insert-mistake")
    _insert(walker, card)
    page.fill("#pin", "0000")
    _key(walker, "enter")
    yield walker.sight("machine", "wrong-pin")
    page.fill("#pin", card["pin1"])
    _key(walker, "enter")
    yield walker.sight("machine", "menu")
    _key(walker, "services")
    yield walker.sight("machine", "services")
    for service in ("sms", "static", "end", "mobile"):
        _key(walker, service)
        yield walker.sight("machine", service)
        if service != "mobile":
            _key(walker, "back")
    page.fill("#mobile", OTHER_MOBILE)
    _key(walker, "enter")
    yield walker.sight("machine", "mobile-code")
    _key(walker, "back")
    _key(walker, "take")
    yield walker.sight("machine", "taken")


def ramznegar(walker: Walker) -> Iterator[Sight]:
    """From the slip to a code in the app, its settings, and the machine where it ends again."""
    page, card = walker.page, walker.world.fresh_card()
    before = walker.messages(card)
    _let_in(walker, card)
    for key in ("services", "app"):
        _key(walker, key)
    yield walker.sight("machine", "app")
    _key(walker, "yes")
    expect(page.locator("#slip-qr")).to_be_visible()
    yield walker.sight("machine", "slip")
    parts = {field: page.locator(f"#slip-{name}").inner_text() for field, name in _SLIP.items()}
    wait_for(lambda: len(walker.messages(card)) > len(before), "the other part")
    _key(walker, "take")
    yield from _first_steps(walker, parts | {"sms": str(walker.messages(card)[0]["text"])})
    yield from _codes(walker)
    yield from _settings(walker)
    _forget(walker)
    _let_in(walker, card)
    for key in ("services", "end", "end_app"):
        _key(walker, key)
    expect(page.locator(".told")).to_be_visible()
    yield walker.sight("machine", "ended")
    _key(walker, "take")


_SLIP = {"activation_id": "id", "slip": "part"}


def _first_steps(walker: Walker, parts: dict[str, str]) -> Iterator[Sight]:
    page = walker.page
    yield _screen(walker, "start", "")
    yield _screen(walker, "activate", "#/activate")
    for field, text in parts.items():
        page.fill(f"#{field}", text)
    _press(walker, "continue")
    expect(page.locator("#again")).to_be_visible()
    yield walker.sight("ramznegar", "pin")
    for field in ("pin", "again"):
        page.fill(f"#{field}", APP_PIN)
    _press(walker, "pin.set")
    expect(page.locator("h1")).to_have_text(_say(walker, "ready.title"))
    yield walker.sight("ramznegar", "ready")
    _press(walker, "ready.go")


def _codes(walker: Walker) -> Iterator[Sight]:
    page = walker.page
    expect(page.locator("a.card")).to_be_visible()
    yield walker.sight("ramznegar", "cards")
    page.reload()
    page.locator("a.card").click()
    expect(page.locator("#unlock-pin")).to_be_visible()
    yield walker.sight("ramznegar", "locked")
    page.fill("#unlock-pin", APP_PIN)
    _press(walker, "unlock")
    expect(page.locator("[data-part=code]")).not_to_be_empty()
    yield walker.sight("ramznegar", "code")
    page.evaluate(NETWORK, "offline")
    expect(page.locator("#offline")).to_be_visible()
    yield walker.sight("ramznegar", "offline")
    page.evaluate(NETWORK, "online")
    expect(page.locator("#offline")).to_be_hidden()
    _press(walker, "bound")
    expect(page.locator("#picture-file")).to_be_attached()
    yield walker.sight("ramznegar", "for-a-purchase")


def _settings(walker: Walker) -> Iterator[Sight]:
    yield _screen(walker, "add-a-card", "#/add")
    yield _screen(walker, "settings", "#/settings")
    yield _screen(walker, "change-pin", "#/settings/pin")
    yield _screen(walker, "help", "#/help")
    yield _screen(walker, "settings", "#/settings")
    walker.page.locator("a[href$='/ceiling']").first.click()
    expect(walker.page.locator("#new-ceiling")).to_be_visible()
    walker.page.fill("#new-ceiling", SHORT_CEILING)
    yield walker.sight("ramznegar", "ceiling")
    yield from _misfortunes(walker)


def _misfortunes(walker: Walker) -> Iterator[Sight]:
    """A phone whose clock is wrong, as the app learns at its next contact, and ten wrong codes that suspend it."""
    page = walker.page
    page.clock.set_system_time(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=FAST_MINUTES))
    try:
        with page.expect_response("**/api/cards"):
            _screen(walker, "settings", "#/settings")
        yield _screen(walker, "clock-ahead", "#/")
    finally:
        page.clock.set_system_time(dt.datetime.now(dt.UTC))
    walker.suspend_devices()
    page.reload()
    expect(page.locator("[data-part=sentence]")).to_be_visible()
    yield walker.sight("ramznegar", "suspended")


def till(walker: Walker) -> Iterator[Sight]:
    """A sale by first PIN, one that the bank says no to, and the first taken back."""
    page, card = walker.page, walker.world.fresh_card()
    yield walker.at("till", "new-sale", f"{walker.bank}/sandbox/pos/")
    for pin, state in ((card["pin1"], "approved"), ("0000", "declined")):
        page.fill("#typed", card["pan"])
        page.fill("#pin", pin)
        page.press("#pin", "Enter")
        expect(page.locator("#outcome")).to_have_attribute("data-state", state)
        yield walker.sight("till", state)
    back = page.locator("button[name=back]").first
    sale = back.get_attribute("value")
    back.click()
    expect(page.locator(f"button[value='{sale}']")).to_have_count(0)
    yield walker.sight("till", "taken-back")


def _insert(walker: Walker, card: dict[str, Any]) -> None:
    walker.page.fill("#typed", card["pan"])
    walker.page.click("button[name=insert]")
    expect(walker.page.locator("#pin")).to_be_visible()


def _let_in(walker: Walker, card: dict[str, Any]) -> None:
    walker.open(f"{walker.bank}/sandbox/atm/")
    _insert(walker, card)
    walker.page.fill("#pin", card["pin1"])
    _key(walker, "enter")


def _key(walker: Walker, name: str) -> None:
    with walker.page.expect_navigation():
        walker.page.locator(f".keys button[value={name}]").click()


def _say(walker: Walker, key: str) -> str:
    return str(getattr(WORDS[key], walker.language))


def _named(walker: Walker, role: Any, key: str) -> Locator:
    return walker.page.get_by_role(role, name=_say(walker, key), exact=True)


def _press(walker: Walker, key: str) -> None:
    _named(walker, "link", key).or_(_named(walker, "button", key)).first.click()


def _screen(walker: Walker, state: str, screen: str) -> Sight:
    """Go to a screen of the app and wait until it stands there: the one before stays until the new one is drawn."""
    walker.page.evaluate("document.querySelector('h1')?.classList.add('of-before')")
    walker.page.goto(f"{walker.bank}/ramznegar/?lang={walker.language}{screen}")
    expect(walker.page.locator("h1:not(.of-before)")).not_to_be_empty()
    return walker.sight("ramznegar", state)


def _forget(walker: Walker) -> None:
    """Take the app and what it keeps off the phone."""
    session = walker.page.context.new_cdp_session(walker.page)
    session.send("Storage.clearDataForOrigin", {"origin": walker.bank, "storageTypes": "all"})
    session.detach()
