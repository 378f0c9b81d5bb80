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

EACH_ROUND = {"floor": 500, "ours": 150}
"""Purchases in a round: both take about as long."""

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


class AgainstFloor:
    """Buys at the floor and at the sandbox's gateway."""

    def __init__(self, world: RunningWorld, floor: Floor) -> None:
        both = {"PostgreSQL": (world.world.cluster.pid or 0,)}
        at_floor = shop_at_floor(world, floor)
        ours = shop_at(world, sellers_of(world), BANK_TWO)
        own = {program.name: (world.pid_of(program.name),) for program in PROGRAMS if program.name not in ELSEWHERE}
        redis = {"Redis": (world.world.redis.pid or 0,)}
        self.floor = Condition("floor", at_floor, {**floor.pids, **both})
        self.ours = Condition("ours", ours, {**own, **redis, **both})

    def compare(self, rounds: int) -> Comparison:
        """Return purchases per second, of the floor and of ours."""
        for condition in (self.floor, self.ours):
            condition.shop.buy(WARM_UP)
        return in_turns(rounds, self.floor.measure, self.ours.measure)


def lines(run: AgainstFloor, comparison: Comparison) -> Iterator[str]:
    """Say what was measured."""
    for number, (floor, ours) in enumerate(zip(comparison.usual, comparison.changed, strict=True), start=1):
        yield f"round {number}: {floor:.1f} purchases/s of the floor, {ours:.1f} of ours"
    for condition in (run.floor, run.ours):
        parts = ", ".join(f"{part} {median(values):.1f}" for part, values in condition.cost.items())
        yield f"processor time of a purchase, {condition.name}: {condition.total:.1f} ms ({parts})"
    yield f"ratio of processor time, floor to ours: {run.floor.total / run.ours.total:.2f}"
    yield str(comparison)


def shop_at_floor(world: RunningWorld, floor: Floor) -> Shop:
    """Let buyers with bank two's cards buy at the floor, which knows them too and sets no limit to them."""
    return Shop(floor.gateway, (Seller(SECRET_KEY, "/"),), _endless(cards_of(world, BANK_TWO)), _derived)


def _endless(cards: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    while True:
        yield from cards


def _derived(customer: Customer) -> str:
    return code_for(customer.payment["id"])
