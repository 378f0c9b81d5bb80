"""Unknown as an outcome: what the merchant is told, when, how often, and by when it is decided."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.domain.payment import PaymentState
from gateway.services import recover
from gateway.services.authorise import Checking, Paid
from gateway.services.open_payment import PaymentRecord
from tests.fakes.shop import SECRET_KEY, Shop
from tests.fakes.switch import Behaviour, debit_but_silent, decline, decline_but_silent, die_before, lost, meanwhile

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """The merchant's server."""
    return create_app(gateway=shop.gateway).test_client()


def told(shop: Shop, payment: PaymentRecord) -> list[str]:
    """Return the webhooks a payment owes, oldest first."""
    query = "SELECT type FROM webhook_event WHERE payment_id = :id ORDER BY number"
    return [row[0] for row in shop.rows(query, id=payment.payment_id)]


def leave_unanswered(shop: Shop, behaviour: Behaviour) -> PaymentRecord:
    """Open a payment whose answer does not come."""
    payment = shop.open()
    shop.switch.will(behaviour)
    assert shop.pay(payment) == Checking()
    return payment


def test_d36_the_api_says_by_when_an_unknown_payment_is_decided(shop: Shop, client: FlaskClient) -> None:
    """`decided_by` is there while unknown and only then; it is the submission plus the promised time."""
    payment = leave_unanswered(shop, debit_but_silent)
    seen = client.get(f"/api/v1/payments/{payment.payment_id}", headers=HEADERS).get_json()
    assert seen["state"] == "unknown"
    (submitted,) = shop.rows("SELECT submitted_at FROM attempt")[0]
    promised = dt.timedelta(seconds=shop.gateway.settings.promise_seconds)
    assert abs(dt.datetime.fromisoformat(seen["decided_by"]) - submitted - promised) < dt.timedelta(seconds=1)

    shop.later(5)
    shop.work()
    seen = client.get(f"/api/v1/payments/{payment.payment_id}", headers=HEADERS).get_json()
    assert (seen["state"], seen["decided_by"]) == ("authorised", None)


@pytest.mark.parametrize(
    ("behaviour", "follows"),
    [(debit_but_silent, "payment.authorised"), (decline_but_silent, "payment.open"), (lost, "payment.open")],
    ids=["approved", "declined", "voided"],
)
def test_d8_unknown_and_what_follows_it_are_told_once_each(shop: Shop, behaviour: Behaviour, follows: str) -> None:
    """D8: each webhook is queued by the statement that makes it true; repeated jobs add none."""
    payment = leave_unanswered(shop, behaviour)
    assert told(shop, payment) == ["payment.unknown"]
    shop.later(5)
    for _ in range(3):
        shop.work()
        attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]
        recover.inquire(shop.gateway, attempt_id, tries=1)
        recover.reverse(shop.gateway, attempt_id)

    assert told(shop, payment) == ["payment.unknown", follows]


def test_d8_each_unknown_attempt_of_a_payment_is_told(shop: Shop) -> None:
    """A second attempt may stay unanswered too; that is news again."""
    payment = leave_unanswered(shop, lost)
    shop.later(5)
    shop.work()
    shop.work()
    shop.switch.will(lost)
    assert shop.pay(payment) == Checking()

    assert told(shop, payment) == ["payment.unknown", "payment.open", "payment.unknown"]


def test_d8_an_approval_after_the_deadline_is_told_as_reversing(shop: Shop) -> None:
    """D8: unknown, then reversing, then reversed; never authorised."""
    payment = leave_unanswered(shop, debit_but_silent)
    shop.later(1_000)
    shop.work()
    shop.work()

    assert shop.state(payment) is PaymentState.REVERSED
    assert told(shop, payment) == ["payment.unknown", "payment.reversing", "payment.reversed"]


def test_a_plain_decline_is_not_told(shop: Shop) -> None:
    """Outside, the payment was open all along."""
    payment = shop.open()
    shop.switch.will(decline("117"))
    shop.pay(payment)

    assert told(shop, payment) == []


def test_f1_a_dead_process_is_told_as_unknown_too(shop: Shop) -> None:
    """F1, F2: the sweeper makes it unknown, and tells."""
    payment = shop.open()
    shop.switch.will(die_before)
    with pytest.raises(SystemExit):
        shop.pay(payment)
    shop.later(8)
    shop.sweep()

    assert told(shop, payment) == ["payment.unknown"]


def test_f4_a_yes_after_the_reversal_was_decided_is_no_success(shop: Shop) -> None:
    """F4: the bank answers after the time-out; the reversal stands, and the merchant never hears authorised."""
    payment = shop.open()

    def too_slow() -> None:
        shop.later(60)
        shop.sweep()
        shop.switch.silent_inquiries = 1
        recover.inquire(shop.gateway, shop.rows("SELECT attempt_id FROM attempt")[0][0], tries=5)

    shop.switch.will(meanwhile(too_slow))
    assert shop.pay(payment) == Checking()
    shop.work()

    assert shop.state(payment) is PaymentState.OPEN
    assert "payment.authorised" not in told(shop, payment)
    assert shop.switch.debits == {}
    assert shop.balances() == {}


def test_f5_a_request_that_never_arrived_moves_no_money(shop: Shop) -> None:
    """F5: the inquiry says not found, which is not a no; the reversal leaves a tombstone, then it is over."""
    payment = leave_unanswered(shop, lost)
    shop.later(5)
    shop.work()
    shop.work()

    assert shop.state(payment) is PaymentState.OPEN
    assert len(shop.switch.undone) == 1, "a tombstone lies where the lost request would arrive"
    assert shop.rows("SELECT 1 FROM posting") == []
    assert shop.pay(payment) == Paid()
