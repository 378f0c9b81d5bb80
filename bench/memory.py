"""Memory of each worker that serves purchases, idle and after load, beside the workers of the floor.

``USS`` is what a process alone holds and would give back if it ended; ``PSS`` adds its share of what it has in common
with others (``proc_pid_smaps_rollup(5)``).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench.buyers import Shop
from bench.cpu import below
from bench.floor.running import Floor
from sandbox.banks import BANK_TWO
from sandbox.running import RunningWorld

EACH_ROUND = 300
"""Purchases of each between two looks."""

CROWD = 240
SETTLE_SECONDS = 3.0
"""Within this, workers have done what purchases left to them."""

KIB_PER_MB = 1_000_000 / 1024
ALONE = ("Private_Clean", "Private_Dirty", "Private_Hugetlb")

OURS = {
    "gateway": "gateway",
    "gateway-worker": "gateway-worker",
    "otp": BANK_TWO.program,
    "otp-host": f"{BANK_TWO.program}-host",
    "otp-worker": f"{BANK_TWO.program}-worker",
}
"""Kinds of processes, and what they are called in a sandbox."""

FLOOR_OF = {kind: "floor's gateway" if kind.startswith("gateway") else "floor's bank" for kind in OURS}
"""The floor has no workers for what can wait and no host apart; each kind is compared with its organisation's."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one process holds, in MB (a million bytes)."""

    uss: float
    pss: float


def in_rollup(text: str) -> Memory:
    """Read ``/proc/<pid>/smaps_rollup``."""
    rows = (line.split() for line in text.splitlines()[1:])
    kib = {row[0].rstrip(":"): int(row[1]) for row in rows}
    return Memory(sum(kib[name] for name in ALONE) / KIB_PER_MB, kib["Pss"] / KIB_PER_MB)


def of_workers(pid: int) -> list[Memory]:
    """Return the memory of a server's workers, or of the process itself where it has none."""
    return [in_rollup(Path(f"/proc/{each}/smaps_rollup").read_text()) for each in tuple(below(pid)) or (pid,)]


class Workers:
    """Looks at the workers of the sandbox and of the floor between rounds of purchases."""

    def __init__(self, world: RunningWorld, floor: Floor, shops: tuple[Shop, ...]) -> None:
        self._pids = {kind: world.pid_of(program) for kind, program in OURS.items()}
        self._pids |= {f"floor's {name}": pid for name, (pid,) in floor.pids.items()}
        self._shops = shops
        self.seen: defaultdict[str, list[list[Memory]]] = defaultdict(list)

    def measure(self, rounds: int) -> None:
        """Look before anybody buys, and after each round."""
        self._look()
        for _ in range(rounds):
            for shop in self._shops:
                shop.buy(EACH_ROUND)
            time.sleep(SETTLE_SECONDS)
            self._look()

    def _look(self) -> None:
        for kind, pid in self._pids.items():
            self.seen[kind].append(of_workers(pid))


def lines(seen: Mapping[str, list[list[Memory]]]) -> Iterator[str]:
    """Say what was measured; of several workers of a kind their mean."""
    looks = len(seen[next(iter(OURS))])
    yield f"MB of one worker, idle and after each {EACH_ROUND} purchases; beside it times the floor's at the end"
    yield f"{'':<16} {'workers':>7}   {'USS':<{7 * looks}} {'PSS':<{7 * looks}} {'USS ×':>6} {'PSS ×':>6}"
    means = {kind: [_mean(workers) for workers in each] for kind, each in seen.items()}
    for kind, each in means.items():
        figures = "".join(f"{memory.uss:<7.1f}" for memory in each) + " " + "".join(f"{m.pss:<7.1f}" for m in each)
        yield f"{kind:<16} {len(seen[kind][0]):>7}   {figures}{_ratios(each[-1], means, kind)}"


def _ratios(last: Memory, means: Mapping[str, list[Memory]], kind: str) -> str:
    if kind not in FLOOR_OF:
        return ""
    floor = means[FLOOR_OF[kind]][-1]
    return f" {last.uss / floor.uss:>6.1f} {last.pss / floor.pss:>6.1f}"


def _mean(workers: list[Memory]) -> Memory:
    return Memory(mean(one.uss for one in workers), mean(one.pss for one in workers))
