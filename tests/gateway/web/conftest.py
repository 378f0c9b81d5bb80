"""A browser without JavaScript at the payment page of a gateway on a real database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.pan import with_check_digit
from gateway.app import create_app
from gateway.store.payments import PaymentRecord
from tests.fakes.shop import PAN, Shop

REAL_PAN = with_check_digit("621986103452900")
PROOF = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
CARD = {"pan": PAN, "cvv2": "123", "exp_month": "12", "exp_year": "08", "pin": "123456"}


@dataclass
class Page:
    """One payment's page, and what a customer does on it."""

    client: FlaskClient
    payment: PaymentRecord
    language: str = "fa"

    @property
    def path(self) -> str:
        """The page's address."""
        return f"/pay/{self.payment.page_token}"

    def look(self) -> TestResponse:
        """Load the page."""
        return self.client.get(self.path, query_string={"lang": self.language})

    def proof(self) -> str:
        """Return the hidden field of the form."""
        found = PROOF.search(self.look().text)
        assert found
        return found[1]

    def press(self, action: str, *, json: bool = False, proof: str | None = None, **typed: str) -> TestResponse:
        """Fill the form with a good card and what the test types instead, and press a button."""
        form = CARD | typed | {"action": action, "lang": self.language, "csrf_token": proof or self.proof()}
        headers = {"Accept": "application/json"} if json else {"Accept": "text/html"}
        return self.client.post(self.path, data=form, headers=headers)


def words_of(answer: TestResponse) -> str:
    """Return an answer as text, entities resolved."""
    return unescape(answer.text)


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """A browser that keeps no cookies."""
    return create_app(gateway=shop.gateway).test_client(use_cookies=False)


@pytest.fixture
def page(client: FlaskClient, shop: Shop) -> Page:
    """The page of a fresh payment."""
    return Page(client, shop.open(12_500_000))
