"""The demo as a person meets it: start, second start, taken port, a killed process, stop, reset."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.banks import BANK_TWO, BANKS
from sandbox.shopper import Shopper
from sandbox.world import PSP_ID
from tests.world import VARIABLES, RunningWorld, free_ports, wait_for


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[RunningWorld]:
    """Give a sandbox of this test's own, not started."""
    running = RunningWorld(tmp_path / "var")
    yield running
    assert running.command("reset").returncode == 0


def test_it_starts_says_what_to_do_stops_and_keeps_its_data(own_world: RunningWorld) -> None:
    """The first start explains itself; after Ctrl-C nothing runs; a second start has the same keys and orders."""
    said = own_world.start()
    shopper = Shopper(own_world, own_world.fresh_card())
    shopper.check_out("soap")
    shopper.pay(shopper.request_pin())
    order = shopper.return_to_shop().url
    before, pids = own_world.info, _pids(own_world)

    code = own_world.stop()

    assert code == 0
    assert not any(_alive(pid) for pid in pids)
    for expected in (before["shop"], before["gateway"], "9990 0210 0000 0017", "درخواست رمز پویا", "Ctrl-C"):
        assert expected in said

    own_world.start()

    assert own_world.info == before
    assert "پرداخت" in shopper.browser.get(order).text
    own_world.audit()
    assert own_world.stop(signal.SIGTERM) == 0


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    """A port in use is named together with the variable that moves it; nothing is left running, no traceback."""
    ports = free_ports(len(VARIABLES))
    with socket.create_server(("127.0.0.1", ports[0])):
        done = RunningWorld(tmp_path / "var", ports).command("up")

    assert done.returncode == 1
    assert f"port {ports[0]} (gateway) cannot be used" in done.stderr
    assert "POOYA_GATEWAY_PORT" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_wrong_port_is_a_sentence(tmp_path: Path) -> None:
    """A port that is no number is refused before anything starts."""
    world = RunningWorld(tmp_path / "var")
    world.environment["POOYA_SHOP_PORT"] = "eighty"

    done = world.command("up")

    assert (done.returncode, done.stderr.strip()) == (1, "POOYA_SHOP_PORT must be a port number, not 'eighty'")


def test_commands_without_a_sandbox_say_so(tmp_path: Path) -> None:
    """Nothing was started here yet: info, audit and an operator's command say it in a sentence."""
    world = RunningWorld(tmp_path / "var")

    for command in (("info", "--json"), ("audit",), ("run", "gateway", "issuer", "list")):
        done = world.command(*command)

        assert done.returncode == 1
        assert "make demo" in done.stderr
        assert "Traceback" not in done.stderr


def test_an_operators_command_runs_as_that_organisation(world: RunningWorld) -> None:
    """``run`` becomes the command: its words, its exit code, and each bank its own book."""
    listed, wrong = (world.command("run", "gateway", "issuer", word) for word in ("list", "lst"))
    assert (listed.returncode, wrong.returncode) == (0, 2)
    assert BANK_TWO.name_en in listed.stdout
    assert "invalid choice" in wrong.stderr
    for bank in BANKS:
        assert PSP_ID in world.command("run", bank.organisation, "psp", "list").stdout
    assert world.command("run", "nobody", "psp", "list").returncode == 2


def test_a_second_sandbox_in_the_same_place_is_refused(world: RunningWorld) -> None:
    """One directory, one sandbox: neither another start nor a reset touches a running one."""
    for command in ("up", "reset"):
        done = world.command(command)

        assert done.returncode == 1
        assert "already running" in done.stderr


def test_a_dead_process_is_started_again(world: RunningWorld) -> None:
    """A killed shop comes back by itself."""
    world.kill("shop")

    shopper = Shopper(world, world.fresh_card())

    wait_for(lambda: _answers(shopper, world.info["shop"]), "the shop to answer again")


def test_info_has_the_fixed_shape(world: RunningWorld) -> None:
    """Programs rely on these names; every card has valid numbers and says whose it is and how it behaves."""
    info = json.loads(world.command("info", "--json").stdout)

    assert list(info) == ["gateway", "shop", "banks", "metrics", "merchant", "cards", "bills", "doors"]
    assert [list(bank) for bank in info["banks"]] == [["name", "bin", "url"]] * 3
    assert set(info["merchant"]) == {"terminal_id", "secret_key", "webhook_secret"}
    names = {"pan", "cvv2", "exp_month", "exp_year", "mobile", "pin1", "bank", "behaviour"}
    assert all(set(card) == names for card in info["cards"])
    assert {card["bank"] for card in info["cards"]} == {bank["name"] for bank in info["banks"]}
    behaviours = {card["behaviour"] for card in info["cards"]}
    assert behaviours >= {"approve", "insufficient_funds", "blocked", "no_mobile", "expired"}
    bins = tuple(bank["bin"] for bank in info["banks"])
    assert bins == ("999002", "999001", "999003")
    assert all(len(card["pan"]) == 16 and card["pan"].startswith(bins) for card in info["cards"])


def test_keys_are_readable_by_their_owner_only(world: RunningWorld) -> None:
    """Key files and what was handed out are 0600 in a private directory."""
    files = list((world.state / "keys").iterdir())

    banks = {f"{bank}{what}.json" for bank in ("bank_one", "bank_two") for what in ("", "-inbound")}
    assert {file.name for file in files} == {"gateway.json", "terminals.json", "handed-out.json", *banks}
    assert all(file.stat().st_mode & 0o077 == 0 for file in [*files, world.state / "keys"])


def _pids(world: RunningWorld) -> list[int]:
    return list(json.loads((world.state / "run" / "processes.json").read_text()).values())


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _answers(shopper: Shopper, address: str) -> bool:
    try:
        return shopper.browser.get(address, timeout=5).ok
    except OSError:
        return False
