"""Transfers between two banks beside the files of both: what each kind of mismatch is called, and what is one (D7)."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.domain.outcome import Declined, Unknown
from gateway.domain.payment import PaymentState
from gateway.domain.reconciliation import MEANS, PROPOSES, Difference
from gateway.ports import Route
from gateway.services.enrol import add_issuer
from gateway.services.open_payment import PaymentRecord
from gateway.services.reconcile import Imported, import_file, judge_again, list_exceptions, show_exception
from gateway.store.exceptions import Found
from tests.fakes.clearing import Clearing, Told, days
from tests.fakes.shop import ONE, Shop
from tests.gateway.services.test_transfers import AMOUNT, FAR, FEE, opened

PAST_DEADLINE_SECONDS = 900 + 3_601


@pytest.fixture
def town(shop: Shop) -> Shop:
    """A gateway with two banks."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    return shop


@pytest.fixture
def clearing(town: Shop) -> Clearing:
    """Both banks' side of today."""
    town.at_noon()
    return Clearing(town)


def sent(town: Shop) -> PaymentRecord:
    """Send money to the other bank, to the end."""
    payment = opened(town, FAR)
    town.send(payment)
    town.work()
    assert town.state(payment) is PaymentState.CONFIRMED
    return payment


def owed(town: Shop) -> PaymentRecord:
    """Take the money from one card, and hear nothing from the other's bank, ever."""
    town.switch.credit_answers.extend([Unknown("silent")] * 500)
    payment = opened(town, FAR)
    town.send(payment)
    town.work()
    assert town.state(payment) is PaymentState.AUTHORISED
    return payment


def both(town: Shop, clearing: Clearing, debits: list[Told], credits_: list[Told]) -> tuple[Imported, Imported]:
    """Import both banks' files of the day, once it is over."""
    town.later(days(1))
    return (
        import_file(town.gateway, "two", clearing.written(*debits)),
        import_file(town.gateway, "one", clearing.written(*credits_)),
    )


def only(town: Shop) -> Found:
    """Return the one exception, which means something and proposes one thing."""
    (found,) = list_exceptions(town.gateway)
    assert MEANS[found.difference]
    assert PROPOSES[found.difference]
    return found


def test_d7_both_legs_match_each_in_its_own_banks_file(town: Shop, clearing: Clearing) -> None:
    """D7: the debit with the fee in the one's, the credit without it in the other's; nothing is left to do."""
    payment = sent(town)
    clearing.capture()
    debit, credit = clearing.line(payment), clearing.credit(payment)
    assert (debit.amount, credit.amount) == (AMOUNT + FEE, AMOUNT)

    done = both(town, clearing, [debit], [credit])

    assert [(each.verdicts, each.differences) for each in done] == [({"matched": 1}, {})] * 2
    assert list_exceptions(town.gateway) == []


def test_d7_over_midnight_each_leg_stands_in_the_file_of_its_own_banks_day(town: Shop, clearing: Clearing) -> None:
    """D7: captured on two days, and complete; left out of its own day it is missed, and only of that."""
    payments = [sent(town), sent(town)]
    next_day = clearing.day + dt.timedelta(days=1)
    clearing.capture(credits_on=next_day)
    debits = [clearing.line(payment) for payment in payments]
    told, kept_quiet = (clearing.credit(payment) for payment in payments)
    done = both(town, clearing, debits, [])
    assert [each.differences for each in done] == [{}, {}]
    town.later(days(2))

    assert import_file(town.gateway, "two", clearing.written(day=next_day)).differences == {}
    second = import_file(town.gateway, "one", clearing.written(told, day=next_day))

    assert (second.verdicts, second.differences) == ({"matched": 1}, {"credit_missing_there": 1})
    assert (only(town).ours or {})["stan"] == kept_quiet.key[2]


def test_d7_a_credit_that_the_destinations_bank_does_not_tell_is_missing_there(town: Shop, clearing: Clearing) -> None:
    """D7: given here, not in its file; the debit matches all the same."""
    payment = sent(town)
    clearing.capture()

    done = both(town, clearing, [clearing.line(payment)], [])

    assert [each.differences for each in done] == [{}, {"credit_missing_there": 1}]
    found = only(town)
    assert (found.issuer_id, found.rial, found.theirs) == ("one", AMOUNT, None)
    assert (found.ours or {})["state"] == "given"
    _, history = show_exception(town.gateway, found.exception_id)
    assert [what for side, _, what in history if side == "bank"] == [
        f"purchase approved in the file of two, {clearing.day}"
    ]


def test_d7_a_credit_of_another_amount_is_an_exception_with_both_sides(town: Shop, clearing: Clearing) -> None:
    """D7: five rials more than was sent."""
    payment = sent(town)
    clearing.capture()
    credit = clearing.credit(payment)

    both(town, clearing, [clearing.line(payment)], [credit.but(amount=AMOUNT + 5)])

    found = only(town)
    assert (found.difference, found.rial) == (Difference.AMOUNT_DIFFERS, 5)
    assert ((found.theirs or {})["amount_rial"], (found.ours or {})["total_rial"]) == (AMOUNT + 5, AMOUNT)


def test_d7_a_credit_that_nobody_paid_for_is_an_exception(town: Shop, clearing: Clearing) -> None:
    """D7: under a key that is not ours."""
    payment = sent(town)
    clearing.capture()
    credit = clearing.credit(payment)
    stranger = credit.but(key=(*credit.key[:2], "999999", *credit.key[3:]))

    done = both(town, clearing, [clearing.line(payment)], [credit, stranger])

    assert done[1].verdicts == {"matched": 1, "exception": 1}
    found = only(town)
    assert (found.difference, found.ours, found.attempt_id) == (Difference.CREDIT_WITHOUT_DEBIT, None, None)


