"""Whoever changes where a merchant's money goes is heard of at the merchant's own servers (D11)."""

from __future__ import annotations

import json

import pytest

from gateway.domain.four_eyes import Asked
from gateway.domain.webhooks import IBAN_ADDED, IBAN_REMOVED
from gateway.ports import NotDelivered
from gateway.services import endpoints
from gateway.services.approve import approve, ask, refuse
from gateway.services.endpoints import redeliver_event
from gateway.services.ibans import add_iban, list_ibans
from tests.fakes.shop import MERCHANT, Shop
from tests.gateway.services.test_settle import FIRST, SECOND, usable
from tests.gateway.services.test_webhooks import FIRST as ENDPOINT
from tests.gateway.services.test_webhooks import add, send_due

NOBODY = NotDelivered("status 500", status=500)


def removed(shop: Shop, iban: str) -> None:
    """Let two people remove an IBAN."""
    (found,) = [row.iban_id for row in list_ibans(shop.gateway, MERCHANT.merchant_id) if row.iban == iban]
    approve(shop.gateway, ask(shop.gateway, Asked.REMOVE_IBAN, found, by="sara", reason="account is closed"), by="ali")


def heard(shop: Shop) -> list[tuple[str, str, str]]:
    """Say who was told what about which IBAN."""
    send_due(shop)
    bodies = [(sent.url.rsplit("/", 1)[1], json.loads(sent.body)) for sent in shop.callbacks.sent]
    return sorted((where, body["type"], body["data"]["iban"]) for where, body in bodies)


def test_d11_endpoints_hear_of_a_new_iban_and_of_one_that_is_removed(shop: Shop) -> None:
    """Approved, not asked for or refused: then those that want to hear are told, in the words of the feed."""
    add(shop, "money", IBAN_REMOVED)
    add(shop, "sales", "payment.confirmed")
    asked = add_iban(shop.gateway, MERCHANT.merchant_id, SECOND, parts=1, by="sara", reason="letter of the merchant")
    refuse(shop.gateway, asked, by="ali", reason="it is another's")
    assert heard(shop) == []

    usable(shop, FIRST, 2)
    assert heard(shop) == [("webhooks", IBAN_ADDED, FIRST)]
    (sent,) = shop.callbacks.sent
    assert json.loads(sent.body)["data"].keys() == {"iban", "parts", "usable_from"}

    removed(shop, FIRST)
    assert heard(shop) == [
        ("money", IBAN_REMOVED, FIRST),
        ("webhooks", IBAN_ADDED, FIRST),
        ("webhooks", IBAN_REMOVED, FIRST),
    ]


@pytest.mark.parametrize("told", [IBAN_ADDED, IBAN_REMOVED])
def test_d11_it_is_tried_again_and_sent_again_like_any_event(shop: Shop, told: str) -> None:
    """A server that is down hears of it later, waiting for nothing else; asked for again it comes again."""
    usable(shop, FIRST, 1)
    if told == IBAN_REMOVED:
        send_due(shop)
        removed(shop, FIRST)
    shop.callbacks.sent.clear()
    shop.callbacks.will(NOBODY)
    shop.confirm(shop.paid())

    assert send_due(shop) == 3
    kinds = [json.loads(sent.body)["type"] for sent in shop.callbacks.sent]
    assert kinds == [told, "payment.authorised", "payment.confirmed"]
    shop.later(10)
    send_due(shop)
    event_id = shop.callbacks.sent[0].event_id
    assert [sent.event_id for sent in shop.callbacks.sent].count(event_id) == 2

    assert redeliver_event(shop.gateway, MERCHANT.merchant_id, event_id) == 1
    send_due(shop)
    assert [sent.event_id for sent in shop.callbacks.sent].count(event_id) == 3
    (log,) = endpoints.deliveries_of(shop.gateway, MERCHANT.merchant_id, event_id)
    assert (log.endpoint_id, log.state) == (ENDPOINT, "delivered")
