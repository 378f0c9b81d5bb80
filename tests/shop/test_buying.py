"""Buying in the shop: basket, checkout, the way to the gateway and back, without JavaScript."""

from __future__ import annotations

import gzip
import re
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.database import Database
from merchant_demo.app import create_app
from merchant_demo.catalogue import PRODUCTS, QUANTITY_MAX
from merchant_demo.orders import DESCRIPTION_MAX, Shop, reconcile_unfinished
from merchant_demo.store import Orders
from merchant_demo.wording import WORDS
from pooya import Client
from tests.shop.conftest import FakeGateway, settings_for

KEY = re.compile(r'name="checkout_key" value="([^"]+)"')


def check_out(browser: FlaskClient, *, products: tuple[str, ...] = ("teapot",), **typed: str) -> TestResponse:
    """Fill the basket and send the checkout form."""
    for product in products:
        browser.post(f"/basket/{product}")
    found = KEY.search(browser.get("/checkout").text)
    assert found
    return browser.post("/checkout", data={"name": "سارا", "checkout_key": found[1]} | typed)


def return_address(gateway: FakeGateway) -> str:
    """Return the path at which the shop wants its customer back."""
    return urlsplit(gateway.opened[-1]["callback_url"]).path


def test_a_nul_is_the_callers_mistake_and_no_fault_of_ours(browser: FlaskClient) -> None:
    """The database holds no such text, in a name as in an address."""
    assert check_out(browser, name="سارا\0").status_code == 400
    assert browser.get("/orders/%00").status_code == 404


def test_every_product_has_a_picture_and_a_price(browser: FlaskClient) -> None:
    """The shelf shows at least four products, each drawn."""
    page = browser.get("/").text
    assert len(PRODUCTS) >= 4
    assert page.count("<svg") == len(PRODUCTS)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_pages_speak_the_chosen_language(browser: FlaskClient, language: str) -> None:
    """The choice is remembered over the pages."""
    browser.get(f"/?lang={language}")
    page = browser.get("/basket").text
    assert f'lang="{language}"' in page
    assert getattr(WORDS["basket.empty"], language) in page


def test_both_languages_say_the_same_with_the_same_values() -> None:
    """No sentence lacks a language or a value."""
    for key, words in WORDS.items():
        assert words.fa, key
        assert words.en, key
        assert set(re.findall(r"{(\w+)}", words.fa)) == set(re.findall(r"{(\w+)}", words.en)), key


def test_quantities_may_be_persian_and_a_product_can_be_removed(browser: FlaskClient) -> None:
    """The basket takes «۳» for three, of the absurd as much as it may, and drops what is removed."""
    browser.post("/basket/teapot")
    browser.post("/basket/hafez")
    browser.post("/basket", data={"teapot": "۳", "hafez": "1", "remove": "hafez"})
    page = browser.get("/basket").text
    assert 'name="teapot" value="3"' in page
    assert 'name="hafez"' not in page
    assert browser.post("/basket", data={"teapot": "9" * 5_000}).status_code == 303
    assert f'name="teapot" value="{QUANTITY_MAX}"' in browser.get("/basket").text


def test_checkout_opens_a_payment_and_sends_the_customer_to_it(browser: FlaskClient, gateway: FakeGateway) -> None:
    """The gateway gets the total of the basket in rials and an address to send the customer back to."""
    answer = check_out(browser, products=("teapot", "hafez"), mobile="۰۹۱۲۳۴۵۶۷۸۹")
    assert answer.status_code == 303
    assert answer.location == gateway.only()["page_url"]
    asked = gateway.opened[0]
    assert asked["amount"] == 6_450_000 + 3_200_000
    assert asked["mobile"] == "09123456789"
    assert asked["callback_url"].startswith("http://shop.test/orders/")


@pytest.mark.parametrize(
    ("language", "bought"),
    [("fa", "دیوان حافظ × ۱، قوری سفالی فیروزه‌ای × ۲"), ("en", "Divan of Hafez × 1, Turquoise teapot × 2")],
)
def test_the_payment_is_for_what_was_bought(
    browser: FlaskClient, gateway: FakeGateway, language: str, bought: str
) -> None:
    """Names and quantities in the buyer's language, which the payment page shows beside the order's number."""
    browser.get(f"/?lang={language}")
    check_out(browser, products=("teapot", "hafez", "teapot"))
    assert gateway.opened[0]["description"] == bought


def test_a_long_list_of_what_was_bought_ends_at_a_word(browser: FlaskClient, gateway: FakeGateway) -> None:
    """The gateway takes so much and no more, which everything on the shelf is longer than."""
    browser.get("/?lang=en")
    check_out(browser, products=tuple(PRODUCTS))
    described = gateway.opened[0]["description"]
    assert len(described) <= DESCRIPTION_MAX
    kept = described.removesuffix(" …")
    titles = sorted(PRODUCTS.values(), key=lambda product: product.key)
    whole = ", ".join(f"{product.title.en} × 1" for product in titles)
    assert kept != described
    assert whole.startswith(f"{kept} ")


