"""Webhooks at the client: compatible with the standard's own library, strict about everything else."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from standardwebhooks import Webhook

from pooya import WebhookRefused, sign_webhook, verify_webhook

SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
NOW = 1_764_000_000
DATA = {"id": "pay_1", "state": "authorised", "amount": 1, "order_id": "آ-۱"}
EVENT = {"id": "evt_1", "type": "payment.authorised", "created_at": "2026-11-24T12:00:00Z", "data": DATA}


def message(event: object = EVENT, *, at: int = NOW, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """A message as the standard's library signs it."""
    body = json.dumps(event, ensure_ascii=False)
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    signature = Webhook(secret).sign("evt_1", moment, body)
    return body.encode(), {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(at), "Webhook-Signature": signature}


def test_what_the_standards_library_signs_is_an_event() -> None:
    """Headers in any case; the payment is typed."""
    body, headers = message()
    event = verify_webhook(body, headers, SECRET, now=NOW)
    assert (event.id, event.type, event.created_at.year) == ("evt_1", "payment.authorised", 2026)
    assert event.payment
    assert event.payment.order_id == "آ-۱"
    assert headers["Webhook-Signature"] == sign_webhook(SECRET, "evt_1", str(NOW), body)


def test_events_about_other_things_have_no_payment() -> None:
    """A kind of a later version is an event all the same."""
    notice = EVENT | {"type": "webhook_endpoint.disabled", "data": {"endpoint_id": "whe_1"}}
    event = verify_webhook(*message(notice), SECRET, now=NOW)
    assert event.payment is None
    assert event.data == {"endpoint_id": "whe_1"}


def test_f21_one_of_several_secrets_and_signatures_is_enough() -> None:
    """F21: during a rotation the header has two, and so may the receiver."""
    other = "whsec_b3RoZXI="
    body, headers = message()
    assert verify_webhook(body, headers, other, SECRET, now=NOW)
    second = sign_webhook(other, "evt_1", str(NOW), body)
    both = headers | {"Webhook-Signature": f"v1a,abc {second} {headers['Webhook-Signature']}"}
    assert verify_webhook(body, both, SECRET, now=NOW)
    assert verify_webhook(body, both, other, now=NOW)


@pytest.mark.parametrize("age", [-301, 301, 10**9])
def test_f21_old_messages_and_those_from_the_future_are_refused(age: int) -> None:
    """F21: five minutes either way."""
    body, headers = message()
    assert verify_webhook(body, headers, SECRET, now=NOW + 299)
    with pytest.raises(WebhookRefused, match="old"):
        verify_webhook(body, headers, SECRET, now=NOW + age)


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Id": ""},
        {"Webhook-Id": "evt_2"},
        {"Webhook-Timestamp": ""},
        {"Webhook-Timestamp": "-1"},
        {"Webhook-Timestamp": "1" * 5_000},
        {"Webhook-Timestamp": "۱۷۶۴۰۰۰۰۰۰"},
        {"Webhook-Timestamp": str(NOW + 1)},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,é"},
        {"Webhook-Signature": "v1, " * 1_000},
    ],
)
def test_f21_a_changed_header_is_refused(change: dict[str, str]) -> None:
    """F21: each of the three is part of what was signed."""
    body, headers = message()
    with pytest.raises(WebhookRefused):
        verify_webhook(body, headers | change, SECRET, now=NOW)


def test_f21_a_stranger_without_secret_is_refused() -> None:
    """F21: no secret verifies nothing, another's neither."""
    body, headers = message()
    for secrets in ((), ("whsec_b3RoZXI=",)):
        with pytest.raises(WebhookRefused):
            verify_webhook(body, headers, *secrets, now=NOW)
    for broken in ("whsec_", "whsec_%%%", ""):
        with pytest.raises(WebhookRefused, match="secret"):
            verify_webhook(body, headers, broken, now=NOW)


@pytest.mark.parametrize(
    "event",
    [
        [],
        {},
        EVENT | {"data": None},
        EVENT | {"data": {"id": "pay_1"}},
        EVENT | {"created_at": None},
        EVENT | {"created_at": "soon"},
        EVENT | {"id": "evt_2"},
    ],
)
def test_what_is_signed_but_no_event_is_refused(event: object) -> None:
    """A signed id and the event's own are the same."""
    body, headers = message(event)
    with pytest.raises(WebhookRefused):
        verify_webhook(body, headers, SECRET, now=NOW)