def test_d7_a_credit_that_stands_after_its_debit_went_back_is_an_exception(town: Shop, clearing: Clearing) -> None:
    """D7: the bank refused it, so the sender has the money again, and then it gave it after all."""
    town.switch.credit_answers.append(Declined("118"))
    payment = opened(town, FAR)
    town.send(payment)
    town.settle_down()
    assert town.state(payment) is PaymentState.REVERSED
    clearing.capture()

    both(town, clearing, [clearing.line(payment).but(state="reversed")], [clearing.credit(payment)])

    found = only(town)
    assert (found.difference, found.rial) == (Difference.CREDIT_WITHOUT_DEBIT, AMOUNT)
    assert ((found.theirs or {})["state"], (found.ours or {})["state"]) == ("approved", "refused")


def test_d7_a_credit_that_its_bank_took_back_on_its_own_is_an_exception(town: Shop, clearing: Clearing) -> None:
    """D7: the transfer is complete here."""
    payment = sent(town)
    clearing.capture()

    both(town, clearing, [clearing.line(payment)], [clearing.credit(payment).but(state="reversed")])

    assert only(town).difference is Difference.CREDIT_REVERSED_THERE


def test_d7_a_credit_said_to_be_taken_back_must_be_told_as_that(town: Shop, clearing: Clearing) -> None:
    """D7, F32: approved in its own day's file, taken back a day later; of two the bank tells only one."""
    town.switch.credit_answers.extend([Unknown("silent")] * 500)
    payments = [opened(town, FAR) for _ in range(2)]
    for payment in payments:
        town.send(payment)
    credits_ = [clearing.credit(payment) for payment in payments]
    debits = [clearing.line(payment) for payment in payments]
    both(town, clearing, debits, credits_)
    town.settle_down(after=days(1))
    assert [town.state(payment) for payment in payments] == [PaymentState.REVERSED] * 2
    judge_again(town.gateway)
    assert list_exceptions(town.gateway) == [], "in the file of the day before it could not be told"
    next_day = clearing.day + dt.timedelta(days=1)
    town.later(days(2))

    done = import_file(town.gateway, "one", clearing.written(credits_[0].undone(clearing.day), day=next_day))

    assert (done.verdicts, done.differences) == ({"matched": 1}, {"credit_without_debit": 1})
    assert (only(town).ours or {})["stan"] == credits_[1].key[2]


def test_d7_a_debit_without_its_credit_past_the_deadline_is_an_exception(town: Shop, clearing: Clearing) -> None:
    """D7: once, with the debit as its bank tells it and the credit as it stands here; not while it is in time."""
    payment = owed(town)
    town.switch.silent_reversals = 500
    clearing.capture()
    line = clearing.line(payment)
    town.change("UPDATE transfer SET deadline_at = deadline_at + interval '1 day'")
    done = both(town, clearing, [line], [])
    assert [(each.verdicts, each.differences) for each in done] == [({"matched": 1}, {}), ({}, {})]

    town.later(days(1) + PAST_DEADLINE_SECONDS)
    for _ in range(2):
        judge_again(town.gateway)

    found = only(town)
    assert (found.difference, found.issuer_id, found.rial) == (Difference.DEBIT_WITHOUT_CREDIT, "two", AMOUNT)
    assert ((found.theirs or {})["kind"], (found.ours or {})["state"]) == ("purchase", "owed")


def test_d7_an_overdue_credit_is_found_by_the_file_that_brings_its_debit(town: Shop, clearing: Clearing) -> None:
    """D7: and not where the destination's bank says that it gave the money: that waits for its answer."""
    silent, heard = owed(town), owed(town)
    clearing.capture()
    debits = [clearing.line(payment) for payment in (silent, heard)]
    town.later(days(1))
    import_file(town.gateway, "one", clearing.written(clearing.credit(heard)))

    done = import_file(town.gateway, "two", clearing.written(*debits))

    assert (done.verdicts, done.differences) == ({"matched": 2}, {"debit_without_credit": 1})
    assert (only(town).ours or {})["stan"] == clearing.credit(silent).key[2]


def test_d7_a_credit_under_way_is_judged_once_its_bank_has_answered(town: Shop, clearing: Clearing) -> None:
    """D36: told as given while nobody had answered here; then the bank says that it cannot be taken back."""
    payment = owed(town)
    clearing.capture()
    done = both(town, clearing, [clearing.line(payment)], [clearing.credit(payment)])
    assert done[1].verdicts == {"under_way": 1}
    town.switch.stands.add(Route.CREDIT)
    town.settle_down(after=days(1))
    assert town.state(payment) is PaymentState.CONFIRMED

    judge_again(town.gateway)

    verdicts = town.rows("SELECT kind, verdict FROM clearing_line ORDER BY kind")
    assert [tuple(row) for row in verdicts] == [("credit", "matched"), ("purchase", "matched")]
    assert list_exceptions(town.gateway) == []


def test_d7_d11_a_refund_is_a_credit_of_its_payments_bank(town: Shop, clearing: Clearing) -> None:
    """D11: matched by its own key, and missed where it is left out."""
    told, quiet = town.paid(), town.paid()
    for number, payment in enumerate((told, quiet)):
        town.confirm(payment)
        town.refund(payment, 100_000, f"r-{number}")
    town.work()
    clearing.capture()
    lines = [clearing.line(told), clearing.line(quiet), clearing.refund(told)]
    town.later(days(1))

    done = import_file(town.gateway, "two", clearing.written(*lines))

    assert (done.verdicts, done.differences) == ({"matched": 3}, {"credit_missing_there": 1})
    assert ((only(town).ours or {})["state"], only(town).rial) == ("done", 100_000)
