"""The statement and commit budget of a whole purchase (reference figure: at most 16 statements and 7 commits)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.services.authorise import Paid, pay
from gateway.services.request_pin import request_pin
from gateway.services.show_page import page_of
from tests.fakes.counting import counting
from tests.fakes.shop import SECRET_KEY, Shop, card

STATEMENTS_MAX = 16
COMMITS_MAX = 7


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """The merchant's server."""
    return create_app(gateway=shop.gateway).test_client()


def test_a_whole_purchase_keeps_its_budget(shop: Shop, client: FlaskClient) -> None:
    """Open, page, PIN, page again, pay, result, status, confirm: within the budget, directory warm."""
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}
    body = {"amount": 250_000, "order_id": "A-1", "callback_url": "http://localhost:8200/back"}
    shop.paid()

    with counting(shop.gateway.database) as counted:
        opened = client.post("/api/v1/payments", json=body, headers=headers | {"Idempotency-Key": "open-A-1"}).json
        assert opened is not None
        token = opened["page_url"].rsplit("/", 1)[1]
        page_of(shop.gateway, token)
        request_pin(shop.gateway, token, card())
        page_of(shop.gateway, token)

        assert pay(shop.gateway, token, card()) == Paid()
        page_of(shop.gateway, token)
        path = f"/api/v1/payments/{opened['id']}"
        assert client.get(path, headers=headers).status_code == 200
        done = client.post(f"{path}/confirm", json={"amount": 250_000}, headers=headers | {"Idempotency-Key": "c-A-1"})
        assert done.json is not None
        assert done.json["first_time"] is True

    assert len(counted.statements) <= STATEMENTS_MAX, counted.statements
    assert counted.commits <= COMMITS_MAX
