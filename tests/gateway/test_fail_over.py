"""F14 with two servers of one machine: the first dies, its synchronous standby takes over, no answer is lost."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundation.database import Database
from gateway import migrations
from gateway.domain.payment import PaymentState
from sandbox.postgres import SUPERUSER, Cluster, Roles
from tests.fakes.shop import Shop
from tests.world import wait_for

ROLES = Roles("gateway")
WITHIN_SECONDS = 30.0
IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Two servers: no commit of the first is answered before the second has it (D34)."""
    first, second = (Cluster(tmp_path / name, throwaway=True) for name in ("first", "second"))
    try:
        first.start()
        first.create_roles("gateway")
        first.create_database("gateway", ROLES)
        owner = first.url("gateway", ROLES.owner)
        migrations.migrate(owner, application_role=ROLES.application, reader_role=ROLES.reader)
        first.stop()
        _copy(tmp_path / "first" / "data", tmp_path / "second" / "data")
        _set(tmp_path / "second", f"primary_conninfo = 'host={first.socket} user={SUPERUSER}'")
        _set(tmp_path / "first", "synchronous_standby_names = '*'")
        first.start()
        second.start()
        with first.superuser() as asked:
            wait_for(lambda: asked.execute(IN_STEP).fetchone() == (1,), "the standby to be in step", WITHIN_SECONDS)
        yield first, second
    finally:
        for server in (first, second):
            server.stop()
            shutil.rmtree(server.socket, ignore_errors=True)


def _copy(first: Path, second: Path) -> None:
    second.parent.mkdir(mode=0o700)
    shutil.copytree(first, second)
    (second / "standby.signal").touch()
    owner = first.stat()
    for path in (second, *second.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


def _set(server: Path, line: str) -> None:
    with (server / "data" / "postgresql.auto.conf").open("a") as file:
        file.write(f"{line}\n")


def _either(pair: tuple[Cluster, Cluster], role: str) -> Database:
    places = "&".join(f"host={each.socket}" for each in pair)
    return Database(f"postgresql+psycopg://{role}@/gateway?{places}&target_session_attrs=read-write", pool_size=4)


@pytest.fixture
def gateway_database(pair: tuple[Cluster, Cluster]) -> Iterator[Database]:
    """Whichever of the two takes writes, as the application."""
    database = _either(pair, ROLES.application)
    yield database
    database.close()


@pytest.fixture
def gateway_owner_database(pair: tuple[Cluster, Cluster]) -> Iterator[Database]:
    """The same as the owner."""
    database = _either(pair, ROLES.owner)
    yield database
    database.close()


def test_f14_what_was_told_before_a_fail_over_stands_after_it(shop: Shop, pair: tuple[Cluster, Cluster]) -> None:
    """F14, D34: paid stays paid, confirmed stays confirmed, nothing is wired anew, and the next purchase succeeds."""
    first, second = pair
    confirmed, paid, opened = shop.paid(), shop.paid(), shop.open()
    shop.confirm(confirmed)
    told = shop.balances()

    first.crash(signal.SIGQUIT)
    with second.superuser() as standby:
        assert standby.execute("SELECT pg_promote()").fetchone() == (True,)

    assert shop.state(confirmed) is PaymentState.CONFIRMED
    assert shop.state(paid) is PaymentState.AUTHORISED
    assert shop.balances() == told
    assert shop.confirm(paid).first_time
    assert not shop.confirm(confirmed).first_time
    shop.pay(opened)
    assert shop.state(opened) is PaymentState.AUTHORISED
