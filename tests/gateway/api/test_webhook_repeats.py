"""A request about webhooks that comes again has one effect and one answer, and its secret is nowhere in clear."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.services.cancel import cancel
from tests.fakes.shop import MERCHANT, SECRET_KEY, Shop

ENDPOINTS = "/api/v1/webhook_endpoints"
FIRST = f"{ENDPOINTS}/whe_{MERCHANT.merchant_id}"
ADDRESS = "http://localhost:8200/more"


def post(client: FlaskClient, path: str, body: dict[str, Any], key: str) -> TestResponse:
    """Send a POST under an idempotency key."""
    headers = {"Authorization": f"Bearer {SECRET_KEY}", "Idempotency-Key": key}
    return client.post(path, json=body, headers=headers)


def everything_kept(shop: Shop) -> str:
    """All that the database keeps of answers and of secrets, as text."""
    rows = shop.rows(
        "SELECT CAST(i AS text) FROM idempotency i UNION ALL SELECT CAST(e AS text) FROM webhook_endpoint e"
    )
    return "\n".join(row for (row,) in rows)


def test_every_post_about_webhooks_answers_a_repeat_byte_for_byte(shop: Shop, client: FlaskClient) -> None:
    """Also after the endpoint has changed and is gone: the first answer comes back, its secret included."""
    cancel(shop.gateway, shop.open().page_token)
    event_id = shop.rows("SELECT event_id FROM webhook_event")[0][0]
    added = post(client, ENDPOINTS, {"url": ADDRESS}, "add")
    made = f"{ENDPOINTS}/{added.get_json()['id']}"
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("rotate", f"{made}/rotate", {"overlap_seconds": 60}),
        ("since", f"{made}/redeliver", {"since": "2020-01-01T00:00:00Z"}),
        ("event", f"/api/v1/events/{event_id}/redeliver", {}),
    )
    first = {key: post(client, path, body, key) for key, path, body in calls} | {"add": added}
    client.patch(made, json={"enabled": False}, headers={"Authorization": f"Bearer {SECRET_KEY}"})
    client.delete(made, headers={"Authorization": f"Bearer {SECRET_KEY}"})

    for key, path, body in (*calls, ("add", ENDPOINTS, {"url": ADDRESS})):
        again = post(client, path, body, key)
        assert again.status_code < 300, again.data
        assert (again.status_code, again.data) == (first[key].status_code, first[key].data), key
    assert added.get_json()["secret"] != first["rotate"].get_json()["secret"]
    assert shop.rows("SELECT count(*) FROM webhook_endpoint") == [(2,)]


def test_a_kept_answer_has_its_secret_sealed(shop: Shop, client: FlaskClient) -> None:
    """Nothing of the database shows it: it opens only with the key file, and in its merchant's place."""
    secrets = [
        post(client, ENDPOINTS, {"url": ADDRESS}, "add").get_json()["secret"],
        post(client, f"{FIRST}/rotate", {}, "rotate").get_json()["secret"],
    ]
    kept = everything_kept(shop)

    assert len(set(secrets)) == 2
    for secret in secrets:
        bare = secret.removeprefix("whsec_")
        assert bare not in kept
        assert bare.encode().hex() not in kept


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (ENDPOINTS, {"url": f"{ADDRESS}/other"}),
        (f"{FIRST}/rotate", {}),
        (f"{FIRST}/redeliver", {"since": "2020-01-01T00:00:00Z"}),
        ("/api/v1/events/evt_x/redeliver", {}),
        ("/api/v1/payments", {"amount": 250_000, "order_id": "A-1", "callback_url": "http://localhost:8200/back"}),
    ],
)
def test_another_request_under_the_same_key_is_refused(
    shop: Shop, client: FlaskClient, path: str, body: dict[str, Any]
) -> None:
    """422, and nothing is done; a key of a payment is no key of an endpoint either."""
    post(client, ENDPOINTS, {"url": ADDRESS}, "key")
    refused = post(client, path, body, "key")

    assert (refused.status_code, refused.get_json()["code"]) == (422, "idempotency_mismatch")
    assert shop.rows("SELECT count(*) FROM webhook_endpoint") == [(2,)]
    assert shop.rows("SELECT count(*) FROM payment") == [(0,)]


def test_a_refusal_is_not_remembered(shop: Shop, client: FlaskClient) -> None:
    """The same key does it once the reason is gone."""
    assert post(client, f"{FIRST}/rotate", {}, "first").status_code == 200
    assert post(client, f"{FIRST}/rotate", {}, "second").get_json()["code"] == "rotation_running"
    shop.later(2 * 86_400)
    assert post(client, f"{FIRST}/rotate", {}, "second").status_code == 200


def test_twelve_repeats_at_once_make_one_endpoint(shop: Shop) -> None:
    """Each is told the same endpoint and secret, or that the first is being carried out."""
    application, answers = create_app(gateway=shop.gateway), list[TestResponse]()
    together = threading.Barrier(12)

    def ask() -> None:
        client = application.test_client()
        together.wait()
        answers.append(post(client, ENDPOINTS, {"url": ADDRESS}, "key"))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    made = [answer.data for answer in answers if answer.status_code == 201]
    assert made
    assert len(set(made)) == 1
    assert {answer.get_json()["code"] for answer in answers if answer.status_code != 201} <= {"request_in_progress"}
    assert shop.rows("SELECT count(*) FROM webhook_endpoint") == [(2,)]


def test_who_waits_for_another_request_is_told_so(shop: Shop, client: FlaskClient) -> None:
    """After two seconds 409 with Retry-After, as for payments."""
    with shop.gateway.database.begin() as connection:
        connection.exec_driver_sql("SELECT 1 FROM merchant FOR NO KEY UPDATE")
        found: list[TestResponse] = []
        thread = threading.Thread(target=lambda: found.append(post(client, f"{FIRST}/rotate", {}, "key")))
        thread.start()
        thread.join(10)

    assert (found[0].status_code, found[0].get_json()["code"]) == (409, "request_in_progress")
    assert "Retry-After" in found[0].headers
