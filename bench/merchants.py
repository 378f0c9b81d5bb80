"""One busy merchant against a thousand: the same purchases at one terminal of one merchant, or each at another's.

What all purchases of a merchant would wait for each other at, a row or a lock, shows as a ratio below one.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.buyers import Shop
from bench.rounds import Comparison, in_turns
from bench.sandbox_shop import Phones, in_turn, merchants_of
from sandbox.banks import BANK_TWO
from sandbox.running import RunningWorld

MERCHANTS = 1_000
CROWD = 360
WARM_UP = 100
EACH_ROUND = 150


class Merchants:
    """Buys at a thousand merchants, and at one of them; with the same cards, in turn."""

    def __init__(self, world: RunningWorld) -> None:
        sellers, cards, code_of = merchants_of(world, MERCHANTS), in_turn(world, BANK_TWO), Phones(world).code_of
        self._many, self._one = (Shop(world.info["gateway"], some, cards, code_of) for some in (sellers, sellers[:1]))

    def compare(self, rounds: int) -> Comparison:
        """Return purchases per second, at a thousand merchants and at one."""
        for shop in (self._many, self._one):
            shop.buy(WARM_UP)
        return in_turns(rounds, lambda: self._many.buy(EACH_ROUND), lambda: self._one.buy(EACH_ROUND))


def lines(comparison: Comparison) -> Iterator[str]:
    """Say what was measured."""
    for number, (many, one) in enumerate(zip(comparison.usual, comparison.changed, strict=True), start=1):
        yield f"round {number}: {many:.1f} purchases/s at {MERCHANTS:,} merchants, {one:.1f} at one"
    yield str(comparison)