def test_a_missing_name_is_asked_for_and_nothing_is_ordered(browser: FlaskClient, gateway: FakeGateway) -> None:
    """The form comes back with what was typed and what to fix."""
    answer = check_out(browser, name="", mobile="123")
    assert answer.status_code == 422
    assert WORDS["name.missing"].fa in answer.text
    assert WORDS["mobile.form"].fa in answer.text
    assert 'value="123"' in answer.text
    assert not gateway.opened


def test_a_double_click_on_checkout_is_one_order_and_one_payment(browser: FlaskClient, gateway: FakeGateway) -> None:
    """Both answers lead to the same payment page."""
    browser.post("/basket/teapot")
    found = KEY.search(browser.get("/checkout").text)
    assert found
    form = {"name": "سارا", "checkout_key": found[1]}
    assert {browser.post("/checkout", data=form).location for _ in range(2)} == {gateway.only()["page_url"]}
    assert len(gateway.opened) == 1


def test_an_order_is_paid_only_after_the_confirm_answer(browser: FlaskClient, gateway: FakeGateway, shop: Shop) -> None:
    """The return address alone proves nothing; the gateway is asked and told."""
    check_out(browser)
    address = return_address(gateway)
    page = browser.get(address + "?state=authorised", follow_redirects=True).text
    assert 'data-state="awaiting"' in page
    gateway.pay()
    page = browser.get(address, follow_redirects=True).text
    assert 'data-state="paid"' in page
    assert "632800000001" in page
    assert gateway.confirms == ["pay_0"]
    paid = shop.orders.by_payment("pay_0")
    assert paid
    assert paid.paid_at


def test_the_return_page_needs_no_cookie(browser: FlaskClient, gateway: FakeGateway) -> None:
    """Another browser, without any cookie, sees the same order."""
    check_out(browser)
    gateway.pay()
    address = return_address(gateway)
    stranger = browser.application.test_client(use_cookies=False)
    assert 'data-state="paid"' in stranger.get(stranger.get(address).location).text


def test_coming_back_twice_confirms_once(browser: FlaskClient, gateway: FakeGateway) -> None:
    """A paid order is not asked about again."""
    check_out(browser)
    gateway.pay()
    for _ in range(3):
        browser.get(return_address(gateway))
    assert len(gateway.confirms) == 1


def test_a_cancelled_payment_can_be_tried_again(browser: FlaskClient, gateway: FakeGateway) -> None:
    """The same order gets a second payment under a new key (D42)."""
    check_out(browser)
    gateway.only()["state"] = "cancelled"
    order_page = return_address(gateway).removesuffix("/return")
    assert 'data-state="failed"' in browser.get(order_page).text
    answer = browser.post(order_page + "/pay")
    assert answer.location.endswith("/pay/pay_1")
    assert [body["order_id"] for body in gateway.opened] == [gateway.opened[0]["order_id"]] * 2


def test_a_gateway_that_is_down_leaves_an_order_that_can_be_paid_later(
    browser: FlaskClient, gateway: FakeGateway
) -> None:
    """The customer is told that nothing was charged, and trying again works."""
    gateway.down = True
    answer = check_out(browser)
    assert 'data-state="placed"' in browser.get(answer.location).text
    gateway.down = False
    answer = browser.post(urlsplit(answer.location).path + "/pay")
    assert answer.location == gateway.only()["page_url"]


def test_a_lost_answer_to_opening_does_not_open_a_second_payment(browser: FlaskClient, gateway: FakeGateway) -> None:
    """The key was stored before the call, so that the next try returns the same payment."""
    gateway.lose_answers = 3
    answer = check_out(browser)
    assert 'data-state="placed"' in browser.get(answer.location).text
    answer = browser.post(urlsplit(answer.location).path + "/pay")
    assert answer.location == gateway.only()["page_url"]
    assert len(gateway.opened) == 1


def test_a_lost_confirm_answer_is_made_up_for_later(browser: FlaskClient, gateway: FakeGateway, shop: Shop) -> None:
    """The periodic job finds an order whose confirmation was done but not heard."""
    check_out(browser)
    gateway.pay()
    gateway.only()["state"] = "confirmed"
    assert reconcile_unfinished(shop) == 1
    assert reconcile_unfinished(shop) == 0
    paid = shop.orders.by_payment("pay_0")
    assert paid
    assert paid.state == "paid"


def test_a_payment_of_another_amount_is_never_accepted(browser: FlaskClient, gateway: FakeGateway) -> None:
    """An order is not confirmed when the gateway's amount is not the order's."""
    check_out(browser)
    gateway.pay()
    gateway.only()["amount"] = 1000
    page = browser.get(return_address(gateway), follow_redirects=True).text
    assert 'data-state="mismatch"' in page
    assert not gateway.confirms


