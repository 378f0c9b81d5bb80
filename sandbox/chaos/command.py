"""``python -m sandbox chaos``: a world of its own, shoppers, a schedule of faults, a verdict (F35)."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foundation.persian import TEHRAN
from sandbox.cards import CROWDS
from sandbox.chaos.deeds import Deeds
from sandbox.chaos.load import Load
from sandbox.chaos.measures import DATABASE_MOST_SECONDS, WORKER_MOST_SECONDS, Measures
from sandbox.chaos.schedule import WIRES, schedule
from sandbox.chaos.settling import name_accounts
from sandbox.chaos.verdict import Verdict, judge
from sandbox.fault_proxy import ADDRESS, FaultProxy
from sandbox.merchant import Merchant
from sandbox.running import VARIABLES, RunningWorld, free_ports
from sandbox.world import PORTS

CROWD_LEAST = 10
SECONDS_PER_CARD = 4
"""A card may ask for ten codes an hour; so many cards of each bank are enough for four shoppers."""

SETTINGS = {
    "GATEWAY_CONFIRM_WINDOW_SECONDS": "20",
    "GATEWAY_PAGE_SECONDS": "120",
    "OTP_TERMINAL_REQUESTS_PER_HOUR": "100000",
    "OTP_TERMINAL_WRONG_PER_HOUR": "100000",
    "GATEWAY_API_CALLS_PER_MINUTE": "100000",
    "GATEWAY_API_STRANGER_CALLS_PER_MINUTE": "100000",
    "GATEWAY_PAGE_CALLS_PER_MINUTE": "100000",
}
"""Windows short enough to be seen in a run; limits of one address out of the way, since all shoppers share one."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended and what it measured."""

    seed: int
    seconds: float
    told: Counter[str]
    faults: Counter[str]
    resumed: list[float]
    restarted: list[float]
    violations: list[str]
    verdict: Verdict

    @property
    def wrong(self) -> list[str]:
        """Everything that is not as promised."""
        return [*self.violations, *self.verdict.wrong]

    @property
    def _bounds(self) -> tuple[tuple[str, list[float], float], ...]:
        return (
            ("worker crash resumed", self.resumed, WORKER_MOST_SECONDS),
            ("database restart", self.restarted, DATABASE_MOST_SECONDS),
        )

    @property
    def lines(self) -> list[str]:
        """The report."""
        quiet = self.verdict.quiet_after_seconds
        return [
            f"seed {self.seed}, {self.seconds:.0f} s of faults, {sum(self.faults.values())} faults",
            f"purchases, as told: {_counts(self.told)}",
            f"payments, in the end: {_counts(self.verdict.states)}",
            f"attempts, in the end: {_counts(self.verdict.attempts)}",
            f"faults: {_counts(self.faults)}",
            f"lines of both banks' files: {_counts(self.verdict.cleared.lines)}",
            f"lines of batches: {self.verdict.cleared.paid_out}",
            *(
                f"{name}: {len(found)} times, at most {max(found, default=0.0):.1f} s (bound {most:.0f} s)"
                for name, found, most in self._bounds
            ),
            "quiet: never" if quiet is None else f"quiet: {quiet:.0f} s after the last fault",
            *(f"wrong: {what}" for what in self.wrong),
            f"unexplained: {self.verdict.unexplained_rial} rial",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--seconds", type=float, default=600.0, help="how long faults happen")
    parser.add_argument("--seed", type=int, default=1, help="decides which faults happen when, and who buys how")
    parser.add_argument("--keep", action="store_true", help="keep the sandbox's directory, with all logs")


def run(seconds: float, seed: int, *, keep: bool = False, say: Callable[[str], None] = print) -> int:
    """Run one seed and print its report; 0 when the books agree and every bound was kept."""
    directory = Path(tempfile.mkdtemp(prefix="pooya-chaos-"))
    try:
        outcome = unleash(directory / "var", seconds, seed, say=say)
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)
    say("\n".join(outcome.lines))
    if outcome.wrong:
        say(f"\nto repeat it: python -m sandbox chaos --seconds {seconds:g} --seed {seed}\n")
        say("\n".join(map(str, schedule(seconds, seed))))
    if keep:
        say(f"logs: {directory / 'var' / 'log'}")
    return 1 if outcome.wrong else 0


def unleash(state: Path, seconds: float, seed: int, *, say: Callable[[str], None]) -> Outcome:
    """Start a world, let people buy while everything breaks, and judge what came of it."""
    began = dt.datetime.now(TEHRAN).date()
    with _world(state, crowd=max(CROWD_LEAST, int(seconds / SECONDS_PER_CARD))) as (world, wires):
        name_accounts(world.world)
        measures = Measures(world, Merchant(world.info))
        load, deeds = Load(world, seed, measures.violation), Deeds(world, wires, measures)
        buying = threading.Thread(target=load.run, args=(seconds,), name="load")
        buying.start()
        deeds.run(schedule(seconds, seed), say)
        deeds.calm()
        buying.join()
        verdict = judge(world.world, load.purchases, began)
        if world.ended:
            measures.violation("the sandbox gave up: a process ended again and again")
        told = Counter(f"{purchase.intention}, {purchase.told}{purchase.broke_off}" for purchase in load.purchases)
        return Outcome(
            seed, seconds, told, deeds.counted, measures.resumed, measures.restarted, measures.violations, verdict
        )


@contextmanager
def _world(state: Path, *, crowd: int) -> Iterator[tuple[RunningWorld, dict[str, FaultProxy]]]:
    ports = free_ports(len(VARIABLES))
    by_name = dict(zip(PORTS, ports, strict=True))
    wires = {name: FaultProxy((ADDRESS, by_name[name])).start() for name in WIRES}
    settings = {
        **dict.fromkeys(CROWDS, str(crowd)),
        "POOYA_SETTINGS": json.dumps(SETTINGS),
        "POOYA_DETOURS": json.dumps({name: wire.port for name, wire in wires.items()}),
    }
    world = RunningWorld(state, ports, settings)
    try:
        world.start()
        yield world, wires
    finally:
        if not world.ended:
            world.stop()
        for wire in wires.values():
            wire.stop()


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "none"
