"""Reading the bank's file, and comparing two books: every way they can differ has one name and one thing to do."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from foundation.persian import TEHRAN
from gateway.domain.attempt import AttemptState
from gateway.domain.clearing import COLUMNS, BankLine, Key, check_in_time, read
from gateway.domain.errors import RefusedRow
from gateway.domain.reconciliation import (
    MEANS,
    PROPOSES,
    STANDING,
    Difference,
    Judged,
    Ours,
    Verdict,
    at_rest,
    judge,
    judge_all,
    missing,
)
from gateway.domain.refund import RefundState
from gateway.domain.transfer import Credit

EXAMPLE = Path(__file__).parents[3] / "contracts/clearing/v1/example.csv"
DAY = dt.date(2026, 11, 29)
KEY = Key("999100", "10000001", "000001", "633300000001", "261129093000")
ROW = "999100,10000001,000001,633300000001,261129093000,purchase,250000,20261129,approved"


def file(
    *rows: str, head: str = "pooya-clearing,1,20261129,999100", columns: str = COLUMNS, **trailer: object
) -> bytes:
    """Write a file; ``trailer`` replaces what it counts."""
    body = "".join(f"{row}\n" for row in (head, columns, *rows))
    total = sum(int(row.split(",")[6]) for row in rows if row.count(",") == 8)
    said = {"count": len(rows), "sum": total, "sha": hashlib.sha256(body.encode()).hexdigest()} | trailer
    return f"{body}trailer,{said['count']},{said['sum']},{said['sha']}\n".encode()


def test_the_example_of_the_contract_is_read() -> None:
    """The published file: purchases and a credit of its day, and reversals of earlier ones."""
    found = read(EXAMPLE.read_bytes())

    assert (found.day, found.acquirer_id, len(found.lines), found.sum_rial) == (DAY, "999100", 5, 24_930_000)
    assert found.lines[0] == BankLine(1, KEY, "purchase", 250_000, DAY, "approved")
    assert found.lines[3].captured == dt.date(2026, 11, 28)
    assert [row.gives for row in found.lines] == [False, False, True, False, True]
    assert found.sha256 == hashlib.sha256(EXAMPLE.read_bytes()).digest()
    assert read(file()).lines == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (EXAMPLE.read_text().encode("utf-16"), "plain ASCII"),
        (file(ROW).decode().replace("purchase", "خرید").encode(), "plain ASCII"),
        (file(ROW)[:-1], "is cut"),
        (file(ROW)[: len(file(ROW)) // 2], "is cut"),
        (b"", "is cut"),
        (file(ROW, ROW).replace(f"{ROW}\n".encode(), b"", 1), "SHA-256"),
        (file(ROW).replace(b"250000,2", b"250001,2"), "SHA-256"),
        (file(ROW, count=2), "counts other lines"),
        (file(ROW, sum=1), "counts other lines"),
        (file(ROW, head="pooya-clearing,2,20261129,999100"), "no clearing file"),
        (file(ROW, columns="stan"), "no clearing file"),
        (file(head="pooya-clearing,1,20261329,999100"), "day that there is not"),
        (file(ROW.replace("20261129", "20261131")), "day that there is not"),
        (file(ROW.replace("approved", "declined")), "line 1 has another shape"),
        (file(ROW, ROW.replace(",250000,", ",-250000,")), "line 2 has another shape"),
        (file(ROW.replace("20261129", "20261128")), "does not belong"),
        (file(ROW.replace("20261129", "20261130")), "does not belong"),
        (file(ROW.replace("purchase", "reversal").replace("approved", "reversed")), "does not belong"),
        (file(ROW.replace("purchase", "credit").replace("20261129,a", "20261128,a")), "does not belong"),
        (file(ROW.replace("purchase", "credit_reversal").replace("approved", "reversed")), "does not belong"),
        (file(ROW.replace("purchase", "credit_reversal")), "line 1 has another shape"),
        (file("999200" + ROW[6:]), "does not belong"),
    ],
)
def test_f31_a_file_that_is_not_whole_is_refused_with_a_sentence(content: bytes, says: str) -> None:
    """F31: cut, changed, wrongly encoded, of another shape or another day: nothing of it is read."""
    with pytest.raises(RefusedRow, match=says):
        read(content)


def test_f31_a_file_has_at_most_so_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """F31: a limit, so that no file fills the memory."""
    monkeypatch.setattr("gateway.domain.clearing.LINES_MAX", 1)
    with pytest.raises(RefusedRow, match="at most 1"):
        read(file(ROW, ROW))


def test_f31_a_file_comes_neither_early_nor_late() -> None:
    """F31: after midnight in Tehran, and before the banks forget the keys."""
    assert check_in_time(DAY, dt.datetime(2026, 11, 30, 0, 5, tzinfo=TEHRAN)) == DAY
    assert check_in_time(DAY, dt.datetime(2027, 1, 3, 23, 59, tzinfo=TEHRAN)) == DAY
    for moment, says in (
        (dt.datetime(2026, 11, 30, 0, 4, tzinfo=TEHRAN), "not over"),
        (dt.datetime(2027, 1, 4, 0, 0, tzinfo=TEHRAN), "too late"),
    ):
        with pytest.raises(RefusedRow, match=says):
            check_in_time(DAY, moment)


def line(kind: str = "purchase", state: str = "approved", amount: int = 250_000) -> BankLine:
    """Give a line of the bank's about the one attempt."""
    captured = DAY if kind in {"purchase", "credit"} else DAY - dt.timedelta(days=1)
    return BankLine(1, KEY, kind, amount, captured, state)


