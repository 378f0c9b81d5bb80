"""Refunds against real servers: the money is on the card again, and all three books agree (D11)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pooya import Client, Payment, RefundRefused
from sandbox.postgres import Cluster
from sandbox.shopper import Shopper
from tests.world import RunningWorld, wait_for

AMOUNT = 750_000


@pytest.fixture
def client(world: RunningWorld) -> Iterator[Client]:
    """The merchant's server."""
    with Client(world.info["gateway"], world.info["merchant"]["secret_key"]) as client:
        yield client


def buy(world: RunningWorld, client: Client, order_id: str) -> Payment:
    """Open, pay with a fresh card, and confirm."""
    back = f"{world.info['shop']}/back"
    payment = client.open(amount=AMOUNT, order_id=order_id, callback_url=back)
    buyer = Shopper(world, world.fresh_card())
    buyer.go_to(str(payment.page_url))
    assert buyer.pay(buyer.request_pin()).ok
    return client.confirm(payment.id, amount=AMOUNT)


def on_card(world: RunningWorld, payment: Payment) -> int:
    """Read at the bank what the card that paid holds, in rials."""
    url = Cluster(world.state / "postgres").url("bank_two", "bank_two_owner").replace("+psycopg", "")
    with psycopg.connect(url) as bank:
        row = bank.execute(
            "SELECT balance_rial FROM card JOIN authorisation USING (card_id) WHERE rrn = %s", (payment.rrn,)
        ).fetchone()
    assert row
    return int(row[0])


def over(client: Client, payment: Payment) -> list[tuple[str, str]]:
    """Wait until the bank has answered for every refund; return each with its state."""
    found = wait_for(
        lambda: [
            refunds
            for refunds in [client.refunds(payment.id)]
            if all(refund.state in {"done", "refused"} for refund in refunds)
        ],
        "the refunds to be over",
    )
    return [(refund.refund_id, refund.state) for refund in found[0]]


def told(client: Client, payment: Payment) -> list[Any]:
    """Return what the feed says of this payment's refunds, in order."""
    events = [event for event in client.events.list() if event.payment and event.payment.id == payment.id]
    return sorted(
        (event.refund.refund_id, event.type, event.payment.state, event.refund.state)
        for event in events
        if event.refund and event.payment
    )


def test_d11_two_parts_bring_the_money_back_to_the_card(world: RunningWorld, client: Client) -> None:
    """D11, I3: buy, confirm, refund twice: the bank has given back what it took, and the audit explains every rial."""
    payment = buy(world, client, "refund-parts")
    before = on_card(world, payment)

    first = client.refund(payment.id, refund_id="parts-1", amount=500_000, reason="کالا ناقص بود")
    assert (first.state, first.amount, first.fee) == ("pending", 500_000, 0)
    assert over(client, payment) == [("parts-1", "done")]
    assert on_card(world, payment) == before + 500_000
    half = client.get(payment.id)
    assert (half.state, half.refunded_amount, half.reverse_before) == ("confirmed", 500_000, None)
    with pytest.raises(RefundRefused):
        client.refund(payment.id, refund_id="parts-2", amount=250_001)

    client.refund(payment.id, refund_id="parts-2", amount=250_000)
    assert over(client, payment) == [("parts-1", "done"), ("parts-2", "done")]

    assert on_card(world, payment) == before + AMOUNT
    assert client.get(payment.id).state == "refunded"
    assert [event.type for event in client.history(payment.id)][-3:] == [
        "refund_done",
        "refund_requested",
        "refunded",
    ]
    assert told(client, payment) == [
        ("parts-1", "payment.refunded", "confirmed", "done"),
        ("parts-2", "payment.refunded", "refunded", "done"),
    ]


def test_d11_a_refund_survives_the_death_of_the_worker_that_sends_it(world: RunningWorld, client: Client) -> None:
    """D11, F24: the whole with its fee goes back once, though the worker is killed while it works."""
    payment = buy(world, client, "refund-whole")
    before = on_card(world, payment)
    world.signal("gateway-worker", signal.SIGSTOP)
    refund = client.refund(payment.id, refund_id="whole-1", amount=AMOUNT)
    assert client.refund(payment.id, refund_id="whole-1", amount=AMOUNT).refund_id == refund.refund_id
    world.kill("gateway-worker")

    assert over(client, payment) == [("whole-1", "done")]
    assert on_card(world, payment) == before + AMOUNT + (payment.fee or 0)
    assert client.get(payment.id).state == "refunded"
