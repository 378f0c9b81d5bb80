"""Refunds: never more than was kept, sent under one key until the answer is explicit, and told once (D11)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from foundation.rial import Rial
from gateway.domain.errors import (
    GatewayError,
    IdempotencyMismatch,
    InvalidAmount,
    InvalidText,
    NotPossible,
    PaymentNotFound,
    RequestInProgress,
)
from gateway.domain.payment import PaymentState
from gateway.domain.refund import RefundState
from gateway.domain.refund_errors import (
    PayableTooLow,
    RefundAboveRest,
    RefundIdTaken,
    RefundNotOffered,
    RefundsExist,
    RefundWindowOver,
    TooManyRefunds,
)
from gateway.services import send_refund, sweep
from gateway.services.open_payment import PaymentRecord
from gateway.services.refund import AskedRefund, RefundRecord, refund, refunds_of
from gateway.services.reverse import reverse
from tests.fakes.shop import MERCHANT, PAN, Shop
from tests.fakes.switch import (
    Giving,
    die_after_giving,
    die_giving,
    give_but_silent,
    give_no,
    never_given,
)

PAYABLE = f"payable:{MERCHANT.merchant_id}"
REFUNDING = f"refunding:{MERCHANT.merchant_id}"
TOGETHER = 12


def kept(shop: Shop, amount: int = 250_000) -> PaymentRecord:
    """Let a payment be confirmed."""
    payment = shop.paid(amount)
    shop.confirm(payment)
    return payment


def ask(
    shop: Shop, payment: PaymentRecord, amount: int = 250_000, refund_id: str = "r-1", *, key: str | None = None
) -> RefundRecord:
    """Ask for a refund as the merchant does."""
    return shop.refund(payment, amount, refund_id, key=key)


def states(shop: Shop) -> list[str]:
    """Read where every refund stands."""
    return [row[0] for row in shop.rows("SELECT state FROM refund ORDER BY number")]


def told(shop: Shop) -> list[tuple[str, str]]:
    """Read what the merchant was told about refunds: the type and the refund's id."""
    return [
        (row[0], row[1])
        for row in shop.rows(
            "SELECT type, facts -> 'refund' ->> 'refund_id' FROM webhook_event WHERE type LIKE 'payment.refund%' "
            "ORDER BY number"
        )
    ]


def work_on(shop: Shop, rounds: int = 12) -> None:
    """Let the worker try whatever waits, again and again."""
    for _ in range(rounds):
        shop.change("UPDATE outbox SET due_at = house_now() WHERE done_at IS NULL")
        shop.work()


def settled_by_hand(shop: Shop, payment: PaymentRecord) -> None:
    """Let a payment have been paid out to its merchant."""
    shop.change(
        "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
        "SELECT payment_id, attempt_id, 'settled_in_batch', :payable, 'bank\\:settlement', amount_rial FROM payment "
        "WHERE payment_id = :id",
        payable=PAYABLE,
        id=payment.payment_id,
    )
    shop.change("UPDATE payment SET state = 'settled' WHERE payment_id = :id", id=payment.payment_id)


def test_d11_parts_add_up_to_the_whole_and_then_the_payment_is_refunded(shop: Shop) -> None:
    """D11, I3: two parts leave payable for the card; after the last the payment is refunded, books and bank agree."""
    payment = kept(shop)

    first = ask(shop, payment, 100_000, "r-1")
    assert (first.state, first.fee_rial) == (RefundState.REQUESTED, 0)
    assert shop.balances() == {"issuer:two": -250_000, PAYABLE: 150_000, REFUNDING: 100_000}
    work_on(shop)
    assert (states(shop), shop.state(payment)) == (["done"], PaymentState.CONFIRMED)
    assert shop.balances() == {"issuer:two": -150_000, PAYABLE: 150_000}

    ask(shop, payment, 150_000, "r-2")
    work_on(shop)

    assert (states(shop), shop.state(payment)) == (["done", "done"], PaymentState.REFUNDED)
    assert shop.balances() == {}
    assert sum(shop.switch.returned.values()) == 250_000 == sum(shop.switch.debits.values())
    assert told(shop) == [("payment.refunded", "r-1"), ("payment.refunded", "r-2")]
    assert [record.refund_id for record in refunds_of(shop.gateway, shop.caller, payment.payment_id)] == ["r-1", "r-2"]


