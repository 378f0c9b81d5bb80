"""The scheduler: one thread, one seed; at each step one actor acts, and every invariant is looked at."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from gateway.domain.errors import GatewayError
from gateway.ports import Switch
from gateway.switch.keys import LinkKeys
from sandbox.audit import Report, compare, monitored
from sandbox.books import Books, bank_books, gateway_books
from sandbox.postgres import Cluster
from sandbox.simulator import stage
from sandbox.simulator.actors import Cast
from sandbox.simulator.chance import dice, seeded
from sandbox.simulator.faults import Clock, Crashed, Fuse
from sandbox.simulator.invariants import Mirror, Violated, require
from sandbox.simulator.network import Merchants, Network, Phones, SimulatedHarim, SimulatedSwitch
from sandbox.world import ISSUER_ID

Wrapped = Callable[[Switch], Switch]
HISTORY = 30
CHECK_ALL_EVERY = 1_000
DEPTH_MOST = 2
CRASHES = 0.05
CRASH_PLACES = 8
JUMPS_SECONDS = (30, 70, 130, 400, 1_000, 4_000)
QUIET_ROUNDS = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``violation`` is ``None`` when every invariant held."""

    seed: int
    steps: int
    seconds: float
    digest: str
    payments: int
    changes: int
    violation: str | None
    history: tuple[str, ...]
    report: Report | None

    @property
    def lines(self) -> tuple[str, ...]:
        """What is printed."""
        rate = self.steps / self.seconds if self.seconds else 0.0
        told = f"seed {self.seed}: {self.steps} steps, {self.payments} payments, {self.changes} changes"
        first = f"{told}, {rate:.0f} steps/s, digest {self.digest[:16]}"
        if self.violation is None:
            return (first, *(self.report.lines if self.report else ()))
        again = f"again: python -m sandbox simulate --steps {self.steps} --seed {self.seed} --replay"
        return (*self.history, first, f"violated at step {self.steps}: {self.violation}", again)

    @property
    def clean(self) -> bool:
        """Whether all held and the books agree."""
        return self.violation is None and self.report is not None and self.report.clean


