"""Doing what the schedule says to a running sandbox, and setting it right again."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from sandbox.chaos.measures import Measures
from sandbox.chaos.schedule import Fault
from sandbox.fault_proxy import FaultProxy
from sandbox.faults import RIGHT, Faults, FaultsFile
from sandbox.places import CannotRun, is_running
from sandbox.running import RunningWorld

PAUSE_MS = 1000
PASSING_SECONDS = 15.0
LOOK_SECONDS = 0.05
POSTGRES_TRIES = 20
POSTGRES_PAUSE_SECONDS = 0.5
WORKERS = {"gateway-worker": "gateway", "bank-worker": "bank_two", "bank-one-worker": "bank_one"}
"""Whose outbox a worker works on."""


@dataclass
class Deeds:
    """Everything that can be done to a world."""

    world: RunningWorld
    wires: dict[str, FaultProxy]
    measures: Measures
    counted: Counter[str] = field(default_factory=Counter)

    def run(self, faults: tuple[Fault, ...], say: Callable[[str], None]) -> None:
        """Do every fault at its time, several at once where they overlap; return when all are over."""
        began = time.monotonic()
        with ThreadPoolExecutor(16, thread_name_prefix="fault") as pool:
            for fault in faults:
                time.sleep(max(0.0, began + fault.at - time.monotonic()))
                say(str(fault))
                self.counted[f"{fault.kind} {fault.target}" if fault.kind != "crash point" else fault.kind] += 1
                pool.submit(self._do, fault, say)

    def calm(self) -> None:
        """Set everything right that still is wrong."""
        for wire in self.wires.values():
            wire.misbehave()
        self._faults_file.write(RIGHT)
        self.world.disarm()

    def _do(self, fault: Fault, say: Callable[[str], None]) -> None:
        try:
            _DEEDS[fault.kind](self, fault)
        except Exception as error:  # noqa: BLE001 - a fault that could not be done is a fault of the run
            say(f"could not do: {fault}: {type(error).__name__}: {error}")
            self.measures.violation(f"could not do {fault.kind} {fault.target}: {type(error).__name__}")

    def kill(self, fault: Fault) -> None:
        """Kill a process with all it has, or one web worker; a worker's jobs must be taken over soon."""
        if fault.target == "gateway web":
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._web_worker(fault), signal.SIGKILL)
            return
        organisation = WORKERS.get(fault.target)
        watch = self.measures.watch_outbox(organisation, str(fault)) if organisation else contextlib.nullcontext()
        with watch:
            self.world.signal(fault.target, signal.SIGKILL)

    def freeze(self, fault: Fault) -> None:
        """Stop a process for a while."""
        alone = fault.target == "gateway web"
        pids = [self._web_worker(fault)] if alone else _group(self.world.pid_of(fault.target))
        with self.measures.disturbed(WORKERS.get(fault.target, fault.target)), _frozen(pids):
            time.sleep(fault.seconds)

    def arm(self, fault: Fault) -> None:
        """Let whoever passes a place next die there; a worker's jobs must be taken over soon."""
        workers = {name: self.world.pid_of(name) for name in fault.may_die if name in WORKERS}
        self.world.crash_at(fault.target)
        if workers and self._passed(fault.target):
            time.sleep(LOOK_SECONDS)  # whoever passes it disarms it first and dies then
            for name in (name for name, pid in workers.items() if not is_running(pid)):
                with self.measures.watch_outbox(WORKERS[name], str(fault)):
                    pass  # it is dead already

    def _passed(self, place: str) -> bool:
        """Tell whether somebody died at this place before another one was armed."""
        until = time.monotonic() + PASSING_SECONDS
        while time.monotonic() < until:
            armed = self.world.armed_at
            if armed != place:
                return armed is None
            time.sleep(LOOK_SECONDS)
        return False

    def database(self, fault: Fault) -> None:
        """End PostgreSQL without a word or with the last one, start it again, and wait for the first good step."""
        cluster = self.world.world.cluster
        with self.measures.watch_database():
            cluster.crash(signal.SIGKILL if fault.target == "killed" else signal.SIGQUIT)
            time.sleep(fault.seconds)
            for left in reversed(range(POSTGRES_TRIES)):
                try:
                    cluster.start()
                    break
                except CannotRun:  # what the dead server shared is not free yet
                    if not left:
                        raise
                    time.sleep(POSTGRES_PAUSE_SECONDS)

    def redis(self, fault: Fault) -> None:
        """Let Redis forget, pause, die, freeze or stay away for a while."""
        server = self.world.world.redis
        if fault.target in {"flush", "pause"}:
            with redis.Redis.from_url(server.url, socket_timeout=5) as client:
                if fault.target == "flush":
                    client.flushall()
                else:
                    client.execute_command("CLIENT", "PAUSE", int(fault.seconds * PAUSE_MS), "ALL")
            return
        pid = server.pid
        if pid is None:
            raise CannotRun("Redis is not there")
        if fault.target == "freeze":
            with _frozen([pid]):
                time.sleep(fault.seconds)
            return
        os.kill(pid, signal.SIGKILL if fault.target == "kill" else signal.SIGTERM)
        time.sleep(fault.seconds)
        server.start()

    def wire(self, fault: Fault) -> None:
        """Let a link misbehave for a while."""
        self.wires[fault.target].misbehave(**dict(fault.how))
        time.sleep(fault.seconds)
        self.wires[fault.target].misbehave()

    def sandbox(self, fault: Fault) -> None:
        """Let the bank be slow or silent, or SMS be lost or late, for a while."""
        self._faults_file.write(Faults(**dict(fault.how)))  # type: ignore[arg-type]  # names and words of the table
        time.sleep(fault.seconds)
        self._faults_file.write(RIGHT)

    @property
    def _faults_file(self) -> FaultsFile:
        return FaultsFile(self.world.world.faults_file)

    def _web_worker(self, fault: Fault) -> int:
        master = self.world.pid_of("gateway")
        children = [pid for pid in _group(master) if pid != master]
        return children[int(fault.at * 100) % len(children)] if children else master


_DEEDS: dict[str, Callable[[Deeds, Fault], None]] = {
    "kill": Deeds.kill,
    "freeze": Deeds.freeze,
    "crash point": Deeds.arm,
    "database": Deeds.database,
    "redis": Deeds.redis,
    "wire": Deeds.wire,
    "sandbox": Deeds.sandbox,
}


@contextmanager
def _frozen(pids: list[int]) -> Iterator[None]:
    _all(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _all(pids, signal.SIGCONT)


def _all(pids: list[int], by: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, by)


def _group(leader: int) -> list[int]:
    """Return a process and the children it has now."""
    try:
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    except OSError:
        children = []
    return [pid for pid in (leader, *map(int, children)) if is_running(pid)]
