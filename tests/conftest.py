"""What tests stand on: one throwaway PostgreSQL and Redis per run, shared by all workers; clean databases per test."""

from __future__ import annotations

import fcntl
import importlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import redis
from playwright.sync_api import Browser
from sqlalchemy import make_url

from foundation.database import Database
from sandbox.places import socket_directory
from sandbox.postgres import Cluster, Roles
from sandbox.redis import RedisServer
from tests.e2e.browser import launched
from tests.world import RunningWorld
from tests.world import free_ports as some_free_ports

RUN_DIRECTORY = "POOYA_TEST_RUN"
MIGRATIONS = {"gateway": "gateway.migrations", "bank": "otp.migrations", "shop": "merchant_demo.migrations"}
FILLED = """
SELECT string_agg(format('SELECT %L WHERE EXISTS (SELECT FROM %I)', tablename, tablename), ' UNION ALL ')
FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
"""Writes the question which tables have rows: most have none in most tests, and truncating nothing takes time too."""
IDENTITIES = """
SELECT string_agg(format('SELECT setval(%L, %s, false)', objid::regclass, seqstart), '; ')
FROM pg_depend JOIN pg_sequence ON seqrelid = objid WHERE classid = 'pg_class'::regclass AND deptype = 'i'
"""
"""Writes the statements that begin identities anew."""
CROWD = 200
"""Good cards of the shared world, so that no card asks for more codes than a card may in an hour."""

KILLS_A_MINUTE = 60
"""In the shared world tests kill a process as often as they like."""

Emptied = Callable[[dict[str, str]], AbstractContextManager[Database]]
WORLD_FIXTURES = {"world", "own_world"}


def pytest_configure(config: pytest.Config) -> None:
    """Let the first process of the run choose a directory; its workers inherit the name."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN_DIRECTORY] = tempfile.mkdtemp(prefix="pooya-test-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers that any worker started."""
    if hasattr(config, "workerinput"):
        return
    run = Path(os.environ[RUN_DIRECTORY])
    for server in (Cluster(run / "postgres"), RedisServer(run / "redis")):
        server.stop()
    for name in ("postgres", "redis"):
        shutil.rmtree(socket_directory(run / name), ignore_errors=True)
    shutil.rmtree(run, ignore_errors=True)


@contextmanager
def _one_at_a_time(name: str) -> Iterator[Path]:
    run = Path(os.environ[RUN_DIRECTORY])
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield run


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the one browser of this process: Playwright can be started once only."""
    with launched() as started:
        yield started


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """Give the PostgreSQL server of this run."""
    with _one_at_a_time("postgres") as run:
        server = Cluster(run / "postgres", throwaway=True)
        if not (run / "postgres.started").exists():
            server.start()
            (run / "postgres.started").touch()
    return server


@pytest.fixture(scope="session")
def fresh_database(cluster: Cluster) -> Callable[[str, str], str]:
    """Give a maker of migrated databases: ``fresh_database(organisation, name)`` returns the name."""

    def make(organisation: str, name: str) -> str:
        roles, template = Roles(organisation), f"{organisation}_template"
        with _one_at_a_time(organisation) as run:
            if not (run / template).exists():
                cluster.create_roles(organisation)
                cluster.create_database(template, roles)
                migrations = importlib.import_module(MIGRATIONS[organisation])
                migrations.migrate(
                    cluster.url(template, roles.owner), application_role=roles.application, reader_role=roles.reader
                )
                (run / template).touch()
            cluster.create_database(name, roles, template=template)
        return name

    return make


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def worker_name() -> str:
    """Give a name that no other worker of this run has."""
    return _worker()


@pytest.fixture(scope="session")
def gateway_urls(cluster: Cluster, fresh_database: Callable[[str, str], str]) -> dict[str, str]:
    """Give the addresses of the gateway's database by role: ``owner``, ``application``, ``reader``."""
    return _urls(cluster, fresh_database, "gateway")


@pytest.fixture(scope="session")
def bank_urls(cluster: Cluster, fresh_database: Callable[[str, str], str]) -> dict[str, str]:
    """Give the addresses of the bank's database by role: ``owner``, ``application``, ``reader``."""
    return _urls(cluster, fresh_database, "bank")


@pytest.fixture(scope="session")
def shop_urls(cluster: Cluster, fresh_database: Callable[[str, str], str]) -> dict[str, str]:
    """Give the addresses of the shop's database by role: ``owner``, ``application``, ``reader``."""
    return _urls(cluster, fresh_database, "shop")


