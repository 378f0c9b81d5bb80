"""The merchant API over HTTP."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from foundation.database import Database
from gateway.app import create_app
from gateway.services.authorise import pay
from tests.fakes.shop import SECRET_KEY, Shop, card

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
BODY = {"amount": 250_000, "order_id": "A-1", "callback_url": "http://localhost:8200/back"}


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """The merchant's server."""
    return create_app(gateway=shop.gateway).test_client()


def test_open_answers_what_the_design_promises(client: FlaskClient) -> None:
    """201, Location, page address, times; nothing about card or PIN."""
    answer = client.post(
        "/api/v1/payments", json=BODY | {"description": "کتاب", "mobile": "09121234567"}, headers=HEADERS
    )

    assert answer.status_code == 201
    body = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1/payments/{body['id']}"
    assert body["page_url"].startswith("http://localhost:8000/pay/")
    assert {"id", "state", "amount", "order_id", "page_url", "expires_at"} <= body.keys()
    assert (body["state"], body["card"], body["confirm_before"]) == ("open", None, None)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_purchase_by_the_merchants_eyes(shop: Shop, client: FlaskClient) -> None:
    """Open, paid, listed, confirmed once, shown."""
    opened = client.post("/api/v1/payments", json=BODY, headers=HEADERS).get_json()
    path = f"/api/v1/payments/{opened['id']}"
    pay(shop.gateway, opened["page_url"].rsplit("/", 1)[1], card())
    listed = client.get("/api/v1/payments/unconfirmed", headers=HEADERS).get_json()
    confirmed = client.post(f"{path}/confirm", json={"amount": 250_000}, headers=HEADERS).get_json()
    again = client.post(f"{path}/confirm", json={"amount": 250_000}, headers=HEADERS).get_json()

    assert [item["id"] for item in listed["items"]] == [opened["id"]]
    assert (confirmed["state"], confirmed["first_time"], again["first_time"]) == ("confirmed", True, False)
    assert len(confirmed["rrn"]) == 12
    assert confirmed["card"]["token"].startswith("card_")
    assert client.get(path, headers=HEADERS).get_json()["state"] == "confirmed"
    reversed_ = client.post(f"{path}/reverse", headers=HEADERS)
    assert (reversed_.status_code, reversed_.get_json()["state"]) == (202, "reversing")


def test_an_idempotent_open_has_one_answer(client: FlaskClient) -> None:
    """Same key and body: byte for byte; same key, other body: 422."""
    headers = HEADERS | {"Idempotency-Key": "key-1"}
    first = client.post("/api/v1/payments", json=BODY, headers=headers)

    assert client.post("/api/v1/payments", json=BODY, headers=headers).data == first.data
    other = client.post("/api/v1/payments", json=BODY | {"amount": 1_000}, headers=headers)
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_mismatch")