def test_what_goes_out_names_the_card_the_payment_and_the_part(shop: Shop) -> None:
    """The message carries the card that paid, the payment's reference, a key of its own, and no PIN."""
    payment = kept(shop)
    ask(shop, payment, 100_000)
    work_on(shop)

    (sent,) = shop.switch.refunds
    paid = shop.switch.authorised[0]
    assert sent.pan.reveal() == PAN
    assert sent.order.transaction_ref == paid.order.transaction_ref
    assert (sent.order.amount, sent.order.fee, sent.again) == (Rial(100_000), Rial(0), False)
    assert sent.trace != paid.trace
    assert (sent.trace.acquirer_id, sent.trace.terminal_id) == (paid.trace.acquirer_id, paid.trace.terminal_id)


@pytest.mark.parametrize("behaviour", [give_but_silent, never_given], ids=["answer_lost", "message_lost"])
@pytest.mark.parametrize("silent", [1, 5])
def test_d11_an_unknown_refund_is_sent_again_under_the_same_key(shop: Shop, behaviour: Giving, silent: int) -> None:
    """D11, D2, F4, F5: whatever got lost, the same message goes out until it is answered; the card is credited once."""
    payment = kept(shop)
    ask(shop, payment, 100_000)
    shop.switch.givings.extend([behaviour] * silent)

    shop.work()
    assert states(shop) == ["unknown"]
    assert shop.balances()[REFUNDING] == 100_000
    assert told(shop) == []
    work_on(shop)

    assert states(shop) == ["done"]
    assert {request.trace for request in shop.switch.refunds} == set(shop.switch.returned)
    assert [request.again for request in shop.switch.refunds] == [False] + [True] * silent
    assert shop.switch.returned[shop.switch.refunds[0].trace] == 100_000
    assert told(shop) == [("payment.refunded", "r-1")]


@pytest.mark.parametrize("step", [die_giving, die_after_giving], ids=["before_the_call", "after_the_credit"])
def test_d11_a_worker_that_dies_between_commit_and_record_sends_it_as_a_repeat(shop: Shop, step: Giving) -> None:
    """D11, F1, F2: the next one cannot know whether it left, so it goes out as a repeat, and is done once."""
    payment = kept(shop)
    number = ask(shop, payment, 100_000).number
    shop.switch.givings.append(step)

    with pytest.raises(SystemExit):
        send_refund.send_refund(shop.gateway, number)
    assert states(shop) == ["sent"]
    work_on(shop)

    assert states(shop) == ["done"]
    assert [request.again for request in shop.switch.refunds] == [False, True]
    assert len(shop.switch.returned) == 1
    assert send_refund.send_refund(shop.gateway, number) is None, "what is over is not sent"
    assert len(shop.switch.refunds) == 2


def test_d11_an_explicit_no_gives_the_money_back_to_the_merchant_and_tells_it(shop: Shop) -> None:
    """D11, I4: a refused refund is the merchant's money again; another may be asked for under another id."""
    payment = kept(shop)
    shop.switch.givings.append(give_no("118"))
    ask(shop, payment, 250_000, "r-1")
    work_on(shop)

    assert (states(shop), shop.state(payment)) == (["refused"], PaymentState.CONFIRMED)
    assert shop.balances() == {"issuer:two": -250_000, PAYABLE: 250_000}
    assert told(shop) == [("payment.refund_refused", "r-1")]
    assert refunds_of(shop.gateway, shop.caller, payment.payment_id)[0].action_code == "118"

    ask(shop, payment, 250_000, "r-2")
    work_on(shop)
    assert shop.state(payment) is PaymentState.REFUNDED
    assert shop.balances() == {}


def test_the_fee_goes_back_with_a_refund_of_the_whole_alone(shop: Shop) -> None:
    """A refund is the principal; only one that is the whole payment gives the cardholder's fee back as well."""
    whole, parts = kept(shop), kept(shop)
    shop.change("UPDATE payment SET fee_rial = 5000")
    shop.change("UPDATE attempt SET fee_rial = 5000")
    shop.change(
        "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
        "SELECT payment_id, attempt_id, 'attempt_approved', 'issuer\\:two', 'fees', 5000 FROM attempt"
    )
    assert ask(shop, whole, 250_000, "r-1").fee_rial == 5_000
    assert shop.balances()["fees"] == 5_000
    assert ask(shop, parts, 100_000, "r-2").fee_rial == 0
    assert ask(shop, parts, 150_000, "r-3").fee_rial == 0
    work_on(shop)
    assert shop.balances() == {"issuer:two": -5_000, "fees": 5_000}
    assert sorted(shop.switch.returned.values()) == [100_000, 150_000, 255_000]


