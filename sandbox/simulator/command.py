"""``python -m sandbox simulate``: a throwaway cluster, one seed or several, a verdict."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from sandbox.postgres import Cluster
from sandbox.simulator.coverage import Coverage
from sandbox.simulator.runner import simulate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--steps", type=int, default=20_000, help="how many steps before everything comes to rest")
    parser.add_argument("--seed", type=int, default=1, help="decides everything that happens")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs, each of the next seed")
    parser.add_argument("--replay", action="store_true", help="print every step")


def run_seeds(steps: int, seed: int, seeds: int, *, replay: bool) -> int:
    """Run the seeds and print each verdict and what all of them met; 0 when every invariant held everywhere."""
    coverage, clean = Coverage(), True
    with tempfile.TemporaryDirectory(prefix="pooya-simulate-") as directory:
        cluster = Cluster(Path(directory) / "postgres", throwaway=True)
        cluster.start()
        try:
            for number in range(seed, seed + seeds):
                listener = print if replay else None
                outcome = simulate(cluster, steps=steps, seed=number, listener=listener, coverage=coverage)
                print("\n".join(outcome.lines), flush=True)
                clean = clean and outcome.clean
        finally:
            cluster.stop()
            shutil.rmtree(cluster.socket, ignore_errors=True)
    print("\n".join(coverage.lines()))
    return 0 if clean else 1
