"""The audit finds what was planted, rial by rial, and explains money in flight for as long as it was promised (D36)."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from sandbox.audit import Report, compare
from sandbox.books import Attempt, Authorisation, Books, Leg, Order, Payment
from sandbox.postgres import Cluster
from sandbox.shopper import Shopper
from tests.world import RunningWorld

KEY = ["999100", "10000001", "000001", "000000000001", "261124120000"]
SECOND = dt.timedelta(seconds=1)
ATTEMPT = Attempt("att_1", "pay_1", "approved", KEY, 1_012_000, 1_012_000, SECOND)
PAYMENT = Payment("pay_1", "confirmed", 1_000_000, SECOND)
AUTHORISATION = Authorisation(1, "approved", KEY, 1_012_000, 1_012_000)
ORDER = Order("S-1", "pay_1", "paid", 1_000_000)
AGREED = Books([ATTEMPT], [PAYMENT], [AUTHORISATION], [ORDER])


def test_d36_books_that_agree_are_clean() -> None:
    """One paid order in all three books is no difference."""
    assert compare(AGREED) == Report(())
    assert compare(AGREED).lines == ("unexplained: 0 rial",)


@pytest.mark.parametrize(
    ("books", "rial", "word"),
    [
        (replace(AGREED, authorisations=[]), 1_012_000, "unheard of"),
        (replace(AGREED, attempts=[]), 1_012_000, "no attempt"),
        (replace(AGREED, attempts=[replace(ATTEMPT, state="declined", net_rial=0)]), 1_012_000, "declined"),
        (replace(AGREED, authorisations=[replace(AUTHORISATION, net_rial=0)]), 1_012_000, "at the bank approved"),
        (replace(AGREED, orders=[replace(ORDER, state="failed")]), 1_000_000, "order S-1 is failed"),
        (replace(AGREED, orders=[replace(ORDER, total_rial=1)]), 999_999, "another amount"),
        (replace(AGREED, payments=[]), 1_000_000, "unheard of"),
    ],
)
def test_d36_every_kind_of_difference_has_a_line(books: Books, rial: int, word: str) -> None:
    """A difference is named, counted in rials, and makes the audit fail."""
    report = compare(books)

    assert not report.clean
    assert report.unexplained_rial == rial
    assert any(word in line for line in report.lines)
    assert report.lines[-1] == f"unexplained: {rial} rial"


DEBIT, CREDIT = [*KEY[:2], "000011", *KEY[3:]], [*KEY[:2], "000012", *KEY[3:]]
SENT = Books(
    [
        Attempt("att_2", "pay_2", "approved", DEBIT, 20_010_000, 20_010_000, SECOND),
        Attempt("att_2 (credit)", "pay_2", "given", CREDIT, -20_000_000, 20_000_000, SECOND),
    ],
    [],
    [
        Authorisation(2, "approved", DEBIT, 20_010_000, 20_010_000),
        Authorisation(1, "approved", CREDIT, 20_000_000, -20_000_000),
    ],
    [],
    [
        Leg("two", DEBIT, "1128", 20_000_000),
        Leg("one", CREDIT, "1129", -20_000_000),
        Leg("gateway", DEBIT, "1128", 20_000_000),
        Leg("gateway", CREDIT, "1129", -20_000_000),
    ],
)


def test_d7_a_transfer_over_midnight_adds_up_to_zero_on_both_days() -> None:
    """On each what the gateway holds, a bank owes; a day later both are rid of it."""
    assert compare(SENT).lines == (
        "between the banks, captured on 1128: gateway +20000000, two +20000000; sum 0 rial",
        "between the banks, captured on 1129: gateway -20000000, one -20000000; sum 0 rial",
        "unexplained: 0 rial",
    )


@pytest.mark.parametrize(
    ("number", "leg", "findings"),
    [
        (1, Leg("one", CREDIT, "1128", -20_000_000), 2),
        (1, Leg("one", CREDIT, "1129", -19_999_999), 1),
        (1, Leg("one", CREDIT, "1129", 0), 1),
        (2, Leg("gateway", DEBIT, None, 20_000_000), 2),
        (3, Leg("gateway", CREDIT, "1129", 0), 1),
    ],
)
def test_d7_what_does_not_add_up_between_the_banks_is_a_difference(number: int, leg: Leg, findings: int) -> None:
    """Another day, another amount, or nothing on the interbank account: the audit fails, card by card all is well."""
    legs = [*SENT.legs[:number], leg, *SENT.legs[number + 1 :]]

    report = compare(replace(SENT, legs=legs))

    assert len(report.findings) == findings
    assert all("between the banks" in finding.text for finding in report.findings)
    assert report.unexplained_rial >= 1


def test_d7_a_leg_in_flight_is_explained_and_no_second_time_a_difference() -> None:
    """Given by its bank, and not heard of here yet: of the day only the debit is added up."""
    on_its_way = replace(SENT.attempts[1], state="owed", net_rial=0, past_promise=False)

    report = compare(replace(SENT, attempts=[SENT.attempts[0], on_its_way], legs=SENT.legs[:3]))

    assert report.clean
    assert report.lines[0] == "between the banks, captured on 1128: gateway +20000000, two +20000000; sum 0 rial"


@pytest.mark.parametrize("state", ["submitted", "unknown", "voiding"])
def test_d36_money_in_flight_is_explained_while_it_is_young(state: str) -> None:
    """An attempt without its answer is explained with its age; past its promise it counts as unexplained."""
    attempt = replace(ATTEMPT, state=state, net_rial=0, past_promise=False)
    payment = replace(PAYMENT, state="unknown")
    order = replace(ORDER, state="checking")
    young = Books([attempt], [payment], [AUTHORISATION], [order])
    old = replace(young, attempts=[replace(attempt, past_promise=True)])

    assert compare(young).clean
    assert f"{state} for 1 s" in compare(young).lines[0]
    assert compare(old).unexplained_rial == 1_012_000


def test_d36_planted_differences_are_found(world: RunningWorld) -> None:
    """A rial added to a card behind the postings, and a paid order undone, are found; put right, the audit is clean."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    shopper.pay(shopper.request_pin())
    shopper.return_to_shop()
    world.audit()

    with _planted(
        world,
        "bank_two",
        "UPDATE card SET balance_rial = balance_rial + 5 WHERE card_id = 1",
        "UPDATE card SET balance_rial = balance_rial - 5 WHERE card_id = 1",
    ):
        done = world.command("audit")

    assert done.returncode == 1
    assert done.stdout.strip().splitlines()[-1] == "unexplained: 5 rial"
    assert "difference: bank: not so that a card holds what it was opened with" in done.stdout
    assert "gateway's monitor: holds     I2_one_debit" in done.stdout
    world.audit()


@contextmanager
def _planted(world: RunningWorld, organisation: str, change: str, undo: str) -> Iterator[None]:
    url = Cluster(world.state / "postgres").url(organisation, f"{organisation}_owner").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(change.encode())
        try:
            yield
        finally:
            owner.execute(undo.encode())
