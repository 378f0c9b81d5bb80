"""F28 with real processes: there is no room left on a disk of PostgreSQL's; nothing is half written, and all goes on.

A limit on the size of files stands in for the volume: PostgreSQL ignores the signal of that limit so that both are one
thing to it, a write that comes back too short.
"""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import psycopg
import pytest
import requests
from psycopg import sql

from sandbox.postgres import as_ordinary_user
from sandbox.shopper import Shopper
from tests.world import RunningWorld, database_started, wait_for

PAGE_BYTES = 8_192
LOG_SEGMENT_BYTES = 16 * 2**20
"""Of PostgreSQL's write-ahead log: a limit above it leaves room for the log."""

NO_LIMIT = "unlimited"
ROOM_ROWS = 300
"""More rows than pages that are in use already have room for."""


@pytest.fixture
def room_again(world: RunningWorld) -> Iterator[None]:
    """Whatever happens, the next test finds a database with room."""
    yield
    cluster = world.world.cluster
    if cluster.pid is None:
        cluster.start()
    limit(world, NO_LIMIT)


@pytest.mark.usefixtures("room_again")
def test_f28_no_room_for_a_table_refuses_a_payment_whole_and_with_room_opens_it_once(world: RunningWorld) -> None:
    """F28: 503 with Retry-After and nothing half; then the same key opens one payment, and one from before is paid."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    page = shopper.page
    open_payment(world, secrets.token_hex(8))
    with full(world, "payment"):
        refused = until_refused(world)
        before = count_payments(world)
        again = [open_payment(world, refused) for _ in range(3)]
        assert {answer.status_code for answer in again} == {HTTPStatus.SERVICE_UNAVAILABLE}
        assert all(answer.headers["Retry-After"].isdecimal() for answer in again)
        assert count_payments(world) == before

    opened = [open_payment(world, refused) for _ in range(2)]

    assert [answer.status_code for answer in opened] == [HTTPStatus.CREATED] * 2
    assert opened[0].json() == opened[1].json()
    assert count_payments(world) == before + 1
    shopper.page = page
    assert "پرداخت انجام شد" in shopper.pay(shopper.request_pin()).text
    assert "پرداخت" in shopper.return_to_shop().text
    world.audit()


@pytest.mark.usefixtures("room_again")
def test_f28_no_room_for_the_log_stops_the_database_and_with_room_all_goes_on(world: RunningWorld) -> None:
    """F28: it halts rather than promise what it cannot keep; the payment under way is paid once, after that."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    code = shopper.request_pin()
    page = shopper.page

    limit(world, 0)
    assert shopper.pay(code).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    wait_for(lambda: world.world.cluster.pid is None, "PostgreSQL to halt")
    assert open_payment(world, "halted").status_code == HTTPStatus.SERVICE_UNAVAILABLE
    wait_for(lambda: database_started(world), "PostgreSQL to start, with room")

    shopper.page = page
    assert "پرداخت انجام شد" in shopper.pay(code).text
    assert "پرداخت" in shopper.return_to_shop().text
    world.audit()


@contextmanager
def full(world: RunningWorld, table: str) -> Iterator[None]:
    """Fill a table of the gateway's with rows that are rolled back, and leave no room for another page of it."""
    named = sql.Identifier(table)
    with world.world.cluster.superuser("gateway") as owner:
        owner.execute(sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = false)").format(named))
        fill(owner, table)
        owner.execute("CHECKPOINT")  # what is dirty is written while there is room
        (size,) = owner.execute("SELECT pg_relation_size(%s)", (table,)).fetchone() or (0,)
        assert int(str(size)) > LOG_SEGMENT_BYTES
        limit(world, int(str(size)) + PAGE_BYTES // 2)
        try:
            yield
        finally:
            limit(world, NO_LIMIT)
            owner.execute(sql.SQL("ALTER TABLE {} RESET (autovacuum_enabled)").format(named))
            owner.execute(sql.SQL("VACUUM {}").format(named))


def fill(owner: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    """Write copies of the smallest row until the table is larger than a segment of the log, and take them back.

    Pages full of the smallest rows have room for no other.
    """
    named = sql.Identifier(table)
    keys = owner.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u')", (table,)
    ).fetchall()
    indexes = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND indisunique"
    with owner.transaction(force_rollback=True):
        for (name,) in keys:
            drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE")
            owner.execute(drop.format(named, sql.Identifier(str(name))))
        for (name,) in owner.execute(indexes, (table,)).fetchall():
            owner.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(str(name))))
        owner.execute("SET LOCAL session_replication_role = replica")
        copies = sql.SQL(
            "INSERT INTO {0} SELECT one.* FROM generate_series(1, %s),"
            " (SELECT * FROM {0} AS row ORDER BY pg_column_size(row) LIMIT 1) AS one"
        )
        owner.execute(copies.format(named), (LOG_SEGMENT_BYTES // 100,))


def limit(world: RunningWorld, size: int | str) -> None:
    """Let no process of PostgreSQL's that serves, or is started from now on, write a file beyond ``size`` bytes."""
    server = world.world.cluster.pid
    assert server is not None
    _limit(server, size)
    for pid in sessions(server):
        with suppress(subprocess.CalledProcessError):  # it has ended since
            _limit(pid, size)


def _limit(pid: int, size: int | str) -> None:
    prlimit = ["prlimit", f"--pid={pid}", f"--fsize={size}:"]
    subprocess.run([*as_ordinary_user(), *prlimit], check=True, timeout=10)  # noqa: S603 - words of ours


def sessions(server: int) -> list[int]:
    """Return the processes of PostgreSQL's that serve somebody; those that tidy up are no part of this."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [int(pid) for pid in children if b"gateway_app" in _command(pid)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended since
        return b""


def until_refused(world: RunningWorld) -> str:
    """Open payments until there is no room for one; returns the key of the first that was refused."""
    for _ in range(ROOM_ROWS):
        key = secrets.token_hex(8)
        if open_payment(world, key).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            return key
    raise AssertionError("there was room all the time")


def open_payment(world: RunningWorld, key: str) -> requests.Response:
    """Open a payment as the merchant does; the same key is the same payment."""
    return requests.post(
        f"{world.info['gateway']}/api/v1/payments",
        json={"order_id": f"D-{key}", "amount": 250_000, "callback_url": f"{world.info['shop']}/"},
        headers={"Authorization": f"Bearer {world.info['merchant']['secret_key']}", "Idempotency-Key": key},
        timeout=30,
    )


def count_payments(world: RunningWorld) -> int:
    """Count every payment there is."""
    with world.world.cluster.superuser("gateway") as owner:
        (count,) = owner.execute("SELECT count(*) FROM payment").fetchone() or (0,)
    return int(str(count))
