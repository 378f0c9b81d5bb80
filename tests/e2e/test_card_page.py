"""What the card page does beside taking a card: small screens, late SMS, keypad, and pages that stay where they are."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from gateway.domain.challenge import WORK_BITS, proves_work
from gateway.domain.limits import PIN_REQUESTS_MAX
from gateway.web.wording import WORDS
from tests.e2e.browser import SIZES
from tests.e2e.conftest import Customer

pytestmark = [pytest.mark.world, pytest.mark.browser]

Customers = Callable[..., Customer]
SPACED = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
p { margin-block-end: 2em !important }"""
"""The text spacing that a page must bear (WCAG 2.2, 1.4.12)."""


def scrolls_sideways(page: Page) -> bool:
    """Tell whether a page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def space_out(page: Page, css: str) -> None:
    """Set what a reader's own style sheet would; the page's policy is about its own."""
    page.evaluate(
        "css => { const own = new CSSStyleSheet(); own.replaceSync(css); document.adoptedStyleSheets = [own]; }", css
    )


def test_on_a_small_phone_the_card_number_is_in_sight_and_the_amount_stays_so(customer: Customers) -> None:
    """At 360 by 640 nothing is scrolled to type the number; the strip keeps amount, merchant and time."""
    buyer = customer(viewport={"width": 360, "height": 640})
    buyer.order()
    expect(buyer.page.locator("#pan")).to_be_in_viewport(ratio=1)
    buyer.page.locator("#pay").scroll_into_view_if_needed()
    for part in (".purchase .amount", ".purchase .payee", "#left"):
        expect(buyer.page.locator(part)).to_be_in_viewport(ratio=1)
    buyer.page.focus("#pan")
    pan, strip = (buyer.page.locator(part).bounding_box() for part in ("#pan", ".purchase"))
    assert pan
    assert strip
    assert pan["y"] >= strip["y"] + strip["height"]
    buyer.page.locator(".purchase > details > summary").click()
    expect(buyer.page.locator(".purchase .sms")).to_be_visible()
    buyer.look("unfolded")


def test_on_a_desk_the_whole_purchase_is_in_sight(customer: Customers) -> None:
    """What a phone folds away, the SMS to expect included, needs no tap."""
    buyer = customer()
    buyer.order()
    expect(buyer.page.locator(".purchase .sms")).to_be_in_viewport(ratio=1)
    expect(buyer.page.locator(".purchase > details > summary")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 360, 412])
def test_twice_the_text_size_and_wide_spacing_do_not_scroll_sideways(customer: Customers, width: int) -> None:
    """Text at 200 %, lines, words and letters apart (SC 1.4.4, 1.4.12): card page, mistakes, receipt."""
    buyer = customer(viewport={"width": width, "height": 640})
    buyer.order()
    for css in (SPACED, "html { font-size: 200% }"):
        space_out(buyer.page, css)
        assert not scrolls_sideways(buyer.page), css
    buyer.picture("spaced")
    buyer.press("pay")
    expect(buyer.page.locator("#errors")).to_be_visible()
    space_out(buyer.page, SPACED)
    assert not scrolls_sideways(buyer.page)


def test_help_for_a_late_sms_opens_quietly_after_twenty_seconds(customer: Customers) -> None:
    """Below the buttons: nothing that could be pressed moves; not at all for whoever has typed."""
    buyer = customer()
    buyer.page.clock.install()
    buyer.order()
    late = buyer.page.locator("#late")
    expect(late).to_be_hidden()
    buyer.type_card()
    buyer.code(lambda: buyer.press("request_pin"))
    expect(late).to_be_visible()
    expect(late.locator("ol")).to_be_hidden()
    expect(buyer.page.locator("#pin-answer")).to_be_visible()
    before = buyer.page.locator("#pay").bounding_box()
    buyer.page.clock.run_for(21_000)
    expect(late.locator("ol")).to_contain_text(WORDS["late.resend"].fa)
    assert buyer.page.locator("#pay").bounding_box() == before
    expect(buyer.page.locator("#pin")).to_be_focused()
    buyer.look("late")


def test_the_shuffled_keypad_types_and_is_never_needed(customer: Customers) -> None:
    """All ten digits, in another order after reopening; by mouse, by keyboard, and beside the real keyboard."""
    buyer = customer(viewport={"width": 320, "height": 640})
    buyer.order()
    toggle = buyer.page.locator("[data-keypad=cvv2]")
    expect(toggle).to_have_accessible_name(WORDS["keypad"].fa.format(field=WORDS["cvv2"].fa))
    expect(toggle).to_have_attribute("aria-expanded", "false")
    toggle.click()
    keypad = buyer.page.locator("#cvv2-keypad")
    first = keypad.locator("button").all_text_contents()
    assert sorted(first[:10]) == sorted("۰۱۲۳۴۵۶۷۸۹")
    for digit in "۴۲۱":
        keypad.get_by_role("button", name=digit, exact=True).click()
    keypad.get_by_role("button", name=WORDS["keypad.erase"].fa).press("Enter")
    buyer.page.locator("#cvv2").press("End")
    buyer.page.locator("#cvv2").press_sequentially("7")
    expect(buyer.page.locator("#cvv2")).to_have_value("427")
    for _ in range(3):
        keypad.get_by_role("button", name="۹", exact=True).click()
    expect(buyer.page.locator("#cvv2")).to_have_value("4279")
    buyer.look("keypad")
    keypad.get_by_role("button", name="۹", exact=True).press("Escape")
    expect(keypad).to_be_hidden()
    expect(toggle).to_be_focused()
    orders = {tuple(first)}
    for _ in range(3):
        toggle.click()
        orders.add(tuple(keypad.locator("button").all_text_contents()))
        toggle.click()
    assert len(orders) > 1


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_receipt_is_copied_printed_and_checked_and_waits_for_it(customer: Customers, language: str) -> None:
    """Copying ends the way back by itself; paper is 80 mm wide and one page long; the QR code leads to the check."""
    buyer = customer(language=language, permissions=["clipboard-read", "clipboard-write"], color_scheme="dark")
    buyer.order()
    buyer.type_card()
    buyer.page.fill("#pin", buyer.code(lambda: buyer.press("request_pin")))
    buyer.press("pay")
    expect(buyer.page.locator("[data-onward]")).to_be_visible()
    buyer.page.click("#copy")
    expect(buyer.page.locator("#copy")).to_have_text(getattr(WORDS["copied"], language))
    expect(buyer.page.locator("[data-onward]")).to_be_hidden()
    copied = buyer.page.evaluate("navigator.clipboard.readText()")
    assert getattr(WORDS["tracking"], language) in copied
    assert buyer.card["pan"] not in copied.replace(" ", "")
    paper = buyer.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    width = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+)", paper)
    assert width
    assert round(float(width[1]) / 72 * 25.4) == 80
    buyer.page.click("#check")
    expect(buyer.page.locator("h1")).to_have_text(WORDS["check.title"].fa)
    expect(buyer.page.locator("dl")).to_contain_text(buyer.card["pan"][:4])
    buyer.look("check")


def test_a_sixth_code_is_refused_in_its_place(customer: Customers) -> None:
    """The sentence stands on the page, what was typed stays, and the time that is left goes on."""
    buyer = customer()
    page, ask = buyer.page, buyer.page.locator("#request_pin")
    page.clock.install()
    buyer.order()
    buyer.type_card()
    for _ in range(PIN_REQUESTS_MAX):
        buyer.press("request_pin")
        expect(page.locator("#pin")).to_be_focused()
        page.clock.run_for(60_000)
        expect(ask).not_to_have_attribute("aria-disabled", "true")
        page.locator("#pin").blur()
    page.evaluate("globalThis.sameDocument = true")
    buyer.press("request_pin")
    expect(page.locator("#pin-answer")).to_have_text(WORDS["pin.too_many_for_payment"].fa)
    expect(page.locator("#left")).to_have_text(re.compile("^[۰-۹]+:[۰-۹]{2}$"))
    expect(page.locator("#cvv2")).to_have_value(buyer.card["cvv2"])
    expect(ask).to_have_text(WORDS["resend"].fa)
    page.clock.run_for(5_000)
    assert page.evaluate("sameDocument")
    buyer.look("sixth-code")


def challenged_once(page: Page, challenge: str) -> list[str]:
    """Let the gateway seem to challenge the first PIN request; return what later ones send."""
    sent: list[str] = []

    def answer(route: Route) -> None:
        request = route.request
        if request.method != "POST":
            route.continue_()
            return
        sent.append(request.post_data or "")
        if len(sent) == 1:
            route.fulfill(status=403, json={"challenge": challenge, "bits": WORK_BITS})
        else:
            route.continue_()

    page.route(re.compile("/pay/"), answer)
    return sent


def test_a_challenge_is_worked_off_unseen(customer: Customers) -> None:
    """The browser computes, under the page's own policy, what the gateway's rule accepts; the PIN comes as ever."""
    buyer = customer()
    buyer.order()
    sent = challenged_once(buyer.page, "a" * 48)
    buyer.type_card()
    buyer.code(lambda: buyer.press("request_pin"))
    expect(buyer.page.locator("#pin")).to_be_focused()
    work = re.search(r'name="work"\s+([0-9]+)', sent[1])
    assert work
    assert proves_work("a" * 48, work[1])


def test_a_browser_that_cannot_work_sends_the_plain_form(customer: Customers) -> None:
    """Where the work fails, the page is loaded as without JavaScript, and may come with a picture."""
    buyer = customer()
    buyer.context.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })")
    buyer.order()
    sent = challenged_once(buyer.page, "a" * 48)
    buyer.type_card()
    buyer.code(lambda: buyer.press("request_pin"))
    expect(buyer.page.locator("#pin-answer")).to_be_visible()
    assert len(sent) == 2
    expect(buyer.page.locator("#cvv2")).to_have_value("")


READER = """window.readers = [];
window.OTPCredential ??= class {};
navigator.credentials.get = (options) => new Promise((done, failed) => {
  const reader = { options, ended: false, read: (code) => done({ code }) };
  options.signal.addEventListener("abort", () => { reader.ended = true; failed(options.signal.reason); });
  readers.push(reader);
});
addEventListener("submit", () => sessionStorage.setItem("ended", readers.map((reader) => reader.ended)));
"""
"""A browser that reads SMS, as those on phones do: each wish for a code is kept, and is granted by the test."""


def test_the_browser_reads_the_code_from_the_sms(customer: Customers) -> None:
    """The code comes into its field, is said, and pays."""
    buyer = customer()
    buyer.context.add_init_script(READER)
    buyer.order()
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    expect(buyer.page.locator("#pin")).to_be_focused()
    assert buyer.page.evaluate("readers[0].options.otp") == {"transport": ["sms"]}
    buyer.page.evaluate("code => readers[0].read(code)", code)
    expect(buyer.page.locator("#pin")).to_have_value(code)
    expect(buyer.page.locator("#live")).to_have_text(WORDS["otp.read"].fa)
    buyer.press("pay")
    expect(buyer.page.locator("h1")).to_have_text(WORDS["receipt.title"].fa)


def test_reading_the_sms_ends_with_the_next_code_and_with_the_form(customer: Customers) -> None:
    """One reader at a time; whoever types the code and pays is not asked by the browser any more."""
    buyer = customer()
    buyer.context.add_init_script(READER)
    buyer.page.clock.install()
    buyer.order()
    buyer.type_card()
    buyer.press("request_pin")
    expect(buyer.page.locator("#pin")).to_be_focused()
    buyer.page.clock.run_for(60_000)
    buyer.press("request_pin")
    expect(buyer.page.locator("#request_pin")).to_have_attribute("aria-disabled", "true")
    assert buyer.page.evaluate("readers.map(reader => reader.ended)") == [True, False]
    buyer.page.fill("#pin", "123456")
    buyer.press("pay")
    expect(buyer.page.locator("#errors")).to_be_visible()
    assert buyer.page.evaluate("sessionStorage.getItem('ended')") == "true,true"


SHIFTS = """window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_nothing_moves_by_itself(customer: Customers, size: str) -> None:
    """Layout shift at most 0.02 over loading, the answer, news of the SMS and the help that opens."""
    buyer = customer(viewport=SIZES[size])
    buyer.context.add_init_script(SHIFTS)
    buyer.page.clock.install()
    buyer.order("teapot")
    buyer.type_card()
    buyer.code(lambda: buyer.press("request_pin"))
    expect(buyer.page.locator("#pin")).to_be_focused()
    buyer.page.clock.run_for(25_000)
    expect(buyer.page.locator("#late ol")).to_be_visible()
    expect(buyer.page.locator("#pin-delivery")).not_to_be_empty()
    assert buyer.page.evaluate("window.shifts") <= 0.02


