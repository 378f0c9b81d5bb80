"""When the answer does not come: inquire, reverse until told, and never lose or keep a rial that is not explained."""

from __future__ import annotations

import psycopg
import pytest
from structlog.testing import capture_logs

from gateway.domain.payment import PaymentState
from gateway.services import recover
from gateway.services.authorise import Checking, Paid, Refused
from gateway.services.show_page import page_of
from tests.fakes.shop import MERCHANT, Shop
from tests.fakes.switch import (
    Behaviour,
    approve,
    debit_but_silent,
    decline,
    decline_but_silent,
    die_after,
    die_before,
    garbage,
    lost,
    meanwhile,
)


def assert_books_agree(shop: Shop) -> None:
    """What the bank took is what our books say it took, and nothing waits."""
    assert sum(shop.switch.debits.values()) == -shop.balances().get("issuer:two", 0)
    assert shop.balances().get("suspense", 0) == 0
    assert shop.rows("SELECT state FROM attempt WHERE state NOT IN ('approved', 'declined', 'voided')") == []


@pytest.mark.parametrize(
    ("behaviour", "ends"),
    [
        (approve, {"authorised"}),
        (decline("116"), {"open"}),
        (lost, {"open"}),
        (debit_but_silent, {"authorised"}),
        (decline_but_silent, {"open"}),
        (garbage, {"authorised"}),
    ],
    ids=["approve", "decline", "lost", "debit_but_silent", "decline_but_silent", "garbage"],
)
@pytest.mark.parametrize("silent_inquiries", [0, 3, 100])
@pytest.mark.parametrize("silent_reversals", [0, 7])
def test_d2_every_way_of_not_answering_ends_explained(
    shop: Shop, behaviour: Behaviour, ends: set[str], silent_inquiries: int, silent_reversals: int
) -> None:
    """D2, I6, F4–F6: whatever the switch does, an explicit answer is found or made; bank and books agree."""
    payment = shop.open()
    shop.switch.will(behaviour)
    shop.switch.silent_inquiries, shop.switch.silent_reversals = silent_inquiries, silent_reversals

    shop.pay(payment)
    for _ in range(16):
        shop.change("UPDATE outbox SET due_at = house_now() WHERE done_at IS NULL")
        shop.work()

    late = {"open"} if silent_inquiries == 100 else set()
    assert shop.state(payment) in ends | late
    assert_books_agree(shop)
    shop.switch.silent_inquiries = 0


@pytest.mark.parametrize("step", [die_before, die_after], ids=["before_the_call", "after_the_debit"])
def test_a_process_that_dies_in_pay_is_cleaned_up_after(shop: Shop, step: Behaviour) -> None:
    """F1, F2: the sweeper finds the intent after the time-out; the outcome is recorded or the money goes back."""
    payment = shop.open()
    shop.switch.will(step)

    with pytest.raises(SystemExit):
        shop.pay(payment)
    assert shop.state(payment) is PaymentState.PAYING
    shop.sweep()
    assert shop.state(payment) is PaymentState.PAYING, "the answer may still come"
    shop.later(8)
    shop.sweep()
    assert shop.state(payment) is PaymentState.UNKNOWN
    shop.work()
    shop.work()

    assert shop.state(payment) is (PaymentState.AUTHORISED if step is die_after else PaymentState.OPEN)
    assert_books_agree(shop)


def test_d8_an_inquirys_yes_after_the_deadline_gives_the_money_back(shop: Shop) -> None:
    """D8: the shopper is gone; the approval is booked to suspense and reversed."""
    payment = shop.open()
    shop.switch.will(die_after)
    with pytest.raises(SystemExit):
        shop.pay(payment)
    shop.later(1_000)
    shop.sweep()

    recover.inquire(shop.gateway, shop.rows("SELECT attempt_id FROM attempt")[0][0], tries=1)
    assert shop.state(payment) is PaymentState.REVERSING
    assert shop.balances() == {"issuer:two": -250_000, "suspense": 250_000}
    shop.work()

    assert shop.state(payment) is PaymentState.REVERSED
    assert shop.balances() == {}
    assert_books_agree(shop)


def test_d2_a_reversal_decided_is_never_flipped_by_a_late_yes(shop: Shop) -> None:
    """D2: the 1210 arrives after the decision to reverse was committed; it is only recorded."""
    payment = shop.open()

    def sweeper_decides() -> None:
        attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]
        shop.later(60)
        shop.sweep()
        shop.switch.silent_inquiries = 1
        assert recover.inquire(shop.gateway, attempt_id, tries=5) is None
        assert shop.rows("SELECT state FROM attempt") == [("voiding",)]

    shop.switch.will(meanwhile(sweeper_decides))

    assert shop.pay(payment) == Checking()
    assert shop.rows("SELECT state, approval_code FROM attempt") == [("voiding", "A00001")]
    shop.work()
    assert shop.state(payment) is PaymentState.OPEN
    assert_books_agree(shop)
    assert shop.pay(payment) == Paid()


