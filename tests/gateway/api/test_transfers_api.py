"""Transfers over the merchant API: asked for without a card number, read, listed, told, and destinations by token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.pan import Pan
from foundation.rial import Rial
from gateway.app import create_app
from gateway.domain.scopes import Scope
from gateway.ports import Kind
from gateway.services.enrol import add_issuer
from gateway.services.keys import new_key
from gateway.services.transfer_requests import Naming, name_payee
from gateway.store.lists import newest_first
from tests.fakes.shop import MERCHANT, ONE, PAN, SECRET_KEY, Shop
from tests.gateway.api.test_contract import check
from tests.gateway.api.test_lists import BULK, explained
from tests.gateway.services.test_transfers import FAR, NEAR

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
PATH, SAVED = "/api/v1/transfers", "/api/v1/transfer_destinations"
BODY = {"order_id": "T-1", "callback_url": "http://localhost:8200/back", "amount": 20_000_000}
OPEN = {"order_id": "T-1", "callback_url": "http://localhost:8200/back"}


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """The merchant's server, at a gateway with two banks."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    return create_app(gateway=shop.gateway).test_client()


def ask(client: FlaskClient, body: dict[str, Any] = BODY, **headers: str) -> TestResponse:
    """Open a transfer."""
    return client.post(PATH, json=body, headers=HEADERS | headers)


def complete(shop: Shop, opened: dict[str, Any], to: str | None = NEAR, *, save: bool = False) -> None:
    """Do what whoever pays does on the page."""
    token = opened["page_url"].rsplit("/", 1)[1]
    destination = None if to is None else Pan.parse(to)
    name_payee(shop.gateway, token, Naming(Pan.parse(PAN), destination, Rial(11_000), save))
    (record,) = [each for each in shop_payments(shop) if each.page_token == token]
    shop.send(record)
    shop.settle_down()


def shop_payments(shop: Shop) -> list[Any]:
    """Return the terminal's payments."""
    with shop.gateway.database.single() as connection:
        return newest_first(connection, MERCHANT.terminal_id, {}, after=None, most=100)


def get(client: FlaskClient, path: str) -> Any:
    """Read a good answer."""
    answer = client.get(path, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_transfer_is_opened_read_and_told_of(shop: Shop, client: FlaskClient) -> None:
    """201 with its page and its place; every answer follows the contract; no card number is anywhere."""
    answer = ask(client, BODY | {"description": "قسط", "mobile": "09121234567"})
    opened = answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{PATH}/{opened['id']}")
    assert (opened["state"], opened["amount"], opened["destination"]) == ("open", 20_000_000, None)
    check(PATH, "post", 201, opened)

    complete(shop, opened, FAR, save=True)
    shown = get(client, answer.headers["Location"])

    check(f"{PATH}/{{id}}", "get", 200, shown)
    assert (shown["state"], shown["fee"], shown["amount"]) == ("confirmed", 10_000, 20_000_000)
    assert shown["destination"]["masked_pan"] == Pan.parse(FAR).masked
    check(PATH, "get", 200, get(client, PATH))
    check(SAVED, "get", 200, get(client, SAVED))
    events = get(client, "/api/v1/events")["items"]
    assert [(event["type"], event["data"]["id"]) for event in events] == [("payment.confirmed", opened["id"])]
    told = [json.loads(each.body) for each in shop.callbacks.sent]
    assert [each["type"] for each in told] == ["payment.confirmed"]
    for said in (answer.text, json.dumps(shown), json.dumps(told), json.dumps(events), json.dumps(get(client, SAVED))):
        assert FAR not in said
        assert PAN not in said


def test_an_amount_left_open_is_null_until_it_is_typed(shop: Shop, client: FlaskClient) -> None:
    """And 0 where payments of every kind are shown."""
    opened = ask(client, OPEN).get_json()
    assert opened["amount"] is None
    check(PATH, "post", 201, opened)
    assert get(client, f"/api/v1/payments/{opened['id']}")["amount"] == 0
    complete(shop, opened)
    assert get(client, f"{PATH}/{opened['id']}")["amount"] == 11_000


def test_the_same_key_has_one_effect_and_one_answer(client: FlaskClient) -> None:
    """Another body under it is 422; without a key the order stands in the way and is named."""
    first = ask(client, **{"Idempotency-Key": "k"})
    assert ask(client, **{"Idempotency-Key": "k"}).get_json() == first.get_json()
    mismatch = ask(client, BODY | {"amount": 30_000_000}, **{"Idempotency-Key": "k"})
    assert (mismatch.status_code, mismatch.get_json()["code"]) == (422, "idempotency_mismatch")
    again = ask(client)
    assert (again.status_code, again.get_json()["payment_id"]) == (409, first.get_json()["id"])
    purchase = client.post("/api/v1/payments", json=BODY, headers=HEADERS)
    assert purchase.get_json()["code"] == "duplicate_order"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"pan": "9990020000001234"}, 400, "malformed"),
        ({"destination_pan": "9990020000001234"}, 400, "malformed"),
        ({"destination_token": "card_" + "0" * 32}, 400, "malformed"),
        ({"destination_token": "dest_" + "0" * 32}, 404, "destination_not_found"),
        ({"amount": 9_999}, 422, "transfer_limit"),
        ({"amount": 50_000_001}, 422, "transfer_limit"),
        ({"amount": 0}, 400, "malformed"),
        ({"amount": "20000000"}, 400, "malformed"),
        ({"order_id": "a b"}, 422, "invalid_order_id"),
        ({"callback_url": "https://evil.example/"}, 422, "invalid_callback"),
        ({"mobile": "1"}, 422, "invalid_text"),
        ({"description": "x" * 121}, 422, "invalid_text"),
    ],
)
def test_what_is_wrong_is_a_problem_and_opens_nothing(
    shop: Shop, client: FlaskClient, change: dict[str, Any], status: int, code: str
) -> None:
    """A card number above all: it has no field."""
    answer = ask(client, BODY | change)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    check(PATH, "post", status, answer.get_json())
    assert shop.rows("SELECT 1 FROM payment") == []


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", PATH, Scope.TRANSFERS_WRITE),
        ("GET", PATH, Scope.TRANSFERS_READ),
        ("GET", f"{PATH}/pay_x", Scope.TRANSFERS_READ),
        ("GET", SAVED, Scope.TRANSFERS_READ),
        ("DELETE", f"{SAVED}/dest_x", Scope.TRANSFERS_WRITE),
    ],
)
def test_a_key_needs_a_scope_of_transfers(
    shop: Shop, client: FlaskClient, method: str, path: str, scope: Scope
) -> None:
    """Being allowed to open purchases opens no transfer."""
    others = [each for each in Scope if each is not scope]
    key = new_key(shop.gateway, MERCHANT.terminal_id, scopes=others)
    answer = client.open(path, method=method, json=BODY, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.get_json()["scope"]) == (403, scope)