def test_forced_colours_and_reduced_motion_lose_nothing(customer: Customers) -> None:
    """Mistakes, keypad and buttons stay visible in a reader's own colours, and nothing is animated."""
    buyer = customer(viewport=SIZES["phone"], forced_colors="active", reduced_motion="reduce")
    buyer.order()
    buyer.press("pay")
    buyer.page.locator("[data-keypad=pin]").click()
    buyer.picture("forced-colours")
    assert not scrolls_sideways(buyer.page)
    dots = "getComputedStyle(document.querySelector('.keys'), '::before').backgroundImage"
    assert "radial-gradient" in buyer.page.evaluate(dots)
    assert buyer.page.evaluate("document.getAnimations().length") == 0
    assert buyer.page.evaluate("getComputedStyle(document.querySelector('#pay')).transitionDuration") == "0s"


SPOKEN = f"""
- textbox "{WORDS["pan"].fa}"
- textbox "{WORDS["cvv2"].fa}"
- button "{WORDS["show"].fa.format(field=WORDS["cvv2"].fa)}"
- button "{WORDS["keypad"].fa.format(field=WORDS["cvv2"].fa)}"
- group "{WORDS["expiry"].fa}":
  - textbox "{WORDS["month"].fa}"
  - textbox "{WORDS["year"].fa}"
- textbox "{WORDS["pin"].fa}"
- button "{WORDS["request_pin"].fa}"
- button /پرداخت .+ ریال/
- button "{WORDS["cancel"].fa}"
"""
"""What a screen reader finds in the form, in this order."""


def test_buying_by_keyboard_alone(customer: Customers) -> None:
    """Tab, typing and Enter, from the card number to the shop; every field and button has its Persian name."""
    buyer = customer()
    buyer.order()
    keys = buyer.page.keyboard

    def tab_to(place: str) -> None:
        for _ in range(12):
            if buyer.page.locator(place).evaluate("element => element === document.activeElement"):
                return
            keys.press("Tab")
        pytest.fail(f"twelve tabs do not lead to {place}")

    expect(buyer.page.locator("#card")).to_match_aria_snapshot(SPOKEN)
    for field in ("pan", "cvv2", "exp_month", "exp_year"):
        tab_to(f"#{field}")
        keys.type(buyer.card[field])
    tab_to("#request_pin")
    code = buyer.code(lambda: keys.press("Enter"))
    expect(buyer.page.locator("#pin")).to_be_focused()
    keys.type(code)
    tab_to("#pay")
    keys.press("Enter")
    expect(buyer.page.locator("h1")).to_have_text(WORDS["receipt.title"].fa)
    tab_to("a.first")
    keys.press("Enter")
    expect(buyer.page.locator("#state[data-state=paid]")).to_be_visible()
