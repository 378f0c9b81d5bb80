"""F15, D34: the wire to PostgreSQL is cut right after a COMMIT; callers ask again, nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from gateway.domain.payment import PaymentState
from gateway.services.authorise import Checking
from sandbox.fault_proxy import FaultProxy
from sandbox.postgres import Cluster
from tests.fakes.shop import MERCHANT, Shop
from tests.fakes.switch import approve, meanwhile
from tests.fakes.wire import wired

PAYABLE = {"issuer:two": -250_000, f"payable:{MERCHANT.merchant_id}": 250_000}


@pytest.fixture
def wire(shop: Shop, cluster: Cluster) -> Iterator[FaultProxy]:
    """Put a wire that can be cut between the gateway and its database; what it already read it remembers."""
    with wired(shop.gateway.database, cluster) as (far, proxy):
        shop.gateway = replace(shop.gateway, database=far)
        yield proxy


def test_f15_an_opening_whose_commit_was_not_answered(shop: Shop, wire: FaultProxy) -> None:
    """The merchant repeats its key and gets the payment that was opened; there is one."""
    with pytest.raises(DBAPIError):
        losing_answers(wire, lambda: shop.open(order_id="one", key="open"))
    assert shop.rows("SELECT count(*) FROM payment") == [(1,)]

    payment = shop.open(order_id="one", key="open")

    assert shop.rows("SELECT payment_id FROM payment") == [(payment.payment_id,)]


def test_f15_a_confirmation_whose_commit_was_not_answered(shop: Shop, wire: FaultProxy) -> None:
    """The merchant repeats its key and hears that this call was the first; the money is payable once."""
    payment = shop.paid()
    with pytest.raises(DBAPIError):
        losing_answers(wire, lambda: shop.confirm(payment, key="confirm"))

    assert shop.confirm(payment, key="confirm").first_time
    assert not shop.confirm(payment, key="another").first_time
    assert shop.balances() == PAYABLE


def test_f15_an_intent_whose_commit_was_not_answered(shop: Shop, wire: FaultProxy) -> None:
    """Nobody knows whether the intent stands, so nothing is sent; it is undone, and the shopper may pay again."""
    payment = shop.open()
    with pytest.raises(DBAPIError):
        losing_answers(wire, lambda: shop.pay(payment))
    assert shop.switch.authorised == []
    assert shop.state(payment) is PaymentState.PAYING

    shop.settle_down()

    assert shop.state(payment) is PaymentState.OPEN
    shop.pay(payment)
    assert shop.state(payment) is PaymentState.AUTHORISED
    assert len(shop.switch.debits) == 1


def test_f15_an_outcome_whose_commit_was_not_answered(shop: Shop, wire: FaultProxy) -> None:
    """The bank has debited and the record's COMMIT was not answered: the page waits, then shows what was recorded."""
    payment = shop.open()
    shop.switch.will(meanwhile(lambda: wire.misbehave(half_closed=True), then=approve))

    assert shop.pay(payment) == Checking()

    wire.misbehave()
    assert shop.state(payment) is PaymentState.AUTHORISED
    shop.settle_down()
    assert len(shop.switch.debits) == 1
    assert len(shop.rows("SELECT 1 FROM posting WHERE source = 'issuer:two'")) == 1


def losing_answers(wire: FaultProxy, call: Callable[[], object]) -> None:
    """Let everything reach the database during a call, and no answer come back."""
    wire.misbehave(half_closed=True)
    try:
        call()
    finally:
        wire.misbehave()
