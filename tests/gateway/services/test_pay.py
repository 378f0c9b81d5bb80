"""Paying: prepare, call, record; one attempt in flight; money taken at most once."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from foundation.pan import Pan, with_check_digit
from gateway.domain.errors import (
    AttemptInProgress,
    InvalidCard,
    NotPossible,
    PaymentNotFound,
    RealCardInSandbox,
    TooManyAttempts,
    TooManyExtensions,
    UnknownIssuer,
)
from gateway.domain.payment import PaymentState
from gateway.services.authorise import Checking, Paid, PayResult, Refused, pay
from gateway.services.cancel import cancel
from gateway.services.extend import extend
from gateway.services.open_payment import PaymentRecord
from gateway.services.show_page import page_of
from gateway.services.take_card import card_token
from tests.fakes.shop import MERCHANT, PAN, Shop, card
from tests.fakes.switch import decline, lost, meanwhile


def test_an_approved_payment_has_a_receipt_postings_an_event_and_a_webhook(shop: Shop) -> None:
    """State, history, ledger and outbox tell one story."""
    payment = shop.open()

    assert shop.pay(payment) == Paid()

    page = page_of(shop.gateway, payment.page_token)
    assert page.state is PaymentState.AUTHORISED
    assert page.receipt is not None
    assert (page.receipt.pan_masked, page.receipt.issuer_name_en) == (f"999002******{PAN[-4:]}", "Bank Two")
    assert len(page.receipt.tracking_code) >= 12
    assert page.confirm_seconds_left in range(895, 901)
    assert shop.balances() == {"issuer:two": -250_000, f"pending:{MERCHANT.merchant_id}": 250_000}
    events = [row[0] for row in shop.rows("SELECT event FROM payment_event ORDER BY event_id")]
    assert events == ["opened", "attempt_submitted", "attempt_approved"]
    assert shop.rows("SELECT type, facts->>'state' FROM webhook_event") == [("payment.authorised", "authorised")]


def test_d5_the_1200_carries_what_the_code_is_bound_to(shop: Shop) -> None:
    """D5: acquirer, merchant, terminal, payee and reference of the payment, amount and fee apart."""
    payment = shop.paid()

    request = shop.switch.authorised[0]
    assert request.order.transaction_ref == page_of(shop.gateway, payment.page_token).reference
    assert (request.order.amount.amount, request.order.fee.amount) == (250_000, 0)
    assert request.order.payee_name == MERCHANT.payee_name
    assert (request.trace.acquirer_id, request.trace.terminal_id) == ("581672", MERCHANT.terminal_id)
    assert (len(request.trace.stan), len(request.trace.rrn), len(request.trace.local_time)) == (6, 12, 12)


def test_d1_the_pan_is_sealed_in_the_intent_and_nothing_else_of_the_card_is_kept(shop: Shop) -> None:
    """D1: the sealed PAN is there before the call and opens only for its own attempt; CVV2, PIN, expiry never are."""
    seen: list[bytes] = []

    def look() -> None:
        seen.extend(row[0] for row in shop.rows("SELECT pan_sealed FROM attempt WHERE state = 'submitted'"))

    shop.switch.will(meanwhile(look))
    shop.paid()

    assert len(seen) == 1
    assert PAN.encode() not in bytes(seen[0])
    attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]
    assert shop.gateway.keyring.open(bytes(seen[0]), bound_to=f"attempt|pan|{attempt_id}").decode() == PAN
    tables = [row[0] for row in shop.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    dump = " ".join(str(shop.rows(f"SELECT * FROM {table}")) for table in tables)
    assert PAN not in dump
    assert "123456" not in dump


def test_d1_a_decline_wipes_the_pan_and_opens_the_page_again(shop: Shop) -> None:
    """D1: after an explicit no, nothing of the card is needed."""
    payment = shop.open()
    shop.switch.will(decline("116"))

    result = shop.pay(payment)

    assert isinstance(result, Refused)
    assert (result.decline.reason, result.attempts_left) == ("not_enough_balance", 4)
    assert shop.rows("SELECT state, pan_sealed FROM attempt") == [("declined", None)]
    page = page_of(shop.gateway, payment.page_token)
    assert (page.state, page.last_decline, page.attempts_left) == (PaymentState.OPEN, "116", 4)
    assert shop.balances() == {}


def test_a_payment_has_five_attempts(shop: Shop) -> None:
    """The sixth submission is refused before anything is sent."""
    payment = shop.open()
    shop.switch.will(*[decline("117")] * 5)
    for _ in range(5):
        shop.pay(payment)

    with pytest.raises(TooManyAttempts):
        shop.pay(payment)
    assert len(shop.switch.authorised) == 5


def test_d8_while_an_attempt_is_in_flight_nothing_else_happens_to_the_payment(shop: Shop) -> None:
    """D8: no second attempt, no cancel, no extension, no expiry while the answer is awaited."""
    payment = shop.open()
    refused: list[type[BaseException]] = []

    def try_everything() -> None:
        for action in (
            lambda: pay(shop.gateway, payment.page_token, card()),
            lambda: cancel(shop.gateway, payment.page_token),
            lambda: extend(shop.gateway, payment.page_token),
        ):
            with pytest.raises(AttemptInProgress) as caught:
                action()
            refused.append(caught.type)
        shop.later(10_000)
        shop.sweep()
        shop.later(0)

    shop.switch.will(meanwhile(try_everything, lost))

    assert shop.pay(payment) == Checking()
    assert len(refused) == 3
    assert shop.state(payment) is PaymentState.UNKNOWN


def test_d8_double_click_and_two_tabs_debit_once(shop: Shop) -> None:
    """D8, F9: twenty submissions at once, one 1200; the others hear that one is in progress or done."""
    payment = shop.open()
    start = threading.Barrier(8)

    def click(_: int) -> PayResult | str:
        start.wait()
        try:
            return shop.pay(payment)
        except NotPossible as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(click, range(8)))

    assert results.count(Paid()) == 1
    assert {result for result in results if isinstance(result, str)} <= {"attempt_in_progress", "not_possible"}
    assert len(shop.switch.authorised) == 1
    assert sum(shop.switch.debits.values()) == 250_000


def test_d8_cancel_against_pay_has_one_winner(shop: Shop) -> None:
    """D8: either the payment is cancelled and nothing was taken, or it is paid and cancel is refused."""
    for _ in range(10):
        payment = shop.open()
        start = threading.Barrier(2)

        def run(action: str, payment: PaymentRecord = payment, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                shop.pay(payment) if action == "pay" else cancel(shop.gateway, payment.page_token)
            except NotPossible:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            paid, cancelled = pool.map(run, ("pay", "cancel"))

        assert paid != cancelled
        assert shop.state(payment) is (PaymentState.AUTHORISED if paid else PaymentState.CANCELLED)
    assert sum(shop.switch.debits.values()) == -shop.balances().get("issuer:two", 0)


def test_d10_a_real_banks_card_is_refused_with_its_name_and_never_sent(shop: Shop) -> None:
    """D10: nobody's real card leaves a trace in the sandbox."""
    payment = shop.open()

    with pytest.raises(RealCardInSandbox) as refused:
        shop.pay(payment, card(with_check_digit("621986103452900")))

    assert (refused.value.name_fa, refused.value.name_en) == ("سامان", "Saman")
    assert shop.rows("SELECT 1 FROM attempt") == []
    assert shop.switch.authorised == []


