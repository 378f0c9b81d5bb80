"""The gateway's page of numbers: in its own words, for operators, without a card, a payment or an address."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest
from flask.testing import FlaskClient

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.app import create_app
from gateway.domain.breaker import BreakerState
from gateway.domain.outcome import Declined
from gateway.domain.top_up import Operator, TopUpRequest
from gateway.metered import ANSWERS, MeteredCallbacks, MeteredHarim, MeteredSwitch, MeteredTopUps
from gateway.meters import BREAKER_NUMBERS
from gateway.ports import Delivery, NotDelivered, PinRefusal, PinRefused, PinUnanswered
from gateway.services.gateway import Gateway
from gateway.services.request_pin import request_pin
from tests.fakes.counting import counting
from tests.fakes.shop import ISSUER, PAN, Shop, card
from tests.fakes.switch import debit_but_silent

OPERATORS = (ip_network("127.0.0.1/32"),)
LABELS = {"issuer", "outcome", "message", "answer", "wire", "check", "state", "topic", "le"}
"""Every label there may be: issuers are rows of ours, all others are words of ours."""


@pytest.fixture
def metered(shop: Shop) -> Shop:
    """The same gateway, wired as in production: its outside has a watch beside it."""
    gateway = shop.gateway
    meters = gateway.meters
    shop.gateway = replace(
        gateway,
        settings=gateway.settings.model_copy(update={"metrics_from": OPERATORS}),
        switch=MeteredSwitch(gateway.switch, meters, lambda _: BreakerState.OPEN),
        harim=MeteredHarim(gateway.harim, meters, lambda _: BreakerState.HALF_OPEN),
        callbacks=MeteredCallbacks(gateway.callbacks, meters),
        top_ups=MeteredTopUps(gateway.top_ups, meters),
    )
    return shop


@pytest.fixture
def client(metered: Shop) -> FlaskClient:
    """An operator's tool."""
    return create_app(gateway=metered.gateway).test_client()


@pytest.fixture
def page(client: FlaskClient) -> Callable[[], str]:
    """Read the page."""
    return lambda: client.get("/metrics").get_data(as_text=True)


def test_purchases_codes_and_webhooks_are_counted(metered: Shop, page: Callable[[], str]) -> None:
    """By issuer and what came of it, and timed."""
    metered.harim.will(PinRefused(PinRefusal.TOO_SOON), PinUnanswered("silent"))
    payment = metered.open()
    for _ in range(3):
        request_pin(metered.gateway, payment.page_token, card())
    metered.harim.deliveries.extend((Delivery.ACCEPTED, None))
    for _ in range(2):
        metered.gateway.harim.delivery(ISSUER, str(uuid.UUID(int=7)))
    metered.pay(payment)
    metered.switch.will(lambda *_: Declined("116"), debit_but_silent)
    metered.pay(metered.open())
    metered.pay(metered.open())
    metered.callbacks.will(NotDelivered("status 410", gone=True), NotDelivered("status 500"))
    metered.settle_down()

    said = page()

    for line in (
        'gateway_purchases_total{issuer="two",outcome="approved"} 1.0',
        'gateway_purchases_total{issuer="two",outcome="declined"} 1.0',
        'gateway_purchases_total{issuer="two",outcome="unknown"} 1.0',
        'gateway_recoveries_total{answer="approved",issuer="two",message="inquiry"} 1.0',
        'gateway_pin_requests_total{answer="sent",issuer="two"} 1.0',
        'gateway_pin_requests_total{answer="too_soon",issuer="two"} 1.0',
        'gateway_pin_requests_total{answer="unanswered",issuer="two"} 1.0',
        'gateway_delivery_checks_total{answer="accepted",issuer="two"} 1.0',
        'gateway_delivery_checks_total{answer="unanswered",issuer="two"} 1.0',
        'gateway_switch_seconds_count{issuer="two",message="purchase"} 3.0',
        'gateway_harim_seconds_count{issuer="two"} 3.0',
        'gateway_calls_in_flight{issuer="two",wire="switch"} 0.0',
        'gateway_breaker_state{issuer="two",wire="switch"} 2.0',
        'gateway_breaker_state{issuer="two",wire="harim"} 1.0',
        'gateway_webhooks_total{outcome="gone"} 1.0',
        'gateway_webhooks_total{outcome="not_delivered"} 1.0',
    ):
        assert line in said
    assert re.search(r'gateway_webhooks_total\{outcome="delivered"\} [1-9]', said)


def test_a_question_under_way_is_in_flight(metered: Shop, page: Callable[[], str]) -> None:
    """While the issuer thinks, and no longer; also when the call ends badly."""
    during: list[str] = []

    def looks(*_: object) -> Declined:
        during.append(page())
        raise RuntimeError

    metered.switch.will(looks)  # type: ignore[arg-type]  # an answer or what raises one
    with pytest.raises(RuntimeError):
        metered.pay(metered.open())

    assert 'gateway_calls_in_flight{issuer="two",wire="switch"} 1.0' in during[0]
    assert 'gateway_calls_in_flight{issuer="two",wire="switch"} 0.0' in page()


def test_labels_are_few_and_carry_no_secret(metered: Shop, page: Callable[[], str]) -> None:
    """No card, payment, order, terminal or address stands on the page, and no label has other names than these."""
    payment = metered.paid()
    request_pin(metered.gateway, metered.open().page_token, card())
    metered.confirm(payment)
    metered.work()

    said = page()

    names = set(re.findall(r'[{,](\w+)="', said))
    assert names <= LABELS
    for secret in (PAN, payment.payment_id, payment.order_id, payment.page_token, "00000001", "localhost"):
        assert secret not in said


def test_d7_deliveries_and_cancellations_are_counted(metered: Shop, page: Callable[[], str]) -> None:
    """By what was asked and answered; no label has a number or a payment."""
    request = TopUpRequest("pay_1", Operator.MCI, Sensitive("09121234567"), Rial(10_000))
    metered.gateway.top_ups.deliver(request)
    metered.gateway.top_ups.cancel(request)

    said = page()

    assert 'gateway_top_ups_total{answer="approved",message="delivery"} 1.0' in said
    assert 'gateway_top_ups_total{answer="not_reversed",message="cancellation"} 1.0' in said
    assert "09121234567" not in said


def test_only_operators_find_the_page(client: FlaskClient, shop: Shop) -> None:
    """A shopper, a proxied request and a gateway without the setting: there is no such page."""
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    settings = shop.gateway.settings.model_copy(update={"metrics_from": ()})
    closed = create_app(gateway=replace(shop.gateway, settings=settings)).test_client()
    assert closed.get("/metrics").status_code == 404


def test_the_page_asks_the_database_nothing(client: FlaskClient, metered: Shop) -> None:
    """A scrape costs no statement, whatever the state of the database."""
    with counting(metered.gateway.database) as counted:
        assert client.get("/metrics").status_code == 200

    assert counted.statements == []


def test_a_metered_outside_is_the_same_outside(metered: Shop) -> None:
    """Ping, echo and dialects are passed on; every answer and every breaker state has a word."""
    gateway: Gateway = metered.gateway
    (issuer,) = gateway.directory.issuers().values()

    assert gateway.harim.ping(issuer)
    assert gateway.harim.speaks(issuer.harim_dialect)
    assert gateway.switch.echo(issuer)
    assert set(BREAKER_NUMBERS) == set(BreakerState)
    assert len(set(ANSWERS.values())) == 8
