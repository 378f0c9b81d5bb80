"""A bill's money is paid out to whoever sent the bill, once, whatever dies, races or is refused (I13, D11, D12)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from foundation.checks import Report, Severity
from gateway.domain.bills import Bill, check_digit
from gateway.domain.payment import PaymentState
from gateway.domain.refund import RefundState
from gateway.domain.refund_errors import PayableTooLow
from gateway.services import settle as service
from gateway.services.approve import approve
from gateway.services.authorise import Paid
from gateway.services.ibans import add_iban
from gateway.services.open_payment import PaymentRecord
from gateway.services.owed import add_biller
from gateway.services.reconcile import import_file
from gateway.services.settle import returned, settle
from gateway.services.statements import export, list_settlements, settlement_lines
from tests.fakes.clearing import Clearing, days
from tests.fakes.shop import MERCHANT, Shop
from tests.fakes.switch import give_no
from tests.gateway.services.test_bills import PHONE, PHONE_CO, WATER, WATER_CO, opened
from tests.gateway.services.test_bills import town as town
from tests.gateway.services.test_refund import work_on
from tests.gateway.services.test_refuse_bill import WATER_LATER, Waterworks
from tests.gateway.services.test_refuse_bill import water as water
from tests.gateway.services.test_settle import FIRST, SECOND, WEEK, matched, open_batch
from tests.gateway.test_checks import broken
from tests.gateway.test_checks import look as look
from tests.gateway.test_checks import reader as reader

THIRD = "IR820540102680020817909002"
IBANS = {MERCHANT.merchant_id: FIRST, PHONE_CO: SECOND, WATER_CO: THIRD}


def usable(town: Shop, merchant_id: str) -> None:
    """Let two people add a biller's IBAN, long ago."""
    request = add_iban(town.gateway, merchant_id, IBANS[merchant_id], parts=1, by="sara", reason="letter of the biller")
    approve(town.gateway, request, by="ali")
    town.change(
        "UPDATE merchant_iban SET approved_at = approved_at - interval '10 days', "
        "usable_from = usable_from - interval '10 days'"
    )


@pytest.fixture
def billers(town: Shop) -> None:
    """Both billers have an IBAN."""
    usable(town, PHONE_CO)
    usable(town, WATER_CO)


def paid(town: Shop, *bills: Bill, order: str = "b-1") -> PaymentRecord:
    """Let bills be paid with one code."""
    payment = opened(town, *bills, order=order)
    assert town.pay(payment) == Paid()
    return payment


def wrong(report: Report) -> set[str]:
    """Name the rules about money that do not hold; weeks go by here, so that jobs are late."""
    money = {verdict.name for verdict in report.verdicts if verdict.severity is Severity.MONEY}
    return broken(report) & money


def lines(town: Shop) -> list[tuple[str, int]]:
    """Read who has a line, and over how much."""
    return [
        (row[0], row[1]) for row in town.rows("SELECT merchant_id, gross_rial FROM settlement_line ORDER BY 1, line_id")
    ]


def water_bill(number: int) -> Bill:
    """Return another bill of the waterworks over 10,000 rials: of another period."""
    payment_id = f"107{number:02}"
    payment_id += check_digit(payment_id)
    return Bill.parse(WATER.bill_id, payment_id + check_digit(WATER.bill_id + payment_id))


def next_week(town: Shop, week: int) -> int:
    """Let another week go by, and settle."""
    town.later(week * WEEK)
    return settle(town.gateway)


def four_settle(town: Shop) -> int:
    """Let four workers settle in the same moment; return how many lines they wrote together."""
    start = threading.Barrier(4)

    def run(_: int) -> int:
        start.wait(10)
        return settle(town.gateway)

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(run, range(4)))


