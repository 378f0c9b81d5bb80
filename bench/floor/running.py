"""Starts the floor beside a running sandbox: on its PostgreSQL server, under the same gunicorn workers."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from bench.floor import books
from bench.floor.wire import BANK, DATABASE, KEY, card_token
from sandbox.places import end, spawn
from sandbox.postgres import Cluster
from sandbox.running import ROOT, free_ports, wait_for

BALANCE = 500_000_000
STOP_SECONDS = 10.0
KEEP_ALIVE_SECONDS = "600"
"""Longer than the others' turns: a connection to the bank that was closed meanwhile would cost the floor a purchase."""

WORKERS = {"gateway": 2, "bank": 1}
"""As many processes as the sandbox gives ours."""

BeforeBank = Callable[[int], AbstractContextManager[int]]
"""What runs in front of the bank: told the bank's port, it yields the one that the gateway calls."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The running floor."""

    gateway: str
    pids: dict[str, tuple[int, ...]]


@contextmanager
def running_floor(
    cluster: Cluster,
    logs: Path,
    cards: Iterable[dict[str, Any]],
    before_bank: BeforeBank = nullcontext,
    gateway: str = "gateway",
) -> Iterator[Floor]:
    """Run a gateway, the module of that name, and a bank that knows these cards; each has a database of its own."""
    os.environ.setdefault(KEY, secrets.token_bytes(32).hex())  # for the codes, which whoever measures derives
    ports = dict(zip(WORKERS, free_ports(len(WORKERS)), strict=True))
    addresses = {name: _database(cluster, f"floor_{gateway}_{name}", tables) for name, tables in _TABLES.items()}
    _open_cards(addresses["bank"], cards)
    with before_bank(ports["bank"]) as bank:
        modules = {"gateway": gateway, "bank": "bank"}
        pids = {
            name: _start(modules[name], name, ports[name], logs, {DATABASE: addresses[name], BANK: str(bank)})
            for name in WORKERS
        }
        try:
            for name in WORKERS:
                wait_for(partial(_listens, ports[name]), f"the floor's {name} to listen")
            yield Floor(f"http://127.0.0.1:{ports['gateway']}", {name: (pid,) for name, pid in pids.items()})
        finally:
            for pid in pids.values():
                end(pid, "bench.floor", by=signal.SIGTERM, harder_by=signal.SIGKILL, within_seconds=STOP_SECONDS)


_TABLES = {"gateway": books.GATEWAY_TABLES, "bank": books.BANK_TABLES}


def bank_books(cluster: Cluster, cards: Iterable[dict[str, Any]], tables: str, name: str = "floor_codes") -> str:
    """Open books of the floor's bank that know these cards, for whoever needs no programs; returns their address."""
    os.environ.setdefault(KEY, secrets.token_bytes(32).hex())
    address = _database(cluster, name, tables)
    _open_cards(address, cards)
    return address


def _database(cluster: Cluster, name: str, tables: str) -> str:
    roles = cluster.create_roles(name)
    cluster.create_database(name, roles)
    address = cluster.url(name, roles.owner).replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        connection.execute(tables.encode())
    return address


def _open_cards(address: str, cards: Iterable[dict[str, Any]]) -> None:
    rows = [(card_token(card["pan"]), card["exp_year"] + card["exp_month"], BALANCE) for card in cards]
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        cursor.executemany(books.OPEN_CARD.encode(), rows)


def _start(module: str, name: str, port: int, logs: Path, variables: dict[str, str]) -> int:
    command = [sys.executable, "-m", "gunicorn", f"bench.floor.{module}:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gevent", "--workers", str(WORKERS[name]), "--keep-alive", KEEP_ALIVE_SECONDS]
    command += ["--graceful-timeout", "1", "--log-level", "warning"]
    return spawn(command, logs / f"floor-{module}.log", {**os.environ, "PYTHONPATH": str(ROOT), **variables})


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
