"""Our books beside the bank's file, on a real database: planted differences, repeats, refusals, four eyes."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.domain.clearing import LATE_DAYS
from gateway.domain.errors import RefusedRow
from gateway.domain.four_eyes import Asked
from gateway.domain.outcome import Approved
from gateway.domain.payment import PaymentState
from gateway.domain.reconciliation import Difference
from gateway.services.approve import approve, ask, waiting
from gateway.services.open_payment import PaymentRecord
from gateway.services.reconcile import import_file, judge_again, list_exceptions, list_unnamed, show_exception
from gateway.services.reverse import reverse
from gateway.store.exceptions import Found
from tests.fakes.clearing import Clearing, days
from tests.fakes.shop import Shop
from tests.fakes.switch import debit_but_silent, decline

OF_PURCHASES = ("missing_here", "missing_there", "amount_differs", "duplicate", "reversed_here", "reversed_there")


@pytest.fixture
def clearing(shop: Shop) -> Clearing:
    """The bank's side of today."""
    shop.at_noon()
    return Clearing(shop)


def bought(shop: Shop) -> PaymentRecord:
    """Pay and confirm."""
    payment = shop.paid()
    shop.confirm(payment)
    return payment


def given_back(shop: Shop) -> PaymentRecord:
    """Pay, and give it back."""
    payment = shop.paid()
    reverse(shop.gateway, shop.caller, payment.payment_id, None)
    shop.work()
    assert shop.state(payment) is PaymentState.REVERSED
    return payment


def refused(shop: Shop) -> PaymentRecord:
    """Try to pay, in vain."""
    shop.switch.will(decline("116"))
    return shop.paid()


def found(shop: Shop) -> dict[str, Found]:
    """Name what is open."""
    return {str(each.difference): each for each in list_exceptions(shop.gateway)}


def test_f31_what_both_books_have_matches_and_again_changes_nothing(shop: Shop, clearing: Clearing) -> None:
    """F31: kept, given back and declined; the same file a second time is no second file."""
    kept, back, declined = bought(shop), given_back(shop), refused(shop)
    clearing.capture()
    lines = (clearing.line(kept), clearing.line(back).but(state="reversed"))
    content = clearing.written(*lines)
    shop.later(days(1))

    first = import_file(shop.gateway, "two", content)
    books = shop.rows("SELECT * FROM clearing_line ORDER BY line_id")
    again = import_file(shop.gateway, "two", content)

    assert (first.lines, first.verdicts, first.differences, first.again) == (2, {"matched": 2}, {}, False)
    assert again.again
    assert shop.rows("SELECT * FROM clearing_line ORDER BY line_id") == books
    assert list_exceptions(shop.gateway) == []
    assert shop.state(declined) is PaymentState.OPEN


def test_f31_each_planted_difference_is_a_listed_exception(shop: Shop, clearing: Clearing) -> None:
    """F31: missing here, missing there, another amount, twice, reversed on one side only; each with both sides."""
    names = ("there", "amount", "twice", "undone_there", "undone_here", "declined")
    kinds = (bought, bought, bought, bought, given_back, refused)
    payments = {name: make(shop) for name, make in zip(names, kinds, strict=True)}
    clearing.capture()
    line = {name: clearing.line(payment) for name, payment in payments.items()}
    balances = shop.balances()
    content = clearing.written(
        line["amount"].but(amount=250_001),
        line["twice"],
        line["twice"],
        line["undone_there"].but(state="reversed"),
        line["undone_here"],
        line["declined"],
    )
    shop.later(days(1))

    done = import_file(shop.gateway, "two", content)

    open_ones = found(shop)
    assert done.differences == dict.fromkeys(OF_PURCHASES, 1)
    assert set(open_ones) == set(OF_PURCHASES)
    rials = {name: each.rial for name, each in open_ones.items()}
    assert rials == {**dict.fromkeys(OF_PURCHASES, 250_000), "amount_differs": 1}
    sides = {name: (each.theirs is not None, each.ours is not None) for name, each in open_ones.items()}
    assert sides == {**dict.fromkeys(OF_PURCHASES, (True, True)), "missing_there": (False, True)}
    assert open_ones["amount_differs"].theirs["amount_rial"] == 250_001  # type: ignore[index]  # it has two sides
    assert open_ones["reversed_here"].ours["state"] == "voided"  # type: ignore[index]  # as above
    assert shop.balances() == balances, "no money moves by itself"