def test_a_slow_yes_after_the_inquirys_yes_is_the_same_yes(shop: Shop) -> None:
    """Two paths of one approval book it once."""
    payment = shop.open()

    def inquiry_is_faster() -> None:
        shop.later(60)
        shop.sweep()
        recover.inquire(shop.gateway, shop.rows("SELECT attempt_id FROM attempt")[0][0], tries=1)

    shop.switch.will(meanwhile(inquiry_is_faster))

    assert shop.pay(payment) == Paid()
    assert shop.balances() == {"issuer:two": -250_000, f"pending:{MERCHANT.merchant_id}": 250_000}


def test_a_slow_no_after_the_decision_to_reverse_waits_for_the_reversal(shop: Shop) -> None:
    """D2: the decision stands; the customer is told to wait."""
    payment = shop.open()

    def sweeper_decides() -> None:
        shop.later(60)
        shop.sweep()
        attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]
        shop.switch.declined.clear()
        recover.inquire(shop.gateway, attempt_id, tries=1)

    shop.switch.will(meanwhile(sweeper_decides, decline("116")))

    assert shop.pay(payment) == Checking()
    shop.work()
    assert shop.state(payment) is PaymentState.OPEN
    assert_books_agree(shop)


def test_d8_a_yes_for_a_declined_attempt_voids_that_attempt_beside_the_next(shop: Shop) -> None:
    """D8: an issuer that says no and then yes; the loser's money goes back, the payment goes its own way."""
    payment = shop.open()

    def inquiry_hears_no_and_the_customer_pays_again() -> None:
        shop.later(60)
        shop.sweep()
        trace = shop.switch.authorised[0].trace
        del shop.switch.debits[trace]
        shop.switch.declined[trace] = "116"
        recover.inquire(shop.gateway, shop.rows("SELECT attempt_id FROM attempt")[0][0], tries=1)
        shop.switch.debits[trace] = 250_000
        assert shop.pay(payment) == Paid()

    shop.switch.will(meanwhile(inquiry_hears_no_and_the_customer_pays_again))

    shop.pay(payment)
    assert shop.rows("SELECT state, late FROM attempt ORDER BY number") == [("voiding", True), ("approved", False)]
    assert shop.balances()["suspense"] == 250_000
    shop.work()

    assert shop.state(payment) is PaymentState.AUTHORISED
    assert_books_agree(shop)
    assert len(shop.switch.debits) == 1


def test_d8_a_reversal_never_gives_up_and_age_only_adds_a_mark(shop: Shop) -> None:
    """D8: after a day the payment is disputed, outsiders still see reversing, and an acceptance leads out."""
    payment = shop.paid()
    shop.switch.silent_reversals = 30
    shop.later(901)
    shop.sweep()
    attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]

    for _ in range(10):
        assert recover.reverse(shop.gateway, attempt_id) == recover.Again("silent")
    assert shop.state(payment) is PaymentState.REVERSING
    shop.later(90_000)
    shop.sweep()
    for _ in range(20):
        assert recover.reverse(shop.gateway, attempt_id) == recover.Again("silent")
    assert shop.state(payment) is PaymentState.DISPUTED
    assert recover.reverse(shop.gateway, attempt_id) is None

    assert shop.state(payment) is PaymentState.REVERSED
    assert len({request.stan for request in shop.switch.reversals}) == 31, "each repeat is a message of its own"
    assert {request.original for request in shop.switch.reversals} == {shop.switch.authorised[0].trace}
    assert_books_agree(shop)


def test_d8_age_marks_a_reversal_that_nobody_even_tries(shop: Shop) -> None:
    """D8: no worker reached the issuer for a day; the sweeper marks it all the same, and its money is counted."""
    payment = shop.paid()
    shop.later(901)
    shop.sweep()
    assert shop.state(payment) is PaymentState.REVERSING

    shop.later(901 + 86_401)
    with capture_logs() as said:
        shop.sweep()
        shop.sweep()

    assert shop.state(payment) is PaymentState.DISPUTED
    assert [line["payment_id"] for line in said if line["event"] == "reversal_overdue"] == [payment.payment_id]
    assert shop.rows("SELECT state, past_promise FROM attempt_under_way") == [("disputed", True)]
    shop.settle_down(after=90_000)
    assert shop.state(payment) is PaymentState.REVERSED
    assert shop.rows("SELECT * FROM attempt_under_way") == []


def test_jobs_whose_work_is_done_do_nothing(shop: Shop) -> None:
    """At least once means sometimes twice."""
    shop.paid()
    attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]

    assert recover.inquire(shop.gateway, attempt_id, tries=1) is None
    assert recover.reverse(shop.gateway, attempt_id) is None
    assert recover.inquire(shop.gateway, "att_none", tries=1) is None
    assert recover.reverse(shop.gateway, "att_none") is None
    assert (shop.switch.inquiries, shop.switch.reversals) == ([], [])