def test_d11_twelve_at_once_never_exceed_what_was_kept(shop: Shop) -> None:
    """D11, I4: twelve refunds of 60,000 at the same moment; four fit into 250,000 and eight are told what is left."""
    payment = kept(shop)
    kept(shop), kept(shop)  # what others paid is not theirs to take
    start = Barrier(TOGETHER)

    def one(number: int) -> RefundRecord | GatewayError:
        start.wait()
        try:
            return ask(shop, payment, 60_000, f"r-{number}")
        except GatewayError as error:
            return error

    with ThreadPoolExecutor(TOGETHER) as pool:
        found = list(pool.map(one, range(TOGETHER)))

    assert sum(isinstance(each, RefundRecord) for each in found) == 4
    assert {each.left for each in found if isinstance(each, RefundAboveRest)} == {10_000}
    assert sum(isinstance(each, RefundAboveRest) for each in found) == 8
    work_on(shop)
    assert shop.balances()[PAYABLE] == 750_000 - 240_000
    assert sum(shop.switch.returned.values()) == 240_000


def test_d11_the_same_refund_twelve_times_at_once_is_one(shop: Shop) -> None:
    """D11: one id is one refund, whoever comes first."""
    payment = kept(shop)
    with ThreadPoolExecutor(TOGETHER) as pool:
        found = list(pool.map(lambda _: ask(shop, payment, 60_000), range(TOGETHER)))
    assert len({record.number for record in found}) == 1
    assert shop.balances()[REFUNDING] == 60_000


@pytest.mark.parametrize("_", range(4))
def test_d11_refund_and_reversal_at_once_never_both(shop: Shop, _: int) -> None:
    """D11, I3: one of the two wins, the other is told so; never does the money go back twice."""
    payment = kept(shop)
    start = Barrier(2)

    def give_back(how: str) -> str:
        start.wait()
        try:
            if how == "refund":
                ask(shop, payment, 100_000)
            else:
                reverse(shop.gateway, shop.caller, payment.payment_id, None)
        except (NotPossible, RequestInProgress, PayableTooLow) as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(give_back, ("refund", "reverse")))
    work_on(shop)

    assert found.count("done") == 1
    refunded = found[0] == "done"
    assert shop.state(payment) is (PaymentState.CONFIRMED if refunded else PaymentState.REVERSED)
    assert sum(shop.switch.returned.values()) == (100_000 if refunded else 0)
    assert shop.balances() == ({"issuer:two": -150_000, PAYABLE: 150_000} if refunded else {})


def test_a_payment_with_refunds_is_not_reversed_and_one_that_goes_back_not_refunded(shop: Shop) -> None:
    """Each says what stands in its way; a refused refund stands in nobody's."""
    payment, other = kept(shop), kept(shop)
    shop.switch.givings.append(give_no("118"))
    ask(shop, payment, 1_000)
    with pytest.raises(RefundsExist):
        reverse(shop.gateway, shop.caller, payment.payment_id, None)
    work_on(shop)
    reverse(shop.gateway, shop.caller, payment.payment_id, None)
    work_on(shop)
    assert shop.state(payment) is PaymentState.REVERSED
    assert shop.balances() == {"issuer:two": -250_000, PAYABLE: 250_000}
    reverse(shop.gateway, shop.caller, other.payment_id, None)
    with pytest.raises(NotPossible) as refused:
        ask(shop, other, 1_000, "r-2")
    assert refused.value.state == "reversing"


def test_d11_payable_is_a_floor_and_what_may_still_be_reversed_is_spoken_for(shop: Shop) -> None:
    """D11, D32: a settled payment is refunded out of what the merchant is owed, never out of what may yet go back."""
    settled = kept(shop, 400_000)
    settled_by_hand(shop, settled)
    with pytest.raises(PayableTooLow):
        ask(shop, settled, 100_000)

    fresh = kept(shop)
    with pytest.raises(PayableTooLow):
        ask(shop, settled, 100_000)
    reverse(shop.gateway, shop.caller, fresh.payment_id, None)
    with pytest.raises(PayableTooLow):
        ask(shop, settled, 100_000)

    firm = kept(shop)
    shop.change(
        "UPDATE payment SET confirmed_at = confirmed_at - interval '2 hours' WHERE payment_id = :id",
        id=firm.payment_id,
    )
    ask(shop, settled, 100_000)
    with pytest.raises(PayableTooLow):
        ask(shop, settled, 150_001, "r-2")
    work_on(shop)
    assert shop.balances()[PAYABLE] == 150_000


def test_d11_a_payment_whose_refund_may_be_refused_stays_spoken_for(shop: Shop) -> None:
    """D11, D32: a refund under way may be refused, and then all of its payment may go back: nothing of it is spent."""
    settled = kept(shop, 1_000_000)
    settled_by_hand(shop, settled)
    fresh = kept(shop, 1_000_000)
    shop.switch.givings.extend([never_given, give_no("118")])
    ask(shop, fresh, 1_000, "r-1")
    shop.work()
    assert states(shop) == ["unknown"]

    with pytest.raises(PayableTooLow):
        ask(shop, settled, 1, "r-2")
    work_on(shop)
    assert states(shop) == ["refused"]
    reverse(shop.gateway, shop.caller, fresh.payment_id, None)
    work_on(shop)

    assert shop.state(fresh) is PaymentState.REVERSED
    assert shop.balances().get(PAYABLE, 0) == 0


