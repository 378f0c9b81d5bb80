"""Buying in a real browser: with and without JavaScript, in both languages, on a phone and on a desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Page, expect

from bench.pages.walker import Walker
from foundation.digits import to_persian_digits
from foundation.pan import with_check_digit
from gateway.domain.limits import ATTEMPTS_MAX
from gateway.web.outcomes import SECONDS_UNTIL_RETURN
from gateway.web.wording import WORDS
from tests.e2e.browser import SIZES, assert_accessible
from tests.e2e.conftest import Customer
from tests.e2e.test_refusals_http import later
from tests.world import RunningWorld

pytestmark = [pytest.mark.world, pytest.mark.browser]

Customers = Callable[..., Customer]
PAID = "#state[data-state=paid]"
UNKNOWN_PAN = with_check_digit("999099000000000")
REAL_PAN = with_check_digit("621986103452900")
EXTENDED = WORDS["extended"].fa.format(minutes="").strip()


def heading(page: Page, key: str, language: str = "fa") -> None:
    """Wait for a page by its heading."""
    expect(page.locator("h1")).to_have_text(getattr(WORDS[key], language))


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("fa", "desktop", "light"), ("fa", "phone", "dark"), ("en", "desktop", "light"), ("en", "phone", "light")],
)
def test_buying_with_javascript(customer: Customers, language: str, size: str, scheme: str) -> None:
    """The PIN comes without a reload, the receipt leads back by itself, and the shop knows it is paid."""
    buyer = customer(language=language, viewport=SIZES[size], color_scheme=scheme)
    buyer.order("teapot", looking=True)
    buyer.look("card")
    buyer.type_card()
    address = buyer.page.url
    code = buyer.code(lambda: buyer.press("request_pin"))
    expect(buyer.page.locator("#pin-answer")).to_be_visible()
    expect(buyer.page.locator("#pin")).to_be_focused()
    expect(buyer.page.locator("#request_pin")).to_have_attribute("aria-disabled", "true")
    assert buyer.page.url == address
    expect(buyer.page.locator("#pin-delivery")).to_have_text(getattr(WORDS["pin.delivery.accepted"], language))
    buyer.look("pin-sent")
    buyer.page.fill("#pin", code)
    buyer.press("pay")
    heading(buyer.page, "receipt.title", language)
    assert buyer.card["pan"] not in re.sub(r"\s", "", buyer.page.content())
    buyer.look("receipt")
    if size == "phone":
        buyer.page.get_by_text(getattr(WORDS["return"], language), exact=True).click()
    expect(buyer.page.locator(PAID)).to_be_visible(timeout=(SECONDS_UNTIL_RETURN + 15) * 1000)
    buyer.look("order")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_buying_without_javascript(customer: Customers, language: str) -> None:
    """Every step is a plain form; the typed number survives the PIN request, CVV2 and PIN do not."""
    buyer = customer(language=language, java_script_enabled=False, viewport=SIZES["phone"])
    buyer.page.goto(f"{buyer.world.info['shop']}/?lang={language}")
    buyer.page.locator("form[action$='/basket/hafez'] button").click()
    buyer.page.goto(f"{buyer.world.info['shop']}/checkout")
    buyer.page.fill("#name", "Negar")
    buyer.page.click("#pay")
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    expect(buyer.page.locator("#pin-answer")).to_be_visible()
    assert buyer.page.locator("#pan").input_value().replace(" ", "") == buyer.card["pan"]
    assert buyer.page.locator("#cvv2").input_value() == ""
    expect(buyer.page.locator("#pin-delivery")).to_have_text(getattr(WORDS["pin.delivery.queued"], language))
    buyer.picture("pin-sent")
    buyer.page.fill("#cvv2", buyer.card["cvv2"])
    buyer.page.fill("#pin", to_persian_digits(code))
    buyer.page.press("#pin", "Enter")
    heading(buyer.page, "receipt.title", language)
    buyer.picture("receipt")
    buyer.page.get_by_text(getattr(WORDS["return"], language), exact=True).click()
    expect(buyer.page.locator(PAID)).to_be_visible()


def test_a_wrong_code_says_so_and_the_right_one_still_pays(customer: Customers) -> None:
    """The summary gets the focus, the PIN field is empty and marked, the number stays."""
    buyer = customer()
    buyer.order()
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    buyer.page.fill("#pin", "0" * len(code) if code[0] != "0" else "9" * len(code))
    buyer.press("pay")
    expect(buyer.page.locator("#errors")).to_be_focused()
    expect(buyer.page.locator("#pin")).to_have_value("")
    buyer.look("wrong-code")
    assert buyer.page.title().startswith("خطا:")
    buyer.page.fill("#cvv2", buyer.card["cvv2"])
    buyer.page.fill("#pin", code)
    buyer.press("pay")
    heading(buyer.page, "receipt.title")


def test_a_code_on_its_way_ends_what_was_said_before(customer: Customers) -> None:
    """After a mistake in the PIN a new code is asked for: neither the summary nor the field complains any more."""
    buyer = customer()
    buyer.order()
    buyer.type_card()
    buyer.page.fill("#pin", "1")
    buyer.press("pay")
    expect(buyer.page.locator("#errors")).to_be_visible()
    buyer.page.fill("#cvv2", buyer.card["cvv2"])
    buyer.code(lambda: buyer.press("request_pin"))
    expect(buyer.page.locator("#errors")).to_have_count(0)
    expect(buyer.page.locator("#pin-mistake")).to_be_hidden()


def test_d9b_a_code_that_is_sent_again_is_the_same(customer: Customers, world: RunningWorld) -> None:
    """D9b: after a minute the button offers it; the second SMS has the code of the first, which pays."""
    buyer = customer()
    page, ask = buyer.page, buyer.page.locator("#request_pin")
    page.clock.install()
    buyer.order()
    buyer.type_card()
    first = buyer.code(lambda: buyer.press("request_pin"))
    expect(ask).to_have_attribute("aria-disabled", "true")
    page.clock.run_for(60_000)
    expect(ask).to_have_text(WORDS["resend"].fa)
    with later(world, "bank_two", 61):
        again = buyer.code(lambda: buyer.press("request_pin"))
        expect(page.locator("#pin-answer")).to_have_class(re.compile("good"))
        page.fill("#pin", again)
        buyer.press("pay")
        heading(page, "receipt.title")
    assert again == first


def test_a_card_without_money_is_told_before_any_moves(customer: Customers, world: RunningWorld) -> None:
    """The reason, and that nothing was taken."""
    buyer = customer(card=world.card("insufficient_funds"))
    buyer.order("kilim")
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    buyer.page.fill("#pin", code)
    buyer.press("pay")
    expect(buyer.page.locator("#errors")).to_contain_text(WORDS["decline.not_enough_balance"].fa)
    buyer.look("no-money")


def test_cancelling_leads_back_to_an_order_that_can_be_paid_again(customer: Customers) -> None:
    """No money moved, says the page, and the shop offers another payment (D42)."""
    buyer = customer(viewport=SIZES["phone"])
    buyer.order()
    buyer.press("cancel")
    heading(buyer.page, "cancelled.title")
    buyer.look("cancelled")
    buyer.page.get_by_text(WORDS["return"].fa).click()
    expect(buyer.page.locator("#state[data-state=failed]")).to_be_visible()
    buyer.look("order-failed")
    buyer.page.locator("form button.first").click()
    expect(buyer.page.locator("#pan")).to_be_visible()


def test_a_double_click_pays_once(customer: Customers) -> None:
    """The second press sends nothing."""
    buyer = customer()
    buyer.order()
    buyer.type_card()
    buyer.page.fill("#pin", buyer.code(lambda: buyer.press("request_pin")))
    sent: list[str] = []
    buyer.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    buyer.page.locator("#pay").dblclick()
    heading(buyer.page, "receipt.title")
    assert len(sent) == 1


def test_two_tabs_of_one_payment_end_at_one_receipt(customer: Customers) -> None:
    """D8: the second tab finds the payment paid and takes nothing."""
    buyer = customer()
    buyer.order()
    second = buyer.context.new_page()
    second.goto(buyer.page.url)
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    buyer.page.fill("#pin", code)
    buyer.press("pay")
    heading(buyer.page, "receipt.title")
    other = Customer(buyer.world, buyer.context, second, buyer.card, "second")
    other.type_card()
    second.fill("#pin", code)
    other.press("pay")
    heading(second, "receipt.title")


def test_a_real_card_never_leaves_a_sandbox_page(customer: Customers) -> None:
    """The browser refuses it while it is typed; nothing is sent."""
    buyer = customer()
    buyer.order()
    sent: list[str] = []
    buyer.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    buyer.type_card(pan=REAL_PAN)
    buyer.page.fill("#pin", "123456")
    expect(buyer.page.locator("#pan-mistake")).to_have_text(WORDS["pan.real"].fa)
    buyer.look("real-card")
    buyer.press("request_pin")
    buyer.press("pay")
    buyer.page.locator("#extend").evaluate("button => button.click()")  # it shows when time runs short
    expect(buyer.page.locator("#pan")).to_be_focused()
    assert not sent


def test_what_the_server_says_of_a_card_number_stays_until_it_is_edited(customer: Customers) -> None:
    """A bank that nobody knows is no mistake that the browser could find, or forget."""
    buyer = customer()
    buyer.order()
    buyer.type_card(pan=UNKNOWN_PAN, pin="123456")
    buyer.press("pay")
    expect(buyer.page.locator("#errors")).to_be_focused()
    expect(buyer.page.locator("#pan-mistake")).to_have_text(WORDS["pan.unknown_issuer"].fa)
    expect(buyer.page.locator("#pan")).to_have_attribute("aria-invalid", "true")
    buyer.page.fill("#pan", buyer.card["pan"])
    expect(buyer.page.locator("#pan-mistake")).to_be_hidden()


def test_no_button_sends_what_it_does_not_need(customer: Customers) -> None:
    """More time needs no CVV2 and no PIN, cancelling nothing of a card at all: not even of a real one."""
    buyer = customer()
    page = buyer.page
    buyer.order()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    buyer.type_card(pin="765432")
    page.locator("#extend").evaluate("button => button.click()")
    expect(page.locator("#pin-answer")).to_contain_text(EXTENDED)
    buyer.type_card(pan=REAL_PAN, pin="765432")
    buyer.press("cancel")
    heading(page, "cancelled.title")
    extended, cancelled = (dict(parse_qsl(body)) for body in sent)
    assert {"pan", "exp_month", "exp_year"} <= extended.keys()
    assert not {"cvv2", "pin"} & extended.keys()
    assert cancelled.keys() == {"csrf_token", "lang", "action"}


def test_typing_a_card_number_groups_it_and_keeps_the_caret(customer: Customers) -> None:
    """Any digits, any separators; an edit in the middle stays in the middle."""
    buyer = customer()
    buyer.order()
    pan = buyer.page.locator("#pan")
    pan.fill("۹۹۹۰-۰۲۱۰ ۰۰۰۰٠٠١٧")
    expect(pan).to_have_value("9990 0210 0000 0017")
    pan.evaluate("field => field.setSelectionRange(2, 2)")
    pan.press("Backspace")
    expect(pan).to_have_value("9900 2100 0000 017")
    assert pan.evaluate("field => field.selectionStart") == 1
    pan.press("9")
    expect(pan).to_have_value("9990 0210 0000 0017")
    assert pan.evaluate("field => field.selectionStart") == 2


def test_the_expiry_is_read_back_and_a_swap_is_put_right(customer: Customers) -> None:
    """Jalali month and year in words; one tap swaps them."""
    buyer = customer()
    buyer.order()
    buyer.page.fill("#exp_month", "۰۷")
    buyer.page.fill("#exp_year", "1408")
    expect(buyer.page.locator("#expiry-hint")).to_have_text("انقضا: مهر ۱۴۰۸")
    buyer.page.fill("#exp_month", "14")
    buyer.page.fill("#exp_year", "07")
    buyer.page.locator("#expiry-hint button").click()
    expect(buyer.page.locator("#exp_month")).to_have_value("07")
    expect(buyer.page.locator("#exp_year")).to_have_value("14")


def test_a_swap_ends_what_was_said_of_the_fields(customer: Customers) -> None:
    """The server named the month; once month and year are put right neither is marked any more."""
    buyer = customer()
    buyer.order()
    buyer.type_card(exp_month="14", exp_year="07", pin="123456")
    buyer.press("pay")
    expect(buyer.page.locator("#exp_month-mistake")).to_have_text(WORDS["month.form"].fa)
    buyer.page.locator("#expiry-hint button").click()
    expect(buyer.page.locator("#exp_year")).to_be_focused()
    expect(buyer.page.locator("#exp_month-mistake")).to_be_hidden()
    expect(buyer.page.locator("#exp_month")).not_to_have_attribute("aria-invalid", "true")
    expect(buyer.page.locator("#expiry-hint")).to_have_text("انقضا: مهر ۱۴۱۴")


def test_time_runs_out_with_a_warning_and_can_be_extended(customer: Customers) -> None:
    """The button for more time shows at two minutes and keeps what was typed (SC 2.2.1)."""
    buyer = customer()
    buyer.page.clock.install()
    buyer.order()
    buyer.type_card()
    expect(buyer.page.locator("#extend")).to_be_hidden()
    buyer.page.clock.fast_forward(13 * 60_000 + 10_000)
    expect(buyer.page.locator("#clock")).to_have_class(re.compile("late"))
    buyer.press("extend")
    expect(buyer.page.locator("#pin-answer")).to_contain_text(EXTENDED)
    assert buyer.page.locator("#pan").input_value().replace(" ", "") == buyer.card["pan"]
    assert int(buyer.page.locator("#left").get_attribute("data-seconds") or 0) > 15 * 60


def test_time_runs_out_where_no_tries_are_left(customer: Customers, world: RunningWorld) -> None:
    """The clock goes on, warns, and ends at a page that says so; nothing is sent a second time."""
    buyer = customer(card=world.card("expired"))
    page = buyer.page
    page.clock.install()
    buyer.order()
    for _ in range(ATTEMPTS_MAX):
        buyer.type_card(pin="123456")
        with page.expect_navigation():
            buyer.press("pay")
    expect(page.locator("#card")).to_have_count(0)
    expect(page.locator("#errors")).to_contain_text(WORDS["tries.none"].fa)
    page.clock.fast_forward(13 * 60_000 + 10_000)
    expect(page.locator("#clock")).to_have_class(re.compile("late"))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.is_navigation_request() else None)
    Walker(world, buyer.context).make_late("page_expires_at", page.url)
    page.clock.fast_forward(2 * 60_000)
    heading(page, "expired.title")
    assert sent == ["GET"]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_nothing_scrolls_sideways_at_320_pixels(customer: Customers, language: str) -> None:
    """Shop, card page with mistakes, and phone."""
    buyer = customer(language=language, viewport={"width": 320, "height": 640})
    buyer.order("saffron", looking=True)
    buyer.press("pay")
    expect(buyer.page.locator("#errors")).to_be_visible()
    buyer.look("mistakes")
    bank = buyer.world.info["banks"][0]["url"]
    buyer.page.goto(f"{bank}/sandbox/phone/{buyer.card['mobile']}/")
    buyer.look("phone")


def test_a_message_appears_on_the_open_phone_by_itself(customer: Customers) -> None:
    """The phone page is live and stays accessible."""
    buyer = customer()
    buyer.order()
    phone = buyer.context.new_page()
    phone.goto(f"{buyer.world.info['banks'][0]['url']}/sandbox/phone/{buyer.card['mobile']}/")
    before = phone.locator("[role=log] li").count()
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    expect(phone.locator("[role=log] li")).to_have_count(before + 1)
    expect(phone.locator("[role=log] li").first.locator(".code bdi")).to_have_text(code)
    assert_accessible(phone)
