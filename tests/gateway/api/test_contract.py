"""The published contract is valid, is what the gateway serves, and is what it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from gateway.api.door import OPERATIONS
from gateway.api.openapi import document
from gateway.app import create_app
from gateway.domain.payment import OUTSIDE, TELLS
from gateway.services.authorise import pay
from tests.fakes.shop import SECRET_KEY, Shop, card

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
CONTRACT = Path(__file__).parents[3] / "contracts" / "merchant" / "v1"
SERVER = "http://localhost:8000"


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """The merchant's server."""
    return create_app(gateway=shop.gateway).test_client()


def check(path: str, method: str, status: int, body: Any) -> None:
    """Validate one answer against the contract."""
    spec = document(OPERATIONS, SERVER)
    content = spec["paths"][path][method]["responses"][str(status)]["content"]
    schema = next(iter(content.values()))["schema"] | {"components": spec["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(body)


def test_the_document_is_valid_and_published(client: FlaskClient) -> None:
    """OpenAPI 3.1; the file in contracts/ and the answer of the server are one document."""
    spec = document(OPERATIONS, SERVER)
    validate(spec)  # type: ignore[arg-type]  # read from JSON

    assert json.loads((CONTRACT / "openapi.json").read_text()) == spec
    assert client.get("/api/v1/openapi.json").get_json() == spec


def test_every_route_is_in_the_contract_and_the_reverse(client: FlaskClient) -> None:
    """No hidden door, no promise without one."""
    rules = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in client.application.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.rule not in {"/api/v1/docs", "/api/v1/openapi.json"}
        for method in rule.methods or set()
        if method not in {"HEAD", "OPTIONS"}
    }
    promised = {(path, method) for path, item in document(OPERATIONS, SERVER)["paths"].items() for method in item}
    assert rules == promised


def test_answers_follow_the_contract(shop: Shop, client: FlaskClient) -> None:
    """Each operation's answer and a problem of each validate."""
    body = {"amount": 250_000, "order_id": "A-1", "callback_url": "http://localhost:8200/back"}
    opened = client.post("/api/v1/payments", json=body, headers=HEADERS).get_json()
    check("/api/v1/payments", "post", 201, opened)
    duplicate = client.post("/api/v1/payments", json=body, headers=HEADERS)
    check("/api/v1/payments", "post", duplicate.status_code, duplicate.get_json())
    pay(shop.gateway, opened["page_url"].rsplit("/", 1)[1], card())
    path = f"/api/v1/payments/{opened['id']}"

    check("/api/v1/payments", "get", 200, client.get("/api/v1/payments", headers=HEADERS).get_json())
    check("/api/v1/payments/{id}", "get", 200, client.get(path, headers=HEADERS).get_json())
    confirmed = client.post(f"{path}/confirm", json={"amount": 250_000}, headers=HEADERS).get_json()
    check("/api/v1/payments/{id}/confirm", "post", 200, confirmed)
    mismatch = client.post(f"{path}/confirm", json={"amount": 1}, headers=HEADERS)
    check("/api/v1/payments/{id}/confirm", "post", mismatch.status_code, mismatch.get_json())
    check("/api/v1/payments/{id}/reverse", "post", 202, client.post(f"{path}/reverse", headers=HEADERS).get_json())
    missing = client.get("/api/v1/payments/pay_x", headers=HEADERS)
    check("/api/v1/payments/{id}", "get", missing.status_code, missing.get_json())


def test_the_description_names_every_state_and_every_webhook() -> None:
    """What a merchant reads covers what it can meet."""
    words = (CONTRACT / "README.md").read_text()
    for word in {*OUTSIDE.values(), *TELLS.values()}:
        assert f"`{word}`" in words