def _urls(cluster: Cluster, fresh: Callable[[str, str], str], organisation: str) -> dict[str, str]:
    roles, name = Roles(organisation), fresh(organisation, f"{organisation}_{_worker()}")
    return {
        "owner": cluster.url(name, roles.owner),
        "application": cluster.url(name, roles.application),
        "reader": cluster.url(name, roles.reader),
    }


@pytest.fixture(scope="session")
def emptied(cluster: Cluster) -> Iterator[Emptied]:
    """Give a function that empties an organisation's database, past its triggers, and opens it as the application."""
    known: dict[str, tuple[psycopg.Connection[tuple[object, ...]], bytes, bytes]] = {}

    @contextmanager
    def opened(urls: dict[str, str]) -> Iterator[Database]:
        name = make_url(urls["owner"]).database or ""
        if name not in known:
            connection = cluster.superuser(name)
            connection.execute("SET session_replication_role = replica")
            known[name] = connection, _written(connection, FILLED), _written(connection, IDENTITIES)
        connection, filled, identities = known[name]
        if tables := [str(row[0]) for row in connection.execute(filled)]:
            connection.execute("; ".join(f"DELETE FROM {table}" for table in tables).encode())
            connection.execute(f"VACUUM {', '.join(tables)}".encode())  # rows stand in the order written again
        connection.execute(identities)
        database = Database(urls["application"], pool_size=16, application_name="tests")
        try:
            yield database
        finally:
            database.close()

    yield opened
    for connection, *_ in known.values():
        connection.close()


def _written(connection: psycopg.Connection[tuple[object, ...]], query: LiteralString) -> bytes:
    row = connection.execute(query).fetchone()
    return str(row[0] if row else "").encode()


@pytest.fixture
def gateway_database(gateway_urls: dict[str, str], emptied: Emptied) -> Iterator[Database]:
    """Give the gateway's database, empty, as the application sees it."""
    with emptied(gateway_urls) as database:
        yield database


@pytest.fixture
def bank_database(bank_urls: dict[str, str], emptied: Emptied) -> Iterator[Database]:
    """Give the bank's database, empty, as the application sees it."""
    with emptied(bank_urls) as database:
        yield database


@pytest.fixture
def shop_database(shop_urls: dict[str, str], emptied: Emptied) -> Iterator[Database]:
    """Give the shop's database, empty, as the application sees it."""
    with emptied(shop_urls) as database:
        yield database


@pytest.fixture
def house_database(request: pytest.FixtureRequest) -> Database:
    """Give the database of whichever organisation is here, for plumbing that both use alike."""
    present = "gateway_database" if importlib.util.find_spec("gateway") else "bank_database"
    found: Database = request.getfixturevalue(present)
    return found


@contextmanager
def _plain(url: str) -> Iterator[Database]:
    database = Database(url, pool_size=4, application_name="tests-owner")
    try:
        yield database
    finally:
        database.close()


@pytest.fixture
def gateway_owner_database(gateway_urls: dict[str, str]) -> Iterator[Database]:
    """Give the gateway's database as its owner; ask for ``gateway_database`` too if it is to be empty."""
    with _plain(gateway_urls["owner"]) as database:
        yield database


@pytest.fixture
def bank_owner_database(bank_urls: dict[str, str]) -> Iterator[Database]:
    """Give the bank's database as its owner; ask for ``bank_database`` too if it is to be empty."""
    with _plain(bank_urls["owner"]) as database:
        yield database


@pytest.fixture(scope="session")
def redis_server() -> RedisServer:
    """Give the Redis server of this run."""
    with _one_at_a_time("redis") as run:
        server = RedisServer(run / "redis")
        if not (run / "redis.started").exists():
            server.start()
            (run / "redis.started").touch()
    return server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Give an empty Redis database of this worker's own."""
    number = int(_worker().removeprefix("gw")) + 1 if _worker() != "main" else 0
    url = f"{redis_server.url}?db={number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def free_ports() -> Callable[[int], list[int]]:
    """Give a function that returns so many TCP ports free on the loopback."""
    return some_free_ports


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorld]:
    """Give a whole running sandbox, one for the run; tests that stop or reset one start their own."""
    settings = {"POOYA_CROWD": str(CROWD), "POOYA_RESTARTS_A_MINUTE": str(KILLS_A_MINUTE)}
    running = RunningWorld(tmp_path_factory.mktemp("world") / "var", settings=settings)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep everything that needs the whole sandbox on one worker, so that a run starts it once.

    First of all: the workers' own hook reads the groups, and it is called before those of ``conftest.py``.
    """
    for item in items:
        if WORLD_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.world)
            item.add_marker(pytest.mark.xdist_group("world"))
            item.add_marker(pytest.mark.timeout(300))