@pytest.mark.usefixtures("billers")
def test_d12_each_biller_is_paid_for_its_own_bills(town: Shop, water: Waterworks, look: Callable[[], Report]) -> None:
    """Two of one biller, one of the other, beside a purchase: lines, payouts, file, statement and books agree."""
    usable(town, MERCHANT.merchant_id)
    bills = paid(town, PHONE, WATER, WATER_LATER)
    sale = town.paid(250_000)
    town.confirm(sale)
    matched(town, Clearing(town), bills, sale)

    assert (settle(town.gateway), settle(town.gateway)) == (4, 0)

    assert lines(town) == [
        (MERCHANT.merchant_id, 250_000),
        (PHONE_CO, 17_000),
        (WATER_CO, 10_000),
        (WATER_CO, 20_000),
    ]
    assert (town.state(bills), town.state(sale)) == (PaymentState.SETTLED, PaymentState.SETTLED)
    assert town.balances() == {"issuer:two": -297_000, "bank:settlement": 297_000}
    content = export(town.gateway, 1, form="csv")
    assert [row.split(",")[1:] for row in content.splitlines()[2:-1]] == [
        [MERCHANT.merchant_id, FIRST, "250000"],
        [PHONE_CO, SECOND, "17000"],
        [WATER_CO, THIRD, "30000"],
    ]
    ((statement, (payout,)),) = list_settlements(town.gateway, water.caller).found
    assert (statement.lines, statement.net_rial, payout.iban) == (2, 30_000, THIRD)
    (first, _) = settlement_lines(town.gateway, water.caller, 1).found
    assert (first.bill_id, first.pay_id, first.gross_rial) == (WATER.bill_id, WATER.payment_id, 10_000)
    assert (first.payment_id, first.order_id, first.terminal_id) == (None, None, None), "that is the opener's business"
    (own,) = settlement_lines(town.gateway, town.caller, 1).found
    assert (own.payment_id, own.bill_id) == (sale.payment_id, None)
    told = town.rows("SELECT payment_id FROM webhook_event WHERE type = 'payment.settled' ORDER BY number")
    assert sorted(told) == sorted([(bills.payment_id,), (sale.payment_id,)])
    town.settle_down(after=WEEK)
    assert wrong(look()) == set()


def test_d11_a_bill_is_paid_out_only_once_matched_and_to_an_iban(town: Shop, look: Callable[[], Report]) -> None:
    """Unmatched: nobody is paid. A biller without an IBAN waits, the other does not; the payment ends with the last."""
    usable(town, PHONE_CO)
    payment, unmatched = paid(town, PHONE, WATER), paid(town, WATER_LATER, order="b-2")
    matched(town, Clearing(town), payment)
    assert settle(town.gateway) == 1
    assert (lines(town), town.state(payment)) == ([(PHONE_CO, 17_000)], PaymentState.CONFIRMED)

    usable(town, WATER_CO)
    assert next_week(town, 2) == 1

    assert lines(town) == [(PHONE_CO, 17_000), (WATER_CO, 10_000)]
    assert (town.state(payment), town.state(unmatched)) == (PaymentState.SETTLED, PaymentState.CONFIRMED)
    assert town.balances() == {"issuer:two": -47_000, "bank:settlement": 27_000, f"payable:{WATER_CO}": 20_000}
    assert wrong(look()) == set()


@pytest.mark.usefixtures("billers")
def test_d35_a_billers_iban_waits_two_days_like_any(town: Shop) -> None:
    """Approved a moment ago it is not used, whoever's it is."""
    payment = paid(town, PHONE)
    town.change("UPDATE merchant_iban SET approved_at = house_now(), usable_from = house_now() + interval '48 hours'")
    here = Clearing(town)
    here.capture()
    content = here.written(here.line(payment))
    town.later(days(1))
    import_file(town.gateway, "two", content)
    open_batch(town)
    assert settle(town.gateway) == 0


