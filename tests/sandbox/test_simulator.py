"""The simulator repeats itself, finds nothing in what we built, and really meets the faults it names.

That it finds what is broken is shown in ``test_planted_faults.py``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foundation.checks import Severity, Verdict
from sandbox import simulator
from sandbox.crashes import POINTS
from sandbox.postgres import Cluster
from sandbox.simulator.catalogue import FAULTS, UNREACHED, FaultRow
from sandbox.simulator.coverage import MOVES, Coverage
from sandbox.simulator.invariants import Violated, check_verdict
from sandbox.simulator.keeping import check_floor
from sandbox.simulator.memory import Memory
from sandbox.simulator.runner import simulate

pytestmark = [
    pytest.mark.xdist_group("simulator"),
    pytest.mark.no_cover,  # as in test_planted_faults.py
    pytest.mark.timeout(400),  # a dozen histories at worst, on a machine that does other things too
]

SEEDS = (8, 12, 20, 2, 101, 104, 9, 26, 35, 16, 43, 46)
STEPS = 1_000
"""The first six meet everything as things are; the others are there for the day on which they do not."""

BILLS = ("bill paid out", "bill refused by its biller")


@pytest.fixture(scope="module")
def met(cluster: Cluster) -> Coverage:
    """Run fixed seeds, clean each, until every named fault has come about (or all seeds have run)."""
    coverage = Coverage()
    for seed in SEEDS:
        outcome = simulate(cluster, steps=STEPS, seed=seed, coverage=coverage)
        assert outcome.clean, "\n".join(outcome.lines)
        if not coverage.not_met() and all(coverage.happened[name] for name in BILLS):
            break
    return coverage


@pytest.mark.parametrize("row", FAULTS, ids=[row.number for row in FAULTS])
def test_the_simulator_meets(met: Coverage, row: FaultRow) -> None:
    """Each happening by which a run shows this row of the fault table came about, and all invariants held."""
    assert [name for name in row.shown_by if not met.happened[name]] == []


def test_d12_the_simulators_billers_are_paid_out_and_refuse_bills(met: Coverage) -> None:
    """Both halves of a bill's life after its payment come about, and all invariants hold."""
    assert [name for name in BILLS if not met.happened[name]] == []


def test_d36_a_simulated_world_under_faults_loses_no_rial(cluster: Cluster) -> None:
    """The invariants hold after every step, everything comes to rest (I18), and the audit of both books is clean."""
    outcome = simulate(cluster, steps=300, seed=7)

    assert outcome.violation is None, "\n".join(outcome.lines)
    assert outcome.clean
    assert outcome.lines[-1] == "unexplained: 0 rial"


def test_the_same_seed_is_the_same_history(cluster: Cluster) -> None:
    """Every row as it changed in both databases repeats, ids, codes, waits and seals included; another seed differs."""
    first, again, other = (simulate(cluster, steps=400, seed=seed).digest for seed in (3, 3, 4))

    assert first == again
    assert first != other


def test_a_report_says_what_was_never_met() -> None:
    """An empty run names every fault and every row of the state tables, and what it says cannot happen is a row."""
    lines = list(Coverage().lines())

    assert all(any(line.startswith(f"  {row.number} ") for line in lines) for row in FAULTS)
    assert sum(line.startswith("  never: ") for line in lines) == len(MOVES)
    assert set(UNREACHED) <= set(MOVES)


def test_places_of_death_are_called_what_the_crash_points_are_called() -> None:
    """Both ways of dying mean the same places; before a COMMIT of the bank its simulated database dies."""
    sources = Path(simulator.__path__[0]).glob("*.py")
    passed = {name for source in sources for name in re.findall(r'point\("([a-z_.]+)"', source.read_text())}
    named = {name for row in FAULTS for name in row.shown_by if name.startswith(("gateway.", "worker.", "bank."))}

    assert passed == set(POINTS) - {"bank.before_commit"}
    assert named == passed


def test_a_monitors_rule_about_money_that_is_broken_or_not_asked_ends_a_run() -> None:
    """The violation bears the rule's number; how late something is, simulated jumps of time decide, so it ends none."""
    for verdict in (Verdict("I3_kept", Severity.MONEY, 1, 500), Verdict("I3_kept", Severity.MONEY, failed="DataError")):
        with pytest.raises(Violated, match=r"^I3: the monitor says"):
            check_verdict(verdict)
    for held in (Verdict("I3_kept", Severity.MONEY), Verdict("I18_jobs", Severity.DELAY, 7)):
        check_verdict(held)


def test_i3_a_merchants_account_below_its_floor_ends_a_run() -> None:
    """One rial is enough; other accounts balance it and have no floor."""
    memory = Memory(Coverage(), accounts={"payable:1": 0, "payable:2": -1, "issuer:two": -1})
    for fine in ("payable:1", "issuer:two"):
        check_floor(memory, fine)
    with pytest.raises(Violated, match=r"^I3: payable:2 owes us 1"):
        check_floor(memory, "payable:2")
