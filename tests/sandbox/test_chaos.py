"""F35: everything at random for a while; the books agree, people were told the truth, and the bounds were kept."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import requests

from sandbox.banks import BANKS
from sandbox.chaos.command import unleash
from sandbox.chaos.schedule import KILL_PAUSE_SECONDS, VICTIMS, WIRES, schedule
from sandbox.crashes import POINTS
from sandbox.running import RunningWorld
from sandbox.shopper import Shopper

SECONDS, SEED = 25.0, 7


@pytest.mark.world
@pytest.mark.xdist_group("world")
@pytest.mark.timeout(300)
def test_f35_a_short_run_from_a_fixed_seed(tmp_path: Path) -> None:
    """A world of its own, shoppers, faults of every lane, among them a restart of PostgreSQL; then all is paid out."""
    outcome = unleash(tmp_path / "var", SECONDS, SEED, say=lambda _: None)

    assert outcome.wrong == []
    assert outcome.verdict.unexplained_rial == 0
    assert len(outcome.restarted) == 1
    assert sum(count for what, count in outcome.told.items() if what.startswith("pays bills, paid")) > 0
    assert set(outcome.verdict.cleared.lines) == {"matched"}
    assert outcome.verdict.states["settled"] > 0
    assert outcome.verdict.cleared.paid_out >= outcome.verdict.states["settled"]


def test_the_same_seed_is_the_same_schedule() -> None:
    """A run can be repeated; another seed is another run."""
    assert schedule(600, 1) == schedule(600, 1)
    assert schedule(600, 1) != schedule(600, 2)


def test_a_long_schedule_knows_every_kind_and_spares_nobody_too_often() -> None:
    """Every place is armed, every kind comes, and no process is killed so often that its supervisor would give up."""
    faults = schedule(3_600, 1)

    kinds = {"kill", "freeze", "crash point", "database", "redis", "wire", "sandbox"}
    assert {fault.kind for fault in faults} == kinds
    assert {fault.target for fault in faults if fault.kind == "crash point"} == set(POINTS)
    assert {fault.target for fault in faults if fault.kind == "kill"} == set(VICTIMS)
    assert {fault.target for fault in faults if fault.kind == "wire"} == set(WIRES)
    kills = [fault for fault in faults if fault.kind in {"kill", "crash point"}]
    for victim in {name for fault in kills for name in fault.may_die}:
        at = [fault.at for fault in kills if victim in fault.may_die]
        assert all(later - earlier >= KILL_PAUSE_SECONDS for earlier, later in pairwise(at))


def test_each_bank_is_a_victim_with_its_processes_and_its_links() -> None:
    """Either may die in the middle of a leg, by a kill or at a named place, and be cut off from the gateway."""
    places = {name for fault in schedule(3_600, 1) if fault.kind == "crash point" for name in fault.may_die}

    for bank in BANKS:
        assert {bank.program, f"{bank.program}-host", f"{bank.program}-worker"} <= set(VICTIMS)
        assert {bank.front, bank.web} <= set(WIRES)
        assert {f"{bank.program}-host", f"{bank.program}-worker"} <= places


def test_a_sender_finds_the_payment_that_comes_as_the_answer_to_another_page(tmp_path: Path) -> None:
    """The page for transfers answers with the payment page itself (D29): its address tells no token, its forms do."""
    sender = Shopper(RunningWorld(tmp_path), {})
    forms = '<form action="/language"></form><form action="/pay/pt_x9?lang=fa"></form>'
    sender.page = cast("requests.Response", SimpleNamespace(url="http://localhost:8000/transfer", text=forms))

    assert sender.page_token == "pt_x9"
