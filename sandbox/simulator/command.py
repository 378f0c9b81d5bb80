"""``python -m sandbox simulate``: a throwaway cluster, one seed, a verdict."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from sandbox.postgres import Cluster
from sandbox.simulator.runner import simulate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--steps", type=int, default=20_000, help="how many steps before everything comes to rest")
    parser.add_argument("--seed", type=int, default=1, help="decides everything that happens")
    parser.add_argument("--replay", action="store_true", help="print every step")


def run_seed(steps: int, seed: int, *, replay: bool) -> int:
    """Run one seed and print its verdict; 0 when every invariant held and the books agree."""
    with tempfile.TemporaryDirectory(prefix="pooya-simulate-") as directory:
        cluster = Cluster(Path(directory) / "postgres", throwaway=True)
        cluster.start()
        try:
            outcome = simulate(cluster, steps=steps, seed=seed, listener=print if replay else None)
        finally:
            cluster.stop()
            shutil.rmtree(cluster.socket, ignore_errors=True)
    print("\n".join(outcome.lines))
    return 0 if outcome.clean else 1
