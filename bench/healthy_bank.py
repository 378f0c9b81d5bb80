"""F18: complete purchases at a healthy bank, alone and while another bank hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from itertools import cycle
from statistics import quantiles

import requests

from bench.rounds import Comparison, in_turns
from sandbox.banks import BANK_TWO
from sandbox.running import RunningWorld
from sandbox.shopper import Shopper, Unexpected

BUYERS = 4
STUCK = 48
"""Shoppers of the bank that hangs: half as many again as one process lets ask one bank at a time."""
PRESS_EVERY_SECONDS = 6.0
"""How often each of them presses «پرداخت», so that refusals at once do not become a flood."""
CROWD = 480
"""Cards of the healthy bank: each may ask for ten codes an hour."""


class HealthyBank:
    """One run against a running world.

    Args:
        world: started with a crowd of cards and without flood control in the way.
        seconds: how long each condition is measured in each round.
    """

    def __init__(self, world: RunningWorld, seconds: float) -> None:
        self._world = world
        self._seconds = seconds
        good = [
            card for card in world.info["cards"] if card["behaviour"] == "approve" and card["bank"] == BANK_TWO.name_en
        ]
        self._cards = cycle(good)
        self._taking = threading.Lock()
        self.alone_seconds: list[float] = []
        self.beside_seconds: list[float] = []
        self.presses = 0

    def compare(self, rounds: int) -> Comparison:
        """Return purchases per second, alone and beside a bank that hangs."""
        self._buy(self._seconds / 2)
        return in_turns(rounds, self.alone, self.beside)

    def alone(self) -> float:
        """Measure with nobody at the other bank."""
        return self._measured(self.alone_seconds)

    def beside(self) -> float:
        """Measure while the other bank's shoppers press «پرداخت» and wait."""
        with self._stuck_shoppers():
            return self._measured(self.beside_seconds)

    def _measured(self, durations: list[float]) -> float:
        took = self._buy(self._seconds)
        durations.extend(took)
        return len(took) / self._seconds

    def _buy(self, seconds: float) -> list[float]:
        """Let every buyer buy again and again; returns how long each purchase took that ended in time."""
        deadline = time.monotonic() + seconds
        with ThreadPoolExecutor(BUYERS) as pool:
            bought = pool.map(lambda _: list(self._purchases(deadline)), range(BUYERS))
            return [took for one in bought for took in one]

    def _purchases(self, deadline: float) -> Iterator[float]:
        while (began := time.monotonic()) < deadline:
            with self._taking:
                card = next(self._cards)
            buy(Shopper(self._world, card))
            ended = time.monotonic()
            if ended < deadline:
                yield ended - began

    @contextmanager
    def _stuck_shoppers(self) -> Iterator[None]:
        enough = threading.Event()
        unreachable = self._world.card("unreachable_bank")
        stuck = [Shopper(self._world, unreachable) for _ in range(STUCK)]
        threads = [threading.Thread(target=self._press, args=(one, enough), daemon=True) for one in stuck]
        for thread in threads:
            thread.start()
        enough.wait(PRESS_EVERY_SECONDS)
        try:
            yield
        finally:
            enough.set()
            for thread in threads:
                thread.join()

    def _press(self, shopper: Shopper, enough: threading.Event) -> None:
        while not enough.is_set():
            try:
                shopper.check_out("soap")
                shopper.press("pay", pin="123456")
            except (requests.RequestException, Unexpected):
                pass  # a stuck shopper may see anything; what counts is what the others see
            with self._taking:
                self.presses += 1
            enough.wait(PRESS_EVERY_SECONDS)


def buy(shopper: Shopper) -> None:
    """Buy one thing from basket to the shop's thanks.

    Raises:
        Unexpected: when it was not paid.
    """
    shopper.check_out("soap")
    if shopper.pay(shopper.request_pin()).status_code != HTTPStatus.OK:
        raise Unexpected(shopper.page.text)
    shopper.return_to_shop()


def p95(durations: list[float]) -> float:
    """Return the time within which 19 of 20 purchases ended."""
    return quantiles(durations, n=20)[-1]


def lines(run: HealthyBank, comparison: Comparison) -> Iterator[str]:
    """Say what was measured."""
    figures = zip(comparison.usual, comparison.changed, strict=True)
    for number, (alone, beside) in enumerate(figures, start=1):
        yield f"round {number}: {alone:.1f} purchases/s alone, {beside:.1f} beside a bank that hangs"
    yield f"p95 of a purchase: {p95(run.alone_seconds):.2f} s alone, {p95(run.beside_seconds):.2f} s beside it"
    yield f"shoppers at the bank that hangs: {STUCK}, {run.presses} presses"
    yield str(comparison)
