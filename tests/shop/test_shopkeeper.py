"""The shopkeeper refunds orders by plain forms, once each, and sees how every refund stands."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from merchant_demo.app import create_app
from merchant_demo.orders import Shop
from merchant_demo.wording import WORDS
from tests.shop.conftest import FakeGateway
from tests.shop.test_buying import check_out, return_address

TOTAL = 6_450_000
HIDDEN = re.compile(r'name="(guard|place)" value="([^"]+)"')


@pytest.fixture
def keeper(shop: Shop) -> FlaskClient:
    """A browser at a shop that shows the shopkeeper's page."""
    settings = shop.settings.model_copy(update={"shopkeeper_page": True})
    return create_app(settings, replace(shop, settings=settings)).test_client()


@pytest.fixture
def desk(keeper: FlaskClient, gateway: FakeGateway) -> str:
    """A teapot was paid; return the order's page at the shopkeeper's desk."""
    check_out(keeper)
    gateway.pay()
    keeper.get(return_address(gateway))
    found = re.search(r'href="(/shopkeeper/[^"]+)"', keeper.get("/shopkeeper").text)
    assert found
    return found[1]


def refund(keeper: FlaskClient, desk: str, amount: str, page: str | None = None) -> TestResponse:
    """Fill the form of a page that was shown, or of the page as it is now."""
    form = dict(HIDDEN.findall(page or keeper.get(desk).text))
    return keeper.post(desk, data=form | {"amount": amount})


def shown(keeper: FlaskClient, desk: str) -> list[str]:
    """Return how every refund stands on the page."""
    return re.findall(r'data-refund="(\w+)"', keeper.get(desk).text)


def test_parts_and_the_rest_are_refunded_and_shown_as_they_stand(
    keeper: FlaskClient, desk: str, gateway: FakeGateway
) -> None:
    """Persian digits too; pending, done, refused: what was refused can be refunded again, until nothing is left."""
    assert f'value="{TOTAL}"' in keeper.get(desk).text, "the whole is offered"
    assert refund(keeper, desk, "۱٬۰۰۰٬۰۰۰").status_code == 303
    assert shown(keeper, desk) == ["pending"]
    (first,) = gateway.refunds.values()
    first |= {"state": "done", "decided_at": "2026-11-24T12:00:00Z"}
    refund(keeper, desk, "450000")
    list(gateway.refunds.values())[1]["state"] = "refused"

    assert shown(keeper, desk) == ["done", "refused"]
    assert f'value="{TOTAL - 1_000_000}"' in keeper.get(desk).text
    refund(keeper, desk, str(TOTAL - 1_000_000))
    page = keeper.get(desk).text
    assert WORDS["refund.nothing_left"].fa in page
    assert "<form" not in page
    assert [each["amount"] for each in gateway.refunds.values()] == [1_000_000, 450_000, TOTAL - 1_000_000]


def test_a_form_sent_twice_is_one_refund(keeper: FlaskClient, desk: str, gateway: FakeGateway) -> None:
    """A double click, and an answer that was lost; with another amount the page is out of date."""
    page = keeper.get(desk).text
    gateway.lose_answers = 3
    assert WORDS["refund.no.answer"].fa in refund(keeper, desk, "5000", page).text
    gateway.lose_answers = 0
    refund(keeper, desk, "5000", page)
    assert refund(keeper, desk, "5000", page).status_code == 303
    late = refund(keeper, desk, "6000", page)
    assert (late.status_code, WORDS["refund.no.stale"].fa in late.text) == (422, True)
    assert len(gateway.refunds) == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [("payable_too_low", "owed"), ("refund_window_over", "late"), ("refund_above_rest", "amount"), ("x", "refused")],
)
def test_what_the_gateway_refuses_is_said(
    keeper: FlaskClient, desk: str, gateway: FakeGateway, code: str, said: str
) -> None:
    """In the shopkeeper's words, and what was typed stays."""
    gateway.refuse_refunds = code
    refused = refund(keeper, desk, "5000")
    assert refused.status_code == 422
    assert WORDS[f"refund.no.{said}"].fa in refused.text
    assert 'value="5000"' in refused.text


@pytest.mark.parametrize("amount", ["", "0", "-", str(TOTAL + 1), "9" * 5_000])
def test_an_amount_that_cannot_be_is_not_sent(
    keeper: FlaskClient, desk: str, gateway: FakeGateway, amount: str
) -> None:
    """The form comes back with the sentence."""
    assert refund(keeper, desk, amount).status_code == 422
    assert gateway.refunds == {}


def test_a_silent_gateway_offers_nothing(keeper: FlaskClient, desk: str, gateway: FakeGateway) -> None:
    """Nobody can know what was refunded already, so there is no form."""
    gateway.down = True
    page = keeper.get(desk + "?lang=en").text
    assert WORDS["refund.unknown"].en in page
    assert "<form" not in page


def test_only_this_page_of_this_browser_refunds(keeper: FlaskClient, desk: str, gateway: FakeGateway) -> None:
    """A form of another site, or of another browser, is refused; so is an order that was not paid, or is not there."""
    form = dict(HIDDEN.findall(keeper.get(desk).text)) | {"amount": "5000"}
    stranger = keeper.application.test_client()
    assert stranger.post(desk, data=form).status_code == 400
    assert stranger.post(desk, data=form | {"guard": ""}).status_code == 400
    assert stranger.post(desk, data=form | {"guard": "-"}).status_code == 400
    assert keeper.post(desk, data=form | {"guard": "x"}).status_code == 400
    assert keeper.get("/shopkeeper/NOBODYS1").status_code == 404
    assert gateway.refunds == {}


def test_a_shop_without_the_setting_has_no_such_page(browser: FlaskClient) -> None:
    """Neither the page nor a link to it."""
    assert browser.get("/shopkeeper").status_code == 404
    assert "/shopkeeper" not in browser.get("/").text


def test_before_anything_is_paid_the_page_says_so(keeper: FlaskClient) -> None:
    """And the shop leads to it."""
    assert 'href="/shopkeeper"' in keeper.get("/").text
    assert WORDS["keeper.none"].fa in keeper.get("/shopkeeper").text