def test_d1_the_pan_is_wiped_when_the_money_went_back_or_the_refund_window_ends(shop: Shop) -> None:
    """D1, D43: a kept payment's sealed PAN goes after ninety days, a reversed one's at once."""
    kept, back = shop.paid(), shop.paid()
    shop.confirm(kept)
    shop.later(901)
    shop.sweep()
    shop.work()
    assert shop.state(back) is PaymentState.REVERSED
    assert len(shop.rows("SELECT 1 FROM attempt WHERE pan_sealed IS NOT NULL")) == 1

    shop.later(91 * 86_400)
    shop.sweep()

    assert shop.rows("SELECT 1 FROM attempt WHERE pan_sealed IS NOT NULL") == []


def test_an_answered_attempt_is_not_swept(shop: Shop) -> None:
    """The sweeper looks at submitted attempts alone."""
    payment = shop.open()
    shop.switch.will(decline("117"))
    assert isinstance(shop.pay(payment), Refused)
    shop.later(60)
    shop.sweep()

    assert page_of(shop.gateway, payment.page_token).state is PaymentState.OPEN


def test_a_worker_that_dies_in_a_reversal_repeats_it(shop: Shop) -> None:
    """F24: the bank accepted, the worker died before recording; the repeat is accepted again and recorded once."""
    payment = shop.paid()
    shop.later(901)
    shop.sweep()
    attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]
    shop.switch.dies_after_reversal = True
    with pytest.raises(SystemExit):
        recover.reverse(shop.gateway, attempt_id)
    assert shop.state(payment) is PaymentState.REVERSING
    shop.switch.dies_after_reversal = False
    shop.work()

    assert shop.state(payment) is PaymentState.REVERSED
    assert shop.balances() == {}
    assert len(shop.rows("SELECT 1 FROM posting")) == 2


def test_d8_the_database_itself_refuses_a_second_attempt_in_flight(shop: Shop) -> None:
    """D8: a partial unique index, not a habit."""
    payment = shop.open()
    shop.switch.will(lost)
    shop.pay(payment)

    with pytest.raises(Exception, match="attempt_in_flight"):
        shop.change(
            "INSERT INTO attempt (attempt_id, payment_id, number, state, acquirer_id, terminal_id, stan, rrn, "
            "local_time, issuer_id, amount_rial, fee_rial, pan_sealed, pan_masked, pan_hash, answer_due_at)"
            " SELECT 'att_second', payment_id, 2, 'submitted', acquirer_id, terminal_id, '999999', rrn, local_time,"
            " issuer_id, amount_rial, fee_rial, pan_sealed, pan_masked, pan_hash, answer_due_at FROM attempt"
        )


def test_an_issuer_added_a_moment_ago_is_waited_for(shop: Shop) -> None:
    """The worker remembers issuers for seconds; a job about a newer one comes again."""
    payment = shop.open()
    shop.switch.will(lost)
    shop.pay(payment)
    columns = "name_fa, name_en, harim_dialect, harim_url, harim_key_id, harim_public_key, harim_timeout_ms"
    columns += ", switch_host, switch_port, switch_timeout_ms, code_life_seconds, resend_wait_seconds"
    shop.change(f"INSERT INTO issuer (issuer_id, {columns}) SELECT 'three', {columns} FROM issuer")
    shop.change("UPDATE attempt SET issuer_id = 'three'")
    attempt_id = shop.rows("SELECT attempt_id FROM attempt")[0][0]

    assert isinstance(recover.inquire(shop.gateway, attempt_id, tries=1), recover.Again)
    shop.change("UPDATE attempt SET state = 'voiding', reversal_decided_at = house_now()")
    assert isinstance(recover.reverse(shop.gateway, attempt_id), recover.Again)
    shop.gateway.directory.forget()
    assert recover.reverse(shop.gateway, attempt_id) is None
    assert shop.state(payment) is PaymentState.OPEN


def test_d33_the_house_clock_alone_decides(shop: Shop) -> None:
    """D33, D38: with the database's clock moved, every deadline moves, whatever this process thinks."""
    payment, paid = shop.open(), shop.paid()
    shop.later(-3_600)
    assert shop.pay(payment) == Paid()
    shop.later(899)
    shop.sweep()
    assert shop.state(paid) is PaymentState.AUTHORISED
    shop.later(901)
    shop.sweep()
    assert shop.state(paid) is PaymentState.REVERSING


@pytest.mark.parametrize("then", [approve, decline("116")], ids=["approve", "decline"])
def test_d34_a_database_lost_after_the_answer_is_no_answer(shop: Shop, then: Behaviour) -> None:
    """D34, F13, F15: the outcome cannot be written; the customer waits, and the sweeper finds the same outcome."""
    payment = shop.open()
    address = shop.gateway.database.engine.url
    url = address.render_as_string(hide_password=False).replace("+psycopg", "")

    def cut_every_connection() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            shop.change(f"ALTER DATABASE {address.database} CONNECTION LIMIT 0")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
            )

    shop.switch.will(meanwhile(cut_every_connection, then))

    try:
        assert shop.pay(payment) == Checking()
    finally:
        shop.change(f"ALTER DATABASE {address.database} CONNECTION LIMIT -1")
    assert shop.state(payment) is PaymentState.PAYING
    shop.later(8)
    shop.sweep()
    shop.work()
    assert shop.state(payment) is (PaymentState.AUTHORISED if then is approve else PaymentState.OPEN)
    assert_books_agree(shop)