def test_transfers_are_listed_apart_from_payments(shop: Shop, client: FlaskClient) -> None:
    """Newest first in pages, by state and order; a purchase is none, and none of another terminal is seen."""
    shop.open()
    made = [ask(client, OPEN | {"order_id": f"T-{number}"}).get_json()["id"] for number in range(3)]
    first = get(client, f"{PATH}?limit=2")
    second = get(client, f"{PATH}?limit=2&cursor={first['next_cursor']}")
    assert [each["id"] for each in (*first["items"], *second["items"])] == made[::-1]
    assert second["next_cursor"] is None
    assert [each["id"] for each in get(client, f"{PATH}?order_id=T-1&state=open")["items"]] == [made[1]]
    assert get(client, f"{PATH}?state=confirmed")["items"] == []
    assert client.get(f"{PATH}?cursor=x", headers=HEADERS).get_json()["code"] == "invalid_cursor"
    missing = client.get(f"{PATH}/{shop.open().payment_id}", headers=HEADERS)
    assert (missing.status_code, missing.get_json()["code"]) == (404, "payment_not_found")


def test_the_list_reads_an_index(shop: Shop) -> None:
    """A terminal with three thousand purchases and no transfer reads none of them."""
    shop.change(BULK)
    shop.change("ANALYZE payment")
    plan = explained(shop, newest_first, "00000001", {}, after=None, most=26, kind=Kind.CARD_TRANSFER)
    assert "payment_transfers" in plan
    assert "Sort" not in plan


def test_nobody_confirms_reverses_or_refunds_a_transfer(shop: Shop, client: FlaskClient) -> None:
    """As for any payment that is complete by itself: a confirmation finds it done and changes nothing."""
    opened = ask(client).get_json()
    complete(shop, opened)
    path = f"/api/v1/payments/{opened['id']}"
    refusals = {
        "reverse": ({}, "not_possible"),
        "refund": ({"refund_id": "r", "amount": 1_000}, "refund_not_offered"),
    }
    for act, (body, code) in refusals.items():
        answer = client.post(f"{path}/{act}", json=body, headers=HEADERS)
        assert (answer.status_code, answer.get_json()["code"]) == (409, code), act
    confirmed = client.post(f"{path}/confirm", json={"amount": 20_000_000}, headers=HEADERS)
    assert confirmed.get_json()["first_time"] is False
    assert get(client, "/api/v1/payments/unconfirmed")["items"] == []


def test_d16_a_saved_destination_is_listed_used_and_deleted(shop: Shop, client: FlaskClient) -> None:
    """Token, mask, masked name and bank; then a transfer to it needs no number; then it is gone."""
    complete(shop, ask(client).get_json(), save=True)
    (line,) = get(client, SAVED)["items"]
    assert line.keys() == {
        "token", "masked_pan", "holder_name", "bank_fa", "bank_en", "saved_at", "kept_until",
    }  # fmt: skip
    assert (line["masked_pan"], line["bank_en"], line["holder_name"]) == (
        Pan.parse(NEAR).masked,
        "Bank Two",
        "م*** ر***",
    )

    opened = ask(client, OPEN | {"order_id": "T-2", "destination_token": line["token"]}).get_json()
    assert opened["destination"]["token"] == line["token"]
    complete(shop, opened, None)
    assert get(client, f"{PATH}/{opened['id']}")["state"] == "confirmed"

    assert client.delete(f"{SAVED}/{line['token']}", headers=HEADERS).status_code == 204
    again = client.delete(f"{SAVED}/{line['token']}", headers=HEADERS)
    assert (again.status_code, again.get_json()["code"]) == (404, "destination_not_found")
    assert get(client, SAVED) == {"items": [], "next_cursor": None}
    assert get(client, f"{PATH}/{opened['id']}")["destination"] is None


def test_saved_destinations_come_in_pages(shop: Shop, client: FlaskClient) -> None:
    """A cursor of this list, and of no other."""
    for number, to in enumerate((NEAR, FAR)):
        complete(shop, ask(client, OPEN | {"order_id": f"T-{number}"}).get_json(), to, save=True)
    first = get(client, f"{SAVED}?limit=1")
    second = get(client, f"{SAVED}?limit=1&cursor={first['next_cursor']}")
    assert [each["masked_pan"][:6] for each in (*first["items"], *second["items"])] == ["999001", "999002"]
    assert second["next_cursor"] is None
    other = client.get(f"{PATH}?cursor={first['next_cursor']}", headers=HEADERS)
    assert other.get_json()["code"] == "invalid_cursor"
