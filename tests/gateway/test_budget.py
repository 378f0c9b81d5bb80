"""What each step of a purchase asks of the gateway's database: exactly its row in the table of budgets."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.budgets import BUDGETS, GATEWAY, GATEWAY_WORKER, PURCHASE_COMMITS_MAX, PURCHASE_STATEMENTS_MAX, budget
from gateway.app import create_app
from gateway.domain.limits import DELIVERY_CHECK_SECONDS
from gateway.ports import Delivery
from tests.fakes.counting import Counted, counting
from tests.fakes.harim import SENT
from tests.fakes.shop import SECRET_KEY, Shop
from tests.gateway.web.conftest import CARD, PROOF

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
BODY = {"amount": 250_000, "order_id": "A-1", "callback_url": "http://localhost:8200/back"}
BESIDES = {"no news of the SMS", "news of the SMS", "confirm again"}
"""Steps that a purchase may do without."""


class Walk:
    """One purchase over HTTP, step by step; each is counted by itself."""

    def __init__(self, shop: Shop, client: FlaskClient) -> None:
        self._shop = shop
        self._client = client
        self._payment: dict[str, Any] = {}
        self._proof = ""
        self.counted: dict[str, Counted] = {}

    def whole(self) -> None:
        """Buy."""
        self._step("open", self._open)
        self._step("page", self._page)
        self._shop.harim.will(replace(SENT, correlation_id=str(uuid.uuid4())))
        self._step("request PIN", lambda: self._press("request_pin"))
        self._shop.harim.deliveries.extend([Delivery.QUEUED, Delivery.ACCEPTED])
        for number, step in enumerate(("no news of the SMS", "news of the SMS"), start=1):
            self._shop.later(3 * DELIVERY_CHECK_SECONDS * number)
            self._step(step, lambda: self._client.get(f"{self._address}/pin"))
        self._step("pay", lambda: self._press("pay"))
        self._step("result", lambda: self._client.get(self._address))
        self._step("read", lambda: self._client.get(self._api, headers=HEADERS))
        self._step("confirm", self._confirm)
        self._step("confirm again", lambda: self._confirm("another-key"))

    @property
    def _api(self) -> str:
        return f"/api/v1/payments/{self._payment['id']}"

    @property
    def _address(self) -> str:
        return f"/pay/{self._payment['page_url'].rsplit('/', 1)[1]}"

    def _step(self, name: str, do: Callable[[], TestResponse]) -> None:
        with counting(self._shop.gateway.database) as counted:
            answer = do()
        assert answer.status_code < 400, answer.text
        self.counted[name] = counted

    def _open(self) -> TestResponse:
        answer = self._client.post("/api/v1/payments", json=BODY, headers=HEADERS | {"Idempotency-Key": "open-A-1"})
        self._payment = answer.json or {}
        return answer

    def _page(self) -> TestResponse:
        answer = self._client.get(self._address)
        found = PROOF.search(answer.text)
        assert found
        self._proof = found[1]
        return answer

    def _press(self, action: str) -> TestResponse:
        return self._client.post(self._address, data=CARD | {"action": action, "csrf_token": self._proof})

    def _confirm(self, key: str = "confirm-A-1") -> TestResponse:
        headers = HEADERS | {"Idempotency-Key": key}
        answer = self._client.post(f"{self._api}/confirm", json={"amount": 250_000}, headers=headers)
        assert answer.json
        assert answer.json["first_time"] is (key == "confirm-A-1")
        return answer


@pytest.fixture
def walk(shop: Shop) -> Walk:
    """A purchase that is through, with everything that is remembered for seconds known before."""
    client = create_app(gateway=shop.gateway).test_client(use_cookies=False)
    assert client.get("/api/v1/payments", headers=HEADERS).status_code == 200
    shop.paid()
    walk = Walk(shop, client)
    walk.whole()
    return walk


def test_performance_each_step_asks_what_its_budget_says(walk: Walk) -> None:
    """Statements and commits, step by step; no row of the table is left out."""
    found = {step: (len(counted.statements), counted.commits) for step, counted in walk.counted.items()}

    assert found == {row.step: (row.statements, row.commits) for row in BUDGETS if row.who == GATEWAY}


def test_performance_a_whole_purchase_keeps_its_budget(walk: Walk) -> None:
    """All that a purchase needs, together: at most 16 statements and 7 commits (reference figure)."""
    needed = [counted for step, counted in walk.counted.items() if step not in BESIDES]

    assert sum(len(counted.statements) for counted in needed) <= PURCHASE_STATEMENTS_MAX
    assert sum(counted.commits for counted in needed) <= PURCHASE_COMMITS_MAX


def test_performance_no_step_reads_a_row_twice(walk: Walk) -> None:
    """The same statement twice in one step is a row read twice, or one by one."""
    for step, counted in walk.counted.items():
        assert Counter(counted.statements).most_common(1)[0][1] == 1, step


def test_performance_a_webhook_asks_what_its_budget_says(shop: Shop) -> None:
    """Over what the worker asks anyway when it looks for work and finds none."""
    shop.paid()

    with counting(shop.gateway.database) as busy:
        shop.work()
    with counting(shop.gateway.database) as idle:
        shop.work()

    told = [statement for statement in busy.statements if statement not in idle.statements]
    looks = len(busy.statements) - len(told) - len(idle.statements)
    assert len(shop.callbacks.sent) == 1
    assert (len(told), busy.commits - idle.commits - looks) == budget("webhook", GATEWAY_WORKER)