def test_f31_an_attempt_nobody_here_knows_is_missing_here(shop: Shop, clearing: Clearing) -> None:
    """F31: the bank took money under a key that is not ours."""
    own = clearing.line(bought(shop))
    stranger = own.but(key=("581672", "00000001", "999999", "0" * 12, "261129000000"))
    shop.later(days(1))

    import_file(shop.gateway, "two", clearing.written(own, stranger))

    (only,) = list_exceptions(shop.gateway)
    assert (only.difference, only.attempt_id, only.ours) == (Difference.MISSING_HERE, None, None)
    assert show_exception(shop.gateway, only.exception_id) == (only, [])


def test_f32_a_bank_that_said_reversed_and_kept_the_debit_is_found_by_a_later_file(
    shop: Shop, clearing: Clearing
) -> None:
    """F32: approved in its own file, undone a day later by our books; that day's file must say so, or it is listed."""
    honest, liar = shop.paid(), shop.paid()
    clearing.capture()
    lines = (clearing.line(honest), clearing.line(liar))
    shop.later(days(1))
    for payment in (honest, liar):
        reverse(shop.gateway, shop.caller, payment.payment_id, None)
    shop.work()
    assert import_file(shop.gateway, "two", clearing.written(*lines)).differences == {}
    next_day = clearing.day + dt.timedelta(days=1)
    content = clearing.written(lines[0].undone(clearing.day), day=next_day)
    shop.later(days(2))

    done = import_file(shop.gateway, "two", content)

    assert (done.verdicts, done.differences) == ({"matched": 1}, {"reversed_here": 1})
    (only,) = list_exceptions(shop.gateway)
    assert (only.difference, only.rial, only.theirs) == (Difference.REVERSED_HERE, 250_000, None)
    _, history = show_exception(shop.gateway, only.exception_id)
    assert {side for side, _, _ in history} == {"bank", "gateway", "merchant"}


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 2, 0), (2, 1, 0), (2, 0, 1)])
@pytest.mark.parametrize("told", [True, False])
def test_f31_f32_files_may_come_in_any_order(
    shop: Shop, clearing: Clearing, order: tuple[int, ...], *, told: bool
) -> None:
    """F31, F32: approved on one day, undone there on the next, here the day after: the last file to come decides."""
    payment = shop.paid()
    clearing.capture()
    line, dates = clearing.line(payment), [clearing.day + dt.timedelta(days=after) for after in range(3)]
    shop.later(days(2))
    reverse(shop.gateway, shop.caller, payment.payment_id, None)
    shop.work()
    shop.later(days(4))
    undone = (line.undone(clearing.day),) if told else ()
    files = [clearing.written(*lines, day=day) for lines, day in zip(((line,), undone, ()), dates, strict=True)]

    differences = [import_file(shop.gateway, "two", files[each]).differences for each in order]

    assert differences == [{}, {}, {} if told else {"reversed_here": 1}]
    assert len(list_exceptions(shop.gateway)) == (0 if told else 1)


def test_f31_f32_clocks_that_differ_at_midnight_accuse_nobody_and_hide_nothing(shop: Shop, clearing: Clearing) -> None:
    """F31, F32: given back here at 23:57 and there after midnight: matched, and the next file still has to say so."""
    payment = given_back(shop)
    clearing.capture()
    shop.change(
        "UPDATE attempt SET decided_at = (CAST(:day AS date) + time '23:57') AT TIME ZONE 'Asia/Tehran'",
        day=clearing.day,
    )
    line = clearing.line(payment)
    shop.later(days(3))

    assert import_file(shop.gateway, "two", clearing.written(line)).verdicts == {"matched": 1}
    next_day = clearing.day + dt.timedelta(days=1)
    assert import_file(shop.gateway, "two", clearing.written(day=next_day)).differences == {"reversed_here": 1}


def test_f31_a_movement_told_again_in_a_later_file_is_a_duplicate(shop: Shop, clearing: Clearing) -> None:
    """F31: a reversal told on two days."""
    payment = shop.paid()
    clearing.capture()
    line = clearing.line(payment)
    shop.later(days(1))
    reverse(shop.gateway, shop.caller, payment.payment_id, None)
    shop.work()
    import_file(shop.gateway, "two", clearing.written(line))
    dates = [clearing.day + dt.timedelta(days=n) for n in (1, 2)]
    shop.later(days(3))

    done = [import_file(shop.gateway, "two", clearing.written(line.undone(clearing.day), day=day)) for day in dates]

    assert [each.differences for each in done] == [{}, {"duplicate": 1}]


