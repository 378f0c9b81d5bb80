"""The scheduler: one thread, one seed; at each step somebody acts, and every invariant is looked at."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import redis
from sqlalchemy.exc import OperationalError

from foundation.checks import Inspector
from gateway.domain.errors import GatewayError
from gateway.domain.outcome import Approved, Unknown
from gateway.ports import Trace
from gateway.store.checks import RULES as GATEWAY_RULES
from otp.store.checks import RULES as BANK_RULES
from sandbox.audit import Report, compare, monitored
from sandbox.books import Books, bank_books, gateway_books
from sandbox.postgres import Cluster
from sandbox.silence import silent
from sandbox.simulator import invariants, stage, telling
from sandbox.simulator.actors import Cast
from sandbox.simulator.calls import HELD, Calls
from sandbox.simulator.chance import dice, seeded
from sandbox.simulator.check import Violated, require
from sandbox.simulator.coverage import Coverage
from sandbox.simulator.faults import Clock, Crashed, Fuse
from sandbox.simulator.hooks import Developer, Merchants
from sandbox.simulator.mirror import Mirror, Source
from sandbox.simulator.network import Network
from sandbox.simulator.nights import Nights
from sandbox.simulator.outcome import Outcome
from sandbox.simulator.outside import Bell, Phones, SimulatedHarim
from sandbox.simulator.switch import SimulatedSwitch
from sandbox.simulator.weather import Weather
from sandbox.simulator.workers import WEBHOOKS, Crew, Turn

Actions = Mapping[str, tuple[int, Callable[[], object]]]

HISTORY = 30
CHECK_ALL_EVERY = 1_000
FUSES = 0.06
FUSE_PLACES = 8
LOST_NOT_DEAD = 0.4
TIME_MOVES = 0.3
TURNS = {"people": 50, "jobs": 34, "sweeps": 9, "late messages": 4, "world": 4, "developer": 2.5, "poison": 0.1}
"""Whose turn it is, and how often of about a hundred, when nobody who waited goes on."""

GOES_ON = 0.3
QUEUES = {
    "sms.code": 40,
    "webhook": 20,
    "switch.inquire": 30,
    "switch.reverse": 20,
    "switch.credit": 40,
    "switch.refund": 30,
    "sms.last_try": 5,
}
"""How often a worker looks into each queue."""

SWEEPS = {
    "expire": 20,
    "give_back_unconfirmed": 15,
    "recover_lost": 40,
    "dispute": 20,
    "erase": 5,
    "hasten_webhooks": 10,
    "forget_webhooks": 2,
    "expire_challenges": 15,
    "forget_quotas": 5,
}
"""How often a worker sweeps what; sweeps and queues that are not named here get a middling share."""

OTHERS = 10
LOOKS_IN_VAIN = 0.05
"""How often a worker looks into any queue, whether or not something waits there."""

DAY_SECONDS = 86_400
DAYS_BEFORE = 4
ROUND_SECONDS = 60
REST_MOST_SECONDS = 7_200
"""I18's T: page with its extensions (25 min), confirm window (15 min), five inquiries, the longest wait between two
reversals (15 min), and as much again."""

QUEUE_ROUND_SECONDS = 43_200
QUEUE_ROUNDS = 20
"""Ten days: a webhook is tried for about three and a poison job as long."""


class Simulation:
    """One run."""

    def __init__(
        self, seed: int, opened: stage.Databases, clock: Clock, fuses: dict[str, Fuse], seen: Coverage
    ) -> None:
        self.step = 0
        self.rested = 0.0
        self.history: deque[str] = deque(maxlen=HISTORY)
        self.listener: Callable[[str], None] = lambda _: None
        self.calls = Calls(dice(seed, "calls"))
        self._dice = dice(seed, "schedule")
        self._opened, self._clock, self._fuses = opened, clock, fuses
        databases = {"gateway": opened.gateway, **opened.banks}
        sources = [Source(name, database, opened.readers[name]) for name, database in databases.items()]
        self.mirror = Mirror(seen, sources=tuple(sources))
        self._network = Network(dice(seed, "network"), clock, fuses, self.calls, seen, self._note)
        for fuse in fuses.values():
            fuse.saw = self._network.saw
        self._bell = Bell(self._network)
        self._bell.away = self._dice.random() < 0.5  # noqa: PLR2004 - a coin
        self._cast, self._crew, merchants = self._people()
        self._weather = Weather(self._network, merchants, self._bell, self._nights)
        self._developer = self._cast.developer
        self._acting: dict[str, Callable[[], Actions]] = {
            "people": self._cast.actions,
            "developer": self._developer.actions,
            "world": self._weather.actions,
        }
        self._jobs, self._sweeps = self._crew.jobs(), self._crew.sweeps()
        self._look()
        for first in (self._developer.add, self._cast.open):
            self._result(first)  # who dies already here is asked again, as later
        self._look()

    def _people(self) -> tuple[Cast, Crew, Merchants]:
        """Wire all organisations to the simulated outside, and set everybody in their place."""
        network, keys, codes = self._network, stage.gateway_keys(), dict[str, list[str]]()
        merchants = Merchants(network, self.mirror, stage.HOOKS)
        switch, harim = SimulatedSwitch(network, keys, self._told, self.mirror.stands), SimulatedHarim(network)
        outside = stage.Outside(switch, harim, merchants, self._bell, (switch.gates,))
        gateway, caller = stage.gateway_of(self._opened.gateway, keys, outside)
        switch.found.gateway = gateway
        for name, database in self._opened.banks.items():
            phones = Phones(network, partial(self._sms, name), codes)
            harim.banks[name], switch.hosts[name] = stage.bank_of(name, database, phones, self._bell)
        self._nights = Nights(self._dice, network, gateway, harim.banks, self.mirror)
        self._clock.seconds = -DAYS_BEFORE * DAY_SECONDS  # a new account waits two days (D11)
        self._nights.enrol()
        self._clock.seconds = 0
        developer = Developer(self._dice, network, gateway, caller, merchants, self.mirror)
        cast = Cast(self._dice, network, gateway, caller, harim.banks, codes, developer, self.mirror)
        return cast, Crew(network, gateway, harim.banks), merchants

    def run(self, steps: int) -> None:
        """Take so many steps, then let everything come to rest."""
        while self.step < steps:
            self._one()
            if self.step % CHECK_ALL_EVERY == 0:
                self._check_all()
        self._rest()

    def _note(self, line: str) -> None:
        text = f"{self.step:>7} {line}"
        self.history.append(text)
        self.listener(text)
        self.mirror.say(text)

    def _sms(self, bank: str, message: Any) -> None:
        invariants.check_sms(self.mirror, int(message.reference.removeprefix("sms-")), self._clock.now(bank))

    def _told(self, trace: Trace, answer: object) -> None:
        """Count the answers that change nothing, which no row tells of."""
        key = (trace.acquirer_id, trace.terminal_id, trace.stan, trace.rrn, trace.local_time)
        state = self.mirror.attempt_at(key).get("state")
        if isinstance(answer, Approved) and state == "approved":
            self.mirror.coverage.moved("attempt", "approved", "switch_approved")
        if isinstance(answer, Unknown) and state == "unknown":
            self.mirror.coverage.moved("attempt", "unknown", "no_answer")

    def _one(self) -> None:
        self.step += 1
        if self._dice.random() < TIME_MOVES:
            self._clock.seconds += self._dice.random() * 2
        fuse = self._fuses[self._dice.choice(("gateway", "gateway", *stage.BANKS))]
        fuse.left = self._dice.randrange(FUSE_PLACES) if self._dice.random() < FUSES else None
        fuse.lethal = self._dice.random() > LOST_NOT_DEAD
        self._turn()
        for each in self._fuses.values():
            each.left = None
        self._look()

    def _turn(self) -> None:
        if self.calls.due() and self._dice.random() < GOES_ON:
            self._note(f"resumed {self._result(self._resume)}")
            return
        whose = self._dice.choices(list(TURNS), list(TURNS.values()))[0]
        if self._bell.rung and whose == "people" and self._dice.random() < 0.3:  # noqa: PLR2004 - a worker hears it
            whose, self._bell.rung = "jobs", False
        name, action = self._choose(whose)
        self._note(f"{name}: {self._result(lambda: self.calls.start(name, action))}")

    def _resume(self) -> object:
        name, result = self.calls.resume()
        return f"{name}: {'waits again' if result is HELD else result}"

    def _result(self, turn: Callable[[], object]) -> object:
        try:
            result = turn()
        except GatewayError as error:
            self.mirror.coverage.saw(type(error).__name__)
            return type(error).__name__
        except Crashed:
            return "died"
        except OperationalError:
            return "connection lost"
        except redis.RedisError as error:
            raise Violated(f"I17: without Redis {type(error).__name__}") from error
        return "waits" if result is HELD else result

    def _look(self) -> None:
        self.mirror.observe(self.step, self._clock.now("gateway"))
        require(not self._crew.failures, f"a handler failed: {self._crew.failures[:1]}")

    def _choose(self, whose: str) -> Turn:
        if whose in self._acting:
            rows = self._acting[whose]()
            name = self._dice.choices(list(rows), [weight for weight, _ in rows.values()])[0]
            return name, rows[name][1]
        if whose == "poison":
            return "poison", self._crew.poison
        if whose == "late messages":
            return "late message", self._network.deliver
        if whose == "jobs":
            waiting = [queue for queue in self._jobs if queue == WEBHOOKS or self.mirror.waiting[queue]]
            queues = waiting if self._dice.random() > LOOKS_IN_VAIN else list(self._jobs)
            queue = self._dice.choices(queues, [QUEUES.get(topic, OTHERS) for _, topic in queues])[0]
            return queue[1], self._jobs[queue]
        return self._dice.choices(self._sweeps, [SWEEPS.get(name, OTHERS) for name, _ in self._sweeps])[0]

    def _rest(self) -> None:
        """Stop all faults, end what is under way, and work until nothing moves (I18) and no job waits (I11)."""
        self._weather.clear()
        began = self._clock.seconds
        while self.calls.held:
            self._note(f"resumed {self._result(self._resume)}")
            self._look()
        while self._network.transit or self._network.lost:
            self._network.deliver()
            self._look()
        self._until(invariants.check_decided, ROUND_SECONDS, REST_MOST_SECONDS // ROUND_SECONDS)
        self.rested = self._clock.seconds - began
        self._developer.settle()
        self._until(telling.check_quiet, QUEUE_ROUND_SECONDS, QUEUE_ROUNDS)
        self._nights.catch_up()
        self._developer.enable_all()
        self._until(telling.check_quiet, QUEUE_ROUND_SECONDS, QUEUE_ROUNDS)
        self._developer.look()
        self._check_all()
        self.mirror.check_rest()

    def _check_all(self) -> None:
        """Check everything again, and ask what all organisations' own monitors ask."""
        self.mirror.check_all()
        asked = [(self._opened.gateway, GATEWAY_RULES), *((bank, BANK_RULES) for bank in self._opened.banks.values())]
        for database, rules in asked:
            for verdict in Inspector(database, rules).everything().verdicts:
                invariants.check_verdict(verdict)

    def _until(self, check: Callable[[Mirror], None], seconds: int, rounds: int) -> None:
        for _ in range(rounds):
            self._work()
            try:
                check(self.mirror)
            except Violated:
                self._clock.seconds += seconds
            else:
                return
        check(self.mirror)

    def _work(self) -> None:
        for _, sweep in self._sweeps:
            sweep()
        self._look()
        for work in self._jobs.values():
            while work():
                self._look()
        self._look()

    def report(self) -> Report:
        """Compare all organisations' books as the audit does (D36)."""
        readers = self._opened.readers
        for name, reader in readers.items():
            reader.execute(f"SET simulator.now = '{self._clock.now(name).isoformat()}'".encode())
        authorisations = [row for name in self._opened.banks for row in bank_books(readers[name])]
        attempts, payments = gateway_books(readers["gateway"])
        found = compare(Books(attempts, payments, authorisations, []))
        return Report((*found.findings, *monitored(self._opened.gateway, self._opened.banks).findings))


def simulate(
    cluster: Cluster,
    *,
    steps: int,
    seed: int,
    listener: Callable[[str], None] | None = None,
    coverage: Coverage | None = None,
) -> Outcome:
    """Run one seed on a running cluster, from empty databases to rest and audit."""
    clock, fuses = Clock(), {name: Fuse() for name in ("gateway", *stage.BANKS)}
    with silent(), seeded(seed), stage.databases(cluster, clock, fuses) as opened:
        run = Simulation(seed, opened, clock, fuses, coverage or Coverage())
        run.listener = listener or run.listener
        began, violation, report = time.monotonic(), None, None
        try:
            run.run(steps)
            report = run.report()
        except Violated as error:
            violation = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a use case may not raise is a finding with its seed
            violation = f"unexpected {type(error).__name__}: {error}"
        finally:
            run.calls.drop()
        return Outcome(
            seed,
            run.step,
            time.monotonic() - began,
            run.mirror.digest,
            len(run.mirror.payments),
            run.mirror.changes,
            run.mirror.oldest,
            run.mirror.longest_unknown,
            run.rested,
            violation,
            tuple(run.history),
            report,
        )
