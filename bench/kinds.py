"""Transfers and bills per second against purchases: the same buyers, cards and sandbox, in turns.

A purchase is opened by a merchant and confirmed by it. A payment of a bill is opened by a merchant and is complete with
its debit. A transfer is typed in by its sender, asks the other bank for a name, and is complete when that bank has
given the money, which the worker sees to: the clock runs until the last one is.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection

import psycopg

from bench.buyers import Card, Customer, Seller, Shop
from bench.rounds import Comparison, in_turns
from bench.sandbox_shop import Phones, cards_of, in_turn, sellers_of
from gateway.domain.bills import Bill, check_digit
from sandbox.banks import BANK_ONE, BANK_TWO
from sandbox.bills import BILLERS
from sandbox.places import CannotRun
from sandbox.running import RunningWorld

CROWD, CROWD_ONE = 360, 120
WARM_UP = 60
EACH_ROUND = 100
TRANSFER_RIAL = 10_000
"""The least: a card may send only so much a day."""

COMPLETE_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.02
YEAR_AND_PERIOD = "101"

_FORM = re.compile(r'action="([^"]*/pay/[^"]+)"')
_NAMING = re.compile(r'name="naming" value="([^"]+)"')
_UNDER_WAY = """
SELECT count(*) FROM payment WHERE kind = 'CARD_TRANSFER' AND state NOT IN ('confirmed', 'cancelled', 'expired')
"""


class BillPayer(Customer):
    """Pays a bill that nobody has paid before; its merchant has nothing to confirm."""

    numbers = itertools.count(10_000_000)

    def open(self) -> None:
        """Let the merchant open the payment of one bill."""
        bill = bill_of(next(self.numbers))
        order = {"bills": [{"bill_id": bill.bill_id, "pay_id": bill.payment_id}], "order_id": secrets.token_hex(8)}
        self.payment = self._call("bills", {**order, "callback_url": self.seller.callback_url}, HTTPStatus.CREATED)

    def confirm(self) -> None:
        """Do nothing: the debit completed it."""


class Sender(Customer):
    """Sends the least there is to a card of the other bank; the answer to the first form is the payment page."""

    def __init__(self, gateway: str, server: HTTPConnection, seller: Seller, card: Card, destination: str) -> None:
        super().__init__(gateway, server, seller, card, (_own_address(), 0))
        self._destination = destination
        self._naming = ""

    def open(self) -> None:
        """Type in both cards and the amount."""
        form = {"pan": self.card["pan"], "destination_pan": self._destination, "amount": str(TRANSFER_RIAL)}
        page = self.fill_in("POST", "/transfer", {**form, "action": "continue"})
        found = _FORM.search(page)
        if not found:
            raise CannotRun("the answer to the transfer's form is no payment page")
        named = _NAMING.search(page)
        if not named:
            raise CannotRun("the page does not say which payee it names")
        self.payment, self._naming = {"page_url": found[1]}, named[1]
        self.read_proof(page)

    def page(self) -> None:
        """Do nothing: it is there already."""

    def pay(self, code: str) -> None:
        """Tick that the payee's name was checked, and press «پرداخت»."""
        self._browse("POST", action="pay", pin=code, naming=self._naming, checked=self._naming)

    def confirm(self) -> None:
        """Do nothing: the other bank's answer completes it."""


class Kinds:
    """Buys, pays bills and sends money in one sandbox."""

    def __init__(self, world: RunningWorld) -> None:
        sellers, cards, code_of = sellers_of(world), in_turn(world, BANK_TWO), Phones(world).code_of
        address = world.info["gateway"]
        destinations = [str(card["pan"]) for card in cards_of(world, BANK_ONE)]

        def sender(gateway: str, server: HTTPConnection, seller: Seller, card: Card) -> Customer:
            return Sender(gateway, server, seller, card, secrets.choice(destinations))

        self._purchases = Shop(address, sellers, cards, code_of)
        self._bills = Shop(address, sellers, cards, code_of, BillPayer)
        self._transfers = Shop(address, sellers, cards, code_of, sender)
        self._reader = world.world.database_url("gateway", "reader").replace("+psycopg", "")

    def compare(self, rounds: int) -> dict[str, Comparison]:
        """Return purchases per second, each time beside another kind's."""
        others: dict[str, Callable[[int], float]] = {"bills": self._bills.buy, "transfers": self._send}
        for measure in (self._purchases.buy, *others.values()):
            measure(WARM_UP)
        purchases = partial(self._purchases.buy, EACH_ROUND)
        return {name: in_turns(rounds, purchases, partial(other, EACH_ROUND)) for name, other in others.items()}

    def _send(self, count: int) -> float:
        began = time.monotonic()
        self._transfers.buy(count)
        with psycopg.connect(self._reader, autocommit=True) as reader:
            while time.monotonic() < began + count + COMPLETE_SECONDS:
                if reader.execute(_UNDER_WAY).fetchone() == (0,):
                    return count / (time.monotonic() - began)
                time.sleep(LOOK_EVERY_SECONDS)
        raise CannotRun("transfers were not complete in time")


def bill_of(number: int) -> Bill:
    """Return a bill of 250,000 rials from one of the sandbox's companies; each number has another one."""
    bills = [bill for biller in BILLERS for bill in biller.bills]
    like = bills[number % len(bills)].bill_id
    bill_id = f"{number}{like[-5:-1]}"
    bill_id += check_digit(bill_id)
    payment_id = f"250{YEAR_AND_PERIOD}"
    payment_id += check_digit(payment_id)
    return Bill.parse(bill_id, payment_id + check_digit(bill_id + payment_id))


def lines(found: dict[str, Comparison]) -> Iterator[str]:
    """Say what was measured."""
    for name, comparison in found.items():
        for number, (purchases, other) in enumerate(zip(comparison.usual, comparison.changed, strict=True), start=1):
            yield f"round {number}: {purchases:.1f} purchases/s, {other:.1f} {name}/s"
        yield f"{name} against purchases: {comparison}"


def _own_address() -> str:
    """Return where a sender speaks from: what one address may begin in a minute is limited, as it should be."""
    return f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(255)}.{1 + secrets.randbelow(254)}"
