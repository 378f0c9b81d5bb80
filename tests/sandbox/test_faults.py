"""Fault cards and the control page on real servers: the shopper is told the truth, and the books agree in the end."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.faults import RIGHT, Faults, InvalidFault, changed
from sandbox.shopper import Shopper
from sandbox.wording import say
from tests.world import RunningWorld, wait_for

RECOVERY_SECONDS = 90.0


@pytest.fixture
def control(world: RunningWorld) -> Iterator[str]:
    """Give the address of the control page; everything is right again afterwards."""
    address = f"{world.info['banks'][0]['url']}/sandbox/control"
    yield address
    requests.post(address, json={"reset": True}, timeout=10).raise_for_status()


@pytest.mark.parametrize("behaviour", ["bank_slow", "duplicate_answer"])
def test_f4_an_answer_that_is_slow_or_comes_twice_pays_once(world: RunningWorld, behaviour: str) -> None:
    """F4, F7: within the wait a slow answer is an answer, and a second copy of one changes nothing."""
    shopper = at_the_page(world, behaviour)
    shopper.pay(shopper.request_pin())
    assert "پرداخت" in shopper.return_to_shop().text
    world.audit()


@pytest.mark.parametrize("behaviour", ["bank_hangs", "answer_lost"])
def test_f1_f5_without_an_answer_the_books_agree_in_the_end(world: RunningWorld, behaviour: str) -> None:
    """F1, F5: debited or never heard of, a purchase without an answer ends confirmed or given back, to the rial."""
    shopper = at_the_page(world, behaviour)
    shopper.pay(shopper.request_pin())
    wait_for(lambda: nothing_in_flight(world), "every attempt to end", RECOVERY_SECONDS)


def test_f18_a_bank_that_hangs_takes_no_money(world: RunningWorld) -> None:
    """F18: a bank that accepts the connection and never answers got no purchase: declined, and another bank pays."""
    shopper = at_the_page(world, "unreachable_bank")
    assert shopper.pay("123456").status_code == 422
    other = at_the_page(world, "approve")
    assert other.pay(other.request_pin()).status_code == 200
    other.return_to_shop()
    world.audit()


def test_f17_sms_may_be_lost_or_late(world: RunningWorld) -> None:
    """F17: a lost message never arrives, a late one does, and the page told both shoppers that it was sent."""
    lost, late = at_the_page(world, "sms_lost"), at_the_page(world, "sms_late")
    assert lost.press("request_pin").status_code == 200
    assert late.press("request_pin").status_code == 200
    assert late.messages() == []
    wait_for(late.messages, "the late message", 40)
    assert lost.messages() == []


def test_d10_the_control_page_says_and_changes_what_is_wrong(world: RunningWorld, control: str) -> None:
    """GET tells, POST changes, the ribbon warns, a wrong value is refused; a bank that is down answers no Harim."""
    assert state(control) == {"bank": "up", "sms": "deliver", "clock_seconds": 0}
    answer = requests.post(control, json={"bank": "down", "clock_seconds": 5}, timeout=10)
    assert answer.json() == {"bank": "down", "sms": "deliver", "clock_seconds": 5}
    assert say("bank.down", "fa") in requests.get(control, headers={"Accept": "text/html"}, timeout=10).text
    assert requests.post(control, json={"bank": "tired"}, timeout=10).status_code == 422
    ping = f"{world.info['banks'][0]['url']}/harim/v1/ping"
    assert requests.get(ping, timeout=10).status_code == 503
    requests.post(control, data={"reset": "1"}, timeout=10).raise_for_status()
    assert state(control) == {"bank": "up", "sms": "deliver", "clock_seconds": 0}
    assert requests.get(ping, timeout=10).status_code != 503


@pytest.mark.parametrize("wrong", [{"bank": "tired"}, {"sms": 1}, {"clock_seconds": "soon"}, {"colour": "red"}])
def test_a_wrong_fault_changes_nothing(wrong: dict[str, Any]) -> None:
    """An unknown name or value is refused with a sentence."""
    with pytest.raises(InvalidFault):
        changed(RIGHT, wrong)


def test_changes_add_up_until_the_reset() -> None:
    """One fault does not undo another; the reset undoes all."""
    both = changed(changed(RIGHT, {"bank": "slow"}), {"sms": "drop", "clock_seconds": "-60"})
    assert both == Faults("slow", "drop", -60)
    assert changed(both, {"reset": True}) == RIGHT


def at_the_page(world: RunningWorld, behaviour: str) -> Shopper:
    """Return a shopper with such a card at the payment page."""
    shopper = Shopper(world, world.card(behaviour))
    shopper.check_out("soap")
    return shopper


def nothing_in_flight(world: RunningWorld) -> bool:
    """Tell whether the audit is clean without a line of money in flight."""
    return not any(line.startswith("in flight") for line in world.audit())


def state(control: str) -> dict[str, Any]:
    """Ask the control page as a program does."""
    found: dict[str, Any] = requests.get(control, headers={"Accept": "application/json"}, timeout=10).json()
    return found
