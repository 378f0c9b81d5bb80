"""Webhook endpoints, events and deliveries over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker

from gateway.api.door import OPERATIONS
from gateway.api.openapi import document
from gateway.app import create_app
from gateway.ports import NotDelivered
from gateway.services.cancel import cancel
from tests.fakes.shop import MERCHANT, SECRET_KEY, Shop

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
FIRST = f"/api/v1/webhook_endpoints/whe_{MERCHANT.merchant_id}"
ENDPOINTS = "/api/v1/webhook_endpoints"
ADDRESS = "http://localhost:8200/more"


class Client:
    """A merchant's server whose every answer is compared with the published contract."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self._spec = document(OPERATIONS, "http://localhost:8000")

    def call(self, method: str, path: str, status: int, body: Any = None, **query: str) -> Any:
        """Call an operation, expect a status, and return the answer's body."""
        sent = None if method == "GET" else body
        answer = self._client.open(path, method=method, json=sent, query_string=query, headers=HEADERS)
        assert answer.status_code == status, answer.get_data(as_text=True)
        found = answer.get_json(silent=True)
        self._check(path, method, status, found)
        return found

    def _check(self, path: str, method: str, status: int, body: Any) -> None:
        parts = path.split("/")
        if len(parts) > 4:
            parts[4] = "{event_id}" if parts[3] == "events" else "{endpoint_id}"
        promised = self._spec["paths"]["/".join(parts)][method.lower()]["responses"][str(status)]
        if "content" not in promised:
            assert body is None
            return
        schema = next(iter(promised["content"].values()))["schema"] | {"components": self._spec["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(body)


@pytest.fixture
def client(shop: Shop) -> Client:
    """The merchant's server."""
    return Client(create_app(gateway=shop.gateway).test_client())


def test_an_endpoint_is_added_shown_changed_and_removed(client: Client) -> None:
    """Its secret is in the answer to adding it and nowhere else."""
    body = {"url": ADDRESS, "event_types": ["payment.confirmed"], "description": "انبار"}
    made = client.call("POST", ENDPOINTS, 201, body)
    assert made["secret"].startswith("whsec_")
    path = f"{ENDPOINTS}/{made['id']}"

    shown = client.call("GET", path, 200)
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert [each["id"] for each in client.call("GET", ENDPOINTS, 200)["items"]] == [FIRST.rsplit("/", 1)[1], made["id"]]
    changed = client.call("PATCH", path, 200, {"enabled": False, "event_types": []})
    assert (changed["enabled"], changed["disabled_why"], changed["event_types"]) == (False, "asked", [])
    assert changed["description"] == "انبار"
    client.call("DELETE", path, 204)
    assert client.call("GET", path, 404)["code"] == "endpoint_not_found"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "malformed"),
        ({"url": 1}, 400, "malformed"),
        ({"url": ADDRESS, "more": 1}, 400, "malformed"),
        ({"url": ADDRESS, "event_types": ["payment.imagined"]}, 422, "invalid_endpoint"),
        ({"url": "mailto:me@shop.example"}, 422, "invalid_endpoint"),
        ({"url": MERCHANT.webhook_url}, 409, "duplicate_endpoint"),
    ],
)
def test_a_wrong_endpoint_is_refused(client: Client, body: dict[str, Any], status: int, code: str) -> None:
    """Each with its code."""
    assert client.call("POST", ENDPOINTS, status, body)["code"] == code


def test_f21_a_secret_is_rotated_with_an_overlap(client: Client) -> None:
    """F21: the new one is shown once; a second rotation waits, or ends all old ones."""
    made = client.call("POST", f"{FIRST}/rotate", 200, {})
    assert made["secret"].startswith("whsec_")
    assert made["previous_secret_until"] > made["created_at"]
    assert client.call("POST", f"{FIRST}/rotate", 409, {})["code"] == "rotation_running"
    assert client.call("POST", f"{FIRST}/rotate", 200, {"overlap_seconds": 0})["previous_secret_until"] is None
    assert client.call("POST", f"{FIRST}/rotate", 400, {"overlap_seconds": -1})["code"] == "malformed"


