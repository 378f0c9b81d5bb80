"""F13 with real processes: PostgreSQL dies under everybody and comes back; nobody is restarted by hand."""

import signal
from collections.abc import Iterator
from http import HTTPStatus

import psycopg
import pytest
import requests

from sandbox.shopper import Shopper
from tests.world import RunningWorld, database_started, wait_for


@pytest.fixture
def database_back(world: RunningWorld) -> Iterator[None]:
    """Whatever happens, the next test finds a database."""
    yield
    try:
        world.world.cluster.superuser().close()
    except psycopg.OperationalError:
        world.world.cluster.start()


@pytest.mark.parametrize("by", [signal.SIGQUIT, signal.SIGKILL], ids=["immediate", "killed"])
@pytest.mark.usefixtures("database_back")
def test_f13_the_first_purchase_after_a_restart_succeeds(world: RunningWorld, by: signal.Signals) -> None:
    """F13, D34: 503 with Retry-After while it is away; afterwards every process serves again, the first request too."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    code = shopper.request_pin()
    page = shopper.page
    cluster = world.world.cluster

    cluster.crash(by)
    away = [shopper.pay(code), *(requests.get(page.url, timeout=20) for _ in range(4))]
    wait_for(lambda: database_started(world), "PostgreSQL to start")

    assert {answer.status_code for answer in away} == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert all(answer.headers["Retry-After"].isdecimal() for answer in away)
    again = [requests.get(page.url, timeout=20).status_code for _ in range(8)]
    assert again == [HTTPStatus.OK] * 8, "no process has a connection left that does not work"
    shopper.page = page
    assert "پرداخت انجام شد" in shopper.pay(code).text
    assert "پرداخت" in shopper.return_to_shop().text
    other = Shopper(world, world.fresh_card())
    other.check_out("soap")
    assert "پرداخت انجام شد" in other.pay(other.request_pin()).text
    assert not world.ended
