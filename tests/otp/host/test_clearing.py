"""The clearing file of a day: what was captured on it, what was undone, and a trailer that knows when it was cut."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text

from foundation.database import Database
from otp.domain.clearing import CLOSES_AFTER, Line, closed, written
from otp.domain.errors import DayNotOver
from otp.host.translate import TEHRAN
from otp.services.bank import Bank
from otp.services.clearing import export
from otp.services.credit import take_credit
from otp.services.reverse import reverse
from tests.fakes.loose import unguarded
from tests.otp.host.conftest import A_DAY_OLDER, ACQUIRER
from tests.otp.host.test_credits import credit, refund, undo
from tests.otp.host.test_transfers import out

CODE = "1234567"
POSTED_A_DAY_EARLIER = "UPDATE posting SET at = at - interval '1 day' WHERE event = 'reversal' OR NOT :only"
EXAMPLE = Path(__file__).parents[3] / "contracts/clearing/v1/example.csv"


def bought(bank_world: Any) -> Any:
    """Give a purchase that was approved."""
    purchase = bank_world.purchase(bank_world.card(), CODE)
    bank_world.issue(purchase, CODE)
    assert bank_world.pay(purchase).action_code == "000"
    return purchase


@pytest.fixture
def yesterday(bank_world: Any, bank_owner_database: Database) -> Callable[..., dt.date]:
    """Make everything in the books a day older (or reversals alone), and say which day that was."""

    def make(*, reversals_only: bool = False) -> dt.date:
        with bank_owner_database.begin() as connection:
            if not reversals_only:
                connection.execute(text(A_DAY_OLDER))
            with unguarded(connection.exec_driver_sql, POSTED_A_DAY_EARLIER):
                connection.execute(text(POSTED_A_DAY_EARLIER), {"only": reversals_only})
        now: dt.datetime = bank_world.sql("SELECT house_now() AS now")[0]["now"]
        return (now - dt.timedelta(days=1)).astimezone(TEHRAN).date()

    return make


def file_of(bank_world: Any, day: dt.date, acquirer: str = ACQUIRER) -> list[list[str]]:
    """Ask for the file and take it apart."""
    content = export(cast("Bank", SimpleNamespace(database=bank_world.desk.database)), acquirer, day)
    return [line.split(",") for line in content.splitlines()]


def test_the_example_of_the_contract_is_what_the_bank_writes() -> None:
    """The published file, byte for byte."""
    rows = [line.split(",") for line in EXAMPLE.read_text().splitlines()[2:-1]]
    lines = [Line(*row[:6], int(row[6]), *row[7:]) for row in rows]  # type: ignore[arg-type]  # nine columns

    assert written(dt.date(2026, 11, 29), "999100", lines) == EXAMPLE.read_text()


def test_f31_a_day_is_told_once_it_is_over(bank_world: Any, yesterday: Callable[..., dt.date]) -> None:
    """F31: what was captured and what was undone on the day, each with its key, and a trailer that fits."""
    kept, undone = bought(bank_world), bought(bank_world)
    reverse(bank_world.desk, bank_world.reversal(undone))
    day = yesterday()

    rows = file_of(bank_world, day)

    assert rows[0] == ["pooya-clearing", "1", f"{day:%Y%m%d}", ACQUIRER]
    assert [(row[2], row[5], row[6], row[7], row[8]) for row in rows[2:-1]] == [
        (kept.key.stan, "purchase", "1000000", f"{day:%Y%m%d}", "approved"),
        (undone.key.stan, "purchase", "1000000", f"{day:%Y%m%d}", "reversed"),
    ]
    assert rows[-1][1:3] == ["2", "2000000"]
    body = "".join(",".join(row) + "\n" for row in rows[:-1])
    assert rows[-1][3] == hashlib.sha256(body.encode()).hexdigest()
    assert file_of(bank_world, day, "999999")[-1][1:3] == ["0", "0"]


def test_f31_what_is_undone_on_a_later_day_is_told_in_that_days_file(
    bank_world: Any, yesterday: Callable[..., dt.date]
) -> None:
    """F31: the first file says approved for ever; the reversal is a line of the day it happened on."""
    purchase = bought(bank_world)
    yesterday()
    day = yesterday() - dt.timedelta(days=1)
    reverse(bank_world.desk, bank_world.reversal(purchase))
    yesterday(reversals_only=True)

    first, second = file_of(bank_world, day), file_of(bank_world, day + dt.timedelta(days=1))

    assert [row[5:] for row in first[2:-1]] == [["purchase", "1000000", f"{day:%Y%m%d}", "approved"]]
    assert [row[5:] for row in second[2:-1]] == [["reversal", "1000000", f"{day:%Y%m%d}", "reversed"]]


def test_d7_both_legs_of_transfers_are_told_each_under_its_own_key(
    bank_world: Any, yesterday: Callable[..., dt.date]
) -> None:
    """D7: a debit for another bank; credits from one, kept and taken back on the day; a refund, which is one too."""
    debit, purchase = out(bank_world, bank_world.card()), bought(bank_world)
    assert bank_world.pay(debit).action_code == "000"
    kept, back = credit(bank_world, bank_world.card()), credit(bank_world, bank_world.card())
    given_back = refund(bank_world, purchase, 250_000)
    for given in (kept, back, given_back):
        assert take_credit(bank_world.desk, given).action_code == "000"
    assert undo(bank_world, back) == "400"
    day = yesterday()

    told = {row[2]: tuple(row[5:]) for row in file_of(bank_world, day)[2:-1]}

    assert told == {
        purchase.key.stan: ("purchase", "1000000", f"{day:%Y%m%d}", "approved"),
        debit.key.stan: ("purchase", str(debit.total.amount), f"{day:%Y%m%d}", "approved"),
        kept.key.stan: ("credit", "2000000", f"{day:%Y%m%d}", "approved"),
        back.key.stan: ("credit", "2000000", f"{day:%Y%m%d}", "reversed"),
        given_back.key.stan: ("credit", "250000", f"{day:%Y%m%d}", "approved"),
    }


def test_d7_a_credit_taken_back_on_a_later_day_is_told_in_that_days_file(
    bank_world: Any, yesterday: Callable[..., dt.date]
) -> None:
    """D7: the first file says approved for ever."""
    given = credit(bank_world, bank_world.card())
    assert take_credit(bank_world.desk, given).action_code == "000"
    yesterday()
    day = yesterday() - dt.timedelta(days=1)
    assert undo(bank_world, given) == "400"
    yesterday(reversals_only=True)

    first, second = file_of(bank_world, day), file_of(bank_world, day + dt.timedelta(days=1))

    assert [row[5:] for row in first[2:-1]] == [["credit", "2000000", f"{day:%Y%m%d}", "approved"]]
    assert [row[5:] for row in second[2:-1]] == [["credit_reversal", "2000000", f"{day:%Y%m%d}", "reversed"]]


def test_f31_a_day_that_is_not_over_has_no_file(bank_world: Any) -> None:
    """F31: nobody gets a file that would not be the last word; five minutes after midnight it is."""
    today = bank_world.sql("SELECT CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date) AS day")[0]["day"]

    with pytest.raises(DayNotOver):
        file_of(bank_world, today)

    midnight = dt.datetime(2026, 11, 30)  # noqa: DTZ001 - as a wall clock in Tehran shows it
    assert not closed(dt.date(2026, 11, 29), midnight + CLOSES_AFTER - dt.timedelta(seconds=1))
    assert closed(dt.date(2026, 11, 29), midnight + CLOSES_AFTER)
