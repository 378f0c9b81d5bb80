"""Without a network: the app opens, unlocks and makes the bank's codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from otp.ramznegar.shell import File, Shell
from tests.fakes.ramznegar import code_of
from tests.ramznegar.conftest import Holder, put_finger
from tests.world import wait_for

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]
OFF = ("ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_REFUSED", "ERR_FAILED")


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the consoles complained about, less what a browser writes of a call without a network, at times late."""
    found: list[str] = []
    yield found
    assert [each for each in found if not any(sign in each for sign in OFF)] == []


@pytest.mark.parametrize("way", ["no network", "no server"])
def test_codes_are_the_banks_without_a_network(holder: Holders, way: str) -> None:
    """After a reload with nobody to ask, PIN and finger both give the code Python computes for root and minute."""
    someone = holder()
    put_finger(someone.page)
    someone.activate(finger=True)
    someone.offline_ready()
    root, card_ref, bank = someone.device.code_root, someone.card_ref, someone.served.bank
    if way == "no server":
        someone.served.die()
    else:
        someone.context.set_offline(True)
    someone.page.reload()
    someone.to_card()
    for opened in (someone.unlock, lambda: someone.press("unlock.finger")):
        opened()
        code = someone.code()
        assert code in {code_of(root, "second", card_ref, bank.step() + back) for back in (0, -1)}
        someone.press("unlock.again")


def test_a_clock_that_is_off_is_known_from_the_last_contact(holder: Holders) -> None:
    """The phone is three minutes behind the bank: it says so, and its codes are right, offline as well."""
    someone = holder()
    someone.served.bank.ahead_seconds = 180
    someone.activate()
    expect(someone.page.locator("[data-part=clock]")).to_contain_text("۳ دقیقه عقب")
    someone.offline_ready()
    someone.context.set_offline(True)
    someone.page.reload()
    expect(someone.page.locator("[data-part=clock]")).to_contain_text("۳ دقیقه عقب")
    someone.to_card()
    someone.unlock()
    assert someone.is_of_now(someone.code(), "second")
    someone.open("#/settings")
    expect(someone.page.locator("[data-part=clock]")).to_contain_text("۳ دقیقه عقب")


def change_versions(monkeypatch: pytest.MonkeyPatch) -> list[File]:
    """Put a version in place while a phone installs it: the second page given is that of another one; return all."""
    rendered, given = Shell.__dict__["page"].func, []

    def page(shell: Shell) -> File:
        own: File = rendered(shell)
        other = own.content.replace(shell.version.encode(), b"0" * 12)
        given.append(File(other if len(given) == 1 else own.content, own.kind, None))
        return given[-1]

    monkeypatch.setattr(Shell, "page", property(page))
    return given


def test_a_page_of_another_version_is_not_kept(holder: Holders, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phone that installs during a release keeps no mixture, and everything when the app is opened next."""
    someone, given = holder(), change_versions(monkeypatch)
    someone.open()
    wait_for(lambda: len(given) == 2, "the worker to ask for the page")
    someone.page.wait_for_function("async () => !(await navigator.serviceWorker.getRegistration())?.installing")
    assert someone.page.evaluate("caches.match('/ramznegar/').then(found => found === undefined)")
    someone.page.reload()
    someone.offline_ready()
    someone.context.set_offline(True)
    someone.page.reload()
    expect(someone.page.locator("h1")).to_have_text(someone.words("welcome.title"))


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_offline_sign_informs_and_stops_nothing(holder: Holders, language: str) -> None:
    """The banner comes and goes with the network, in the app's language; the cards stay."""
    someone = holder(language=language)
    someone.activate()
    someone.offline_ready()
    banner = someone.page.locator("#offline")
    expect(banner).to_be_hidden()
    someone.context.set_offline(True)
    expect(banner).to_be_visible()
    expect(banner).to_have_text(someone.words("offline"))
    someone.look("offline")
    expect(someone.page.locator("a.card")).to_be_visible()
    someone.context.set_offline(False)
    expect(banner).to_be_hidden()