@pytest.mark.usefixtures("billers")
def test_d12_a_refused_bill_is_not_paid_out(town: Shop, water: Waterworks, look: Callable[[], Report]) -> None:
    """The other biller is, and the payment ends although the refund is still under way; nothing is paid for it ever."""
    payment = paid(town, PHONE, WATER)
    matched(town, Clearing(town), payment)
    assert water.refuse(payment).state is RefundState.REQUESTED

    assert settle(town.gateway) == 1
    assert (lines(town), town.state(payment)) == ([(PHONE_CO, 17_000)], PaymentState.SETTLED)
    work_on(town)

    assert next_week(town, 2) == 0
    assert town.balances() == {"issuer:two": -17_000, "bank:settlement": 17_000}
    assert wrong(look()) == set()


@pytest.mark.usefixtures("billers")
def test_d12_a_bill_whose_refund_the_bank_refused_is_paid_out_after_all(
    town: Shop, water: Waterworks, look: Callable[[], Report]
) -> None:
    """Its payment was settled meanwhile, because nobody was owed anything; the money is not left lying."""
    payment = paid(town, PHONE, WATER)
    matched(town, Clearing(town), payment)
    water.refuse(payment)
    assert settle(town.gateway) == 1
    town.switch.givings.append(give_no("118"))
    work_on(town)
    assert (town.state(payment), town.balances()[f"payable:{WATER_CO}"]) == (PaymentState.SETTLED, 10_000)

    assert next_week(town, 2) == 1

    assert lines(town) == [(PHONE_CO, 17_000), (WATER_CO, 10_000)]
    assert town.balances() == {"issuer:two": -27_000, "bank:settlement": 27_000}
    assert wrong(look()) == set()


def test_a_payment_whose_last_bill_was_refunded_between_batches_ends_with_the_next(
    town: Shop, water: Waterworks, look: Callable[[], Report]
) -> None:
    """One biller was paid, the other had no IBAN and then said no: with the next batch the payment is settled."""
    usable(town, PHONE_CO)
    payment = paid(town, PHONE, WATER)
    matched(town, Clearing(town), payment)
    assert settle(town.gateway) == 1
    water.refuse(payment)
    work_on(town)
    assert town.state(payment) is PaymentState.CONFIRMED

    town.later(2 * WEEK)
    open_batch(town)
    assert settle(town.gateway) == 0

    assert town.state(payment) is PaymentState.SETTLED
    assert wrong(look()) == set()


@pytest.mark.usefixtures("billers")
def test_d11_a_no_after_the_payout_is_taken_from_newer_money(
    town: Shop, water: Waterworks, look: Callable[[], Report]
) -> None:
    """With nothing more owed the waterworks are told so; with newer bills the refund goes."""
    payment = paid(town, WATER)
    matched(town, Clearing(town), payment)
    assert settle(town.gateway) == 1
    with pytest.raises(PayableTooLow):
        water.refuse(payment)
    newer = paid(town, WATER_LATER, order="b-2")

    assert water.refuse(payment).state is RefundState.REQUESTED
    work_on(town)

    assert town.state(payment) is PaymentState.REFUNDED
    assert town.balances() == {"issuer:two": -20_000, "bank:settlement": 10_000, f"payable:{WATER_CO}": 10_000}
    assert town.state(newer) is PaymentState.CONFIRMED
    assert paid(town, WATER, order="b-3").payment_id != payment.payment_id
    assert wrong(look()) == set()


@pytest.mark.usefixtures("billers")
def test_a_payout_that_came_back_is_owed_to_the_biller_again(town: Shop) -> None:
    """And goes out once more with a later batch."""
    matched(town, Clearing(town), paid(town, WATER))
    assert settle(town.gateway) == 1
    request, paid_out = returned(town.gateway, 1, by="sara", reason="account is closed")
    assert (paid_out.merchant_id, paid_out.amount_rial) == (WATER_CO, 10_000)
    approve(town.gateway, request, by="ali")
    assert next_week(town, 2) == 1
    assert town.balances() == {"issuer:two": -10_000, "bank:settlement": 10_000}