class Simulation:
    """One run."""

    def __init__(self, seed: int, opened: stage.Databases, clock: Clock, fuses: dict[str, Fuse], wrap: Wrapped) -> None:
        self.step = 0
        self.history: deque[str] = deque(maxlen=HISTORY)
        self.listener: Callable[[str], None] = lambda _: None
        self._depth = 0
        self._dice = dice(seed, "schedule")
        self._opened, self._clock, self._fuse = opened, clock, fuses["gateway"]
        self.mirror = Mirror(opened.gateway_reader, opened.bank_reader)
        self._network = Network(dice(seed, "network"), clock, fuses, meanwhile=self._meanwhile, note=self._note)
        phones, harim = Phones(self._network), SimulatedHarim(self._network)
        switch = SimulatedSwitch(self._network, LinkKeys(stage.keyring(), ISSUER_ID))
        outside = stage.Outside(wrap(switch), harim, Merchants(self._network), phones)
        gateway, caller = stage.gateway_of(opened.gateway, outside)
        bank, switch.host = stage.bank_of(opened.bank, phones)
        switch.keys, harim.bank = LinkKeys(gateway.keyring, ISSUER_ID), bank
        self._cast = Cast(self._dice, gateway, caller, bank, phones, self.mirror)
        self._jobs, self._sweeps = self._cast.jobs(), self._cast.sweeps()
        self._cast.open()
        self.mirror.observe()

    def run(self, steps: int) -> None:
        """Take so many steps, then let everything come to rest."""
        next_check = CHECK_ALL_EVERY
        while self.step < steps:
            self._one()
            if self.step >= next_check:  # a step may hold others, so a round number may be passed over
                self.mirror.check_all()
                next_check = self.step + CHECK_ALL_EVERY
        self._rest()

    def _note(self, line: str) -> None:
        text = f"{self.step:>7} {'  ' * self._depth}{line}"
        self.history.append(text)
        self.listener(text)
        self.mirror.say(text)

    def _meanwhile(self) -> None:
        """Let others act while somebody waits; who waits is not disturbed by their crashes."""
        if self._depth > DEPTH_MOST:
            return
        before, self._fuse.left = self._fuse.left, None
        for _ in range(self._dice.randrange(1, 5)):
            self._one()
        self._fuse.left = before

    def _one(self) -> None:
        self.step += 1
        self._clock.seconds += self._dice.random()
        name, action = self._choose()
        self._fuse.left = self._dice.randrange(CRASH_PLACES) if self._dice.random() < CRASHES else None
        self._depth += 1
        try:
            result = action()
        except GatewayError as error:
            result = type(error).__name__
        except Crashed:
            result = "died"
        finally:
            self._depth -= 1
            self._fuse.left = None
        self._note(f"{name}: {result}")
        self.mirror.observe()
        require(not self._cast.failures, f"a handler failed: {self._cast.failures[:1]}")

    def _choose(self) -> tuple[str, Callable[[], object]]:
        luck = self._dice.random()
        if luck < 0.55:  # noqa: PLR2004 - a little more than half of all steps are people's
            rows = self._cast.actions()
            name = self._dice.choices(list(rows), [weight for weight, _ in rows.values()])[0]
            return name, rows[name][1]
        if luck < 0.85:  # noqa: PLR2004
            return self._dice.choice(self._jobs)
        if luck < 0.94:  # noqa: PLR2004
            sweep = self._dice.choice(self._sweeps)
            return sweep.name, sweep.run
        if luck < 0.98 and self._network.transit:  # noqa: PLR2004
            return "late message", self._network.deliver
        return ("clocks", self._move_clocks)

    def _move_clocks(self) -> str:
        if self._dice.random() < 0.5:  # noqa: PLR2004
            seconds = self._dice.choice(JUMPS_SECONDS)
            self._clock.seconds += seconds
            return f"{seconds} s later"
        organisation = self._dice.choice(("gateway", "bank"))
        self._clock.skews[organisation] = self._dice.uniform(-120, 120)
        return f"{organisation} is {self._clock.skews[organisation]:.3f} s off"

    def _rest(self) -> None:
        """Stop all faults, deliver what is under way, and work until nothing moves (I18)."""
        self._network.faulty = False
        while self._network.transit:
            self._network.deliver()
            self.mirror.observe()
        for _ in range(QUIET_ROUNDS):
            self._clock.seconds += 120
            for _, run in (*self._jobs, *((sweep.name, sweep.run) for sweep in self._sweeps)):
                while run():
                    self.mirror.observe()
            self.mirror.observe()
            try:
                self.mirror.check_quiet()
            except Violated:
                continue
            break
        self.mirror.check_quiet()
        self.mirror.check_all()

    def report(self) -> Report:
        """Compare both organisations' books as the audit does (D36)."""
        for name, reader in (("bank", self._opened.bank_reader), ("gateway", self._opened.gateway_reader)):
            reader.execute(f"SET simulator.now = '{self._clock.now(name).isoformat()}'".encode())
        authorisations = bank_books(self._opened.bank_reader)
        attempts, payments = gateway_books(self._opened.gateway_reader)
        found = compare(Books(attempts, payments, authorisations, []))
        return Report((*found.findings, *monitored(self._opened.gateway, {"bank": self._opened.bank}).findings))


def simulate(
    cluster: Cluster,
    *,
    steps: int,
    seed: int,
    listener: Callable[[str], None] | None = None,
    wrap: Wrapped = lambda switch: switch,
) -> Outcome:
    """Run one seed on a running cluster, from empty databases to rest and audit."""
    clock, fuses = Clock(), {"gateway": Fuse(), "bank": Fuse()}
    with _silent(), seeded(seed), stage.databases(cluster, clock, fuses) as opened:
        run = Simulation(seed, opened, clock, fuses, wrap)
        run.listener = listener or run.listener
        began, violation, report = time.monotonic(), None, None
        try:
            run.run(steps)
            report = run.report()
        except Violated as error:
            violation = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a use case may not raise is a finding with its seed
            violation = f"unexpected {type(error).__name__}: {error}"
        return Outcome(
            seed,
            run.step,
            time.monotonic() - began,
            run.mirror.digest,
            len(run.mirror.payments),
            run.mirror.changes,
            violation,
            tuple(run.history),
            report,
        )


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the applications' logs out of the way of the report."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
