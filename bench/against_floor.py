"""Whole purchases per second of the sandbox against those of the floor: the same buyers, server and disk, in turns.

Beside the clock it counts the processor time of each part, which other programs on the machine disturb far less.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from bench.buyers import Customer, Seller, Shop
from bench.cpu import spent
from bench.floor.running import Floor
from bench.floor.wire import SECRET_KEY, code_for
from bench.rounds import Comparison, in_turns
from bench.sandbox_shop import cards_of, sellers_of, shop_at
from sandbox.banks import BANK_TWO
from sandbox.processes import PROGRAMS
from sandbox.running import RunningWorld

FLOOR, PACKAGED, OURS = "the floor", "the floor on our packages", "ours"
EACH_ROUND = {FLOOR: 500, PACKAGED: 250, OURS: 150}
"""Purchases in a round: all take about as long."""

WARM_UP = 150
"""Purchases of each before anything is measured: every connection has its statements prepared."""

BUYERS = "buyers"
"""Processor time of whoever measures; no part of a purchase."""

CROWD = 360
ELSEWHERE = ("bank-one", "bank-one-host", "bank-one-worker")
"""Processes of a bank that nobody buys at."""

MILLISECONDS = 1_000

Parts = Mapping[str, tuple[int, ...]]
"""Process ids by the part they belong to."""


@dataclass
class Condition:
    """A shop, the processes that serve it, and the processor time that a purchase cost each of them."""

    name: str
    shop: Shop
    parts: Parts
    cost: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def measure(self) -> float:
        """Return purchases per second."""
        before = self._spent()
        rate = self.shop.buy(EACH_ROUND[self.name])
        for part, seconds in self._spent().items():
            self.cost[part].append((seconds - before[part]) / EACH_ROUND[self.name] * MILLISECONDS)
        return rate

    def _spent(self) -> dict[str, float]:
        return {part: spent(pids) for part, pids in self.parts.items()} | {BUYERS: time.process_time()}

    @property
    def total(self) -> float:
        """Milliseconds of processor time of one purchase, the buyers' own left out."""
        return sum(median(values) for part, values in self.cost.items() if part != BUYERS)


class Purchases:
    """Buys at two gateways with the same buyers, in turns."""

    def __init__(self, usual: Condition, changed: Condition) -> None:
        self.conditions = (usual, changed)

    def compare(self, rounds: int) -> Comparison:
        """Return purchases per second of each."""
        for condition in self.conditions:
            condition.shop.buy(WARM_UP)
        return in_turns(rounds, *(condition.measure for condition in self.conditions))


def at_floor(world: RunningWorld, floor: Floor, name: str = FLOOR) -> Condition:
    """Buy at a floor."""
    return Condition(name, shop_at_floor(world, floor), {**floor.pids, **_server(world)})


def at_ours(world: RunningWorld) -> Condition:
    """Buy at the sandbox's gateway."""
    own = {program.name: (world.pid_of(program.name),) for program in PROGRAMS if program.name not in ELSEWHERE}
    parts = {**own, "Redis": (world.world.redis.pid or 0,), **_server(world)}
    return Condition(OURS, shop_at(world, sellers_of(world), BANK_TWO), parts)


def _server(world: RunningWorld) -> Parts:
    return {"PostgreSQL": (world.world.cluster.pid or 0,)}


def lines(run: Purchases, comparison: Comparison) -> Iterator[str]:
    """Say what was measured."""
    usual, changed = run.conditions
    for number, (first, second) in enumerate(zip(comparison.usual, comparison.changed, strict=True), start=1):
        yield f"round {number}: {first:.1f} purchases/s of {usual.name}, {second:.1f} of {changed.name}"
    for condition in run.conditions:
        parts = ", ".join(f"{part} {median(values):.1f}" for part, values in condition.cost.items())
        yield f"processor time of a purchase, {condition.name}: {condition.total:.1f} ms ({parts})"
    yield f"ratio of processor time, {usual.name} to {changed.name}: {usual.total / changed.total:.2f}"
    yield str(comparison)


def shop_at_floor(world: RunningWorld, floor: Floor) -> Shop:
    """Let buyers with bank two's cards buy at the floor, which knows them too and sets no limit to them."""
    return Shop(floor.gateway, (Seller(SECRET_KEY, "/"),), _endless(cards_of(world, BANK_TWO)), _derived)


def _endless(cards: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    while True:
        yield from cards


def _derived(customer: Customer) -> str:
    return code_for(customer.payment["id"])
