"""How long each step of a purchase takes our own processes at half load, beside the same step of the floor.

In every round the buyers first find out how much the sandbox can serve; then shoppers come at half that pace, to the
sandbox and to the floor in turns. What the gateway waits for a bank is measured by a tap on the wire between them and
taken off its own time; what is left holds everything else that a step meets, waiting for a processor included.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from statistics import median, quantiles
from urllib.parse import urlsplit

from bench.budgets import BANK, BANK_HOST, BANK_WORKER, GATEWAY
from bench.buyers import AMOUNT, SECONDS, Customer, Seller, Shop
from bench.pace import AT_ONCE_MOST, at_pace
from bench.taps import exchanges_in
from bench.wire_watch import Exchange
from sandbox.phone import PhoneStore
from sandbox.places import CannotRun

FULL = 150
"""Purchases that tell what full load is, in each round."""

PACED = 250
"""Purchases at half load in each round, at each of both."""

WARM_UP = 150
CROWD = 360
PART_OF_FULL = 0.5
MILLISECONDS = 1_000
MESSAGES_MOST = 100_000

OUR_STEPS = ("open", "page", "request PIN", "pay", "result", "read", "confirm")
FLOOR_STEPS = ("open", "page", "request PIN", "pay", "confirm")

Took = Mapping[str, float]
"""Seconds by step, as one customer waited."""

OwnTimes = Mapping[tuple[str, str], list[float]]
"""Seconds by step and by whose they are."""


@dataclass(frozen=True, slots=True)
class Row:
    """One step, whose it is, and the floor's step that does as much; the floor has no SMS."""

    step: str
    who: str
    floor: tuple[str, str] | None


ROWS = (
    Row("open", GATEWAY, ("open", GATEWAY)),
    Row("page", GATEWAY, ("page", GATEWAY)),
    Row("request PIN", GATEWAY, ("request PIN", GATEWAY)),
    Row("request PIN", BANK, ("request PIN", BANK)),
    Row("SMS", BANK_WORKER, None),
    Row("pay", GATEWAY, ("pay", GATEWAY)),
    Row("pay", BANK_HOST, ("pay", BANK_HOST)),
    Row("result", GATEWAY, ("page", GATEWAY)),
    Row("read", GATEWAY, ("page", GATEWAY)),
    Row("confirm", GATEWAY, ("confirm", GATEWAY)),
)

ASKS = {"request PIN": BANK, "pay": BANK_HOST}
"""Who is asked within a step of the gateway."""


@dataclass
class Condition:
    """One shop whose customers are timed.

    Args:
        taps: what the taps behind its gateway write.
        steps: of a purchase there.
    """

    shop: Shop
    taps: Path
    steps: tuple[str, ...]
    took: dict[int, Took] = field(default_factory=dict)
    latest: float = 0.0
    _amounts: Iterator[int] = field(default_factory=lambda: count(AMOUNT + 1))
    _servers: SimpleQueue[tuple[HTTPConnection, Seller]] = field(default_factory=SimpleQueue)
    _noting: threading.Lock = field(default_factory=threading.Lock)

    def pace(self, per_second: float, seed: int) -> None:
        """Let customers come at this pace, each with an amount of her own."""
        with ExitStack() as stack:
            for number in range(AT_ONCE_MOST):
                self._servers.put((stack.enter_context(closing(self._server())), self._seller(number)))
            self.latest = max(self.latest, at_pace(PACED, per_second, seed, self._purchase))
            self._servers = SimpleQueue()

    def own_times(self) -> OwnTimes:
        """Return what every step took, without what others took meanwhile."""
        return own_times(self.took, exchanges_in(self.taps))

    def _purchase(self) -> None:
        server, seller = self._servers.get()
        try:
            with closing(self.shop.customer(server, seller)) as customer:
                with self._noting:
                    customer.amount = next(self._amounts)
                took = {step: _timed(do) for step, do in self._steps(customer)}
            with self._noting:
                self.took[customer.amount] = took
        finally:
            self._servers.put((server, seller))

    def _server(self) -> HTTPConnection:
        server = HTTPConnection(urlsplit(self.shop.gateway).netloc, timeout=SECONDS)
        server.connect()
        return server

    def _seller(self, number: int) -> Seller:
        return self.shop.sellers[number % len(self.shop.sellers)]

    def _steps(self, customer: Customer) -> Iterator[tuple[str, Callable[[], None]]]:
        steps = {
            "open": customer.open,
            "page": customer.page,
            "request PIN": customer.request_pin,
            "result": customer.result,
            "read": customer.read,
            "confirm": customer.confirm,
        }
        for step in self.steps:
            yield step, steps[step] if step != "pay" else partial(customer.pay, self.shop.code_of(customer))


