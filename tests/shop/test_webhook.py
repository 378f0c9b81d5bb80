"""The webhook receiver: signed knocks only, and nothing believed without asking."""

from __future__ import annotations

import datetime as dt
import json

from flask.testing import FlaskClient
from standardwebhooks.webhooks import Webhook

from merchant_demo.orders import Shop
from tests.shop.conftest import WEBHOOK_SECRET, FakeGateway
from tests.shop.test_buying import check_out


def knock(browser: FlaskClient, payment_id: str, *, secret: str = WEBHOOK_SECRET, age_minutes: int = 0) -> int:
    """Send a signed event about a payment and return the status."""
    body = json.dumps({"type": "payment.authorised", "data": {"id": payment_id, "state": "authorised"}})
    at = dt.datetime.now(tz=dt.UTC) - dt.timedelta(minutes=age_minutes)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", at, body),
    }
    return browser.post("/webhooks/pooya", data=body, headers=headers).status_code


def test_a_signed_event_makes_the_shop_ask_and_confirm(browser: FlaskClient, gateway: FakeGateway, shop: Shop) -> None:
    """A customer who never comes back still gets the goods."""
    check_out(browser)
    gateway.pay()
    assert knock(browser, "pay_0") == 204
    order = shop.orders.by_payment("pay_0")
    assert order
    assert order.state == "paid"


def test_an_event_that_says_paid_is_not_believed(browser: FlaskClient, shop: Shop) -> None:
    """Only the API's own answer counts."""
    check_out(browser)
    assert knock(browser, "pay_0") == 204
    order = shop.orders.by_payment("pay_0")
    assert order
    assert order.state == "awaiting"


def test_a_wrong_signature_or_an_old_one_is_refused(browser: FlaskClient, gateway: FakeGateway) -> None:
    """Nobody else's knock and no replay of yesterday's is heard."""
    check_out(browser)
    gateway.pay()
    assert knock(browser, "pay_0", secret="whsec_" + "b3RoZXIgc2VjcmV0IG90aGVyIHNlY3JldCE=") == 401
    assert knock(browser, "pay_0", age_minutes=10) == 401
    assert browser.post("/webhooks/pooya", data=b"{}").status_code == 401
    assert not gateway.confirms


def test_events_about_what_the_shop_does_not_know_are_fine(browser: FlaskClient) -> None:
    """A payment of another system of the same merchant is answered politely."""
    assert knock(browser, "pay_unknown") == 204