def test_d11_what_is_left_beside_a_given_refund_is_free(shop: Shop) -> None:
    """D11: a payment of which the card got something back cannot be reversed any more, so its rest may be spent."""
    settled = kept(shop, 400_000)
    settled_by_hand(shop, settled)
    fresh = kept(shop)
    ask(shop, fresh, 50_000, "r-1")
    work_on(shop)

    ask(shop, settled, 200_000, "r-2")
    with pytest.raises(PayableTooLow):
        ask(shop, settled, 1, "r-3")


def test_d1_after_the_window_the_card_is_forgotten_and_the_answer_says_so(shop: Shop) -> None:
    """D1: a refund needs the sealed PAN; it stays until window and refunds are over, and then there is none."""
    late, slow = kept(shop), kept(shop)
    shop.switch.givings.extend([never_given] * 3)
    number = ask(shop, slow, 1_000).number
    shop.work()
    day = 86_400
    shop.later(91 * day)
    sweep.erase(shop.gateway)

    with pytest.raises(RefundWindowOver):
        ask(shop, late, 1_000, "r-2")
    sealed = dict(shop.rows("SELECT payment_id, pan_sealed IS NOT NULL FROM attempt"))
    assert sealed == {late.payment_id: False, slow.payment_id: True}
    shop.switch.givings.clear()
    assert send_refund.send_refund(shop.gateway, number) is None
    assert states(shop) == ["done"]
    sweep.erase(shop.gateway)
    assert shop.rows("SELECT count(*) FROM attempt WHERE pan_sealed IS NOT NULL") == [(0,)]


def test_d11_one_id_is_one_refund_for_ever(shop: Shop) -> None:
    """D11, I10: the same again is the same refund as it stands; another amount or payment is refused; a key replays."""
    payment, other = kept(shop), kept(shop)
    first = ask(shop, payment, 1_000, key="k-1")
    assert ask(shop, payment, 1_000, key="k-1") == first
    work_on(shop)
    assert ask(shop, payment, 1_000, key="k-1") == first, "a key always has its first answer"
    assert ask(shop, payment, 1_000).state is RefundState.DONE
    assert ask(shop, payment, 1_000, key="k-2").state is RefundState.DONE
    assert ask(shop, payment, 1_000, key="k-2").state is RefundState.DONE
    for again in (lambda: ask(shop, payment, 1_001), lambda: ask(shop, other, 1_000)):
        with pytest.raises(RefundIdTaken) as taken:
            again()
        assert taken.value.payment_id == payment.payment_id
    with pytest.raises(IdempotencyMismatch):
        ask(shop, payment, 2_000, "r-9", key="k-1")
    assert len(shop.switch.returned) == 1
    assert shop.balances()[PAYABLE] == 500_000 - 1_000


def test_what_cannot_be_refunded_is_refused_with_its_reason(shop: Shop) -> None:
    """No payment, not kept, not paid, too much, nothing, a bill, a strange id, too many: each its own error."""
    payment, unpaid, waiting = kept(shop), shop.open(), shop.paid()
    for one in (unpaid, waiting):
        with pytest.raises(NotPossible):
            ask(shop, one, 1_000)
    with pytest.raises(RefundAboveRest):
        ask(shop, payment, 250_001)
    with pytest.raises(InvalidAmount):
        ask(shop, payment, 0)
    for wrong in ("", "a b", "x" * 65):
        with pytest.raises(InvalidText):
            ask(shop, payment, 1_000, wrong)
    with pytest.raises(InvalidText):
        refund(shop.gateway, shop.caller, payment.payment_id, AskedRefund("r", Rial(1), "\x07"), None)
    with pytest.raises(PaymentNotFound):
        refund(shop.gateway, shop.caller, "pay_nobody", AskedRefund("r", Rial(1)), None)
    with pytest.raises(PaymentNotFound):
        refunds_of(shop.gateway, shop.caller, "pay_nobody")
    for number in range(50):
        ask(shop, payment, 1_000, f"r-{number}")
    with pytest.raises(TooManyRefunds):
        ask(shop, payment, 1_000, "r-50")
    bill = kept(shop)
    shop.change(
        "UPDATE payment SET kind = 'BILL_PAYMENT', payee_key = repeat('0', 64) WHERE payment_id = :id",
        id=bill.payment_id,
    )
    with pytest.raises(RefundNotOffered):
        ask(shop, bill, 1_000, "bill")
