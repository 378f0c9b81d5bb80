"""PIN, finger, and what somebody has who has the phone's storage but neither."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from bench.pages.browser import ARGUMENTS, find_chromium
from tests.ramznegar.conftest import PIN, Holder, Served, put_finger

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]
HIDE = """() => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
  document.dispatchEvent(new Event("visibilitychange"));
  delete document.hidden;
}"""
KEPT = """async () => {
  const database = await new Promise(done => {
    const asked = indexedDB.open("ramznegar");
    asked.onsuccess = () => done(asked.result);
  });
  const store = database.transaction("kept").objectStore("kept"), found = {}, keys = {};
  const ask = request => new Promise(done => { request.onsuccess = () => done(request.result); });
  for (const name of await ask(store.getAllKeys())) {
    const value = await ask(database.transaction("kept").objectStore("kept").get(name));
    found[name] = JSON.stringify(value, (key, part) => {
      if (!(part instanceof CryptoKey)) return part;
      keys[key] = part;
      return `${part.algorithm.name} ${part.extractable} ${part.usages}`;
    });
  }
  const exported = await Promise.all(Object.values(keys).map(key =>
    crypto.subtle.exportKey("raw", key).then(() => "readable", error => error.name)));
  return [found, exported, JSON.stringify({...localStorage})];
}"""


def test_a_wrong_pin_shows_another_picture_and_other_codes(holder: Holders) -> None:
    """The phone does not notice, and says so; the code is none of the bank's.

    One wrong PIN in eight has the right one's picture: of six, one at least shows another.
    """
    someone = holder()
    someone.activate()
    someone.page.reload()
    someone.to_card()
    someone.look("locked")
    someone.unlock()
    right, picture = someone.code(), someone.page.locator("[data-part=picture]").text_content()
    assert someone.is_of_now(right, "second")
    someone.press("unlock.again")
    someone.unlock("482914")
    wrong = someone.code()
    assert wrong != right
    assert not someone.is_of_now(wrong, "second")
    pictures = {someone.page.locator("[data-part=picture]").text_content()}
    someone.press("unlock.again")
    for pin in ("111222", "222333", "333444", "444555", "555666"):
        someone.unlock(pin)
        pictures.add(someone.page.locator("[data-part=picture]").text_content())
        someone.press("unlock.again")
    assert pictures != {picture}
    someone.unlock("۴۸۲ ۹۱۳")
    assert someone.is_of_now(someone.code(), "second")


def test_a_code_is_copied_without_its_gap_and_renewed_when_its_minute_ends(holder: Holders) -> None:
    """What was announced as the next code is the code once the ring has run out."""
    someone = holder(permissions=["clipboard-read", "clipboard-write"])
    someone.page.clock.install()
    someone.activate()
    someone.to_card()
    first, coming = someone.code(), someone.page.locator("[data-part=next]").text_content()
    someone.press("copy")
    expect(someone.page.locator("[data-part=copy]")).to_have_text(someone.words("copied"))
    assert someone.page.evaluate("navigator.clipboard.readText()") == first
    for _ in range(61):
        someone.page.clock.run_for(1_000)
        if someone.page.locator("[data-part=code]").text_content() == coming:
            break
    expect(someone.page.locator("[data-part=code]")).to_have_text(str(coming))


def test_codes_are_hidden_when_nobody_looks(holder: Holders) -> None:
    """At once when the app goes into the background, and after 75 seconds without a touch."""
    someone = holder()
    someone.page.clock.install()
    someone.activate()
    someone.to_card()
    someone.code()
    someone.page.evaluate(HIDE)
    expect(someone.page.locator("[data-part=code]")).to_have_count(0)
    someone.unlock()
    someone.code()
    someone.page.clock.run_for(60_000)
    expect(someone.page.locator("[data-part=code]")).to_be_visible()
    someone.page.clock.run_for(16_000)
    expect(someone.page.locator("[data-part=code]")).to_have_count(0)
    expect(someone.page.locator("#unlock-pin")).to_be_visible()


def test_an_app_that_was_hidden_while_it_opened_stays_closed(holder: Holders) -> None:
    """The PIN takes a moment to stretch: who puts the phone away meanwhile finds the app locked."""
    someone = holder()
    someone.activate()
    someone.page.reload()
    someone.to_card()
    someone.page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    someone.unlock()
    expect(someone.page.locator("#unlock-pin")).to_have_value("")
    expect(someone.page.locator("[data-part=code]")).to_have_count(0)
    someone.page.evaluate("delete document.hidden")
    someone.unlock()
    assert someone.is_of_now(someone.code(), "second")


def test_a_finger_opens_the_app_and_a_wrong_one_does_not(holder: Holders, complaints: list[str]) -> None:
    """The authenticator's PRF unwraps what the PIN gave; with a foreign finger the PIN still works."""
    someone = holder()
    sensor, name = put_finger(someone.page)
    someone.activate(finger=True)
    someone.page.reload()
    someone.to_card()
    expect(someone.page.locator("[data-part=finger]")).to_be_focused()
    someone.look("locked-finger")
    someone.press("unlock.finger")
    assert someone.is_of_now(someone.code(), "second")
    someone.press("unlock.again")
    sensor.send("WebAuthn.setUserVerified", {"authenticatorId": name, "isUserVerified": False})
    someone.press("unlock.finger")
    expect(someone.page.locator("[data-part=mistake]")).to_have_text(someone.words("error.finger"))
    expect(someone.page.locator("[data-part=code]")).to_have_count(0)
    someone.unlock()
    assert someone.is_of_now(someone.code(), "second")
    assert complaints == []