@pytest.mark.usefixtures("billers")
def test_i13_a_worker_that_dies_between_billers_leaves_a_batch_that_another_finishes(
    town: Shop, monkeypatch: pytest.MonkeyPatch, look: Callable[[], Report]
) -> None:
    """What was written stays written once; the payment ends when the batch does."""
    payment = paid(town, PHONE, WATER)
    matched(town, Clearing(town), payment)
    kept, calls = service.settlements.settle, list[int]()

    def die_at_the_second(*arguments: object) -> None:
        calls.append(1)
        kept(*arguments)  # type: ignore[arg-type]  # as it was called
        if len(calls) == 2:
            raise SystemExit(137)

    with monkeypatch.context() as patched:
        patched.setattr(service.settlements, "settle", die_at_the_second)
        with pytest.raises(SystemExit):
            settle(town.gateway)
    assert (lines(town), town.state(payment)) == ([(PHONE_CO, 17_000)], PaymentState.CONFIRMED)

    assert next_week(town, 2) == 1

    assert (lines(town), town.state(payment)) == ([(PHONE_CO, 17_000), (WATER_CO, 10_000)], PaymentState.SETTLED)
    assert wrong(look()) == set()


@pytest.mark.usefixtures("billers")
def test_i13_several_workers_fill_one_batch_with_bills(town: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four at once, in small chunks: each bill has one line, each payment ends."""
    monkeypatch.setattr(service, "LINES_AT_ONCE", 1)
    payments = [paid(town, PHONE, WATER), paid(town, WATER_LATER, order="b-2")]
    matched(town, Clearing(town), *payments)
    assert four_settle(town) == 3
    assert lines(town) == [(PHONE_CO, 17_000), (WATER_CO, 10_000), (WATER_CO, 20_000)]
    assert {town.state(payment) for payment in payments} == {PaymentState.SETTLED}
    assert town.balances() == {"issuer:two": -47_000, "bank:settlement": 47_000}


@pytest.mark.usefixtures("billers")
def test_i13_a_bill_is_refunded_or_paid_out_and_never_both(
    town: Shop, water: Waterworks, look: Callable[[], Report]
) -> None:
    """The biller says no in the moment the batch is made, owed for this bill alone: one of the two, each time."""
    outcomes = set[tuple[bool, bool]]()
    for week in range(5):
        town.later(week * WEEK)
        here, bill = Clearing(town), water_bill(week)
        payment = paid(town, bill, order=f"b-{week}")
        here.capture()
        content = here.written(here.line(payment))
        town.later(week * WEEK + days(3))
        import_file(town.gateway, "two", content)
        open_batch(town)
        start = threading.Barrier(2)

        def run(
            who: str, start: threading.Barrier = start, payment: PaymentRecord = payment, bill: Bill = bill
        ) -> bool:
            start.wait(10)
            if who == "worker":
                return settle(town.gateway) == 1
            try:
                return water.refuse(payment, bill).state is RefundState.REQUESTED
            except PayableTooLow:
                return False

        with ThreadPoolExecutor(2) as pool:
            outcome = tuple(pool.map(run, ("worker", "biller")))
        assert sum(outcome) == 1
        outcomes.add((outcome[0], outcome[1]))
        work_on(town)
    assert all(value >= 0 for account, value in town.balances().items() if account.startswith("payable:"))
    assert outcomes <= {(True, False), (False, True)}
    assert wrong(look()) == set()


def test_the_biller_of_its_own_page_is_paid_once(town: Shop) -> None:
    """A company that lets its own bills be paid under its own terminal: by the bill, not by the payment as well."""
    usable(town, MERCHANT.merchant_id)
    who = {"by": "sara", "reason": "its own page now"}
    request = add_biller(town.gateway, MERCHANT.merchant_id, int(PHONE.service), PHONE.company, **who)
    assert request is not None
    approve(town.gateway, request, by="ali")
    payment = paid(town, PHONE)
    matched(town, Clearing(town), payment)
    assert settle(town.gateway) == 1
    assert lines(town) == [(MERCHANT.merchant_id, 17_000)]
    assert town.rows("SELECT bill FROM settlement_line") == [(1,)]
