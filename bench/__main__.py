"""``python -m bench [name …] [--rounds N] [--seconds S]``: run benchmarks, each in a sandbox of its own."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import (
    accepted,
    against_floor,
    app,
    balances,
    codes,
    healthy_bank,
    kinds,
    memory,
    merchants,
    pin_wires,
    statements,
    steps,
    taps,
    wires,
)
from bench.floor.running import running_floor
from bench.sandbox_shop import cards_of, sellers_of, shop_at
from foundation.logs import configure_logging
from sandbox.banks import BANK_TWO
from sandbox.phone_store import PhoneStore
from sandbox.places import CannotRun
from sandbox.running import RunningWorld

NO_LIMIT = "1000000"
SETTINGS = {
    "POOYA_LOG_LEVEL": "WARNING",
    "POOYA_SETTINGS": json.dumps(
        {
            "GATEWAY_PAGE_CALLS_PER_MINUTE": NO_LIMIT,
            "GATEWAY_API_CALLS_PER_MINUTE": NO_LIMIT,
            "GATEWAY_API_STRANGER_CALLS_PER_MINUTE": NO_LIMIT,
            "OTP_TERMINAL_REQUESTS_PER_HOUR": NO_LIMIT,
        }
    ),
}
"""All shoppers of a benchmark come from one address, and to few terminals, which limits would rightly slow down."""

CROWD, CROWD_ONE = "POOYA_CROWD", "POOYA_CROWD_ONE"


@dataclass(frozen=True, slots=True)
class Wish:
    """How long to measure: so many rounds, so many seconds where a round is as long as one likes, so large a ledger."""

    rounds: int
    seconds: float
    postings: int


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark.

    Args:
        run: measures in a fresh sandbox and says what it found.
        cards: how many more cards the banks have, by variable.
        rounds: when nobody wishes otherwise.
        around: what runs from before the sandbox starts until after its end.
    """

    run: Callable[[RunningWorld, Wish], Iterator[str]]
    cards: dict[str, int]
    rounds: int
    around: Callable[[RunningWorld], AbstractContextManager[object]] = nullcontext


