"""Whole purchases per second with cards of a bank that speaks SOAP, against one that speaks REST, all else alike."""

from __future__ import annotations

from collections.abc import Iterator

from bench.rounds import Comparison, in_turns
from bench.sandbox_shop import sellers_of, shop_at
from sandbox.banks import BANK_ONE, BANK_TWO
from sandbox.running import RunningWorld

EACH_ROUND = 100
"""Purchases with cards of each bank in a round."""

WARM_UP = 100
CROWD = 240
"""Cards of each bank."""


class Wires:
    """Buys with cards of both banks, in turns."""

    def __init__(self, world: RunningWorld) -> None:
        sellers = sellers_of(world)
        self._rest, self._soap = (shop_at(world, sellers, bank) for bank in (BANK_TWO, BANK_ONE))

    def compare(self, rounds: int) -> Comparison:
        """Return purchases per second, with REST and with SOAP."""
        for shop in (self._rest, self._soap):
            shop.buy(WARM_UP)
        return in_turns(rounds, lambda: self._rest.buy(EACH_ROUND), lambda: self._soap.buy(EACH_ROUND))


def lines(comparison: Comparison) -> Iterator[str]:
    """Say what was measured."""
    for number, (rest, soap) in enumerate(zip(comparison.usual, comparison.changed, strict=True), start=1):
        yield f"round {number}: {rest:.1f} purchases/s with a bank on REST, {soap:.1f} on SOAP"
    yield str(comparison)
