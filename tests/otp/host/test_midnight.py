"""Midnight in Tehran: what waits for its card over it counts on the day of its decision (D14, D33)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from foundation.persian import TEHRAN
from foundation.rial import Rial
from tests.otp.host.test_balance import question
from tests.otp.host.test_first_pin import Machine
from tests.otp.host.test_first_pin import machine as machine
from tests.otp.host.test_static_pins import PIN, static

AT_ONCE = 4
MARGIN = 30
WAITING = (
    "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%card_token%FOR UPDATE%'"
)


@dataclass
class Midnight:
    """A bank half a minute before the end of its day."""

    machine: Machine
    ahead: float

    def passes(self) -> None:
        """Move the clock into the first minute of the next day."""
        self.machine.later(self.ahead + MARGIN)

    def pay(self, purchase: Any) -> str:
        """Authorise, and say the action code."""
        return str(self.machine.bank_world.pay(purchase).action_code)

    def over(self, ask: Callable[[Any], str], messages: Sequence[Any]) -> Counter[str]:
        """Send messages to a card that is held until all of them wait for it and the day is over."""
        world = self.machine.bank_world
        with ThreadPoolExecutor(AT_ONCE) as pool:
            with world.desk.database.engine.begin() as connection:
                connection.exec_driver_sql("SELECT 1 FROM card FOR UPDATE")
                answers = [pool.submit(ask, message) for message in messages]
                while world.sql(WAITING)[0]["n"] < AT_ONCE:
                    pass
                self.passes()
            return Counter(answer.result() for answer in answers)


@pytest.fixture
def eve(machine: Machine) -> Midnight:
    """Move the bank's clock to half a minute before midnight; it is set right afterwards."""
    now = machine.now.astimezone(TEHRAN)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    ahead = (today + dt.timedelta(days=1) - now).total_seconds()
    machine.later(ahead - MARGIN)
    return Midnight(machine, ahead)


def test_d33_static_pins_over_midnight_keep_to_their_new_day(eve: Midnight) -> None:
    """A million a day: one of four such purchases is paid, and the new day is used up then."""
    world = eve.machine.bank_world
    pan = world.card()
    static(world, pan)
    million = Rial(1_000_000)

    seen = eve.over(eve.pay, [world.purchase(pan, PIN, total=million) for _ in range(AT_ONCE)])

    assert seen == {"000": 1, "186": AT_ONCE - 1}
    assert eve.pay(world.purchase(pan, PIN, total=million)) == "186"
    (paid,) = world.sql("SELECT capture_date FROM authorisation WHERE state = 'approved'")
    assert paid["capture_date"] == eve.machine.now.astimezone(TEHRAN).strftime("%m%d")


def test_d33_purchases_in_a_machine_over_midnight_keep_to_their_new_day(eve: Midnight) -> None:
    """Eighty millions a day: two of four purchases fit."""
    pan = eve.machine.card(balance=1_000_000_000)

    seen = eve.over(eve.machine.ask, [eve.machine.purchase(pan, rial=30_000_000) for _ in range(AT_ONCE)])

    assert seen == {"000": 2, "121": AT_ONCE - 2}


def test_d33_questions_for_a_balance_over_midnight_keep_to_their_new_day(eve: Midnight) -> None:
    """So often a day, whenever they were sent."""
    world = eve.machine.bank_world
    world.desk = replace(world.desk, limits=replace(world.desk.limits, balances_per_day=1))
    pan = world.card()

    seen = eve.over(eve.pay, [question(world, pan) for _ in range(AT_ONCE)])

    assert seen == {"000": 1, "121": AT_ONCE - 1}


def test_a_day_that_is_over_takes_nothing_from_the_next(eve: Midnight) -> None:
    """What was decided just before midnight counts on the old day alone."""
    world = eve.machine.bank_world
    pan = world.card()
    static(world, pan)

    def twice() -> list[str]:
        return [eve.pay(world.purchase(pan, PIN, total=Rial(1_000_000))) for _ in range(2)]

    before = twice()
    eve.passes()

    assert (before, twice()) == (["000", "186"], ["000", "186"])
