"""A process dies at the worst moment, on real servers: money is recorded or goes back, never neither."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import psycopg
import pytest
import requests

from sandbox.postgres import Cluster
from sandbox.shopper import Shopper
from tests.world import RunningWorld, wait_for

RECOVERY_SECONDS = 90.0


@contextmanager
def owner_of(world: RunningWorld, organisation: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Open an organisation's database as its owner."""
    url = Cluster(world.state / "postgres").url(organisation, f"{organisation}_owner").replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        yield connection


def one(connection: psycopg.Connection[tuple[object, ...]], query: str, *values: object) -> object:
    """Return the one value that a query finds now."""
    row = connection.execute(query.encode(), values).fetchone()
    connection.rollback()
    return row[0] if row else None


@pytest.mark.parametrize("victim", ["gateway", "gateway-worker", "bank-host"])
def test_d2_killed_after_the_debit_and_before_the_record(world: RunningWorld, victim: str) -> None:
    """The bank has debited, the gateway cannot write it down yet, a process is killed: the books agree in the end."""
    shopper = Shopper(world, world.card(number=1))
    shopper.check_out("hafez")
    code = shopper.request_pin()

    with owner_of(world, "gateway") as lock, owner_of(world, "bank_two") as bank:
        before = one(bank, "SELECT count(*) FROM authorisation WHERE state = 'approved'")
        lock.execute("LOCK TABLE posting IN EXCLUSIVE MODE")
        paying = Thread(target=_pay_whatever_happens, args=(shopper, code))
        paying.start()
        counted = "SELECT count(*) FROM authorisation WHERE state = 'approved'"
        wait_for(lambda: one(bank, counted) != before, "the bank to debit")
        world.kill(victim)
        lock.rollback()
    paying.join()

    with owner_of(world, "gateway") as gateway:
        state = wait_for(lambda: _settled_state(gateway, shopper.page_token), "the payment to end", RECOVERY_SECONDS)
    assert state in {"confirmed", "reversed"}


def test_d1_killed_while_the_bank_decides(world: RunningWorld) -> None:
    """The host is killed in the middle of its decision: nothing is debited twice, and the payment finds its end."""
    shopper = Shopper(world, world.card(number=2))
    shopper.check_out("soap")
    code = shopper.request_pin()

    with owner_of(world, "bank_two") as lock:
        lock.execute("LOCK TABLE posting IN EXCLUSIVE MODE")
        paying = Thread(target=_pay_whatever_happens, args=(shopper, code))
        paying.start()
        with owner_of(world, "gateway") as gateway:
            query = "SELECT count(*) FROM attempt JOIN payment USING (payment_id) WHERE page_token = %s"
            wait_for(lambda: one(gateway, query, shopper.page_token), "the attempt to be written")
        world.kill("bank-host")
        lock.rollback()
    paying.join()

    with owner_of(world, "gateway") as gateway:
        query = """SELECT attempt.state FROM attempt JOIN payment USING (payment_id)
            WHERE page_token = %s AND attempt.state IN ('approved', 'declined', 'voided')"""
        state = wait_for(lambda: one(gateway, query, shopper.page_token), "the attempt to end", RECOVERY_SECONDS)
    assert state in {"approved", "declined", "voided"}
    wait_for(lambda: world.command("audit").returncode == 0, "the books to agree", RECOVERY_SECONDS)


def _settled_state(gateway: psycopg.Connection[tuple[object, ...]], page_token: str) -> object:
    query = "SELECT state FROM payment WHERE page_token = %s AND state IN ('confirmed', 'reversed')"
    return one(gateway, query, page_token)


def _pay_whatever_happens(shopper: Shopper, code: str) -> None:
    try:
        shopper.pay(code)
    except requests.RequestException:
        return  # the gateway died under it: a shopper sees a broken page