def test_d36_money_under_way_is_judged_when_it_has_come_to_rest(shop: Shop, clearing: Clearing) -> None:
    """D36: neither matched nor an exception while nobody has answered; afterwards one of the two."""
    shop.switch.will(debit_but_silent, debit_but_silent)
    payments = [shop.open(), shop.open()]
    for payment in payments:
        shop.pay(payment)
    lines = [clearing.line(payment) for payment in payments]
    shop.later(days(1))

    done = import_file(shop.gateway, "two", clearing.written(lines[0].but(state="reversed"), lines[1]))
    assert (done.verdicts, judge_again(shop.gateway)) == ({"under_way": 2}, 0)
    shop.settle_down(after=days(1))
    shop.sweep()

    assert dict(shop.rows("SELECT number, verdict FROM clearing_line")) == {1: "matched", 2: "matched"}
    shop.change("UPDATE clearing_line SET verdict = 'under_way'")
    shop.change("UPDATE attempt SET state = 'approved', capture_date = '0903'")
    assert judge_again(shop.gateway) == 2
    assert [each.difference for each in list_exceptions(shop.gateway)] == [Difference.REVERSED_THERE]


@pytest.mark.parametrize("told", [None, "0101", "9999"])
def test_i14_an_approval_that_its_bank_did_not_date_is_missed_in_the_file_of_its_own_day(
    shop: Shop, clearing: Clearing, told: str | None
) -> None:
    """I14: DE 17 may be absent or no day that can be; no approval escapes the comparison by that."""
    shop.switch.will(lambda _switch, _request: Approved("A00001", told))
    bought(shop)
    shop.later(days(1))

    assert import_file(shop.gateway, "two", clearing.written()).differences == {"missing_there": 1}


def test_i14_money_that_comes_to_rest_after_its_file_and_is_not_in_it_is_listed(shop: Shop, clearing: Clearing) -> None:
    """I14: nobody had answered for it when the file was read; the file does not name it, and no other will."""
    late, told = bought(shop), bought(shop)
    shop.change("UPDATE attempt SET state = 'unknown' WHERE payment_id = :id", id=late.payment_id)
    content = clearing.written(clearing.line(told))
    shop.later(days(1))
    assert import_file(shop.gateway, "two", content).differences == {}
    assert list_unnamed(shop.gateway) == 0
    shop.change("UPDATE attempt SET state = 'approved', decided_at = house_now()")

    assert (list_unnamed(shop.gateway), list_unnamed(shop.gateway)) == (1, 0)

    (only,) = list_exceptions(shop.gateway)
    assert (only.difference, only.rial, only.day) == (Difference.MISSING_THERE, 250_000, clearing.day)


def test_i14_what_a_file_that_never_came_should_name_is_listed_once_it_is_too_late(
    shop: Shop, clearing: Clearing
) -> None:
    """I14: it may still come until no file of that day is taken any more; then two people decide."""
    bought(shop)
    content = clearing.written()
    next_day = clearing.day + dt.timedelta(days=1)
    shop.later(days(2))
    import_file(shop.gateway, "two", clearing.written(day=next_day))
    shop.later(days(LATE_DAYS))
    assert list_unnamed(shop.gateway) == 0
    shop.later(days(LATE_DAYS + 3))
    with pytest.raises(RefusedRow, match="reconcile list"):
        import_file(shop.gateway, "two", content)

    assert (list_unnamed(shop.gateway), list_unnamed(shop.gateway)) == (1, 0)

    (only,) = list_exceptions(shop.gateway)
    assert (only.difference, only.rial) == (Difference.MISSING_THERE, 250_000)


def test_i14_nothing_is_listed_of_a_bank_that_writes_no_files(shop: Shop) -> None:
    """I14: there is nothing to compare with."""
    bought(shop)
    shop.later(days(LATE_DAYS + 3))

    assert list_unnamed(shop.gateway) == 0


def test_f31_a_file_of_the_wrong_day_bank_or_acquirer_is_refused(shop: Shop, clearing: Clearing) -> None:
    """F31: each with a sentence, and nothing of it is kept."""
    payment = bought(shop)
    content = clearing.written(clearing.line(payment))
    with pytest.raises(RefusedRow, match="not over"):
        import_file(shop.gateway, "two", content)
    shop.change('INSERT INTO issuer SELECT (jsonb_populate_record(i, \'{"issuer_id"\\: "three"}\')).* FROM issuer i')
    shop.later(days(1))
    with pytest.raises(RefusedRow, match="no issuer nobody"):
        import_file(shop.gateway, "nobody", content)
    with pytest.raises(RefusedRow, match="we are 581672"):
        import_file(shop.gateway, "two", clearing.written(acquirer="999999"))
    assert shop.rows("SELECT 1 FROM clearing_file") == []

    import_file(shop.gateway, "two", content)

    with pytest.raises(RefusedRow, match="another file"):
        import_file(shop.gateway, "two", clearing.written())
    with pytest.raises(RefusedRow, match="imported as that of two"):
        import_file(shop.gateway, "three", content)
    shop.change("UPDATE issuer SET switch_of = 'two' WHERE issuer_id = 'three'")
    with pytest.raises(RefusedRow, match="link of two"):
        import_file(shop.gateway, "three", content)
    shop.later(days(40))
    with pytest.raises(RefusedRow, match="too late"):
        import_file(shop.gateway, "two", content)