@pytest.mark.parametrize("state", ["unknown", "reversing"])
def test_an_unclear_payment_is_neither_paid_nor_payable(browser: FlaskClient, gateway: FakeGateway, state: str) -> None:
    """While the outcome is open the page offers no second payment."""
    check_out(browser)
    gateway.only()["state"] = state
    page = browser.get(return_address(gateway), follow_redirects=True).text
    assert 'data-state="checking"' in page
    assert "/pay" not in page
    assert "۱۱:۳۰" not in page


def test_an_unclear_payment_names_the_hour_by_which_it_is_decided(browser: FlaskClient, gateway: FakeGateway) -> None:
    """The gateway's promise stands on the order page in Tehran's time, and goes when the payment is decided."""
    check_out(browser)
    gateway.only().update(state="unknown", decided_by="2026-11-24T08:00:00Z")
    page = browser.get(return_address(gateway), follow_redirects=True).text
    assert "۱۱:۳۰" in page
    gateway.only().update(state="reversed", decided_by=None)
    assert "۱۱:۳۰" not in browser.get(return_address(gateway), follow_redirects=True).text


def test_a_refused_confirmation_is_asked_about_again(browser: FlaskClient, gateway: FakeGateway) -> None:
    """The window was over between reading and confirming: the order waits and learns that the money went back."""
    check_out(browser)
    gateway.pay()
    gateway.refuse_confirms = True
    page = browser.get(return_address(gateway), follow_redirects=True).text
    assert 'data-state="awaiting"' in page
    gateway.only()["state"] = "reversed"
    assert 'data-state="failed"' in browser.get(return_address(gateway), follow_redirects=True).text


def test_a_paid_order_cannot_be_paid_again(browser: FlaskClient, gateway: FakeGateway) -> None:
    """A stale button leads to the order, not to a second payment."""
    check_out(browser)
    gateway.pay()
    order_page = return_address(gateway).removesuffix("/return")
    browser.get(order_page)
    assert browser.post(order_page + "/pay").location.startswith(order_page)
    assert len(gateway.opened) == 1


def test_an_empty_basket_cannot_be_checked_out(browser: FlaskClient) -> None:
    """Neither by its address nor by a form kept from before; an unknown product is not sold."""
    assert browser.get("/checkout").location == "/basket"
    assert browser.post("/checkout", data={"name": "x", "checkout_key": "y"}).location == "/basket"
    assert browser.post("/basket/nothing").status_code == 404


def test_an_unknown_address_has_a_page_of_its_own(browser: FlaskClient) -> None:
    """Nobody meets a bare error."""
    answer = browser.get("/orders/nothing")
    assert answer.status_code == 404
    assert WORDS["error.404"].fa in answer.text


def test_f13_while_the_books_are_away_nothing_is_said_to_be_lost(gateway_url: str) -> None:
    """F13: 503 with Retry-After on pages and for a webhook, never a bare fault; what needs no order is still shown."""
    nowhere = Database("postgresql+psycopg://nobody@/none?host=/nonexistent", pool_size=1, application_name="shop")
    settings = settings_for(gateway_url)
    with Client(gateway_url, "sk_test_0000", timeout_seconds=1) as client:
        browser = create_app(settings, Shop(settings, Orders(nowhere), client)).test_client()
        order = browser.get("/orders/anything")

    assert (order.status_code, order.headers["Retry-After"]) == (503, "5")
    assert WORDS["error.503"].fa in order.text
    assert browser.get("/").status_code == 200


def test_pages_allow_no_script_and_forms_only_to_the_gateway(browser: FlaskClient, gateway_url: str) -> None:
    """The policy names this shop and the gateway's origin, because a checkout form ends there (D40)."""
    policy = browser.get("/").headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert f"form-action 'self' {gateway_url};" in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy


def test_the_ribbon_leads_to_the_page_about_testing(shop: Shop) -> None:
    """Where a deployment names one; the shop knows nothing about it but its address."""
    settings = shop.settings.model_copy(update={"testing_url": "http://bank.test/sandbox/"})
    page = create_app(settings, Shop(settings, shop.orders, shop.gateway)).test_client().get("/?lang=en").text

    assert '<a href="http://bank.test/sandbox/?lang=en">Test cards</a>' in page
    assert "sandbox/" not in create_app(shop.settings, shop).test_client().get("/").text


def test_browsers_keep_the_style_and_get_it_compressed(browser: FlaskClient) -> None:
    """Its address carries a version; what takes no compression gets it plain."""
    address = re.search(r'href="([^"]+shop\.css\?v=[0-9a-f]{8})"', browser.get("/").text)
    assert address
    with browser.get(address[1], headers={"Accept-Encoding": "gzip"}) as packed, browser.get(address[1]) as plain:
        assert gzip.decompress(packed.data) == plain.data
        assert "immutable" in packed.headers["Cache-Control"]
    for other in ("none.css", "shop.css", "shop.css?v=00000000"):
        with browser.get(f"/static/{other}") as answer:
            assert "immutable" not in answer.headers["Cache-Control"]
