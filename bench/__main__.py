"""``python -m bench [name …] [--rounds N] [--seconds S]``: run benchmarks, each in a sandbox of its own."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import healthy_bank, pin_wires
from sandbox.places import CannotRun
from sandbox.running import RunningWorld

SETTINGS = {
    "POOYA_CROWD": str(healthy_bank.CROWD),
    "POOYA_LOG_LEVEL": "WARNING",
    "POOYA_SETTINGS": json.dumps(
        {
            "GATEWAY_PAGE_CALLS_PER_MINUTE": "1000000",
            "GATEWAY_API_CALLS_PER_MINUTE": "1000000",
            "GATEWAY_API_STRANGER_CALLS_PER_MINUTE": "1000000",
        }
    ),
}
"""All shoppers of a benchmark come from one address, which flood control would rightly slow down."""

Benchmark = Callable[[int, float], Iterator[str]]


def main(arguments: list[str]) -> int:
    """Run the benchmarks named, or all, and print what each measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios measured in one run.")
    parser.add_argument("names", nargs="*", metavar="name", help="of: " + ", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=3, help="how often both conditions are measured")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each is measured in a round")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    try:
        for name in chosen.names or BENCHMARKS:
            print(f"{name}:")
            for line in BENCHMARKS[name](chosen.rounds, chosen.seconds):
                print(f"  {line}", flush=True)
    except CannotRun as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def fresh_world() -> Iterator[RunningWorld]:
    """Run an empty sandbox; its books are audited before it is thrown away."""
    with tempfile.TemporaryDirectory(prefix="pooya-bench-") as directory:
        world = RunningWorld(Path(directory) / "state", settings=SETTINGS)
        world.start()
        try:
            yield world
            world.audit()
        finally:
            world.stop()


def _healthy_bank(rounds: int, seconds: float) -> Iterator[str]:
    with fresh_world() as world:
        run = healthy_bank.HealthyBank(world, seconds)
        yield from healthy_bank.lines(run, run.compare(rounds))


def _pin_wires(rounds: int, _: float) -> Iterator[str]:
    with fresh_world() as world:
        run = pin_wires.PinWires(world, healthy_bank.CROWD)
        run.compare(1)  # connections, contracts and keys are read before anything is measured
        yield from pin_wires.lines(run.compare(rounds))


BENCHMARKS: dict[str, Benchmark] = {
    "healthy-bank": _healthy_bank,
    "pin-wires": _pin_wires,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