class HalfLoad:
    """Finds full load, and times every step at half of it."""

    def __init__(self, ours: Condition, floor: Condition) -> None:
        self.ours = ours
        self.floor = floor
        self.full: list[float] = []

    def measure(self, rounds: int) -> None:
        """Let the customers come; who begins changes from round to round."""
        both = (self.ours, self.floor)
        for condition in both:
            condition.shop.buy(WARM_UP)
        for number in range(rounds):
            self.full.append(self.ours.shop.buy(FULL))
            for condition in both[::-1] if number % 2 else both:
                condition.pace(self.full[-1] * PART_OF_FULL, seed=number)


def own_times(took: Mapping[int, Took], exchanges: Mapping[tuple[str, int], Exchange]) -> OwnTimes:
    """Take the banks' time off the gateway's, purchase by purchase.

    Raises:
        CannotRun: a purchase asked a bank something that no tap saw.
    """
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for amount, steps in took.items():
        for step, seconds in steps.items():
            elsewhere = 0.0
            if step in ASKS:
                if (step, amount) not in exchanges:
                    raise CannotRun(f"no tap saw the question of {step!r}")
                elsewhere = exchanges[step, amount].seconds
                found[step, ASKS[step]].append(elsewhere)
            found[step, GATEWAY].append(seconds - elsewhere)
    return found


def sms_times(
    took: Mapping[int, Took], exchanges: Mapping[tuple[str, int], Exchange], arrivals: Mapping[int, float]
) -> list[float]:
    """Return the seconds from the bank being asked for a PIN until the message is on the phone."""
    return [arrivals[amount] - exchanges["request PIN", amount].asked_at for amount in took]


def arrivals_of(phones: PhoneStore) -> dict[int, float]:
    """Return when messages arrived, in seconds since 1970, by the amount that each says."""
    said = (text for _, text in phones.arrived(after=0, most=MESSAGES_MOST))
    return {_rials(text.amount): dt.datetime.fromisoformat(text.at).timestamp() for text in said if text.amount}


def p50_p99(seconds: list[float]) -> tuple[float, float]:
    """Return within how many seconds half of them, and 99 of 100, were done."""
    return median(seconds), quantiles(seconds, n=100, method="inclusive")[-1]


def lines(run: HalfLoad, phones: PhoneStore) -> Iterator[str]:
    """Say what was measured."""
    yield "full load: " + ", ".join(f"{rate:.1f}" for rate in run.full) + " purchases/s; half of it at both"
    latest = max(run.ours.latest, run.floor.latest) * MILLISECONDS
    yield f"{len(run.ours.took)} purchases at each; the latest began {latest:.0f} ms late"
    ours, floor = dict(run.ours.own_times()), run.floor.own_times()
    ours["SMS", BANK_WORKER] = sms_times(run.ours.took, exchanges_in(run.ours.taps), arrivals_of(phones))
    yield f"{'':<26} {'p50, ms':>8} {'p99, ms':>8}   {'of the floor':<17} {'p50 ×':>7} {'p99 ×':>7}"
    for row in ROWS:
        yield _line(row, p50_p99(ours[row.step, row.who]), p50_p99(floor[row.floor]) if row.floor else None)


def _line(row: Row, ours: tuple[float, float], floor: tuple[float, float] | None) -> str:
    head = f"{row.step:<13} {row.who:<12} {ours[0] * MILLISECONDS:>8.1f} {ours[1] * MILLISECONDS:>8.1f}"
    if floor is None:
        return head
    base = f"{floor[0] * MILLISECONDS:>7.2f} {floor[1] * MILLISECONDS:>7.2f}"
    return f"{head}   {base:<17} {ours[0] / floor[0]:>7.1f} {ours[1] / floor[1]:>7.1f}"


def _timed(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _rials(text: str) -> int:
    return int("".join(letter for letter in text if letter.isdecimal()))