def test_f31_two_imports_at_once_are_one(shop: Shop, clearing: Clearing) -> None:
    """F31: the second waits for the first and then finds that it is there."""
    content = clearing.written(*(clearing.line(bought(shop)) for _ in range(3)))
    shop.later(days(1))

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: import_file(shop.gateway, "two", content), range(4)))

    assert sorted(each.again for each in done) == [False, True, True, True]
    assert shop.rows("SELECT count(*) FROM clearing_line") == [(3,)]


def planted(shop: Shop, clearing: Clearing) -> int:
    """Plant one difference and return its number."""
    bought(shop)
    clearing.capture()
    shop.later(days(1))
    import_file(shop.gateway, "two", clearing.written())
    return list_exceptions(shop.gateway)[0].exception_id


def test_d35_an_exception_is_resolved_by_two_people(shop: Shop, clearing: Clearing) -> None:
    """D35: one asks and says why, another approves; oneself cannot, and twice is once."""
    number = planted(shop, clearing)
    request = ask(shop.gateway, Asked.RESOLVE, number, by="sara", reason="the bank confirmed", facts={"settle": True})
    with pytest.raises(RefusedRow, match="already"):
        ask(shop.gateway, Asked.RESOLVE, number, by="ali", reason="the bank confirmed")
    with pytest.raises(RefusedRow, match="somebody else"):
        approve(shop.gateway, request, by="sara")
    assert [each.request_id for each in waiting(shop.gateway)] == [request]

    approve(shop.gateway, request, by="ali")

    assert list_exceptions(shop.gateway) == []
    assert shop.rows("SELECT settle FROM clearing_exception") == [(True,)]
    for again in (request, 999):
        with pytest.raises(RefusedRow, match="waits"):
            approve(shop.gateway, again, by="ali")
    with pytest.raises(RefusedRow, match="nothing to do"):
        ask(shop.gateway, Asked.RESOLVE, number, by="sara", reason="once more")
    with pytest.raises(RefusedRow, match="no exception"):
        show_exception(shop.gateway, 999)


def test_d35_an_approval_comes_in_time_and_about_what_was_asked(shop: Shop, clearing: Clearing) -> None:
    """D35: after a day, or when the subject is another by now, nothing happens; after a day one can ask anew."""
    number = planted(shop, clearing)
    late = ask(shop.gateway, Asked.RESOLVE, number, by="sara", reason="the bank confirmed")
    shop.later(days(2))
    with pytest.raises(RefusedRow, match="more than a day"):
        approve(shop.gateway, late, by="ali")
    anew = ask(shop.gateway, Asked.RESOLVE, number, by="sara", reason="the bank confirmed")
    shop.change("UPDATE clearing_exception SET rial = rial + 1")
    with pytest.raises(RefusedRow, match="changed"):
        approve(shop.gateway, anew, by="ali")
    assert len(list_exceptions(shop.gateway)) == 1


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            "UPDATE approval_request SET checker = maker, approved_at = house_now(), approved_digest = before_digest",
            "four_eyes",
        ),
        (
            "UPDATE approval_request SET checker = 'ali', approved_at = expires_at, approved_digest = before_digest",
            "in_time",
        ),
        (
            "UPDATE approval_request SET checker = 'ali', approved_at = house_now(), approved_digest = sha256('x')",
            "what_was",
        ),
        ("UPDATE approval_request SET expires_at = expires_at + interval '1 day'", "append-only"),
        ("UPDATE approval_request SET checker = 'ali'", "whole"),
    ],
)
def test_d35_the_database_itself_insists_on_two_people(
    shop: Shop, clearing: Clearing, statement: str, constraint: str
) -> None:
    """D35: not even the owner of the tables writes an approval that breaks the rule."""
    ask(shop.gateway, Asked.RESOLVE, planted(shop, clearing), by="sara", reason="the bank confirmed")

    with pytest.raises(Exception, match=f"approval_.*{constraint}"):
        shop.change(statement)


def test_d39_the_banks_word_cannot_be_changed(shop: Shop, clearing: Clearing) -> None:
    """D39: the application has no right to change an amount, a maker or an exception's sides, nor to delete."""
    planted(shop, clearing)
    for statement in (
        "UPDATE clearing_line SET amount_rial = 1",
        "UPDATE clearing_exception SET rial = 0",
        "UPDATE approval_request SET maker = 'x'",
        "DELETE FROM clearing_exception",
        "DELETE FROM clearing_file",
    ):
        with pytest.raises(Exception, match="permission denied"), shop.gateway.database.single() as connection:
            connection.exec_driver_sql(statement)
