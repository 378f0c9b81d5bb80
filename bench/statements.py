"""Statements and commits of each step of a purchase in a real sandbox, as PostgreSQL's own log has them.

One purchase after the other and nobody else there; of each figure the least that any purchase shows, because what is
remembered for seconds and then read again only adds. What a process asks anyway while there is nothing to do is
learned beforehand and left out.
"""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlsplit

from bench.budgets import BANK_WORKER, BUDGETS, GATEWAY_WORKER, Budget
from bench.buyers import SECONDS, Customer, Shop
from sandbox.postgres import Cluster
from sandbox.running import RunningWorld, wait_for

PURCHASES = 7
WARM_UP = 60
CROWD = 90
"""Cards, so that nobody's is in two hands at once."""

QUIET_SECONDS = 6.0
"""How long everybody is watched while there is nothing to do."""

SETTLE_SECONDS = 0.5
"""Within this, workers have done what a step left to them; the other processes are done when they answer."""

LEAVES_WORK = frozenset({"request PIN", "pay", "confirm"})

DONE_BY_WORKERS = {("request PIN", BANK_WORKER): "SMS", ("confirm", GATEWAY_WORKER): "webhook"}
"""What a worker does because of a step has a name of its own in the table of budgets."""

SETTINGS = {"log_statement": "all", "log_line_prefix": "%a %p|"}
_HEAD = re.compile(r"(?P<who>[^|\s]+) (?P<pid>\d+)\|LOG:  (?:statement|execute [^:]+):(?P<text>.*)")
_WRITES = ("INSERT", "UPDATE", "DELETE")
_COMMIT = ("COMMIT", True)

Asked = Counter[tuple[str, bool]]
"""Statements, and whether each was a commit by itself; a COMMIT is an entry that is no statement."""

Found = dict[tuple[str, str], tuple[int, int]]
"""Statements and commits by step and process."""


class StatementLog:
    """What the server is asked, by whom, while it is made to log every statement; parameters are never logged."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Let the server log."""
        self._configure({name: f"'{value}'" for name, value in SETTINGS.items()})
        try:
            wait_for(self._heard, "PostgreSQL to log its statements")
            yield
        finally:
            self._configure(dict.fromkeys(SETTINGS, "DEFAULT"))

    def during(self, do: Callable[[], object]) -> dict[str, Asked]:
        """Return what each process asked meanwhile."""
        begin = self._cluster.log.stat().st_size
        do()
        with self._cluster.log.open() as log:
            log.seek(begin)
            return asked_in(log.read())

    def _configure(self, settings: dict[str, str]) -> None:
        with closing(self._cluster.superuser()) as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")

    def _heard(self) -> bool:
        with closing(self._cluster.superuser()) as connection:
            return bool(self.during(lambda: connection.execute("SELECT 1")))


def asked_in(log: str) -> dict[str, Asked]:
    """Read a part of the log."""
    found: defaultdict[str, Asked] = defaultdict(Counter)
    in_transaction: dict[str, bool] = {}
    for entry in re.split(r"\n(?!\t)", log):
        head = _HEAD.match(entry)
        if head is None:
            continue
        who, pid, text = head["who"], head["pid"], " ".join(entry[head.start("text") :].split())
        if text.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            in_transaction[pid] = text.startswith("BEGIN")
            found[who][_COMMIT] += text == "COMMIT"
        else:
            writes = any(word in text for word in _WRITES)
            found[who][text, writes and not in_transaction.get(pid, False)] += 1
    return dict(found)


def figures(asked: Asked, without: Collection[tuple[str, bool]] = ()) -> tuple[int, int]:
    """Return statements and commits, leaving some out."""
    counted = {entry: times for entry, times in asked.items() if entry not in without}
    statements = sum(times for entry, times in counted.items() if entry != _COMMIT)
    return statements, sum(times for (_, commits), times in counted.items() if commits)


class Steps:
    """Purchases in a quiet sandbox, step by step."""

    def __init__(self, world: RunningWorld, shop: Shop) -> None:
        self._shop = shop
        self._log = StatementLog(world.world.cluster)

    def measure(self) -> Found:
        """Buy, and return the least that a purchase asked."""
        with self._log.kept():
            time.sleep(QUIET_SECONDS)  # the webhooks of purchases before are none of what is asked anyway
            idle = self._log.during(lambda: time.sleep(QUIET_SECONDS))
            seen: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
            for step, who, asked in self._purchases():
                anyway = set(idle.get(who, ())) - {_COMMIT}
                seen[DONE_BY_WORKERS.get((step, who), step), who].append(figures(asked, anyway))
        return {key: min(counts) for key, counts in seen.items()}

    def _purchases(self) -> Iterator[tuple[str, str, Asked]]:
        address = urlsplit(self._shop.gateway).netloc
        for _ in range(PURCHASES):
            with (
                closing(HTTPConnection(address, timeout=SECONDS)) as server,
                closing(self._shop.customer(server, self._shop.sellers[0])) as customer,
            ):
                for step, do in self._steps(customer).items():
                    for who, asked in self._log.during(_settled(do) if step in LEAVES_WORK else do).items():
                        yield step, who, asked

    def _steps(self, customer: Customer) -> dict[str, Callable[[], object]]:
        return {
            "open": customer.open,
            "page": customer.page,
            "request PIN": customer.request_pin,
            "pay": partial(self._pay, customer),
            "result": customer.result,
            "read": customer.read,
            "confirm": customer.confirm,
        }

    def _pay(self, customer: Customer) -> None:
        customer.pay(self._shop.code_of(customer))


def lines(found: Found) -> Iterator[str]:
    """Say what was measured beside what is allowed; what only tests count is left out."""
    yield f"{'step':<18} {'asked by':<16} {'statements':>10} {'commits':>8}   budget"
    for row in BUDGETS:
        if (row.step, row.who) in found:
            yield _line(row, *found[row.step, row.who])
    ours = [counts for (step, who), counts in found.items() if (step, who) in _ROWS]
    statements, commits = (sum(column) for column in zip(*ours, strict=True))
    yield f"{'a purchase':<18} {'together':<16} {statements:>10} {commits:>8}"


_ROWS = {(row.step, row.who) for row in BUDGETS}


def _line(row: Budget, statements: int, commits: int) -> str:
    kept = "kept" if (statements, commits) == (row.statements, row.commits) else f"{row.statements} and {row.commits}"
    return f"{row.step:<18} {row.who:<16} {statements:>10} {commits:>8}   {kept}"


def _settled(do: Callable[[], object]) -> Callable[[], None]:
    def done() -> None:
        do()
        time.sleep(SETTLE_SECONDS)

    return done
