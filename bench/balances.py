"""What a posting and a balance cost when there are ten thousand postings, and ten times as many again and again (D32).

In a database of its own beside the sandbox's, as its application role. All postings are of one merchant and one issuer:
the accounts that grow fastest. Of each figure the middle one of many is taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from statistics import median

import psycopg
from sqlalchemy import Connection, text

from bench.rounds import Comparison, in_turns
from foundation.database import Database
from gateway.migrations import migrate
from gateway.store import balances
from sandbox.postgres import Roles
from sandbox.world import World

LEAST, MOST = 10_000, 1_000_000
STEP = 10
AT_ONCE = 500_000
"""Postings in one transaction while a ledger is filled: what its checks remember until the commit has to fit."""

TAIL = 1_000
"""Postings that are not folded yet: what comes in the ten seconds between two folds at fifty purchases a second."""

APPENDS = 500
READS = 200
SUMS = 5
WARM_UP = 100
FOLD = 50_000
NAME = "bench_balances"
PAYABLE = "payable:000000000000001"
TAILS = {"posting_given": "source", "posting_taken": "destination"}

_WORLD = """
INSERT INTO merchant (merchant_id, name_fa, name_en, payee_name, acquirer_id, site)
  VALUES ('000000000000001', 'م', 'M', 'م', '581672', 'x');
INSERT INTO terminal VALUES ('00000001', '000000000000001');
INSERT INTO issuer (issuer_id, name_fa, name_en, harim_dialect, harim_url, harim_key_id, harim_public_key,
  harim_timeout_ms, switch_host, switch_port, switch_timeout_ms, code_life_seconds, resend_wait_seconds)
  VALUES ('two', 'دو', 'Two', 'x', 'x', 'x', decode(repeat('00', 32), 'hex'), 1000, 'x', 1, 1000, 120, 60);
INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
  callback_url, reference, state, page_expires_at, confirm_window_seconds)
  VALUES ('pay_1', 'x', 'PURCHASE', '00000001', '000000000000001', 'x', 7, 0, 'x', 'AAAAAAAAAAAAAAAA', 'expired',
    house_now(), 900);
INSERT INTO attempt (attempt_id, payment_id, number, state, acquirer_id, terminal_id, stan, rrn, local_time, issuer_id,
  amount_rial, fee_rial, pan_masked, pan_hash, answer_due_at)
  VALUES ('att_1', 'pay_1', 1, 'declined', '581672', '00000001', '000001', '000000000001', '261124120000', 'two', 7, 0,
    'x', 'x', house_now());
"""
_POST = (
    "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
    "SELECT 'pay_1', 'att_1', 'bench', 'issuer:two', 'payable:000000000000001', 7 "
)
_MANY = f"{_POST} FROM generate_series(1, %s)"
_ONE = text(_POST.replace(":", "\\:"))
_BALANCE = text(f"SELECT {balances.balance_of('CAST(:account AS text)')}")
_PLAIN = text("""
SELECT coalesce(sum(amount_rial) FILTER (WHERE destination = :account), 0)
  - coalesce(sum(amount_rial) FILTER (WHERE source = :account), 0)
FROM posting WHERE destination = :account OR source = :account
""")


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of one append, of one balance by snapshot and tail, and of one by adding up everything."""

    append: float
    balance: float
    plain: float


def measure(world: World, rounds: int, most: int = MOST) -> tuple[dict[int, Costs], Comparison]:
    """Return the costs at each size, and at the last one those of an append without the two indexes and with them.

    Args:
        world: whose PostgreSQL is used.
        rounds: how often the two appends take turns.
        most: no ledger is larger; the smallest is always measured.
    """
    owner_url, application_url = _made(world)
    with _opened(application_url) as database, closing(psycopg.connect(owner_url, autocommit=True)) as owner:
        owner.execute(_WORLD.encode())
        found: dict[int, Costs] = {}
        for size in sizes(most):
            _grow(owner, database, size)
            found[size] = Costs(
                _append(database),
                _microseconds(database, READS, lambda connection: connection.execute(_BALANCE, {"account": PAYABLE})),
                _microseconds(database, SUMS, lambda connection: connection.execute(_PLAIN, {"account": PAYABLE})),
            )
        bare = in_turns(rounds, lambda: _without(owner, database), lambda: _with(owner, database))
    return found, bare


def lines(found: dict[int, Costs], bare: Comparison) -> Iterator[str]:
    """Say the figures, and each as a multiple of that at the first size."""
    least = found[LEAST]
    for size, costs in found.items():
        figures = (
            f"append {costs.append:.0f} µs, ratio {costs.append / least.append:.2f}",
            f"balance {costs.balance:.0f} µs, ratio {costs.balance / least.balance:.2f}",
            f"adding up everything {costs.plain:.0f} µs, ratio {costs.plain / least.plain:.2f}",
        )
        yield f"{size:,} postings: {'; '.join(figures)}"
    largest = max(found)
    last = found[largest]
    yield f"an append with the two indexes of the tails against one without: {bare}"
    yield f"a balance against adding up everything at {largest:,}: ratio {last.balance / last.plain:.4f}"


def sizes(most: int) -> Iterator[int]:
    """Return how large the ledgers are that are measured."""
    size = LEAST
    yield size
    while (size := size * STEP) <= most:
        yield size


def _without(owner: psycopg.Connection[tuple[object, ...]], database: Database) -> float:
    for index in TAILS:
        owner.execute(f"DROP INDEX IF EXISTS {index}".encode())
    return _append(database)


def _with(owner: psycopg.Connection[tuple[object, ...]], database: Database) -> float:
    for index, side in TAILS.items():
        made = f"CREATE INDEX IF NOT EXISTS {index} ON posting ({side}, posting_id) INCLUDE (amount_rial)"
        owner.execute(made.encode())
    return _append(database)


def _append(database: Database) -> float:
    return _microseconds(database, APPENDS, lambda connection: connection.execute(_ONE))


def _made(world: World) -> tuple[str, str]:
    roles = Roles("gateway")
    world.cluster.create_database(NAME, roles)
    owner_url = world.cluster.url(NAME, roles.owner)
    migrate(owner_url, application_role=roles.application, reader_role=roles.reader)
    return owner_url.replace("+psycopg", ""), world.cluster.url(NAME, roles.application)


def _grow(owner: psycopg.Connection[tuple[object, ...]], database: Database, size: int) -> None:
    """Fill up to a size less the tail, fold all of it, let the planner see it, and add the tail."""
    row = owner.execute("SELECT count(*) FROM posting").fetchone()
    there = int(str(row[0])) if row else 0
    for begun in range(there, size - TAIL, AT_ONCE):
        owner.execute(_MANY, (min(AT_ONCE, size - TAIL - begun),))
    while _fold(database):
        pass
    owner.execute("VACUUM (ANALYZE) posting")
    owner.execute(_MANY, (TAIL,))


def _fold(database: Database) -> int:
    with database.begin() as connection:
        return balances.fold(connection, most=FOLD)


def _microseconds(database: Database, times: int, do: Callable[[Connection], object]) -> float:
    """Return what the middle one of so many costs, all in one transaction, so that the disk's pace is left out."""
    took = []
    with database.begin() as connection:
        for _ in range(min(times, WARM_UP)):
            do(connection)
        for _ in range(times):
            began = time.perf_counter()
            do(connection)
            took.append(time.perf_counter() - began)
    return median(took) * 1_000_000


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url, pool_size=2, application_name="bench", statement_timeout_ms=600_000)
    try:
        yield database
    finally:
        database.close()
