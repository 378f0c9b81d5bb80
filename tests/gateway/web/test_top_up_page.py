"""The pages for a top-up without JavaScript: number and amount, the payment page, waiting, the receipt."""

from __future__ import annotations

import dataclasses

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.services.owed import add_operator
from gateway.web.wording import WORDS
from tests.fakes.shop import MERCHANT, Shop
from tests.gateway.services.test_top_ups import again, provider
from tests.gateway.web.conftest import CARD, PROOF, words_of

NUMBER = "09121234567"


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """A browser at a gateway that tops up numbers of two operators."""
    changes = {"top_up_url": "http://localhost:1", "top_up_terminal_id": MERCHANT.terminal_id}
    for operator in ("mci", "irancell"):
        add_operator(shop.gateway, operator, MERCHANT.merchant_id)
    settings = shop.gateway.settings.model_copy(update=changes)
    shop.gateway = dataclasses.replace(shop.gateway, settings=settings)
    return create_app(gateway=shop.gateway).test_client()


def go_on(client: FlaskClient, **typed: str) -> TestResponse:
    """Submit the form, with what the test types instead."""
    form = {"mobile": NUMBER, "operator": "", "amount": "200000", "action": "continue", "lang": "fa"}
    return client.post("/topup", data=form | typed)


def press(client: FlaskClient, address: str, action: str = "pay") -> TestResponse:
    """Fill in the card page and press a button."""
    proof = PROOF.search(client.get(address).text)
    assert proof
    return client.post(address, data=CARD | {"action": action, "lang": "fa", "csrf_token": proof[1]})


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_an_empty_form_offers_connected_operators_and_what_they_sell(client: FlaskClient, lang: str) -> None:
    """And no other."""
    shown = words_of(client.get("/topup", query_string={"lang": lang}))

    assert getattr(WORDS["top_up.title"], lang) in shown
    assert ('value="mci"' in shown, 'value="irancell"' in shown, 'value="shatel"' in shown) == (True, True, False)
    assert ('value="10000"' in shown, 'value="1000000"' in shown) == (True, True)
    assert 'role="alert"' not in shown


def test_a_number_is_topped_up_from_form_to_receipt(client: FlaskClient, shop: Shop) -> None:
    """The whole number until it is paid; then the operator's reference, and the number masked."""
    address = str(go_on(client).headers["Location"])
    asked = words_of(client.get(address))
    for part in (NUMBER, "همراه اول", "۲۰۰٬۰۰۰", WORDS["top_up.check"].fa, "همراه اول 4567"):
        assert part in asked

    assert press(client, address).status_code == 303
    waiting = words_of(client.get(address))
    assert WORDS["waiting.title@TOP_UP"].fa in waiting
    again(shop)
    receipt = words_of(client.get(address))

    assert WORDS["receipt.title@TOP_UP"].fa in receipt
    assert "0912***4567" in receipt
    assert NUMBER not in receipt
    assert "OP-" in receipt


@pytest.mark.parametrize(("mobile", "is_asked"), [(NUMBER, True), ("09121234568", False)])
def test_the_same_number_and_amount_minutes_ago_is_asked_about(
    client: FlaskClient, mobile: str, *, is_asked: bool
) -> None:
    """In a top-up's own words; another number is another top-up."""
    press(client, str(go_on(client).headers["Location"]))

    shown = words_of(press(client, str(go_on(client, mobile=mobile).headers["Location"]), "request_pin"))

    assert (WORDS["pay.alike@TOP_UP"].fa.partition("}")[2] in shown) is is_asked
    assert ("دقیقه پیش" in shown) is is_asked


def test_an_operators_no_is_told_with_the_money_on_its_way_back(client: FlaskClient, shop: Shop) -> None:
    """Nothing was topped up, and the page says so."""
    provider(shop).will("refuse")
    address = str(go_on(client).headers["Location"])
    press(client, address)
    again(shop)

    assert WORDS["reversed.text@TOP_UP"].fa in words_of(client.get(address))


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ({"mobile": "0912"}, "top_up.mobile.number"),
        ({"mobile": "09311234567"}, "top_up.operator.needed"),
        ({"operator": "nobody"}, "top_up.operator.unknown"),
        ({"operator": "shatel"}, "top_up.operator.not_offered"),
        ({"amount": "12345"}, "top_up.amount.not_sold"),
        ({"amount": "x"}, "top_up.amount.not_sold"),
        ({"amount": "²"}, "top_up.amount.not_sold"),
    ],
)
def test_what_cannot_be_is_told_in_its_field(client: FlaskClient, typed: dict[str, str], key: str) -> None:
    """422, the sentence, and what was typed is still there."""
    shown = go_on(client, **typed)

    assert shown.status_code == 422
    assert WORDS[key].fa in words_of(shown)
    assert f'value="{typed.get("mobile", NUMBER)}"' in shown.text


def test_a_ported_number_goes_to_the_operator_that_was_chosen(client: FlaskClient, shop: Shop) -> None:
    """The prefix says one, the payer another."""
    address = str(go_on(client, operator="irancell").headers["Location"])
    assert "ایرانسل 4567" in words_of(client.get(address))
    press(client, address)
    again(shop)

    assert [request.operator for request in provider(shop).asked] == ["irancell"]


def test_an_address_that_begins_too_many_waits(client: FlaskClient) -> None:
    """A flood is told to wait."""
    assert [go_on(client).status_code for _ in range(21)][-2:] == [303, 429]


def test_no_page_where_nothing_is_topped_up(shop: Shop) -> None:
    """Without a terminal, and without anybody who delivers."""
    settings = shop.gateway.settings.model_copy(update={"top_up_terminal_id": MERCHANT.terminal_id})
    for gateway in (shop.gateway, dataclasses.replace(shop.gateway, settings=settings)):
        client = create_app(gateway=gateway).test_client()
        assert [client.get("/topup").status_code, client.post("/topup").status_code] == [404, 404]
