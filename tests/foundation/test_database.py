"""One way to a transaction, and no talking inside it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foundation.database import Database, NetworkInTransaction, guard_no_transaction


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


def test_ping_tells_whether_the_database_answers(house_database: Database) -> None:
    """A live database answers; a closed port does not, and says so without raising."""
    assert house_database.ping()
    nobody = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert not nobody.ping()
    nobody.close()