def ours(state: AttemptState = AttemptState.APPROVED, reversed_on: dt.date | None = None) -> Ours:
    """Give the one attempt."""
    return Ours("att_1", KEY, state, 250_000, reversed_on)


def credited(state: Credit | RefundState = Credit.GIVEN, reversed_on: dt.date | None = None) -> Ours:
    """Give the one credit."""
    return Ours("att_1", KEY, state, 250_000, reversed_on, gives=True)


_A, _C, _D = AttemptState, Credit, Difference
UNDONE = line("reversal", "reversed")
GIVEN = line("credit")
TAKEN_BACK = line("credit_reversal", "reversed")


@pytest.mark.parametrize(
    ("bank", "own", "difference"),
    [
        (line(), ours(), None),
        (line(state="reversed"), ours(_A.VOIDED, DAY), None),
        (line(), ours(_A.VOIDED, DAY + dt.timedelta(days=1)), None),
        (UNDONE, ours(_A.VOIDED, DAY), None),
        (line(state="reversed"), ours(_A.DECLINED), None),
        (UNDONE, ours(_A.DECLINED), None),
        (line(), None, _D.MISSING_HERE),
        (UNDONE, None, _D.MISSING_HERE),
        (line(), ours(_A.DECLINED), _D.MISSING_HERE),
        (line(amount=250_001), ours(), _D.AMOUNT_DIFFERS),
        (line(state="reversed", amount=1), ours(_A.VOIDED, DAY), _D.AMOUNT_DIFFERS),
        (line(), ours(_A.VOIDED, DAY), _D.REVERSED_HERE),
        (line(), ours(_A.VOIDED), _D.REVERSED_HERE),
        (line(state="reversed"), ours(), _D.REVERSED_THERE),
        (UNDONE, ours(), _D.REVERSED_THERE),
        (line(), ours(_A.STOOD), None),
        (GIVEN, credited(), None),
        (GIVEN, credited(RefundState.DONE), None),
        (line("credit", "reversed"), credited(_C.REVERSED, DAY), None),
        (GIVEN, credited(_C.REVERSED, DAY + dt.timedelta(days=1)), None),
        (TAKEN_BACK, credited(_C.REVERSED, DAY), None),
        (line("credit", "reversed"), credited(_C.REFUSED), None),
        (GIVEN, None, _D.CREDIT_WITHOUT_DEBIT),
        (GIVEN, credited(_C.REFUSED), _D.CREDIT_WITHOUT_DEBIT),
        (GIVEN, credited(_C.REVERSED, DAY), _D.CREDIT_WITHOUT_DEBIT),
        (GIVEN, credited(RefundState.REFUSED), _D.CREDIT_WITHOUT_DEBIT),
        (line("credit", "reversed"), credited(), _D.CREDIT_REVERSED_THERE),
        (TAKEN_BACK, credited(), _D.CREDIT_REVERSED_THERE),
        (line("credit", amount=250_001), credited(), _D.AMOUNT_DIFFERS),
    ],
)
def test_f31_each_difference_has_its_name(bank: BankLine, own: Ours | None, difference: Difference | None) -> None:
    """F31: the table of what matches and what does not."""
    verdict = Verdict.MATCHED if difference is None else Verdict.EXCEPTION
    assert judge(bank, own, DAY) == Judged(bank, own and own.attempt_id, verdict, difference)


