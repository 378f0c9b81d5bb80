"""Taps on the wires from a gateway to its banks: they carry everything faithfully and write down how long it took.

``python -m bench.taps FILE KIND PORT TARGET_PORT [KIND PORT TARGET_PORT …]``, a process of its own so that buyers and
taps do not wait for each other; it ends when its input does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from bench.wire_watch import Exchange, FrameWatch, HttpWatch, Watch
from sandbox.banks import BANK_TWO
from sandbox.fault_proxy import ADDRESS, FaultProxy
from sandbox.places import CannotRun
from sandbox.running import ROOT, RunningWorld, free_ports

HTTP, FRAMES = "http", "frames"
WATCHES: dict[str, Callable[[], Watch]] = {HTTP: HttpWatch, FRAMES: FrameWatch}
READY = "ready"


@dataclass(frozen=True, slots=True)
class Plan:
    """One tap: what is spoken there, the port to be called at, and the port of the real server."""

    kind: str
    port: int
    target: int


class Tap(FaultProxy):
    """A faithful wire that somebody watches.

    Args:
        note: takes every exchange; what it does is no part of the time.
    """

    def __init__(self, plan: Plan, note: Callable[[Exchange], None]) -> None:
        super().__init__((ADDRESS, plan.target), plan.port)
        self._watch = WATCHES[plan.kind]
        self._watches: dict[Any, Watch] = {}
        self._note = note

    def pass_on(self, piece: bytes, connection: Any, *, answer: bool) -> bool:
        """Carry one piece, and note what it ends once it is gone."""
        at = time.perf_counter()
        watch = self._watches.setdefault(connection, self._watch())
        ended = tuple(watch.hear(piece, at, answer=answer))
        carried = super().pass_on(piece, connection, answer=answer)
        for exchange in ended:
            self._note(exchange)
        return carried

    def forget(self, connection: Any) -> None:
        """Forget a connection that ended."""
        self._watches.pop(connection, None)
        super().forget(connection)


def file_of(world: RunningWorld) -> Path:
    """Return where the taps of a sandbox write."""
    return world.state / "taps.jsonl"


@contextmanager
def tapped(world: RunningWorld) -> Iterator[None]:
    """Let the gateway of a sandbox that is yet to start reach bank two's web and host through taps.

    The host's is instead of what else stands in front of it in a sandbox, so that only the host's own time is seen.
    """
    web, front = free_ports(2)
    ports = world.world.ports
    world.environment["POOYA_DETOURS"] = json.dumps({BANK_TWO.web: web, BANK_TWO.front: front})
    plans = Plan(HTTP, web, ports[BANK_TWO.web]), Plan(FRAMES, front, ports[BANK_TWO.host])
    with running_taps(file_of(world), *plans):
        yield


@contextmanager
def tap_before(port: int, file: Path) -> Iterator[int]:
    """Run a tap in front of one HTTP server; yields the port to call instead."""
    (own,) = free_ports(1)
    with running_taps(file, Plan(HTTP, own, port)):
        yield own


@contextmanager
def running_taps(file: Path, *plans: Plan) -> Iterator[None]:
    """Run taps that write to one file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for plan in plans for word in (plan.kind, plan.port, plan.target)]
    command = [sys.executable, "-m", "bench.taps", str(file), *words]
    with subprocess.Popen(  # noqa: S603 - our own words
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        if not process.stdout or process.stdout.readline().strip() != READY:
            raise CannotRun("the taps did not start")
        yield


def exchanges_in(file: Path) -> dict[tuple[str, int], Exchange]:
    """Read what taps wrote down so far, by step and amount."""
    found = [Exchange(**json.loads(line)) for line in file.read_text().splitlines()]
    return {(exchange.step, exchange.amount): exchange for exchange in found}


def main(words: list[str]) -> int:
    """Run taps until our input ends."""
    file, *rest = words
    plans = [Plan(*each) for each in zip(rest[::3], map(int, rest[1::3]), map(int, rest[2::3]), strict=True)]
    with Path(file).open("a", buffering=1) as out:
        for plan in plans:
            Tap(plan, lambda exchange: _write(out, exchange)).start()
        print(READY, flush=True)  # noqa: T201 - whoever started us waits for it
        sys.stdin.read()
    return 0


def _write(out: TextIO, exchange: Exchange) -> None:
    out.write(json.dumps(asdict(exchange)) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
