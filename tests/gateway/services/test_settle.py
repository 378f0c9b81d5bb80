"""Paying merchants out: every kept rial in one line of one batch, whatever dies or races (I13, D11, D32)."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.domain.errors import RefusedRow
from gateway.domain.four_eyes import Asked
from gateway.domain.payment import PaymentState
from gateway.services import settle as service
from gateway.services.approve import approve, ask, waiting
from gateway.services.ibans import add_iban, ask_again, list_ibans
from gateway.services.open_payment import PaymentRecord
from gateway.services.reconcile import import_file, list_exceptions
from gateway.services.reverse import reverse
from gateway.services.settle import returned, settle
from tests.fakes.clearing import Clearing, days
from tests.fakes.shop import MERCHANT, Shop
from tests.fakes.switch import Giving, give, give_no, never_given

FIRST, SECOND = "IR062960000000100324200001", "IR760570028180010800000101"
PAYABLE = f"payable:{MERCHANT.merchant_id}"
WEEK = days(7)
"""Later than every hold and every cut-off of a day."""


@pytest.fixture
def clearing(shop: Shop) -> Clearing:
    """The bank's side of today."""
    shop.at_noon()
    return Clearing(shop)


@pytest.fixture
def paid_to(shop: Shop) -> None:
    """The merchant has one IBAN that was approved long ago."""
    usable(shop, FIRST, 1)
    shop.change(
        "UPDATE merchant_iban SET approved_at = approved_at - interval '10 days', "
        "usable_from = usable_from - interval '10 days'"
    )


def usable(shop: Shop, iban: str, parts: int) -> None:
    """Add an IBAN by two people."""
    request = add_iban(
        shop.gateway, MERCHANT.merchant_id, iban, parts=parts, by="sara", reason="letter of the merchant"
    )
    approve(shop.gateway, request, by="ali")


def came_back(shop: Shop, payout: int) -> None:
    """Let the bank send a payout back, as two people say."""
    request, _ = returned(shop.gateway, payout, by="sara", reason="account is closed")
    approve(shop.gateway, request, by="ali")


def matched(shop: Shop, clearing: Clearing, *payments: PaymentRecord, later: int = WEEK) -> None:
    """Let the bank tell of these payments, and days go by."""
    clearing.capture()
    content = clearing.written(*(clearing.line(payment) for payment in payments))
    shop.later(later)
    import_file(shop.gateway, "two", content)


def bought(shop: Shop, amount: int = 250_000) -> PaymentRecord:
    """Pay and confirm."""
    payment = shop.paid(amount)
    shop.confirm(payment)
    return payment


@pytest.mark.usefixtures("paid_to")
def test_i13_what_is_confirmed_and_matched_is_paid_out_once(shop: Shop, clearing: Clearing) -> None:
    """I13: line, state, event, postings and webhook together; a second sweep finds nothing; the books are even."""
    first, second, unmatched = bought(shop), bought(shop, 100_001), bought(shop, 7_000)
    matched(shop, clearing, first, second)

    assert (settle(shop.gateway), settle(shop.gateway)) == (2, 0)

    assert [shop.state(payment) for payment in (first, second, unmatched)] == [
        PaymentState.SETTLED,
        PaymentState.SETTLED,
        PaymentState.CONFIRMED,
    ]
    assert shop.balances() == {"issuer:two": -357_001, "bank:settlement": 350_001, PAYABLE: 7_000}
    assert shop.rows("SELECT lines, gross_rial, fee_rial, net_rial, payouts FROM settlement_batch") == [
        (2, 350_001, 0, 350_001, 1)
    ]
    assert shop.rows("SELECT iban, amount_rial FROM settlement_payout") == [(FIRST, 350_001)]
    assert shop.rows("SELECT count(*) FROM payment_event WHERE event = 'settled_in_batch'") == [(2,)]
    assert shop.rows("SELECT count(*) FROM webhook_event WHERE type = 'payment.settled'") == [(2,)]


