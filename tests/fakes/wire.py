"""A database behind a wire that can be cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from foundation.database import Database
from sandbox.fault_proxy import FaultProxy
from sandbox.postgres import Cluster


@contextmanager
def wired(near: Database, cluster: Cluster) -> Iterator[tuple[Database, FaultProxy]]:
    """Give the same database over TCP with a fault proxy in between; two connections are open."""
    url = near.engine.url
    wire = FaultProxy(cluster.socket / ".s.PGSQL.5432").start()
    far = Database(f"postgresql+psycopg://{url.username}@127.0.0.1:{wire.port}/{url.database}", pool_size=2)
    try:
        assert far.ping()
        yield far, wire
    finally:
        far.close()
        wire.stop()