def test_a_card_of_no_connected_issuer_is_refused(shop: Shop) -> None:
    """An unknown BIN is a sentence, not an attempt."""
    with pytest.raises(UnknownIssuer):
        shop.pay(shop.open(), card(with_check_digit("999009000000000")))


def test_d10_a_live_gateway_takes_no_test_card(shop: Shop) -> None:
    """D10: live refuses sandbox BINs even when an issuer row is there."""
    payment = shop.open()
    object.__setattr__(shop.gateway, "settings", shop.gateway.settings.model_copy(update={"mode": "live"}))

    with pytest.raises(UnknownIssuer):
        shop.pay(payment)


def test_a_submission_without_pin_is_refused_before_the_payment_is_touched(shop: Shop) -> None:
    """Missing parts are named."""
    payment = shop.open()

    with pytest.raises(InvalidCard) as refused:
        shop.pay(payment, card(pin=None))

    assert refused.value.part == "pin"
    assert shop.state(payment) is PaymentState.OPEN


def test_an_expired_cancelled_or_unknown_page_is_not_paid(shop: Shop) -> None:
    """Time and state are asked in the deciding statement."""
    expired, cancelled = shop.open(), shop.open()
    cancel(shop.gateway, cancelled.page_token)
    cancel(shop.gateway, cancelled.page_token)
    shop.later(901)

    for payment, state in ((expired, "expired"), (cancelled, "cancelled")):
        with pytest.raises(NotPossible) as refused:
            shop.pay(payment)
        assert refused.value.state == state
    with pytest.raises(PaymentNotFound):
        pay(shop.gateway, "no-such-token", card())
    assert shop.switch.authorised == []


def test_d29_a_page_is_extended_twice_at_most(shop: Shop) -> None:
    """D29: five minutes each; the third is refused."""
    payment = shop.open()

    assert extend(shop.gateway, payment.page_token) in range(1_195, 1_201)
    assert extend(shop.gateway, payment.page_token) in range(1_495, 1_501)
    assert page_of(shop.gateway, payment.page_token).extensions_left == 0
    with pytest.raises(TooManyExtensions):
        extend(shop.gateway, payment.page_token)


def test_d16_a_card_token_names_the_card_for_one_merchant_only(shop: Shop) -> None:
    """D16: the same card has the same token at one merchant and another at the next; no hash anybody can repeat."""
    for _ in range(2):
        shop.paid()
    tokens = [row[0] for row in shop.rows("SELECT card_token FROM payment")]

    assert tokens[0] == tokens[1]
    assert card_token(shop.gateway, Pan.parse(PAN), "000000000000002") != tokens[0]
    assert hashlib.sha256(PAN.encode()).hexdigest()[:32] not in tokens[0]
