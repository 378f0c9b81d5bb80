"""Large refunds wait for a second person, who is never the one that asked (D35)."""

from __future__ import annotations

import pytest

from foundation.rial import Rial
from gateway.domain.errors import RefusedRow
from gateway.domain.payment import PaymentState
from gateway.domain.refund import OUTSIDE, RefundState
from gateway.services.approve_refund import approve_refund, give_up_waiting, refuse_refund, waiting_refunds
from gateway.services.open_payment import PaymentRecord
from tests.fakes.shop import MERCHANT, Shop

PAYABLE = f"payable:{MERCHANT.merchant_id}"
DAY = 86_400


@pytest.fixture
def payment(shop: Shop) -> PaymentRecord:
    """A confirmed payment as large as one may be."""
    payment = shop.paid(900_000_000)
    shop.confirm(payment)
    return payment


def states(shop: Shop) -> list[str]:
    """Read where every refund stands."""
    return [row[0] for row in shop.rows("SELECT state FROM refund ORDER BY number")]


def test_d35_a_large_refund_waits_and_goes_out_under_a_key_of_the_moment_it_was_approved(
    shop: Shop, payment: PaymentRecord
) -> None:
    """D35: reserved at once, sent to nobody; a second person says the amount, and then it is dated and sent."""
    asked = shop.refund(payment, 500_000_000, "r-1")
    assert (asked.state, OUTSIDE[asked.state]) == (RefundState.WAITING, "waiting")
    assert shop.balances()[PAYABLE] == 400_000_000
    shop.work()
    assert shop.switch.refunds == []
    (waits,) = waiting_refunds(shop.gateway)
    assert (waits.refund_id, waits.amount_rial, waits.payment_id) == ("r-1", 500_000_000, payment.payment_id)

    with pytest.raises(RefusedRow):
        approve_refund(shop.gateway, waits.number, Rial(500_000_001), by="sara")
    approve_refund(shop.gateway, waits.number, Rial(500_000_000), by="sara")
    with pytest.raises(RefusedRow):
        approve_refund(shop.gateway, waits.number, Rial(500_000_000), by="sara")
    shop.work()

    assert states(shop) == ["done"]
    assert sum(shop.switch.returned.values()) == 500_000_000
    assert waiting_refunds(shop.gateway) == []


def test_d35_many_small_refunds_do_not_go_round_the_limit(shop: Shop, payment: PaymentRecord) -> None:
    """D35: what counts is all that a payment gives back."""
    assert shop.refund(payment, 300_000_000, "r-1").state is RefundState.REQUESTED
    assert shop.refund(payment, 199_999_999, "r-2").state is RefundState.REQUESTED
    assert shop.refund(payment, 1, "r-3").state is RefundState.WAITING


def test_d35_whoever_asked_cannot_decide_and_the_database_holds_it(shop: Shop, payment: PaymentRecord) -> None:
    """D35: the constraint knows who asked; neither yes nor no may be theirs."""
    number = shop.refund(payment, 500_000_000, "r-1").number
    asked_by = waiting_refunds(shop.gateway)[0].asked_by
    for decide in (
        lambda: approve_refund(shop.gateway, number, Rial(500_000_000), by=asked_by),
        lambda: refuse_refund(shop.gateway, number, by=asked_by),
    ):
        with pytest.raises(RefusedRow, match="cannot decide"):
            decide()
    assert states(shop) == ["waiting"]


def test_d35_after_a_week_nobody_approves_a_refund_whenever_it_is_swept(shop: Shop, payment: PaymentRecord) -> None:
    """D35: the approval itself looks at the clock; the sweeper comes once an hour."""
    shop.refund(payment, 500_000_000, "r-1")
    (waits,) = waiting_refunds(shop.gateway)
    shop.later(7 * DAY + 1)

    assert waiting_refunds(shop.gateway) == []
    with pytest.raises(RefusedRow, match="no refund waits"):
        approve_refund(shop.gateway, waits.number, Rial(500_000_000), by="sara")

    assert states(shop) == ["waiting"]
    assert give_up_waiting(shop.gateway) == 1


@pytest.mark.parametrize("how", ["refused", "forgotten"])
def test_d35_a_no_and_no_decision_give_the_money_back_to_the_merchant(
    shop: Shop, payment: PaymentRecord, how: str
) -> None:
    """D35: refused by a person, or by itself after a week: nothing was sent, and the merchant is told."""
    first, second = (shop.refund(payment, amount, f"r-{amount}") for amount in (500_000_000, 100_000_000))
    assert give_up_waiting(shop.gateway) == 0
    if how == "refused":
        for each in (first, second):
            refuse_refund(shop.gateway, each.number, by="sara")
        with pytest.raises(RefusedRow):
            refuse_refund(shop.gateway, first.number, by="sara")
    else:
        shop.later(7 * DAY + 1)
        assert give_up_waiting(shop.gateway) == 2

    assert states(shop) == ["refused", "refused"]
    assert shop.balances()[PAYABLE] == 900_000_000
    assert shop.switch.refunds == []
    assert shop.state(payment) is PaymentState.CONFIRMED
    assert shop.rows("SELECT count(*) FROM webhook_event WHERE type = 'payment.refund_refused'") == [(2,)]
    assert shop.rows("SELECT refunding FROM attempt") == [(0,)]
