"""What goes wrong when: drawn from a seed before anything starts, so that a run can be repeated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.crashes import POINTS
from sandbox.simulator.chance import dice

CALM_SECONDS = 3.0
"""Nothing goes wrong in the first and last seconds."""

KILL_PAUSE_SECONDS = 20.0
"""No process is killed twice within this, in whatever way: its supervisor gives up on one that ends again and again."""

DATABASE_PAUSE_SECONDS = (50.0, 90.0)
DATABASE_DOWN_SECONDS = (0.5, 4.0)
VICTIMS = (
    *("gateway", "gateway web", "gateway-worker", "shop", "bank-front"),
    *("bank", "bank-host", "bank-worker"),
    *("bank-one", "bank-one-host", "bank-one-worker"),
)
"""Processes by name; ``gateway web`` is one of its web workers alone."""

MAY_DIE_AT = {
    "gateway": ("gateway web",),
    "worker": ("gateway-worker",),
    "worker.after_sms": ("bank-worker", "bank-one-worker"),
    "bank": ("bank-host", "bank-one-host"),
}
"""Whom a place kills, by the beginning of its name, the longest first: of two banks the one that passes it first."""

WIRES = ("bank_front", "bank", "bank_one_front", "bank_one", "shop")
"""Links of the gateway: to each bank's host and its Harim service, and to the shop's webhooks."""

TOXICS: tuple[dict[str, float], ...] = (
    {"latency_seconds": 0.3},
    {"stalled": True},
    {"refused": True},
    {"reset": True},
    {"half_closed": True},
    {"slice_bytes": 7},
    {"cut_after_bytes": 40},
)
REDIS = ("flush", "pause", "kill", "freeze", "stop")
SANDBOX = ({"bank": "slow"}, {"bank": "down"}, {"sms": "drop"}, {"sms": "delay"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Args:
        at: seconds after the load began.
        kind: ``kill``, ``freeze``, ``crash point``, ``database``, ``redis``, ``wire`` or ``sandbox``.
        target: the process, place, link or server.
        how: what is done to it, for kinds that know several things.
        seconds: how long it stays so.
    """

    at: float
    kind: str
    target: str
    how: tuple[tuple[str, float | str], ...] = ()
    seconds: float = 0.0

    @property
    def may_die(self) -> tuple[str, ...]:
        """The processes one of which this fault kills, when it kills one."""
        if self.kind != "crash point":
            return (self.target,)
        return MAY_DIE_AT[max(filter(self.target.startswith, MAY_DIE_AT), key=len)]

    def __str__(self) -> str:
        """Write one line of the schedule."""
        how = " ".join(f"{name}={value}" for name, value in self.how)
        long = f"for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:7.2f} s  {self.kind:11} {self.target} {how} {long}".rstrip()


def schedule(seconds: float, seed: int) -> tuple[Fault, ...]:
    """Draw every fault of a run, in order: of processes, of wires and of servers, independently of each other."""
    faults = [fault for lane in (_processes, _around, _database) for fault in lane(seconds - CALM_SECONDS, seed)]
    return tuple(sorted(faults, key=lambda fault: fault.at))


def _processes(until: float, seed: int) -> Iterator[Fault]:
    luck = dice(seed, "processes")
    at, last = CALM_SECONDS, dict.fromkeys(VICTIMS, -KILL_PAUSE_SECONDS)
    while (at := at + luck.uniform(1.5, 5.0)) < until:
        what, victim, point = luck.random(), luck.choice(VICTIMS), luck.choice(list(POINTS))
        if what < 0.25:  # noqa: PLR2004 - of all faults of processes
            yield Fault(at, "freeze", victim, seconds=luck.uniform(0.5, 7.0))
            continue
        fault = Fault(at, "crash point", point) if what < 0.6 else Fault(at, "kill", victim)  # noqa: PLR2004 - a share
        if all(at - last[name] >= KILL_PAUSE_SECONDS for name in fault.may_die):
            last.update(dict.fromkeys(fault.may_die, at))
            yield fault


def _around(until: float, seed: int) -> Iterator[Fault]:
    luck = dice(seed, "wires")
    at = CALM_SECONDS
    while (at := at + luck.uniform(3.0, 7.0)) < until:
        what, seconds = luck.random(), luck.uniform(1.0, 5.0)
        if what < 0.5:  # noqa: PLR2004 - a share
            yield Fault(at, "wire", luck.choice(WIRES), tuple(luck.choice(TOXICS).items()), seconds)
        elif what < 0.75:  # noqa: PLR2004 - a share
            yield Fault(at, "redis", luck.choice(REDIS), seconds=seconds)
        else:
            yield Fault(at, "sandbox", "bank and SMS", tuple(luck.choice(SANDBOX).items()), seconds)


def _database(until: float, seed: int) -> Iterator[Fault]:
    luck = dice(seed, "database")
    at = min(luck.uniform(0.3, 0.6) * until, luck.uniform(*DATABASE_PAUSE_SECONDS))
    while at < until:
        yield Fault(at, "database", luck.choice(("immediate", "killed")), seconds=luck.uniform(*DATABASE_DOWN_SECONDS))
        at += luck.uniform(*DATABASE_PAUSE_SECONDS)
