"""One way to a transaction, and no talking inside it."""

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from foundation.database import Database, NetworkInTransaction, guard_no_transaction, is_away
from sandbox.fault_proxy import FaultProxy
from sandbox.postgres import Cluster
from tests.fakes.wire import wired
from tests.world import wait_for


def test_a_block_commits_as_one_or_not_at_all(house_database: Database) -> None:
    """Everything in the block is there after it, or nothing."""
    insert = text("INSERT INTO outbox (topic, payload) VALUES ('t', '{}')")

    def insert_and_fail() -> None:
        with house_database.begin() as connection:
            connection.execute(insert)
            connection.execute(text("SELECT 1/0"))

    with pytest.raises(DBAPIError):
        insert_and_fail()
    with house_database.single() as connection:
        assert connection.scalar(text("SELECT count(*) FROM outbox")) == 0


def test_the_network_is_refused_inside_a_transaction(house_database: Database) -> None:
    """The guard raises while a transaction or a lent connection is open here, and is silent otherwise."""
    guard_no_transaction()
    for block in (house_database.begin, house_database.single):
        with block(), pytest.raises(NetworkInTransaction):
            guard_no_transaction()
    guard_no_transaction()


def test_a_second_transaction_inside_the_first_is_refused(house_database: Database) -> None:
    """Two transactions in one context cannot be one unit, so the second is not opened."""
    with house_database.begin(), pytest.raises(NetworkInTransaction), house_database.begin():
        pass


def test_d34_a_commit_waits_for_the_disk(house_database: Database) -> None:
    """D34: synchronous_commit is on for the application's role."""
    with house_database.single() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"


def test_f13_connections_whose_server_ended_are_replaced_before_anybody_uses_one(
    house_database: Database, cluster: Cluster
) -> None:
    """F13: every pooled connection was cut by the server; the very next unit of work succeeds, and so do the others."""
    with house_database.single() as one, ThreadPoolExecutor(3) as pool:
        one.execute(text("SELECT 1"))
        list(pool.map(lambda _: _sleep(house_database), range(3)))
    with cluster.superuser() as superuser:
        cut = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = 'tests'"
        row = superuser.execute(f"{cut} AND datname = %s".encode(), (house_database.engine.url.database,)).fetchone()
    assert row is not None
    assert int(str(row[0])) >= 4

    for _ in range(5):
        with house_database.begin() as connection:
            assert connection.scalar(text("SELECT 1")) == 1


def test_f15_a_commit_whose_answer_is_lost_is_an_error_and_is_never_sent_again(
    house_database: Database, cluster: Cluster
) -> None:
    """F15, D34: the row is there once, the caller is told nothing but that the connection broke, and work goes on."""
    insert = text("INSERT INTO outbox (topic, payload) VALUES ('t', '{}')")
    with wired(house_database, cluster) as (far, wire):
        with pytest.raises(DBAPIError), far.begin() as connection, losing_answers_at_the_end(wire):
            connection.execute(insert)
        wire.misbehave()
        assert far.ping()
        wire.misbehave(half_closed=True)
        with pytest.raises(DBAPIError), far.single() as connection:
            connection.execute(insert)
        wire.misbehave()

        with far.single() as connection:
            assert connection.scalar(text("SELECT count(*) FROM outbox")) == 2


@contextmanager
def losing_answers_at_the_end(wire: FaultProxy) -> Iterator[None]:
    """Lose what is answered after this block."""
    yield
    wire.misbehave(half_closed=True)


def test_f27_a_forgotten_transaction_is_ended_by_the_server(house_database: Database) -> None:
    """F27: after twenty idle seconds (here a fifth of one) it holds back no vacuum, and the next one is fresh."""

    def forget() -> None:
        with house_database.begin() as connection:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 200"))
            time.sleep(0.5)
            connection.execute(text("SELECT 1"))

    with house_database.single() as connection:
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "20s"
    with pytest.raises(DBAPIError):
        forget()
    with house_database.begin() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def _sleep(database: Database) -> None:
    with database.single() as connection:
        connection.execute(text("SELECT pg_sleep(0.2)"))


def test_a_database_that_is_away_is_told_from_one_that_refuses(house_database: Database, cluster: Cluster) -> None:
    """Nobody at the port, a wire that was cut and an empty pool are away; a time-out and a broken rule are not."""
    nobody = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with wired(house_database, cluster) as (far, wire):
        with far.single() as connection:
            wire.stop()
            cut = _error(connection, "SELECT 1")
        away = [cut, _unreachable(nobody), PoolTimeout()]
    with house_database.single() as connection:
        connection.execute(text("SET statement_timeout = 50"))
        statements = ("SELECT pg_sleep(5)", "SELECT 1/0", "SELECT nothing")
        refused = [_error(connection, statement) for statement in statements]
        connection.execute(text("RESET statement_timeout"))

    assert [is_away(error) for error in away] == [True] * 3
    assert [is_away(error) for error in refused] == [False] * 3
    nobody.close()


def _error(connection: Connection, statement: str) -> SQLAlchemyError:
    with pytest.raises(SQLAlchemyError) as caught:
        connection.execute(text(statement))
    return caught.value


def _unreachable(database: Database) -> SQLAlchemyError:
    with pytest.raises(SQLAlchemyError) as caught, database.single():
        pass
    return caught.value


def test_ping_tells_whether_the_database_answers(house_database: Database) -> None:
    """A live database answers; a closed port does not, and says so without raising."""
    assert house_database.ping()
    nobody = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert not nobody.ping()
    nobody.close()


def test_a_connection_that_is_lent_while_its_database_closes_is_closed_when_it_comes_back(
    house_database: Database, cluster: Cluster
) -> None:
    """A thread that ends after the others leaves the server no session behind."""
    name = f"closing-{secrets.token_hex(4)}"
    closing = Database(house_database.engine.url.render_as_string(hide_password=False), application_name=name)
    with closing.single() as lent:
        closing.close()
        assert lent.scalar(text("SELECT 1")) == 1
        assert _sessions(cluster, name) == 1

    wait_for(lambda: _sessions(cluster, name) == 0, "the session to end")


def _sessions(cluster: Cluster, application_name: str) -> int:
    with cluster.superuser() as superuser:
        question = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        (count,) = superuser.execute(question, (application_name,)).fetchone() or (0,)
        return int(str(count))
