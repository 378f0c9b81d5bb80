"""Lean buyers at the gateway of a running sandbox: its terminals, its crowds of cards, its phone."""

from __future__ import annotations

import time
from itertools import chain, repeat

from bench.buyers import Card, Customer, Seller, Shop
from sandbox.banks import Bank
from sandbox.cards import APPROVE
from sandbox.phone import PhoneStore
from sandbox.places import CannotRun
from sandbox.running import RunningWorld
from sandbox.seed import more_terminals

TERMINALS = 16
"""All purchases of one terminal are counted on one row of the bank: a merchant with many customers has many."""

CODES_PER_CARD = 9
"""One less than a card may ask for in an hour."""

SMS_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.02


class Phones:
    """Reads codes as they arrive."""

    def __init__(self, world: RunningWorld) -> None:
        self._store = PhoneStore(world.world.phone_file)
        self._seen: dict[str, int] = {}

    def code_of(self, customer: Customer) -> str:
        """Wait for the code of the customer's card."""
        mobile = customer.card["mobile"]
        deadline = time.monotonic() + SMS_SECONDS
        while time.monotonic() < deadline:
            texts = self._store.newest(mobile, after=self._seen.get(mobile, 0))
            if texts and texts[0].code:
                self._seen[mobile] = texts[0].number
                return texts[0].code
            time.sleep(LOOK_AGAIN_SECONDS)
        raise CannotRun(f"no code came to {mobile}")


def cards_of(world: RunningWorld, bank: Bank) -> list[Card]:
    """Return the good cards of one bank."""
    return [card for card in world.info["cards"] if (card["behaviour"], card["bank"]) == (APPROVE, bank.name_en)]


def sellers_of(world: RunningWorld) -> tuple[Seller, ...]:
    """Open several terminals of the shop's."""
    return tuple(Seller(key, f"{world.info['shop']}/") for key in more_terminals(world.world, TERMINALS))


def shop_at(world: RunningWorld, sellers: tuple[Seller, ...], bank: Bank) -> Shop:
    """Let buyers with this bank's cards buy in turn; each comes back when all the others have bought."""
    cards = chain.from_iterable(repeat(cards_of(world, bank), CODES_PER_CARD))
    return Shop(world.info["gateway"], sellers, cards, Phones(world).code_of)
