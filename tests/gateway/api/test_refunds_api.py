"""Refunds as a merchant's server asks for them, reads them and is told of them."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient

from gateway.domain.payment import OUTSIDE
from gateway.services.keys import new_key
from tests.fakes.shop import MERCHANT, SECRET_KEY, Shop
from tests.fakes.switch import give_no
from tests.gateway.api.test_contract import check

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
PAYMENTS = "/api/v1/payments"


def kept(shop: Shop) -> str:
    """Let a payment be confirmed; return its path."""
    payment = shop.paid()
    shop.confirm(payment)
    return f"{PAYMENTS}/{payment.payment_id}"


def post(client: FlaskClient, path: str, body: dict[str, Any], key: str | None = None) -> Any:
    """Ask for a refund."""
    headers = HEADERS if key is None else HEADERS | {"Idempotency-Key": key}
    return client.post(f"{path}/refund", json=body, headers=headers)


def test_a_refund_is_accepted_followed_and_shown(shop: Shop, client: FlaskClient) -> None:
    """202 pending, then done; the payment shows what went back and can no longer be reversed; all as published."""
    path = kept(shop)
    body = {"refund_id": "A-1", "amount": 100_000, "reason": "یک جلد کم بود"}

    asked = post(client, path, body)
    assert asked.status_code == 202
    check("/api/v1/payments/{id}/refund", "post", 202, asked.get_json())
    assert (asked.get_json()["state"], asked.get_json()["reason"]) == ("pending", body["reason"])
    shop.work()

    listed = client.get(f"{path}/refunds", headers=HEADERS).get_json()
    check("/api/v1/payments/{id}/refunds", "get", 200, listed)
    assert [(row["refund_id"], row["state"], row["action_code"]) for row in listed["items"]] == [("A-1", "done", "000")]
    payment = client.get(path, headers=HEADERS).get_json()
    check("/api/v1/payments/{id}", "get", 200, payment)
    assert (payment["state"], payment["refunded_amount"], payment["reverse_before"]) == ("confirmed", 100_000, None)
    events = client.get(f"{path}/events", headers=HEADERS).get_json()
    check("/api/v1/payments/{id}/events", "get", 200, events)
    assert [event["type"] for event in events["items"]][-2:] == ["refund_requested", "refund_done"]


def test_d11_the_webhook_tells_each_refund_once_with_the_payment(shop: Shop, client: FlaskClient) -> None:
    """D11: done, refused and the last one that makes the payment refunded, each exactly once, with all of both."""
    path = kept(shop)
    shop.switch.givings.append(give_no("118"))
    for number, amount in enumerate((250_000, 100_000, 150_000)):
        post(client, path, {"refund_id": f"A-{number}", "amount": amount})
        shop.settle_down(after=100 * (number + 1))

    told = [json.loads(webhook.body) for webhook in shop.callbacks.sent]
    refunds = [
        (event["type"], event["data"]["refund"]["refund_id"], event["data"]["refund"]["state"], event["data"]["state"])
        for event in told
        if event["type"].startswith("payment.refund")
    ]
    assert refunds == [
        ("payment.refund_refused", "A-0", "refused", "confirmed"),
        ("payment.refunded", "A-1", "done", "confirmed"),
        ("payment.refunded", "A-2", "done", "refunded"),
    ]
    listed = client.get(f"{PAYMENTS}?state=refunded", headers=HEADERS).get_json()
    assert [row["refunded_amount"] for row in listed["items"]] == [250_000]
    assert listed["items"][0]["state"] == "refunded"


def test_i10_a_key_and_an_id_repeat_what_they_began(shop: Shop, client: FlaskClient) -> None:
    """I10, D11: a key gives the first answer, an id the refund as it stands; something else under either is no."""
    path = kept(shop)
    body = {"refund_id": "A-1", "amount": 100_000}
    first = post(client, path, body, "k-1").get_json()
    shop.work()

    assert post(client, path, body, "k-1").get_json() == first
    assert post(client, path, body).get_json()["state"] == "done"
    assert post(client, path, body | {"amount": 5}, "k-1").get_json()["code"] == "idempotency_mismatch"
    taken = post(client, path, body | {"amount": 5}).get_json()
    assert (taken["code"], taken["status"], taken["payment_id"]) == ("refund_id_taken", 409, first["payment_id"])
    assert len(shop.switch.returned) == 1


def test_a_key_needs_the_scope(shop: Shop, client: FlaskClient) -> None:
    """Whoever may reverse may not refund: it is a scope of its own, and reading needs only reading."""
    path = kept(shop)
    headers = {
        scope: {"Authorization": f"Bearer {new_key(shop.gateway, MERCHANT.terminal_id, scopes=[scope])}"}
        for scope in ("payments:reverse", "payments:read")
    }
    body = {"refund_id": "A-1", "amount": 1}
    refused = client.post(f"{path}/refund", json=body, headers=headers["payments:reverse"])
    assert (refused.status_code, refused.get_json()["scope"]) == (403, "payments:refund")
    assert client.get(f"{path}/refunds", headers=headers["payments:read"]).get_json() == {"items": []}
    assert client.get(f"{PAYMENTS}/pay_nobody/refunds", headers=HEADERS).status_code == 404


def test_outside_words_of_the_database_are_those_of_the_domain(shop: Shop) -> None:
    """The list filters by the same word that the payment shows."""
    for state, word in OUTSIDE.items():
        assert shop.rows("SELECT outside_state(:state)", state=str(state)) == [(word,)]
