"""Lean buyers at the gateway of a running sandbox: its terminals, its crowds of cards, its phone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import chain, repeat

from bench.buyers import Card, Customer, Seller, Shop
from sandbox.banks import Bank
from sandbox.cards import APPROVE
from sandbox.phone_store import PhoneStore
from sandbox.places import CannotRun
from sandbox.running import RunningWorld
from sandbox.seed import more_merchants, more_terminals

TERMINALS = 16
"""All purchases of one terminal are counted on four rows of the bank; what one costs `merchants` measures."""

CODES_PER_CARD = 9
"""One less than a card may ask for in an hour."""

SMS_SECONDS = 20.0
LOOK_EVERY_SECONDS = 0.01
ARRIVALS_MOST = 1_000


class Phones:
    """Reads codes as they arrive: one of those who wait looks for all, so that many cost no more than one."""

    def __init__(self, world: RunningWorld) -> None:
        self._store = PhoneStore(world.world.phone_file)
        self._news = threading.Condition()
        self._looking = False
        self._last = 0
        self._codes: dict[str, str] = {}

    def code_of(self, customer: Customer) -> str:
        """Wait for the code of the customer's card."""
        mobile = customer.card["mobile"]
        deadline = time.monotonic() + SMS_SECONDS
        while time.monotonic() < deadline:
            with self._news:
                if mobile in self._codes:
                    return self._codes.pop(mobile)
                if self._looking:
                    self._news.wait(LOOK_EVERY_SECONDS)
                    continue
                self._looking = True
            self._look()
        raise CannotRun(f"no code came to {mobile}")

    def _look(self) -> None:
        time.sleep(LOOK_EVERY_SECONDS)
        arrived = self._store.arrived(after=self._last, most=ARRIVALS_MOST)
        with self._news:
            for mobile, message in arrived:
                self._last = message.number
                if message.code:
                    self._codes[mobile] = message.code
            self._looking = False
            self._news.notify_all()


def cards_of(world: RunningWorld, bank: Bank) -> list[Card]:
    """Return the good cards of one bank."""
    return [card for card in world.info["cards"] if (card["behaviour"], card["bank"]) == (APPROVE, bank.name_en)]


def sellers_of(world: RunningWorld) -> tuple[Seller, ...]:
    """Open several terminals of the shop's."""
    return tuple(Seller(key, f"{world.info['shop']}/") for key in more_terminals(world.world, TERMINALS))


def merchants_of(world: RunningWorld, count: int) -> tuple[Seller, ...]:
    """Enrol so many merchants, each with one terminal."""
    return tuple(Seller(key, f"{world.info['shop']}/") for key in more_merchants(world.world, count))


def shop_at(world: RunningWorld, sellers: tuple[Seller, ...], bank: Bank) -> Shop:
    """Let buyers with this bank's cards buy in turn; each comes back when all the others have bought."""
    return Shop(world.info["gateway"], sellers, in_turn(world, bank), Phones(world).code_of)


def in_turn(world: RunningWorld, bank: Bank) -> Iterator[Card]:
    """Give out a bank's good cards in turn, as often as each may ask for codes in an hour."""
    return chain.from_iterable(repeat(cards_of(world, bank), CODES_PER_CARD))
