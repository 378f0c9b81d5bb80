"""The floor that purchases are measured against is correct: an ideal that loses money would be no ideal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from bench.buyers import AMOUNT, Customer, Seller, Shop
from bench.floor.running import BALANCE, running_floor
from bench.floor.wire import SECRET_KEY, code_for
from sandbox.places import CannotRun
from sandbox.postgres import Cluster

CARDS = [
    {"pan": f"99900240000000{number:02}", "cvv2": "123", "exp_month": "12", "exp_year": "08"} for number in range(12)
]
SELLER = Seller(SECRET_KEY, "http://localhost/")


def code_of(customer: Customer) -> str:
    """Return the code that its SMS would show."""
    return code_for(customer.payment["id"])


def rows(cluster: Cluster, database: str, query: str) -> list[tuple[Any, ...]]:
    """Read the floor's books."""
    address = cluster.url(database, f"{database}_owner").replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.parametrize("gateway", ["gateway", "packaged"])
def test_the_floor_buys_and_takes_each_rial_once(cluster: Cluster, tmp_path: Path, gateway: str) -> None:
    """Purchases at once add up in both books, bare or on packages; a wrong code and a second «پرداخت» take nothing."""
    with running_floor(cluster, tmp_path, CARDS, gateway=gateway) as floor, ExitStack() as stack:

        def customer(number: int) -> Customer:
            server = stack.enter_context(closing(HTTPConnection(urlsplit(floor.gateway).netloc)))
            return stack.enter_context(closing(Customer(floor.gateway, server, SELLER, CARDS[number])))

        def asked(number: int) -> Customer:
            one = customer(number)
            one.open()
            one.page()
            one.request_pin()
            return one

        Shop(floor.gateway, (SELLER,), iter(CARDS), code_of).buy(len(CARDS))
        wrong, right, twin = asked(0), asked(1), customer(1)
        wrong.pay("000000")
        with pytest.raises(CannotRun, match="409"):
            wrong.confirm()
        twin.payment, twin.proof = right.payment, right.proof
        with ThreadPoolExecutor(2) as pool:
            presses = [pool.submit(one.pay, code_of(right)) for one in (right, twin)]
            refused = [press for press in presses if press.exception()]
        right.confirm()

    bought = len(CARDS) + 1
    assert len(refused) == 1
    assert rows(
        cluster, f"floor_{gateway}_gateway", "SELECT state, count(*) FROM payment GROUP BY state ORDER BY state"
    ) == [
        ("confirmed", bought),
        ("open", 1),
    ]
    own, bank = f"floor_{gateway}_gateway", f"floor_{gateway}_bank"
    assert rows(cluster, own, "SELECT state, count(*) FROM payment GROUP BY state ORDER BY state") == [
        ("confirmed", bought),
        ("open", 1),
    ]
    assert rows(cluster, own, "SELECT sum(amount) FROM posting") == [(2 * bought * AMOUNT,)]
    left = len(CARDS) * BALANCE - bought * AMOUNT
    assert rows(cluster, bank, "SELECT sum(balance) FROM card") == [(left,)]