@pytest.mark.parametrize(("bank", "own"), [(GIVEN, ours()), (line(), credited())])
def test_f31_a_line_about_the_other_side_of_our_books_is_about_nothing_of_ours(bank: BankLine, own: Ours) -> None:
    """F31: a credit under the key of a debit, or the reverse, is money that is not in our books."""
    judged = judge(bank, own, DAY)

    assert (judged.attempt_id, judged.verdict) == (None, Verdict.EXCEPTION)
    assert judged.difference is (_D.CREDIT_WITHOUT_DEBIT if bank.gives else _D.MISSING_HERE)


@pytest.mark.parametrize("state", [_C.OWED, _C.REVERSING, RefundState.REQUESTED, RefundState.SENT, RefundState.UNKNOWN])
def test_d36_a_credit_under_way_is_no_exception(state: Credit | RefundState) -> None:
    """D36: its answer decides what the line says."""
    assert judge(GIVEN, credited(state), DAY).verdict is Verdict.UNDER_WAY


def test_every_state_that_has_a_message_stands_somewhere() -> None:
    """Only what was never sent is in nobody's file."""
    assert set(STANDING) == {*AttemptState, *Credit, *RefundState} - {Credit.NONE, RefundState.WAITING}
    assert set(at_rest(Credit)) == {_C.GIVEN, _C.REFUSED, _C.REVERSED}


@pytest.mark.parametrize("state", [_A.SUBMITTED, _A.UNKNOWN, _A.VOIDING, _A.DISPUTED])
@pytest.mark.parametrize("bank", [line(), line(state="reversed"), UNDONE])
def test_d36_money_under_way_is_no_exception(bank: BankLine, state: AttemptState) -> None:
    """D36: what nobody has answered for yet waits, whatever the bank says."""
    assert judge(bank, ours(state), DAY).verdict is Verdict.UNDER_WAY


def test_f31_what_is_told_twice_is_told_once_and_listed() -> None:
    """F31: twice in one file, or again in a later one; its reversal is another movement."""
    judged = judge_all([line(), line(), UNDONE], {KEY: ours()}, DAY)
    assert [row.difference for row in judged] == [None, _D.DUPLICATE, _D.REVERSED_THERE]
    (again,) = judge_all([line()], {}, DAY, {(KEY, "purchase")})
    assert (again.difference, again.attempt_id) == (_D.DUPLICATE, None)


def test_f31_f32_what_the_file_should_name_and_does_not() -> None:
    """F31, F32: an approval the bank has not heard of; a reversal it said yes to and never carried out."""
    kept, back = ours(), ours(_A.VOIDED, DAY)
    under_way = ours(_A.VOIDING)

    found = missing([], [kept, back, under_way], [back])

    assert [(row.ours, row.difference) for row in found] == [(kept, _D.MISSING_THERE), (back, _D.REVERSED_HERE)]
    assert missing([line(), UNDONE], [kept], []) == []
    given, taken = credited(), credited(_C.REVERSED, DAY)
    found = missing([line(), UNDONE], [given, taken], [taken])
    assert [(row.ours, row.difference) for row in found] == [
        (given, _D.CREDIT_MISSING_THERE),
        (taken, _D.CREDIT_WITHOUT_DEBIT),
    ]
    assert missing([GIVEN, TAKEN_BACK], [given], []) == []


def test_every_difference_means_something_and_proposes_one_thing() -> None:
    """No exception without a sentence and an action."""
    assert set(MEANS) == set(PROPOSES) == set(Difference)
