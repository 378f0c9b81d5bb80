"""Rows of the fault table by name: a reversal nobody accepts, answers that repeat, races, clocks, silent merchants."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from gateway.domain.errors import NotPossible
from gateway.domain.outcome import Approved
from gateway.domain.payment import PaymentState
from gateway.services import recover, sweep
from gateway.services.authorise import Paid
from gateway.services.record_outcome import approved
from gateway.services.reverse import reverse
from gateway.store.lookups import for_switch
from tests.fakes.shop import MERCHANT, Shop, card
from tests.fakes.switch import debit_but_silent

KEPT = {"issuer:two": -250_000, f"payable:{MERCHANT.merchant_id}": 250_000}


def test_f6_a_reversal_nobody_accepts_is_repeated_alarms_by_age_and_ends_by_acceptance(shop: Shop) -> None:
    """F6, D8: never dropped; past the age one error names it, the mark is set once, and an acceptance leads out."""
    payment = shop.paid()
    reverse(shop.gateway, shop.caller, payment.payment_id, None)
    shop.switch.silent_reversals = 6
    attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]
    with capture_logs() as said:
        assert recover.reverse(shop.gateway, attempt_id) == recover.Again("silent")
        shop.later(shop.gateway.settings.dispute_after_seconds + 1)
        for _ in range(5):
            assert recover.reverse(shop.gateway, attempt_id) == recover.Again("silent")
            sweep.dispute(shop.gateway)

    assert shop.state(payment) is PaymentState.DISPUTED
    alarms = [line for line in said if line["log_level"] == "error"]
    assert [(line["event"], line["payment_id"]) for line in alarms] == [("reversal_overdue", payment.payment_id)]
    assert recover.reverse(shop.gateway, attempt_id) is None
    assert shop.state(payment) is PaymentState.REVERSED
    assert shop.balances() == {}
    assert shop.switch.debits == {}


def test_f7_an_approval_told_again_and_again_is_booked_once(shop: Shop) -> None:
    """F7: a hundred repeats of one answer, eight at a time, in both ways an answer can come; one state, one booking."""
    payment = shop.open()
    shop.switch.will(debit_but_silent)
    shop.pay(payment)
    attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]
    yes, pan = Approved("A00001", "0903"), card().pan
    with shop.gateway.database.single() as connection:
        attempt = for_switch(connection, attempt_id)
    assert attempt

    def tell_again(number: int) -> bool:
        if number % 2:
            return recover.inquire(shop.gateway, attempt_id, tries=1) is None
        return approved(shop.gateway, attempt, yes, pan=pan, in_time=True)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell_again, range(100)))

    assert shop.state(payment) is PaymentState.AUTHORISED
    assert len(shop.rows("SELECT 1 FROM posting")) == 1
    assert shop.rows("SELECT count(*) FROM webhook_event WHERE type = 'payment.authorised'") == [(1,)]


def test_f8_return_and_webhook_at_one_moment_confirm_once(shop: Shop) -> None:
    """F8, I8: the browser's return and the webhook confirm under keys of their own; one is first, both see the same."""
    payment = shop.paid()
    start = threading.Barrier(8)

    def confirm(number: int) -> tuple[bool, str | None]:
        start.wait()
        done = shop.confirm(payment, key=f"key-{number}")
        return done.first_time, done.record.rrn

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(confirm, range(8)))

    assert sum(first for first, _ in answers) == 1
    assert len({rrn for _, rrn in answers}) == 1
    assert shop.balances() == KEPT


@pytest.mark.parametrize("skew", [-300, 300])
def test_f20_a_clock_five_minutes_off_changes_no_outcome(shop: Shop, skew: int) -> None:
    """F20, D33: the database's clock jumps between steps; deadlines move with it, money and states stay coherent."""
    payment = shop.open()
    shop.later(skew)
    assert shop.pay(payment) == Paid()
    shop.later(0)
    shop.sweep()
    assert shop.state(payment) is PaymentState.AUTHORISED
    assert shop.confirm(payment).first_time
    shop.later(skew)
    shop.sweep()

    assert shop.state(payment) is PaymentState.CONFIRMED
    assert shop.balances() == KEPT


def test_f22_a_merchant_that_never_confirms_leaves_the_money_with_the_card(shop: Shop) -> None:
    """F22: back at the deadline by itself, the merchant is told, and a confirmation after it is refused."""
    payment = shop.paid()
    shop.later(payment.confirm_window_seconds - 2)
    assert sweep.give_back_unconfirmed(shop.gateway) == 0
    shop.later(payment.confirm_window_seconds + 1)
    assert sweep.give_back_unconfirmed(shop.gateway) == 1
    with pytest.raises(NotPossible):
        shop.confirm(payment)
    shop.work()

    assert shop.state(payment) is PaymentState.REVERSED
    assert shop.rows("SELECT count(*) FROM webhook_event WHERE type = 'payment.reversed'") == [(1,)]
    assert shop.balances() == {}
    assert shop.switch.debits == {}
