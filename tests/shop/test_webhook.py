"""The webhook receiver: signed knocks only, and nothing believed without asking."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

from flask.testing import FlaskClient
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from merchant_demo.app import create_app
from merchant_demo.orders import Shop
from merchant_demo.wording import WORDS
from tests.shop.conftest import WEBHOOK_SECRET, FakeGateway
from tests.shop.test_buying import check_out

OTHER_SECRET = "whsec_" + "b3RoZXIgc2VjcmV0IG90aGVyIHNlY3JldCE="


def event_about(payment_id: str, event_id: str = "evt_1", kind: str = "payment.authorised", **more: Any) -> bytes:
    """Write an event that says a payment was paid."""
    data = {"id": payment_id, "state": "authorised", "amount": 6_450_000, "order_id": "S-1", "new_field": 1} | more
    event = {"id": event_id, "type": kind, "created_at": "2026-11-24T12:00:00Z", "data": data}
    return json.dumps(event).encode()


def signed(body: bytes, *secrets: str, age_minutes: int = 0) -> dict[str, str]:
    """Return the headers of a message as the gateway signs it, with the library that is not ours."""
    at = dt.datetime.now(tz=dt.UTC) - dt.timedelta(minutes=age_minutes)
    signatures = [Webhook(secret).sign("evt_1", at, body.decode()) for secret in secrets or (WEBHOOK_SECRET,)]
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def knock(browser: FlaskClient, payment_id: str, *secrets: str, age_minutes: int = 0) -> int:
    """Send a signed event about a payment and return the status."""
    body = event_about(payment_id)
    headers = signed(body, *secrets, age_minutes=age_minutes)
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


def refunded(browser: FlaskClient) -> int:
    """Send a signed event about a refund and return the status."""
    refund = {"refund_id": "r-1", "payment_id": "pay_0", "amount": 1, "state": "done"}
    body = event_about("pay_0", kind="payment.refunded", refund=refund)
    return browser.post("/webhooks/pooya", data=body, headers=signed(body)).status_code


def test_what_of_an_order_went_back_is_on_its_page(browser: FlaskClient, gateway: FakeGateway, shop: Shop) -> None:
    """As the gateway says when asked, not as the event does; where it does not answer it is told to knock again."""
    check_out(browser)
    gateway.pay()
    knock(browser, "pay_0")
    order = shop.orders.by_payment("pay_0")
    assert order
    page = f"/orders/{order.page_key}"
    assert WORDS["order.refunded"].en not in browser.get(f"{page}?lang=en").text
    gateway.only()["refunded_amount"] = 250_000
    gateway.down = True
    assert refunded(browser) == 503
    gateway.down = False

    assert refunded(browser) == 204

    shown = browser.get(f"{page}?lang=en").text
    assert WORDS["order.refunded"].en in shown
    assert "250,000" in shown
    gateway.only()["refunded_amount"] = 0
    assert refunded(browser) == 204, "the bank refused it after all"
    assert WORDS["order.refunded"].en not in browser.get(f"{page}?lang=en").text


def test_a_wrong_signature_or_an_old_one_is_refused(browser: FlaskClient, gateway: FakeGateway) -> None:
    """Nobody else's knock and no replay of yesterday's is heard."""
    check_out(browser)
    gateway.pay()
    assert knock(browser, "pay_0", OTHER_SECRET) == 401
    assert knock(browser, "pay_0", age_minutes=10) == 401
    assert browser.post("/webhooks/pooya", data=b"{}").status_code == 401
    assert not gateway.confirms


def test_events_about_what_the_shop_does_not_know_are_fine(browser: FlaskClient) -> None:
    """A payment of another system of the same merchant is answered politely."""
    assert knock(browser, "pay_unknown") == 204


def test_f21_a_message_with_one_byte_changed_is_refused(browser: FlaskClient, gateway: FakeGateway) -> None:
    """F21: every byte of the body and of each signed header counts; nothing is asked or confirmed."""
    check_out(browser)
    gateway.pay()
    body = event_about("pay_0")
    headers = signed(body)
    changed = [(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :], headers) for at in range(len(body))]
    for name, value in headers.items():
        for at in range(len(value)):
            other = value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
            changed.append((body, {**headers, name: other}))
        changed.append((body, {key: kept for key, kept in headers.items() if key != name}))
    changed += [(body[:-1], headers), (body + b" ", headers)]

    statuses = {browser.post("/webhooks/pooya", data=sent, headers=with_).status_code for sent, with_ in changed}
    assert statuses == {401}
    assert not gateway.confirms
    assert browser.post("/webhooks/pooya", data=body, headers=headers).status_code == 204
    assert gateway.confirms == ["pay_0"]


def test_f21_while_a_secret_is_rotated_both_ends_may_be_ahead(browser: FlaskClient, shop: Shop) -> None:
    """F21: the gateway signs under both, the shop believes both; afterwards the old one alone is refused."""
    both = shop.settings.model_copy(update={"webhook_secret": SecretStr(f"{OTHER_SECRET} {WEBHOOK_SECRET}")})
    ahead = create_app(both, replace(shop, settings=both)).test_client()
    assert knock(ahead, "pay_x", WEBHOOK_SECRET) == 204
    assert knock(ahead, "pay_x", OTHER_SECRET) == 204
    assert knock(browser, "pay_x", OTHER_SECRET, WEBHOOK_SECRET) == 204
    assert knock(browser, "pay_x", OTHER_SECRET) == 401