def test_the_feed_and_its_deliveries(shop: Shop, client: Client) -> None:
    """Listed in order with filters and paging, shown, with every try, and sent again."""
    for _ in range(3):
        cancel(shop.gateway, shop.open().page_token)
    shop.callbacks.will(NotDelivered("status 503", status=503))
    shop.work()

    listed = client.call("GET", "/api/v1/events", 200)
    assert listed["next_cursor"] is None
    first, second, third = listed["items"]
    assert client.call("GET", f"/api/v1/events/{first['id']}", 200) == first
    page = client.call("GET", "/api/v1/events", 200, limit="2")
    assert page["items"] == [first, second]
    rest = client.call("GET", "/api/v1/events", 200, limit="2", cursor=page["next_cursor"])
    assert (rest["items"], rest["next_cursor"]) == ([third], None)
    of_one = client.call("GET", "/api/v1/events", 200, payment_id=second["data"]["id"], type="payment.cancelled")
    assert of_one["items"] == [second]
    assert client.call("GET", "/api/v1/events", 200, since="2100-01-01T00:00:00Z")["items"] == []

    (log,) = client.call("GET", f"/api/v1/events/{first['id']}/deliveries", 200)["items"]
    assert (log["state"], log["tries"], log["last_error"]) == ("waiting", 1, "status 503")
    assert [(each["status"], each["error"]) for each in log["attempts"]] == [(503, "status 503")]
    assert log["next_try_at"] is not None
    assert client.call("POST", f"/api/v1/events/{first['id']}/redeliver", 202)["queued"] == 1
    shop.work()
    (log,) = client.call("GET", f"/api/v1/events/{first['id']}/deliveries", 200)["items"]
    assert (log["state"], [each["status"] for each in log["attempts"]]) == ("delivered", [503, 200])

    body = {"since": first["created_at"]}
    assert client.call("POST", f"{FIRST}/redeliver", 202, body) == {"queued": 3, "until": third["created_at"]}
    only = {"endpoint_id": FIRST.rsplit("/", 1)[1]}
    assert client.call("POST", f"/api/v1/events/{first['id']}/redeliver", 202, only)["queued"] == 1


def test_f23_the_feed_tells_of_endpoints_that_do_not_hear(shop: Shop, client: Client) -> None:
    """F23: an event that was given up and an endpoint that was disabled are events of the feed."""
    for seconds in (0, 8 * 86_400):
        shop.later(seconds)
        cancel(shop.gateway, shop.open().page_token)
        shop.callbacks.will(NotDelivered("status 500", status=500), NotDelivered("status 500", status=500))
        shop.work()

    notices = [each for each in client.call("GET", "/api/v1/events", 200)["items"] if "endpoint_id" in each["data"]]
    assert {each["type"] for each in notices} == {"webhook.undelivered", "webhook_endpoint.disabled"}
    assert {each["data"]["endpoint_id"] for each in notices} == {FIRST.rsplit("/", 1)[1]}
    shown = client.call("GET", FIRST, 200)
    assert (shown["enabled"], shown["disabled_why"]) == (False, "failing")


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "query"),
    [
        ("GET", "/api/v1/events/evt_none", 404, None, {}),
        ("GET", "/api/v1/events/evt_none/deliveries", 404, None, {}),
        ("POST", "/api/v1/events/evt_none/redeliver", 404, None, {}),
        ("GET", "/api/v1/events", 404, None, {"cursor": "evt_none"}),
        ("GET", "/api/v1/events", 400, None, {"since": "2026-01-01T00:00:00"}),
        ("GET", "/api/v1/events", 400, None, {"page": "2"}),
        ("GET", "/api/v1/events", 400, None, {"limit": "101"}),
        ("POST", f"{FIRST}/redeliver", 400, {}, {}),
        ("POST", f"{FIRST}/redeliver", 400, {"since": 1_700_000_000}, {}),
        ("POST", f"{FIRST}/rotate", 200, {"overlap_seconds": 60.0}, {}),
        ("POST", f"{ENDPOINTS}/whe_none/redeliver", 404, {"since": "2026-01-01T00:00:00Z"}, {}),
        ("PATCH", f"{ENDPOINTS}/whe_none", 404, {}, {}),
        ("DELETE", f"{ENDPOINTS}/whe_none", 404, None, {}),
    ],
)
def test_what_is_not_there_or_malformed_is_a_problem(
    client: Client, method: str, path: str, status: int, body: Any, query: dict[str, str]
) -> None:
    """Each answer follows the contract."""
    client.call(method, path, status, body, **query)


def test_a_key_without_the_scope_is_refused(shop: Shop) -> None:
    """Reading and changing are scopes of their own."""
    shop.change("UPDATE api_key SET scopes = '{webhooks:read}'")
    shop.gateway.directory.forget()
    client = create_app(gateway=shop.gateway).test_client()
    assert client.get(ENDPOINTS, headers=HEADERS).status_code == 200
    refused = client.post(ENDPOINTS, json={"url": ADDRESS}, headers=HEADERS)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "scope_missing")


def test_a_stranger_is_refused(shop: Shop) -> None:
    """No key, no feed."""
    client = create_app(gateway=shop.gateway).test_client()
    assert client.get("/api/v1/events").status_code == 401


def test_a_body_of_another_type_is_refused(shop: Shop) -> None:
    """JSON says that it is JSON."""
    client = create_app(gateway=shop.gateway).test_client()
    assert client.post(ENDPOINTS, data=b"url=x", headers=HEADERS).status_code == 415
