"""The numbers of a running world: several real processes, one page each, and a monitor that looks."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from sandbox.shopper import Shopper
from tests.world import RunningWorld, wait_for

PAID = 'gateway_purchases_total{issuer="bank-two",outcome="approved"}'
SENT = 'bank_sms_total{kind="code",outcome="accepted"}'
HOST = 'bank_host_answers_total{action_code="000",message="1200"}'


def numbers(world: RunningWorld, name: str) -> dict[str, float]:
    """Read a page of numbers as an operator on this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{world.world.ports[name]}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line and line[0] != "#"}


def buy(world: RunningWorld) -> None:
    """Pay one basket and come back to the shop."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    shopper.pay(shopper.request_pin())
    shopper.return_to_shop()


def test_one_purchase_stands_on_both_pages(world: RunningWorld) -> None:
    """Web, host and workers are processes of their own; each organisation's page shows what all of its did."""
    before = {name: numbers(world, name) for name in ("gateway", "bank")}

    buy(world)

    after = wait_for(
        lambda: (page := numbers(world, "bank"))[SENT] > before["bank"].get(SENT, 0) and page, "the SMS to be counted"
    )
    assert after[HOST] == before["bank"].get(HOST, 0) + 1
    gateway = {numbers(world, "gateway")[PAID] for _ in range(6)}
    assert gateway == {before["gateway"].get(PAID, 0) + 1}, "whichever worker answers, the page is the same"


def test_a_killed_process_has_counted(world: RunningWorld) -> None:
    """SIGKILL of the web processes: what was sold is not forgotten, and nothing of theirs is left in flight."""
    buy(world)
    before = numbers(world, "gateway")[PAID]

    world.kill("gateway")

    wait_for(lambda: _answers(world), "the gateway to answer")
    after = numbers(world, "gateway")
    assert after[PAID] == before
    assert not [key for key, value in after.items() if key.startswith("gateway_calls_in_flight") and value]


def _answers(world: RunningWorld) -> bool:
    try:
        return bool(numbers(world, "gateway"))
    except OSError:  # refused, reset, or not answered in time by a web that is starting
        return False


def test_the_monitors_of_a_running_world_look(world: RunningWorld) -> None:
    """Both say within their first minute that they looked and that every rule holds."""
    for name in ("gateway", "bank"):
        ended = f"{name}_monitor_ended_timestamp_seconds"
        page = wait_for(lambda: (page := numbers(world, name)).get(ended) and page, "the first look", 90.0)  # noqa: B023 - called before the loop goes on
        assert page[f"{name}_unexplained_rial"] == 0
        assert not [key for key, value in page.items() if key.startswith(f"{name}_violations") and value]
    assert world.info["metrics"] == [f"{world.world.address(name)}/metrics" for name in ("gateway", "bank", "bank_one")]


@pytest.mark.parametrize("name", ["gateway", "bank"])
def test_what_a_proxy_passes_on_is_not_shown(world: RunningWorld, name: str) -> None:
    """A shopper behind the balancer of this very machine finds no such page."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{world.world.ports[name]}/metrics", headers={"X-Forwarded-For": "203.0.113.9"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310 - the same
    with refused.value as answer:
        assert answer.code == 404
