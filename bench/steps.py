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
from bench.rounds import Comparison
from bench.taps import exchanges_in
from bench.wire_watch import Exchange
from sandbox.phone_store import PhoneStore
from sandbox.places import CannotRun

FULL = 150
"""Purchases that tell what full load is, in each round."""

PACED = 200
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

Percentiles = tuple[tuple[float, ...], ...]
"""p50 of every round, and p99 of every round, in seconds."""


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
    took: list[dict[int, Took]] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    _amounts: Iterator[int] = field(default_factory=lambda: count(AMOUNT + 1))
    _servers: SimpleQueue[tuple[HTTPConnection, Seller]] = field(default_factory=SimpleQueue)
    _noting: threading.Lock = field(default_factory=threading.Lock)

    def pace(self, per_second: float, seed: int) -> None:
        """Let the customers of a round come at this pace, each with an amount of her own."""
        self.took.append({})
        with ExitStack() as stack:
            for number in range(AT_ONCE_MOST):
                self._servers.put((stack.enter_context(closing(self._server())), self._seller(number)))
            self.late.append(at_pace(PACED, per_second, seed, self._purchase))
            self._servers = SimpleQueue()

    def own_times(self) -> list[OwnTimes]:
        """Return what every step took, round by round, without what others took meanwhile."""
        exchanges = exchanges_in(self.taps)
        return [own_times(took, exchanges) for took in self.took]

    def _purchase(self) -> None:
        server, seller = self._servers.get()
        try:
            with closing(self.shop.customer(server, seller)) as customer:
                with self._noting:
                    customer.amount = next(self._amounts)
                took = {step: _timed(do) for step, do in self._steps(customer)}
            with self._noting:
                self.took[-1][customer.amount] = took
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
    """Say what was measured: of every figure the one of the middle round."""
    for number, (full, ours, floor) in enumerate(zip(run.full, run.ours.late, run.floor.late, strict=True), start=1):
        late = max(ours, floor) * MILLISECONDS
        yield f"round {number}: full load {full:.1f} purchases/s; at half of it the latest began {late:.0f} ms late"
    ours_by_row = figures([{**own, **sms} for own, sms in zip(run.ours.own_times(), _sms(run, phones), strict=True)])
    floor_by_row = figures(run.floor.own_times())
    yield f"{'':<26} {'p50, ms':>8} {'p99, ms':>8}   {'of the floor':<15}  times the floor: p50, p99 (the middle half)"
    for row in ROWS:
        yield _line(row, ours_by_row[row.step, row.who], floor_by_row[row.floor] if row.floor else None)


def figures(rounds: list[OwnTimes]) -> dict[tuple[str, str], Percentiles]:
    """Return p50 and p99 of every step, each of every round."""
    steps = rounds[0]
    return {step: tuple(zip(*(p50_p99(own[step]) for own in rounds), strict=True)) for step in steps}


def _sms(run: HalfLoad, phones: PhoneStore) -> list[OwnTimes]:
    exchanges, arrived = exchanges_in(run.ours.taps), arrivals_of(phones)
    return [{("SMS", BANK_WORKER): sms_times(took, exchanges, arrived)} for took in run.ours.took]


def _line(row: Row, ours: Percentiles, floor: Percentiles | None) -> str:
    head = f"{row.step:<13} {row.who:<12} " + " ".join(f"{median(each) * MILLISECONDS:>8.1f}" for each in ours)
    if floor is None:
        return head
    base = " ".join(f"{median(each) * MILLISECONDS:>7.2f}" for each in floor)
    return f"{head}   {base}  " + ", ".join(_times(*each) for each in zip(floor, ours, strict=True))


def _times(floor: tuple[float, ...], ours: tuple[float, ...]) -> str:
    compared = Comparison(floor, ours)
    lower, upper = compared.middle_half
    return f"{compared.ratio:.1f} ({lower:.1f} to {upper:.1f})"


def _timed(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _rials(text: str) -> int:
    return int("".join(letter for letter in text if letter.isdecimal()))
