"""What happens while the app waits: its holder goes on, and nothing that comes late touches what stands there then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.ramznegar.conftest import Holder

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]
TURNS = "() => new Promise(done => setTimeout(done, 100))"
SLOW_LIST = """() => {
  const get = IDBObjectStore.prototype.get;
  let slow = true;
  IDBObjectStore.prototype.get = function (name) {
    const asked = get.call(this, name), until = performance.now() + 300;
    const wait = () => { if (performance.now() < until) get.call(this, "nothing").onsuccess = wait; };
    if (name === "list" && slow) wait();
    if (name === "list") slow = false;
    return asked;
  };
}"""
"""The first look at the cards takes long; those after it do not."""
GO_TWICE = """async ([first, second]) => {
  location.hash = first;
  await new Promise(done => addEventListener("hashchange", done, {once: true}));
  await new Promise(done => setTimeout(done, 50));
  location.hash = second;
}"""
COUNTED = """
const begun = globalThis.setInterval, ended = globalThis.clearInterval;
globalThis.running = new Set();
globalThis.setInterval = (...how) => { const number = begun(...how); running.add(number); return number; };
globalThis.clearInterval = number => { running.delete(number); ended(number); };
"""
SLOW_CODES = """() => {
  const sign = crypto.subtle.sign.bind(crypto.subtle);
  crypto.subtle.sign = async (...what) => { await new Promise(done => setTimeout(done, 200)); return sign(...what); };
}"""
NO_STORE = """
const open = IDBFactory.prototype.open;
IDBFactory.prototype.open = function () {
  IDBFactory.prototype.open = open;
  throw new DOMException("no", "UnknownError");
};
"""
CLEARED = """() => new Promise((done, failed) => {
  const asked = indexedDB.deleteDatabase("ramznegar");
  asked.onsuccess = () => done();
  asked.onblocked = () => failed(new Error("still open"));
})"""
CAMERA = """
globalThis.stream = document.createElement("canvas").captureStream();
navigator.mediaDevices.getUserMedia = async () => stream;
HTMLMediaElement.prototype.play = async () => { throw new DOMException("left", "AbortError"); };
"""


def hold_answers(someone: Holder) -> list[Route]:
    """Hold what is asked about cards until the test lets it go on."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    someone.page.route("**/api/cards", hold)
    return held


def test_a_list_that_comes_late_stays_off_the_next_screen(holder: Holders) -> None:
    """The settings ask the bank, the holder goes back to the cards, the bank answers: the cards stand as they were."""
    someone = holder(service_workers="block")  # what asks on its behalf may go by the test
    someone.activate()
    held = hold_answers(someone)
    with someone.page.expect_request("**/api/cards"):
        someone.press("settings")
    someone.press("home")
    expect(someone.page.locator("h1")).to_have_text(someone.words("home.title"))
    with someone.page.expect_response("**/api/cards"):
        held[0].continue_()
    someone.page.evaluate(TURNS)
    expect(someone.page.locator("h1")).to_have_text(someone.words("home.title"))
    expect(someone.page.locator("[data-part=cards] > li")).to_have_count(1)
    expect(someone.page.locator("a.card")).to_be_visible()


def test_a_card_that_comes_late_does_not_lead_away(holder: Holders) -> None:
    """It was added; whoever went on to read the help goes on reading."""
    someone = holder(service_workers="block")  # as above
    someone.activate()
    someone.open("#/add")
    held = hold_answers(someone)
    someone.type_parts(*someone.served.bank.issue("0033"))
    with someone.page.expect_request("**/api/cards"):
        someone.page.locator("main form button").click()
    someone.open("#/help")
    with someone.page.expect_response("**/api/cards"):
        held[0].continue_()
    expect(someone.page.locator("#live")).to_have_text(someone.words("card.added"))
    expect(someone.page.locator("h1")).to_have_text(someone.words("help"))


def test_of_two_screens_the_last_one_asked_for_stands(holder: Holders) -> None:
    """The first one's look at the cards takes longer than the second one's."""
    someone = holder()
    someone.activate()
    someone.page.evaluate(SLOW_LIST)
    someone.page.evaluate(GO_TWICE, [f"#/cards/{someone.card_ref}/purchase", "#/"])
    someone.page.wait_for_timeout(500)
    expect(someone.page.locator("h1")).to_have_text(someone.words("home.title"))
    expect(someone.page).to_have_title(f"{someone.words('home.title')} – {someone.words('brand')}")


def test_of_two_codes_the_last_one_alone_goes_on(holder: Holders) -> None:
    """The first one, still being made when the second is asked for, is neither shown nor renewed."""
    someone = holder()
    someone.page.add_init_script(COUNTED)
    someone.activate()
    someone.to_card()
    someone.code()
    someone.page.evaluate(SLOW_CODES)
    someone.page.evaluate(GO_TWICE, [f"#/cards/{someone.card_ref}/first", f"#/cards/{someone.card_ref}"])
    assert someone.is_of_now(someone.code(), "second")
    assert someone.page.evaluate("running.size") == 1
    someone.press("home")
    expect(someone.page.locator("h1")).to_have_text(someone.words("home.title"))
    assert someone.page.evaluate("running.size") == 0


def test_a_store_that_does_not_open_is_told_and_opened_again(holder: Holders) -> None:
    """A browser may refuse once and then not: the way back leads on, without loading the app anew."""
    someone = holder()
    someone.page.add_init_script(NO_STORE)
    someone.open()
    expect(someone.page.locator("[data-part=sentence]")).to_have_text(someone.words("error.phone"))
    someone.press("back")
    expect(someone.page.locator("h1")).to_have_text(someone.words("welcome.title"))


def test_a_store_that_is_cleared_stands_in_nobodys_way(holder: Holders) -> None:
    """Whoever clears a site's data in another window is not held up, and finds an app that begins anew."""
    someone = holder()
    someone.activate()
    someone.page.evaluate(CLEARED)
    someone.press("settings")
    expect(someone.page.locator("h1")).to_have_text(someone.words("welcome.title"))


def test_a_camera_whose_picture_nobody_sees_is_let_go(holder: Holders) -> None:
    """Its light must not stay on where filming could not begin."""
    someone = holder()
    someone.page.add_init_script(CAMERA)
    someone.activate()
    someone.to_card()
    someone.press("bound")
    someone.press("scan.camera")
    expect(someone.page.locator("[data-part=mistake]").first).to_have_text(someone.words("error.camera"))
    assert someone.page.evaluate("stream.getTracks().map(track => track.readyState)") == ["ended"]
