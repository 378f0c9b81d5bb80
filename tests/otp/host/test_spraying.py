"""Many cards tried at one terminal: after so many wrong tries it is heard no more, and no other is hit (D17, D20)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from foundation.pan import Pan, with_check_digit
from foundation.sensitive import Sensitive
from otp.services.authorise import authorise
from sandbox.clock import set_offset
from tests.otp.host.conftest import HostWorld
from tests.otp.host.test_first_pin import Machine
from tests.otp.host.test_first_pin import machine as machine
from tests.otp.host.test_races import at_once
from tests.otp.prover import Prover

CODE, WRONG = "1234567", "7654321"
MOST = 3
NOBODYS = Pan.parse(with_check_digit("999002999999999"))


def strict(bank_world: HostWorld) -> HostWorld:
    """Let a terminal have three wrong tries an hour."""
    desk = bank_world.desk
    bank_world.desk = replace(desk, limits=replace(desk.limits, terminal_wrong_per_hour=MOST))
    return bank_world


@pytest.fixture
def world(bank_world: HostWorld, bank_urls: dict[str, str]) -> Iterator[HostWorld]:
    """Give a bank where that is so; its clock is set right afterwards."""
    yield strict(bank_world)
    set_offset(bank_urls["owner"], 0)


def issued(world: HostWorld, **changes: Any) -> Any:
    """Make a purchase by a card of its own, whose code is out."""
    purchase = world.purchase(world.card(), CODE)
    purchase = replace(purchase, key=replace(purchase.key, **changes))
    world.issue(purchase, CODE)
    return purchase


def told(world: HostWorld, purchase: Any) -> str:
    """Authorise, and say the action code."""
    return str(world.pay(purchase).action_code)


def spray(world: HostWorld, number: int = MOST) -> list[str]:
    """Try a wrong code on so many cards."""
    return [told(world, replace(issued(world), pin=Sensitive(WRONG))) for _ in range(number)]


def used(world: HostWorld) -> list[int]:
    """Read what the terminals' rows say."""
    return [row["used"] for row in world.sql("SELECT used FROM quota WHERE scope LIKE '%|wrong|%' ORDER BY scope")]


def test_d20_a_terminal_with_too_many_wrong_tries_is_heard_no_more(world: HostWorld) -> None:
    """Not even a right code is looked at, so none is used up; other terminals go on."""
    assert spray(world) == ["117"] * MOST

    purchase, elsewhere = issued(world), issued(world, terminal_id="T0000002")

    assert [told(world, purchase), told(world, elsewhere)] == ["121", "000"]
    (challenge,) = world.challenges(purchase.pan)
    assert (challenge["state"], challenge["wrong_tries"]) == ("issued", 0)
    reasons = world.sql("SELECT reason FROM authorisation WHERE action_code = '121'")
    assert reasons == [{"reason": "too_many_wrong"}]


def test_d20_in_the_next_hour_a_terminal_is_heard_again(world: HostWorld, bank_urls: dict[str, str]) -> None:
    """The rows are of an hour of the clock."""
    spray(world)

    set_offset(bank_urls["owner"], 3_600)

    assert told(world, issued(world)) == "000"


@pytest.mark.parametrize("change", [{"cvv2": Sensitive("000")}, {"pan": NOBODYS}])
def test_d20_wrong_card_data_and_cards_that_are_none_count_as_well(world: HostWorld, change: dict[str, Any]) -> None:
    """They look like a wrong code from outside, at the limit as before it (D18)."""
    seen = [told(world, replace(issued(world), **change)) for _ in range(MOST + 1)]

    assert seen == ["117"] * MOST + ["121"]


def test_d17_what_is_right_or_refused_for_another_reason_counts_on_no_terminal(world: HostWorld) -> None:
    """A busy terminal is not a bad one: paid, without funds, blocked, expired codes."""
    poor, blocked = world.card(balance=1), world.card(status="blocked")
    for pan in (poor, blocked, poor, blocked):
        purchase = world.purchase(pan, CODE)
        world.issue(purchase, CODE)
        assert told(world, purchase) in {"116", "104"}
    late = world.purchase(world.card(), CODE)
    world.issue(late, CODE, life_seconds=-1)

    assert told(world, late) == "180"
    assert told(world, issued(world)) == "000"
    assert used(world) == []


def test_d9_a_message_that_is_sent_again_is_one_try(world: HostWorld) -> None:
    """The first answer is given, and nothing counted."""
    purchase = replace(issued(world), pin=Sensitive(WRONG))

    assert [told(world, purchase) for _ in range(MOST + 1)] == ["117"] * (MOST + 1)
    assert used(world) == [1]


def test_d20_many_at_once_count_no_more_than_the_limit(world: HostWorld) -> None:
    """Each on a card of its own; what was under way with the last ones is answered as they are."""
    tries = [replace(issued(world), pin=Sensitive(WRONG)) for _ in range(12)]

    seen = Counter(at_once(*(lambda one=one: told(world, one) for one in tries)))

    assert set(seen) <= {"117", "121"}
    assert seen["117"] >= MOST
    assert used(world) == [MOST]
    assert told(world, issued(world)) == "121"


def test_d20_first_pins_count_at_their_machine(machine: Machine) -> None:
    """Cards by the dozen, three tries each, at one machine that somebody has taken over."""
    strict(machine.bank_world)
    pans = [machine.card() for _ in range(MOST + 1)]

    seen = [machine.ask(machine.check(pan, "9999")) for pan in pans]

    assert seen == ["117"] * MOST + ["121"]
    assert machine.ask(machine.purchase(pans[0])) == "121"
    at_the_other = machine.check(pans[0])
    assert machine.ask(replace(at_the_other, key=replace(at_the_other.key, terminal_id="ATM00002"))) == "000"
    assert machine.bank_world.row(pans[MOST])["first_pin_failures"] == 0


def test_d20_checks_of_codes_count_on_their_psp_too(make_bank: Callable[..., Any]) -> None:
    """However many terminals it names: it is told when to ask again, and its code is still good at the host."""
    here = make_bank(psp_wrong_per_hour=MOST)
    here.sql("UPDATE psp SET verify_enabled = true")
    prover = Prover(here)
    for number in range(MOST):
        binding = here.binding(terminal_id=f"0000000{number}")
        assert prover.verify(here.card(), binding, WRONG).body["code"] == "CARD_OR_CODE_WRONG"
    pan, binding = here.card(), here.binding()
    code = prover.code(pan, binding)

    answer = prover.verify(pan, binding, code)

    assert (answer.status, answer.body["code"]) == (429, "TOO_MANY_REQUESTS")
    assert 0 < answer.body["retry_after_seconds"] <= 3_600
    assert prover.pay(replace(prover.purchase(pan, binding, None), pin=Sensitive(code))).action_code == "000"


def test_d20_checks_and_purchases_count_together_at_their_terminal(make_bank: Callable[..., Any]) -> None:
    """Of one acquirer: whichever way the tries come."""
    here = make_bank(terminal_wrong_per_hour=1)
    here.sql("UPDATE psp SET verify_enabled = true")
    prover = Prover(here)
    pan, binding = here.card(), here.binding()
    purchase = prover.purchase(pan, binding, None, pin=Sensitive(WRONG))

    assert authorise(replace(prover.desk, limits=here.bank.settings.limits()), purchase).action_code == "117"
    assert prover.verify(pan, binding, WRONG).body["code"] == "TOO_MANY_REQUESTS"
