"""Webhooks over a real socket, verified with the library that merchants use."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from standardwebhooks import Webhook as Signature

from foundation.database import Database, NetworkInTransaction
from foundation.sensitive import Sensitive
from gateway.callbacks.sender import WebhookSender
from gateway.ports import Delivered, NotDelivered, Webhook
from tests.fakes.http import Reply, Request, serving
from tests.fakes.shop import WEBHOOK_SECRET


def sender(*, timeout_seconds: float = 1.0, public_only: bool = False) -> WebhookSender:
    """A sender by the real clock: the receiver checks the age."""
    return WebhookSender(timeout_seconds=timeout_seconds, public_only=public_only, now=lambda: dt.datetime.now(dt.UTC))


def webhook(url: str) -> Webhook:
    """One message."""
    return Webhook("evt_7", url, Sensitive(WEBHOOK_SECRET), '{"type":"payment.confirmed","data":{"n":"آ"}}'.encode())


def test_a_merchant_verifies_the_signature_with_the_standard_library() -> None:
    """Standard Webhooks: id, timestamp and body are signed."""
    with serving(lambda _: Reply(204)) as site:
        assert sender().send(webhook(site.url + "/hooks")) == Delivered()

    got = site.requests[0]
    assert Signature(WEBHOOK_SECRET).verify(got.body, got.headers)["type"] == "payment.confirmed"
    assert got.headers["webhook-id"] == "evt_7"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(500), NotDelivered("status 500")),
        (Reply(302, {"Location": "http://localhost:1/"}), NotDelivered("status 302")),
        (Reply(410), NotDelivered("status 410", gone=True)),
        (Reply(200, {}, b"x" * 1_000_000), Delivered()),
        (Reply(raw=b""), NotDelivered("ProtocolError")),
    ],
)
def test_f23_only_2xx_is_delivered_and_nothing_is_followed_or_read_to_the_end(
    reply: Reply, answer: Delivered | NotDelivered
) -> None:
    """F23, I12: errors, redirects, huge bodies and broken connections are values."""
    with serving(lambda _: reply) as site:
        assert sender().send(webhook(site.url)) == answer
    assert len(site.requests) == 1


def test_f23_a_slow_merchant_does_not_hold_the_worker() -> None:
    """F23: the time-out ends it."""
    let_go = threading.Event()

    def slow(_: Request) -> Reply:
        let_go.wait(5)
        return Reply(200)

    with serving(slow) as site:
        assert sender(timeout_seconds=0.2).send(webhook(site.url)) == NotDelivered("ReadTimeoutError")
        let_go.set()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "http://nowhere.invalid/"]
)
def test_f23_live_merchants_cannot_point_us_at_our_own_network(url: str) -> None:
    """F23: private, link-local and unknown hosts are refused before connecting."""
    assert sender(public_only=True).send(webhook(url)) == NotDelivered("address is not public")


def test_d10_a_live_gateway_sends_no_webhook_over_plain_http() -> None:
    """An address from before the gateway went live is not used either."""
    assert sender(public_only=True).send(webhook("http://1.1.1.1/hooks")) == NotDelivered("address is not https")


def test_no_webhook_leaves_inside_a_transaction(gateway_database: Database) -> None:
    """The network is never inside a transaction."""
    with gateway_database.begin(), pytest.raises(NetworkInTransaction):
        sender().send(webhook("http://127.0.0.1:1/"))