def test_d42_a_duplicate_order_names_its_payment(client: FlaskClient) -> None:
    """D42: 409 with the id."""
    first = client.post("/api/v1/payments", json=BODY, headers=HEADERS).get_json()
    second = client.post("/api/v1/payments", json=BODY, headers=HEADERS)

    assert (second.status_code, second.get_json()["payment_id"]) == (409, first["id"])
    assert second.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic abc",
        "Bearer",
        "Bearer sk_test_wrong",
        "Bearer sk_test_" + "B" * 40,
    ],
)
def test_d10_a_wrong_key_learns_nothing(client: FlaskClient, authorization: str | None) -> None:
    """D10: missing, malformed and unknown keys are one answer."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.get("/api/v1/payments/pay_x", headers=headers)

    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_is_unknown(shop: Shop, client: FlaskClient) -> None:
    """The row decides; the database holds a hash only."""
    assert shop.rows("SELECT secret_hash FROM api_key") == [(hashlib.sha256(SECRET_KEY.encode()).digest(),)]
    shop.change("UPDATE api_key SET revoked_at = house_now()")
    shop.gateway.directory.forget()

    assert client.get("/api/v1/payments", headers=HEADERS).status_code == 401


@pytest.mark.parametrize(
    ("kwargs", "status", "at"),
    [
        ({"data": "{", "content_type": "application/json"}, 400, {"pointer": "#"}),
        ({"data": "[]", "content_type": "application/json"}, 400, {"pointer": "#"}),
        ({"data": "{}", "content_type": "text/plain"}, 415, None),
        ({"json": BODY | {"amount": "250000"}}, 400, {"pointer": "#/amount"}),
        ({"json": BODY | {"amount": 1.5}}, 400, {"pointer": "#/amount"}),
        ({"json": BODY | {"amount": True}}, 400, {"pointer": "#/amount"}),
        ({"json": BODY | {"amount": -1}}, 400, {"pointer": "#/amount"}),
        ({"json": BODY | {"amount": 10**40}}, 400, {"pointer": "#/amount"}),
        ({"json": BODY | {"extra": 1}}, 400, {"pointer": "#/extra"}),
        ({"json": BODY | {"amount": 5}}, 422, {"pointer": "#/amount"}),
        ({"json": BODY | {"callback_url": "javascript:alert(1)"}}, 422, {"pointer": "#/callback_url"}),
        ({"json": BODY, "headers": HEADERS | {"Idempotency-Key": "x" * 129}}, 400, {"header": "Idempotency-Key"}),
        ({"data": b"\xff" * 40_000, "content_type": "application/json"}, 413, None),
    ],
)
def test_malformed_requests_are_problems(
    client: FlaskClient, kwargs: dict[str, object], status: int, at: dict[str, str] | None
) -> None:
    """Every refusal is problem+json that names the place and never echoes the value."""
    answer = client.post("/api/v1/payments", **({"headers": HEADERS} | kwargs))  # type: ignore[arg-type]  # fields by name

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    if at is not None:
        assert at.items() < answer.get_json()["errors"][0].items()


def test_wrong_paths_methods_and_parameters_are_problems(client: FlaskClient) -> None:
    """404, 405 and an unknown filter."""
    assert client.post("/api/v1/payments/pay_x/refuse", headers=HEADERS).status_code == 404
    wrong_method = client.delete("/api/v1/payments", headers=HEADERS)
    assert wrong_method.status_code == 405
    assert client.get("/api/v1/payments?status=open", headers=HEADERS).status_code == 400
    assert client.get("/api/v1/payments?state=paid", headers=HEADERS).status_code == 400
    assert client.get("/api/v1/payments/pay_x", headers=HEADERS).status_code == 404


@pytest.mark.parametrize("path", ["v1/nothing", "v2/payments", "v1/payments"])
def test_a_refused_address_has_what_each_answer_has(client: FlaskClient, path: str) -> None:
    """What the contract says of each answer, also where no operation answers: 404, and 405 of a known path."""
    answer = client.delete(f"/api/{path}", headers=HEADERS)
    assert answer.status_code in {404, 405}
    assert len(answer.headers["Request-Id"]) == 16
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/payments/%00", None, (404, None)),
        ("POST", "/payments/pay_%00/confirm", {"amount": 250_000}, (404, None)),
        ("GET", "/orders/A%00", None, (404, None)),
        ("GET", "/events/evt_%00", None, (404, None)),
        ("GET", "/webhook_endpoints/%00", None, (404, None)),
        ("GET", "/events?type=%00", None, (400, {"parameter": "type"})),
        ("GET", "/events?payment_id=pay_%00", None, (400, {"parameter": "payment_id"})),
        ("GET", "/events?cursor=%00", None, (400, {"parameter": "cursor"})),
        ("GET", "/payments?cursor=%00", None, (400, {"parameter": "cursor"})),
        (
            "POST",
            "/webhook_endpoints",
            {"url": "http://localhost:8200/n", "description": "a\0"},
            (400, {"pointer": "#/description"}),
        ),
        ("POST", "/webhook_endpoints", {"url": "\0"}, (400, {"pointer": "#/url"})),
        (
            "POST",
            "/webhook_endpoints",
            {"url": "http://localhost:8200/n", "event_types": ["\0"]},
            (400, {"pointer": "#/event_types"}),
        ),
        ("POST", "/events/evt_1/redeliver", {"endpoint_id": "whe_\0"}, (400, {"pointer": "#/endpoint_id"})),
        (
            "POST",
            "/bills/refusals",
            {"tracking_code": "\0", "bill_id": "7748317800142", "pay_id": "1770160", "signature": "v1,"},
            (400, {"pointer": "#/tracking_code"}),
        ),
        ("POST", "/payments", BODY | {"description": "\0"}, (400, {"pointer": "#/description"})),
    ],
)
def test_a_nul_is_the_callers_mistake_and_no_fault_of_ours(
    client: FlaskClient, method: str, path: str, body: object, said: tuple[int, dict[str, str] | None]
) -> None:
    """The database holds no such text: nobody is told that the outcome is not known."""
    answer = client.open(f"/api/v1{path}", method=method, json=body, headers=HEADERS)
    status, place = said
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    if place is not None:
        assert place.items() <= answer.get_json()["errors"][0].items()


def test_a_lost_database_is_503_never_a_no(shop: Shop) -> None:
    """D34: a lost answer is no answer; the caller repeats with the same key."""
    away = Database("postgresql+psycopg://nobody@/nowhere?host=/nonexistent", application_name="tests")
    object.__setattr__(shop.gateway, "database", away)
    client = create_app(gateway=shop.gateway).test_client()

    answer = client.post("/api/v1/payments", json=BODY, headers=HEADERS)

    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    with pytest.raises(OperationalError), away.single():
        pass


def test_f29_a_full_pool_is_waited_for_in_bounds_and_then_503(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """F29: with every connection held the caller is told to try again, health shows it, and afterwards all is well."""
    monkeypatch.setattr("foundation.database.POOL_WAIT_SECONDS", 0.3)
    url = shop.gateway.database.engine.url.render_as_string(hide_password=False)
    small = Database(url, pool_size=1, application_name="tests")
    client = create_app(gateway=replace(shop.gateway, database=small)).test_client()

    with small.engine.connect():
        answer = client.post("/api/v1/payments", json=BODY, headers=HEADERS)
        ready = client.get("/readyz").status_code

    assert (answer.status_code, answer.headers["Retry-After"], ready) == (503, "5", 503)
    assert client.post("/api/v1/payments", json=BODY, headers=HEADERS).status_code == 201
    assert client.get("/readyz").status_code == 200
    small.close()


def test_a_ready_gateway_says_so(client: FlaskClient) -> None:
    """Readiness is the database."""
    assert client.get("/readyz").get_json() == {
        "database": "up",
        "directory": "up",
        "keys": "up",
        "redis": "not used",
    }