@pytest.mark.usefixtures("paid_to")
def test_d11_a_payment_is_paid_out_only_once_matched_and_past_its_reversal_window(
    shop: Shop, clearing: Clearing
) -> None:
    """D11: not with an open exception, not while the merchant may reverse it, not before the cut-off."""
    early, late, missing = bought(shop), bought(shop), bought(shop)
    just_now = "UPDATE payment SET confirmed_at = house_now() WHERE payment_id = :id"
    clearing.capture()
    content = clearing.written(clearing.line(early), clearing.line(late))
    shop.later(WEEK)
    import_file(shop.gateway, "two", content)
    shop.change(just_now, id=late.payment_id)
    assert settle(shop.gateway) == 1
    assert shop.state(early) is PaymentState.SETTLED
    assert shop.state(late) is shop.state(missing) is PaymentState.CONFIRMED

    number = list_exceptions(shop.gateway)[0].exception_id
    wish = {"settle": True}
    request = ask(shop.gateway, Asked.RESOLVE, number, by="sara", reason="the bank has it after all", facts=wish)
    approve(shop.gateway, request, by="ali")
    shop.later(2 * WEEK)
    shop.change(just_now, id=late.payment_id)
    assert settle(shop.gateway) == 1
    assert shop.state(missing) is PaymentState.SETTLED


@pytest.mark.usefixtures("paid_to")
def test_i13_several_workers_fill_one_batch(shop: Shop, clearing: Clearing, monkeypatch: pytest.MonkeyPatch) -> None:
    """I13, D32: four at once, small chunks: each payment has one line, one batch, and nothing is lost."""
    monkeypatch.setattr(service, "LINES_AT_ONCE", 2)
    payments = [bought(shop, 10_000 + number) for number in range(9)]
    matched(shop, clearing, *payments)
    start = threading.Barrier(4)

    def run(_: int) -> int:
        start.wait()
        return settle(shop.gateway)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 9
    total = sum(payment.amount_rial for payment in payments)
    assert shop.rows("SELECT lines, net_rial FROM settlement_batch") == [(9, total)]
    assert shop.balances() == {"issuer:two": -total, "bank:settlement": total}


