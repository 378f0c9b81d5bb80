"""Confirming and reversing: first time is told once, and the sweeper's moment is exactly the complement."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.domain.errors import AmountMismatch, IdempotencyMismatch, NotPossible, PaymentNotFound
from gateway.domain.payment import PaymentState
from gateway.services import sweep
from gateway.services.open_payment import Idempotency, PaymentRecord
from gateway.services.reverse import reverse
from tests.fakes.shop import MERCHANT, Shop


def test_d30_first_time_is_for_the_call_that_confirmed_and_its_own_key(shop: Shop) -> None:
    """D30: a repeat with the same key hears true again; everybody else hears false."""
    payment = shop.paid()

    assert shop.confirm(payment, key="key-1").first_time
    assert shop.confirm(payment, key="key-1").first_time
    assert not shop.confirm(payment, key="key-2").first_time
    assert not shop.confirm(payment).first_time
    assert shop.balances() == {"issuer:two": -250_000, f"payable:{MERCHANT.merchant_id}": 250_000}


def test_d30_without_a_key_only_the_first_call_hears_it(shop: Shop) -> None:
    """D30: no key, no replay."""
    payment = shop.paid()

    assert shop.confirm(payment).first_time
    assert not shop.confirm(payment).first_time


def test_d30_of_many_confirms_at_once_one_is_first(shop: Shop) -> None:
    """D30, I8: sixteen at once, one first time, one set of postings."""
    payment = shop.paid()
    start = threading.Barrier(8)

    def call(number: int) -> bool:
        start.wait()
        return shop.confirm(payment, key=f"key-{number}").first_time

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(call, range(8))) == 1
    assert shop.balances()[f"payable:{MERCHANT.merchant_id}"] == 250_000


def test_d30_confirm_and_the_sweeper_never_both_win(shop: Shop) -> None:
    """D30, F22: at the deadline either the merchant has the money or the card gets it back."""
    for round_number in range(6):
        shop.later(0)
        payment = shop.paid()
        shop.later(900 if round_number % 2 else 899.9)
        start = threading.Barrier(2)

        def run(who: str, start: threading.Barrier = start, payment: PaymentRecord = payment) -> bool:
            start.wait()
            if who == "sweeper":
                return sweep.give_back_unconfirmed(shop.gateway) == 1
            try:
                return shop.confirm(payment).first_time
            except NotPossible:
                return False

        with ThreadPoolExecutor(2) as pool:
            merchant, card = pool.map(run, ("merchant", "sweeper"))
        if not merchant and not card:  # the sweeper came a moment before the deadline, the merchant a moment after
            assert sweep.give_back_unconfirmed(shop.gateway) == 1
            card = True
        assert merchant != card
        assert shop.state(payment) is (PaymentState.CONFIRMED if merchant else PaymentState.REVERSING)


def test_a_late_confirm_is_refused_as_reversing_even_before_the_sweeper_came(shop: Shop) -> None:
    """The window ends by the house clock, not by the sweeper's rhythm."""
    payment = shop.paid()
    shop.later(901)

    with pytest.raises(NotPossible) as refused:
        shop.confirm(payment)

    assert refused.value.state == "reversing"
    assert shop.state(payment) is PaymentState.AUTHORISED


def test_unconfirmed_money_goes_back_by_itself(shop: Shop) -> None:
    """F22: reversal at the deadline, inverse postings, webhook."""
    payment = shop.paid()
    shop.later(901)
    shop.sweep()
    shop.work()

    assert shop.state(payment) is PaymentState.REVERSED
    assert shop.balances() == {}
    assert shop.switch.debits == {}
    types = [row[0] for row in shop.rows("SELECT type FROM webhook_event ORDER BY number")]
    assert types == ["payment.authorised", "payment.reversed"]


def test_another_amount_another_terminal_or_another_state_confirms_nothing(shop: Shop) -> None:
    """A wrong confirm changes nothing and says why."""
    payment, unpaid = shop.paid(), shop.open()

    with pytest.raises(AmountMismatch):
        shop.confirm(payment, amount=1_000)
    with pytest.raises(NotPossible) as refused:
        shop.confirm(unpaid)
    assert refused.value.state == "open"
    with pytest.raises(PaymentNotFound):
        reverse(shop.gateway, shop.caller, "pay_of_somebody_else", None)
    object.__setattr__(payment, "payment_id", "pay_of_somebody_else")
    with pytest.raises(PaymentNotFound):
        shop.confirm(payment)


def test_a_key_of_another_request_is_refused(shop: Shop) -> None:
    """I10: same key, other request."""
    first, second = shop.paid(), shop.paid()
    shop.confirm(first, key="key-1")

    with pytest.raises(IdempotencyMismatch):
        shop.confirm(second, key="key-1")
    with pytest.raises(IdempotencyMismatch):
        reverse(shop.gateway, shop.caller, second.payment_id, Idempotency("key-1", b"other".ljust(32)))
    assert shop.state(second) is PaymentState.AUTHORISED


def test_a_key_that_changed_nothing_keeps_its_answer_too(shop: Shop) -> None:
    """I10: a repeat under a second key is answered the same for ever, and another request under it is refused."""
    payment = shop.paid()
    keys = [Idempotency("again", b"first".ljust(32)), Idempotency("again", b"other".ljust(32))]
    shop.confirm(payment, key="key-1")
    again = shop.confirm(payment, key="key-2")
    reverse(shop.gateway, shop.caller, payment.payment_id, None)
    given_back = reverse(shop.gateway, shop.caller, payment.payment_id, keys[0])
    shop.work()

    assert shop.state(payment) is PaymentState.REVERSED
    assert shop.confirm(payment, key="key-2") == again
    assert (shop.confirm(payment, key="key-1").first_time, again.first_time) == (True, False)
    assert reverse(shop.gateway, shop.caller, payment.payment_id, keys[0]) == given_back
    with pytest.raises(IdempotencyMismatch):
        reverse(shop.gateway, shop.caller, payment.payment_id, keys[1])


def test_d8_a_merchant_reverses_before_and_shortly_after_confirming(shop: Shop) -> None:
    """D8: authorised or confirmed money goes back whole; asking again shows how it stands."""
    before, after = shop.paid(), shop.paid()
    shop.confirm(after)

    for payment in (before, after):
        key = Idempotency(payment.payment_id, payment.payment_id.encode().ljust(32))
        assert reverse(shop.gateway, shop.caller, payment.payment_id, key).state is PaymentState.REVERSING
        assert reverse(shop.gateway, shop.caller, payment.payment_id, key).state is PaymentState.REVERSING
    with pytest.raises(NotPossible):
        shop.confirm(before)
    shop.work()

    for payment in (before, after):
        assert shop.state(payment) is PaymentState.REVERSED
        assert reverse(shop.gateway, shop.caller, payment.payment_id, None).state is PaymentState.REVERSED
    assert shop.balances() == {}


def test_a_reverse_comes_too_late_or_for_nothing(shop: Shop) -> None:
    """Half an hour after the confirmation, and for unpaid payments, there is nothing to reverse."""
    confirmed, unpaid = shop.paid(), shop.open()
    shop.confirm(confirmed)
    shop.later(1_801)

    for payment in (confirmed, unpaid):
        with pytest.raises(NotPossible):
            reverse(shop.gateway, shop.caller, payment.payment_id, None)
    assert shop.state(confirmed) is PaymentState.CONFIRMED