def main(arguments: list[str]) -> int:
    """Run the benchmarks named, or all, and print what each measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios measured in one run.")
    parser.add_argument("names", nargs="*", metavar="name", help="of: " + ", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, help="how often both conditions are measured")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long healthy-bank measures each in a round")
    parser.add_argument("--postings", type=int, default=balances.MOST, help="the largest ledger that balances fills")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    configure_logging("bench", "WARNING")
    try:
        for name in chosen.names or BENCHMARKS:
            print(f"{name}:", flush=True)
            benchmark = BENCHMARKS[name]
            wish = Wish(chosen.rounds or benchmark.rounds, chosen.seconds, chosen.postings)
            with fresh_world(benchmark) as world:
                for line in benchmark.run(world, wish):
                    print(f"  {line}", flush=True)
    except CannotRun as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def fresh_world(benchmark: Benchmark) -> Iterator[RunningWorld]:
    """Run an empty sandbox; its books are audited before it is thrown away."""
    with tempfile.TemporaryDirectory(prefix="pooya-bench-") as directory:
        crowds = {variable: str(count) for variable, count in benchmark.cards.items()}
        world = RunningWorld(Path(directory) / "state", settings=SETTINGS | crowds)
        with benchmark.around(world):
            world.start()
            try:
                yield world
                world.audit()
            finally:
                world.stop()


def _against_floor(world: RunningWorld, wish: Wish) -> Iterator[str]:
    with running_floor(world.world.cluster, world.world.logs, cards_of(world, BANK_TWO)) as floor:
        run = against_floor.Purchases(against_floor.at_floor(world, floor), against_floor.at_ours(world))
        yield from against_floor.lines(run, run.compare(wish.rounds))


def _packages(world: RunningWorld, wish: Wish) -> Iterator[str]:
    where = world.world.cluster, world.world.logs, cards_of(world, BANK_TWO)
    with running_floor(*where) as floor, running_floor(*where, gateway="packaged") as packaged:
        run = against_floor.Purchases(
            against_floor.at_floor(world, floor), against_floor.at_floor(world, packaged, against_floor.PACKAGED)
        )
        yield from against_floor.lines(run, run.compare(wish.rounds))


def _steps(world: RunningWorld, wish: Wish) -> Iterator[str]:
    floor_taps = world.state / "floor-taps.jsonl"
    with running_floor(
        world.world.cluster, world.world.logs, cards_of(world, BANK_TWO), partial(taps.tap_before, file=floor_taps)
    ) as floor:
        ours = steps.Condition(shop_at(world, sellers_of(world), BANK_TWO), taps.file_of(world), steps.OUR_STEPS)
        at_floor = steps.Condition(against_floor.shop_at_floor(world, floor), floor_taps, steps.FLOOR_STEPS)
        run = steps.HalfLoad(ours, at_floor)
        run.measure(wish.rounds)
    yield from steps.lines(run, PhoneStore(world.world.phone_file))


def _memory(world: RunningWorld, wish: Wish) -> Iterator[str]:
    with running_floor(world.world.cluster, world.world.logs, cards_of(world, BANK_TWO)) as floor:
        shops = shop_at(world, sellers_of(world), BANK_TWO), against_floor.shop_at_floor(world, floor)
        run = memory.Workers(world, floor, shops)
        run.measure(wish.rounds)
    yield from memory.lines(run.seen)


def _statements(world: RunningWorld, _: Wish) -> Iterator[str]:
    shop = shop_at(world, sellers_of(world), BANK_TWO)
    shop.buy(statements.WARM_UP)
    yield from statements.lines(statements.Steps(world, shop).measure())


def _wires(world: RunningWorld, wish: Wish) -> Iterator[str]:
    yield from wires.lines(wires.Wires(world).compare(wish.rounds))


def _pin_wires(world: RunningWorld, wish: Wish) -> Iterator[str]:
    run = pin_wires.PinWires(world)
    run.warm_up()
    yield from pin_wires.lines(run, run.compare(wish.rounds))


def _codes(world: RunningWorld, wish: Wish) -> Iterator[str]:
    with codes.compared(world) as run:
        yield from codes.lines(run, run.compare(wish.rounds), world.world.cluster)


def _accepted(world: RunningWorld, wish: Wish) -> Iterator[str]:
    run = accepted.UntilAccepted(world)
    run.measure(wish.rounds)
    yield from accepted.lines(run)


def _app(world: RunningWorld, wish: Wish) -> Iterator[str]:
    yield from app.lines(*app.measure(world, wish.rounds))


def _healthy_bank(world: RunningWorld, wish: Wish) -> Iterator[str]:
    run = healthy_bank.HealthyBank(world, wish.seconds)
    yield from healthy_bank.lines(run, run.compare(wish.rounds))


def _kinds(world: RunningWorld, wish: Wish) -> Iterator[str]:
    yield from kinds.lines(kinds.Kinds(world).compare(wish.rounds))


def _merchants(world: RunningWorld, wish: Wish) -> Iterator[str]:
    yield from merchants.lines(merchants.Merchants(world).compare(wish.rounds))


def _balances(world: RunningWorld, wish: Wish) -> Iterator[str]:
    yield from balances.lines(*balances.measure(world.world, wish.rounds, wish.postings))


BENCHMARKS: dict[str, Benchmark] = {
    "floor": Benchmark(_against_floor, {CROWD: against_floor.CROWD}, rounds=8),
    "packages": Benchmark(_packages, {CROWD: against_floor.CROWD}, rounds=8),
    "steps": Benchmark(_steps, {CROWD: steps.CROWD}, rounds=4, around=taps.tapped),
    "memory": Benchmark(_memory, {CROWD: memory.CROWD}, rounds=3),
    "statements": Benchmark(_statements, {CROWD: statements.CROWD}, rounds=1),
    "wires": Benchmark(_wires, {CROWD: wires.CROWD, CROWD_ONE: wires.CROWD}, rounds=8),
    "pin-wires": Benchmark(_pin_wires, {CROWD: pin_wires.CROWD}, rounds=12),
    "kinds": Benchmark(_kinds, {CROWD: kinds.CROWD, CROWD_ONE: kinds.CROWD_ONE}, rounds=4),
    "merchants": Benchmark(_merchants, {CROWD: merchants.CROWD}, rounds=6),
    "codes": Benchmark(_codes, {CROWD: codes.CROWD}, rounds=6),
    "accepted": Benchmark(_accepted, {CROWD: accepted.CROWD}, rounds=3, around=accepted.panel),
    "app": Benchmark(_app, {CROWD: app.CROWD}, rounds=15),
    "balances": Benchmark(_balances, {}, rounds=6),
    "healthy-bank": Benchmark(_healthy_bank, {CROWD: healthy_bank.CROWD}, rounds=3),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