@pytest.mark.usefixtures("paid_to")
def test_i13_a_worker_that_dies_between_chunks_leaves_a_batch_that_another_finishes(
    shop: Shop, clearing: Clearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I13: what was written stays written once, the rest follows, even days later; then the batch is closed."""
    monkeypatch.setattr(service, "LINES_AT_ONCE", 1)
    payments = [bought(shop) for _ in range(3)]
    matched(shop, clearing, *payments)
    kept = service.settlements.settle
    calls: list[int] = []

    def die_at_the_second(*arguments: object) -> None:
        calls.append(1)
        kept(*arguments)  # type: ignore[arg-type]  # as it was called
        if len(calls) == 2:
            raise SystemExit(137)

    monkeypatch.setattr(service.settlements, "settle", die_at_the_second)
    with pytest.raises(SystemExit):
        settle(shop.gateway)
    assert shop.rows("SELECT count(*) FROM settlement_line") == [(1,)]
    shop.later(2 * WEEK)

    assert settle(shop.gateway) == 2
    assert shop.rows("SELECT lines, gross_rial, payouts FROM settlement_batch") == [(3, 750_000, 1)]
    assert shop.balances() == {"issuer:two": -750_000, "bank:settlement": 750_000}


@pytest.mark.usefixtures("paid_to")
def test_i13_a_payment_is_reversed_or_settled_and_never_both(shop: Shop) -> None:
    """I13, D8: the merchant reverses while the batch is made; the window's two sides are complements."""
    outcomes: list[tuple[bool, bool]] = []
    for day in range(4):
        shop.later(day * WEEK)
        here = Clearing(shop)
        payment = bought(shop)
        here.capture()
        content = here.written(here.line(payment))
        shop.later(day * WEEK + days(3))
        import_file(shop.gateway, "two", content)
        within = "1799.9 seconds" if day % 2 else "1800 seconds"
        shop.change(
            f"UPDATE payment SET confirmed_at = house_now() - interval '{within}' WHERE payment_id = :id",
            id=payment.payment_id,
        )
        shop.change("UPDATE payment SET authorised_at = confirmed_at WHERE payment_id = :id", id=payment.payment_id)
        shop.later(day * WEEK + days(3))
        open_batch(shop)
        start = threading.Barrier(2)

        def run(who: str, start: threading.Barrier = start, payment: PaymentRecord = payment) -> bool:
            start.wait()
            if who == "worker":
                return settle(shop.gateway) == 1
            try:
                return reverse(shop.gateway, shop.caller, payment.payment_id, None).state is PaymentState.REVERSING
            except Exception:  # noqa: BLE001 - whatever the refusal is called
                return False

        with ThreadPoolExecutor(2) as pool:
            settled, given_back = pool.map(run, ("worker", "merchant"))
        assert not (settled and given_back)
        outcomes.append((settled, given_back))
        shop.work()
    assert shop.rows(
        "SELECT count(*) FROM settlement_line JOIN payment USING (payment_id) WHERE state <> 'settled'"
    ) == [(0,)]
    assert any(map(any, outcomes))
    assert all(value >= 0 for account, value in shop.balances().items() if account == PAYABLE)


def open_batch(shop: Shop) -> None:
    """Open a batch by hand that is cut off later than now."""
    shop.change(
        "INSERT INTO settlement_batch (business_day, value_day, cut_off_at) "
        "SELECT CAST(now AS date), CAST(now AS date) + 1, now + interval '1 day' FROM (SELECT house_now() AS now) AS c"
    )


@pytest.mark.usefixtures("paid_to")
def test_i13_a_closed_batch_never_changes(shop: Shop, clearing: Clearing) -> None:
    """I13: no right, and not even the owner of the tables: a trigger refuses."""
    matched(shop, clearing, bought(shop))
    settle(shop.gateway)
    for statement in (
        "UPDATE settlement_line SET net_rial = 1, gross_rial = 1",
        "DELETE FROM settlement_line",
        (
            "INSERT INTO settlement_line (batch_id, merchant_id, payment_id, gross_rial, fee_rial, net_rial) "
            "SELECT batch_id, merchant_id, payment_id, 1, 0, 1 FROM settlement_line"
        ),
        "UPDATE settlement_payout SET amount_rial = 1",
        "DELETE FROM settlement_payout",
        "UPDATE settlement_batch SET lines = 7",
        "UPDATE settlement_batch SET closed_at = NULL",
        "DELETE FROM settlement_batch",
    ):
        with pytest.raises(Exception, match="closed batch never changes"):
            shop.change(statement)
        with pytest.raises(Exception, match=r"permission denied|closed batch"), shop.gateway.database.single() as db:
            db.exec_driver_sql(statement)


@pytest.mark.usefixtures("paid_to")
def test_d11_a_payout_that_came_back_is_owed_again_and_paid_once_more(shop: Shop, clearing: Clearing) -> None:
    """D11: posted back to payable once, then one line of a later batch; never a third time."""
    matched(shop, clearing, bought(shop))
    settle(shop.gateway)
    payout = shop.rows("SELECT payout_id FROM settlement_payout")[0][0]

    came_back(shop, payout)

    assert shop.balances() == {"issuer:two": -250_000, PAYABLE: 250_000}
    for wrong in (payout, 999):
        with pytest.raises(RefusedRow, match="can come back"):
            returned(shop.gateway, wrong, by="sara", reason="account is closed")
    shop.later(2 * WEEK)
    assert (settle(shop.gateway), settle(shop.gateway)) == (1, 0)
    assert shop.balances() == {"issuer:two": -250_000, "bank:settlement": 250_000}
    assert shop.rows("SELECT count(*), sum(amount_rial) FROM settlement_payout") == [(2, 500_000)]


@pytest.mark.usefixtures("paid_to")
def test_d35_that_a_payout_came_back_is_said_by_two_people(shop: Shop, clearing: Clearing) -> None:
    """D35: a wrong number posts nothing until somebody else has read whose money it is; once is once."""
    matched(shop, clearing, bought(shop))
    settle(shop.gateway)

    request, paid = returned(shop.gateway, 1, by="sara", reason="account is closed")

    assert (paid.merchant_id, paid.iban, paid.amount_rial) == (MERCHANT.merchant_id, FIRST, 250_000)
    (waits,) = waiting(shop.gateway)
    assert waits.facts == {"merchant": MERCHANT.merchant_id, "iban": FIRST, "rial": 250_000}
    with pytest.raises(RefusedRow, match="already"):
        returned(shop.gateway, 1, by="omid", reason="account is closed")
    with pytest.raises(RefusedRow, match="somebody else"):
        approve(shop.gateway, request, by="sara")
    assert shop.balances() == {"issuer:two": -250_000, "bank:settlement": 250_000}
    approve(shop.gateway, request, by="ali")
    assert shop.rows("SELECT told_by, reason, approved_by FROM settlement_return") == [
        ("sara", "account is closed", request)
    ]
    assert shop.balances() == {"issuer:two": -250_000, PAYABLE: 250_000}


@pytest.mark.usefixtures("paid_to")
def test_d35_the_database_takes_no_payout_back_without_a_request(shop: Shop, clearing: Clearing) -> None:
    """D35: not even by hand, and one request is of one payout."""
    matched(shop, clearing, bought(shop))
    settle(shop.gateway)

    with pytest.raises(Exception, match="settlement_return_four_eyes"):
        shop.change(
            "INSERT INTO settlement_return (payout_id, merchant_id, amount_rial, told_by, reason) "
            "SELECT payout_id, merchant_id, amount_rial, 'sara', 'account is closed' FROM settlement_payout"
        )


@pytest.mark.usefixtures("paid_to")
@pytest.mark.parametrize(("answer", "kept"), [(give_no("118"), 250_000), (give, 150_000)])
def test_d11_a_payment_waits_for_its_refund_and_is_then_paid_out_by_what_is_kept(
    shop: Shop, clearing: Clearing, answer: Giving, kept: int
) -> None:
    """D11: settled while a refund is under way, what a refused one gives back would stand in nobody's line."""
    payment = bought(shop)
    matched(shop, clearing, payment)
    shop.switch.givings.extend([never_given, answer])
    shop.refund(payment, 100_000, "r-1")
    shop.work()
    assert settle(shop.gateway) == 0

    shop.change("UPDATE outbox SET due_at = house_now() WHERE done_at IS NULL")
    shop.work()
    assert settle(shop.gateway) == 1

    assert shop.rows("SELECT gross_rial FROM settlement_line") == [(kept,)]
    assert shop.balances().get(PAYABLE, 0) == 0


@pytest.mark.usefixtures("paid_to")
def test_d11_a_refund_of_settled_money_is_never_paid_out_twice(shop: Shop, clearing: Clearing) -> None:
    """D11, D32: what a refund took from the payable is not paid out with newer payments; later ones follow in order."""
    kept, newer, newest = bought(shop, 100_000), bought(shop, 100_000), bought(shop, 60_000)
    matched(shop, clearing, kept, newer, newest)
    refund = (
        "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
        "SELECT payment_id, attempt_id, 'refunded', 'payable\\:' || merchant_id, 'issuer\\:two', :amount FROM payment "
        "WHERE payment_id = :id"
    )
    shop.change(refund, amount=40_000, id=newer.payment_id)
    shop.change(
        "UPDATE payment SET confirmed_at = confirmed_at - interval '1 hour' WHERE payment_id = :id", id=kept.payment_id
    )
    shop.change(refund, amount=100_000, id=newest.payment_id)

    assert settle(shop.gateway) == 1

    assert shop.rows("SELECT payment_id, gross_rial FROM settlement_line") == [(kept.payment_id, 100_000)]
    assert shop.balances()[PAYABLE] == 20_000


def test_d11_a_new_iban_waits_two_days_after_two_people_and_its_merchant_is_told(
    shop: Shop, clearing: Clearing
) -> None:
    """D11, D35: no IBAN, no payout; asked for it is not usable, approved it waits 48 hours; the feed tells of it."""
    matched(shop, clearing, bought(shop), later=days(3))
    assert settle(shop.gateway) == 0
    who = {"parts": 1, "by": "sara", "reason": "letter of the merchant"}
    request = add_iban(shop.gateway, MERCHANT.merchant_id, FIRST, **who)  # type: ignore[arg-type]  # as above
    assert settle(shop.gateway) == 0
    with pytest.raises(RefusedRow, match="somebody else"):
        approve(shop.gateway, request, by="sara")

    approve(shop.gateway, request, by="ali")

    assert settle(shop.gateway) == 0
    assert shop.rows("SELECT type FROM webhook_event WHERE payment_id IS NULL") == [("settlement_iban.added",)]
    (iban,) = list_ibans(shop.gateway, MERCHANT.merchant_id)
    assert iban.usable_from is not None
    assert iban.approved_at is not None
    assert iban.usable_from - iban.approved_at == dt.timedelta(hours=48)
    shop.later(days(3) + WEEK)
    assert settle(shop.gateway) == 1
    with pytest.raises(Exception, match="merchant_iban_hold"):
        shop.change("UPDATE merchant_iban SET usable_from = approved_at + interval '47 hours'")
    for wrong in (dict(who, parts=0), who):
        with pytest.raises(RefusedRow):
            add_iban(shop.gateway, MERCHANT.merchant_id, FIRST, **wrong)  # type: ignore[arg-type]  # as above
    with pytest.raises(RefusedRow, match="no merchant"):
        add_iban(shop.gateway, "999999999999999", SECOND, **who)  # type: ignore[arg-type]  # as above


def test_d11_shares_of_several_ibans_sum_to_the_rial(shop: Shop, clearing: Clearing) -> None:
    """D11: a third each; the remainder goes to the first; one that is removed by two people gets nothing more."""
    usable(shop, FIRST, 2)
    usable(shop, SECOND, 1)
    matched(shop, clearing, bought(shop, 100_001))
    settle(shop.gateway)
    payouts = "SELECT iban, amount_rial FROM settlement_payout ORDER BY payout_id"
    assert shop.rows(payouts) == [(FIRST, 66_668), (SECOND, 33_333)]

    first = list_ibans(shop.gateway, MERCHANT.merchant_id)[0].iban_id
    request = ask(shop.gateway, Asked.REMOVE_IBAN, first, by="sara", reason="account is closed")
    approve(shop.gateway, request, by="ali")
    came_back(shop, 1)
    shop.later(2 * WEEK)
    settle(shop.gateway)

    assert shop.rows(payouts)[2:] == [(SECOND, 66_668)]
    assert shop.rows("SELECT type FROM webhook_event WHERE type LIKE '%removed'") == [("settlement_iban.removed",)]


def test_d35_an_iban_whose_request_lapsed_is_asked_for_again(shop: Shop) -> None:
    """D35: after a day the request is void; the same IBAN can be asked for anew, an approved one cannot."""
    late = add_iban(shop.gateway, MERCHANT.merchant_id, FIRST, parts=1, by="sara", reason="letter of the merchant")
    shop.later(days(2))
    with pytest.raises(RefusedRow, match="more than a day"):
        approve(shop.gateway, late, by="ali")
    iban_id = list_ibans(shop.gateway, MERCHANT.merchant_id)[0].iban_id
    approve(shop.gateway, ask_again(shop.gateway, iban_id, by="sara", reason="letter of the merchant"), by="ali")
    for number in (iban_id, 999):
        with pytest.raises(RefusedRow, match="nothing to do"):
            ask_again(shop.gateway, number, by="sara", reason="letter of the merchant")