def test_a_finger_that_protects_nothing_is_not_taken(holder: Holders) -> None:
    """Without PRF the app says so and goes on with the PIN (D23)."""
    someone = holder()
    put_finger(someone.page, prf=False)
    someone.open()
    someone.press("activate")
    someone.type_parts(*someone.served.bank.issue())
    someone.press("continue")
    someone.page.fill("#pin", PIN)
    someone.page.fill("#again", PIN)
    someone.press("pin.set")
    someone.press("finger.on")
    expect(someone.page.locator("[data-part=mistake]")).to_have_text(someone.words("error.no_prf"))
    someone.press("ready.go")
    someone.page.reload()
    someone.to_card()
    expect(someone.page.locator("[data-part=finger]")).to_be_hidden()


def test_d23_what_the_phone_keeps_tells_neither_pin_nor_codes(holder: Holders) -> None:
    """Keys cannot be read back; neither the PIN nor its stretched form nor the root of codes is anywhere."""
    someone = holder()
    put_finger(someone.page)
    someone.activate(finger=True)
    someone.to_card()
    code = someone.code()
    found, exported, local = someone.page.evaluate(KEPT)
    whole = " ".join([*found.values(), local])

    assert exported == ["InvalidAccessError"] * 3
    root = someone.device.code_root
    bytes_as_kept = "|".join(f'"{place}":{byte}' for place, byte in enumerate(root))
    for secret in (PIN, code, root.hex(), bytes_as_kept):
        assert secret not in whole
    assert set(found) == {"calls", "device", "fingerprint", "list", "offset"}


def opened(browser: Browser, profile: Path) -> BrowserContext:
    """Start a browser of its own on a profile."""
    return browser.browser_type.launch_persistent_context(
        profile, executable_path=find_chromium(), args=list(ARGUMENTS), locale="fa-IR"
    )


def test_a_copied_phone_asks_for_the_pin_and_cannot_tell_whether_it_is_right(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    """Whoever copies the whole profile sees the cards and has to guess at the bank; the copy tells nothing."""
    own = opened(browser, tmp_path / "own")
    owner = Holder(served, own, own.pages[0])
    owner.activate()
    owner.offline_ready()
    own.close()
    shutil.copytree(tmp_path / "own", tmp_path / "copy", ignore=shutil.ignore_patterns("Singleton*"))
    copy = opened(browser, tmp_path / "copy")
    thief = Holder(served, copy, copy.pages[0])
    thief.open()
    thief.to_card()
    expect(thief.page.locator("#unlock-pin")).to_be_visible()
    expect(thief.page.locator("[data-part=code]")).to_have_count(0)
    thief.unlock("482914")
    assert not thief.is_of_now(thief.code(), "second")
    copy.close()
