"""Codes issued and checked per second by the bank's own services, against the same work in plain SQL (D13).

Both run in this process, several at once, on one PostgreSQL server, with no wire in front of either: what is compared
is the bank's own way from a request to its commit. All codes of a round are issued first and then checked; how a code
gets from one to the other (its holder reads it) is not timed.
"""

from __future__ import annotations

import secrets
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import psycopg
from sqlalchemy import text

from bench.floor import codes as floor_codes
from bench.floor.running import bank_books
from bench.floor.wire import Pool, code_for
from bench.rounds import Comparison, in_turns
from bench.statements import StatementLog, figures
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.answers import Code
from otp.domain.binding import Binding, TransactionType
from otp.domain.code import derive_code
from otp.domain.psp import Psp
from otp.services.bank import Bank
from otp.services.issue_code import CodeRequest, issue_code
from otp.services.verify_code import Check, verify_code
from sandbox.banks import BANK_TWO
from sandbox.cards import crowd
from sandbox.places import CannotRun
from sandbox.postgres import Cluster
from sandbox.running import RunningWorld
from sandbox.seed import bank_of, cvv2_of_card
from sandbox.world import PSP_ID

AT_ONCE = 4
EACH_ROUND = {"floor": 300, "ours": 150}
"""Codes in a round: both take about as long."""

COUNTED = 10
"""Codes by which statements are counted: what is read again every few seconds shows as less than one each."""

CROWD = 1_000
PER_CARD = 3
TERMINALS = 16
OURS, FLOOR = "codes-ours", "codes-floor"
"""What each side's connections are called."""

REFERENCE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Plastic:
    """A card as its holder types it."""

    pan: Pan
    cvv2: str
    expiry: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """One code's card and what it shall be bound to."""

    card: Plastic
    binding: Binding


class Orders:
    """Payments of ever other cards and terminals, so that neither a limit nor a single row is in the way."""

    def __init__(self, cards: Sequence[Plastic], acquirer_id: str) -> None:
        self._cards = iter([card for _ in range(PER_CARD) for card in cards])
        self._terminals = cycle(f"{number:08}" for number in range(TERMINALS))
        self._acquirer_id = acquirer_id

    def take(self, count: int) -> list[Wanted]:
        """Return the next so many."""
        cards = list(islice(self._cards, count))
        if len(cards) < count:
            raise CannotRun("the cards are used up; measure fewer rounds")
        return [Wanted(card, self._binding()) for card in cards]

    def _binding(self) -> Binding:
        return Binding(
            type=TransactionType.PURCHASE,
            amount=Rial(250_000),
            fee=Rial(0),
            acquirer_id=self._acquirer_id,
            merchant_id="000000000000001",
            terminal_id=next(self._terminals),
            payee_name="بازارچه نمونه",
            payee_key="",
            transaction_ref="".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(16)),
        )


@dataclass
class Ours:
    """The bank's services, as its doors call them."""

    bank: Bank
    psp: Psp
    name: str = "ours"

    def issue(self, wanted: Wanted) -> None:
        """Have a code made and its message queued."""
        request_id = str(uuid.uuid4())
        card = wanted.card
        proof = Sensitive(card.cvv2), Sensitive(card.expiry)
        mark = self.bank.body_mark(request_id.encode())
        request = CodeRequest(request_id, 1, mark, wanted.binding, card.pan, *proof)
        _expect(issue_code(self.bank, self.psp, request).body, Code.ACCEPTED)

    def codes(self, orders: Sequence[Wanted]) -> list[str]:
        """Derive the codes again, as the worker does for their messages."""
        query = text("SELECT transaction_ref, key_id, nonce, canonical, code_length FROM challenge WHERE "
                     "transaction_ref = ANY(:references)")  # fmt: skip
        references = [wanted.binding.transaction_ref for wanted in orders]
        with self.bank.database.single() as connection:
            rows = {row.transaction_ref: row for row in connection.execute(query, {"references": references})}
        return [self._code(rows[reference]) for reference in references]

    def verify(self, wanted: Wanted, code: str) -> None:
        """Have a code checked and used up."""
        request_id = str(uuid.uuid4())
        card, mark = wanted.card, self.bank.body_mark(request_id.encode())
        shown = Sensitive(card.cvv2), Sensitive(card.expiry), Sensitive(code)
        check = Check(request_id, 2, mark, wanted.binding, card.pan, *shown)
        _expect(verify_code(self.bank, self.psp, check).body, Code.VERIFIED)

    def _code(self, row: Any) -> str:
        material = self.bank.keys.material(row.key_id)
        return derive_code(material, bytes(row.nonce), row.canonical, row.code_length).reveal()


@dataclass
class Floor:
    """The same in plain SQL; the code follows from the payment alone."""

    address: str
    name: str = "floor"
    _pool: Pool[Any] = field(init=False)

    def __post_init__(self) -> None:
        self._pool = Pool(lambda: psycopg.connect(self.address, autocommit=True, application_name=FLOOR), AT_ONCE)

    def issue(self, wanted: Wanted) -> None:
        """Keep a code and queue its message."""
        bound, card = wanted.binding, wanted.card
        values = floor_codes.issue_values(
            str(uuid.uuid4()), bound.transaction_ref, card.pan.reveal(), card.expiry, bound.terminal_id,
            bound.canonical(),
        )  # fmt: skip
        self._ask(floor_codes.ISSUE, values, "sent")

    def codes(self, orders: Sequence[Wanted]) -> list[str]:
        """Derive the codes."""
        return [code_for(wanted.binding.transaction_ref) for wanted in orders]

    def verify(self, wanted: Wanted, code: str) -> None:
        """Check a code and use it up."""
        bound = wanted.binding
        values = floor_codes.verify_values(
            str(uuid.uuid4()), bound.transaction_ref, wanted.card.pan.reveal(), bound.canonical(), code
        )
        self._ask(floor_codes.VERIFY, values, "verified")

    def close(self) -> None:
        """Close its connections."""
        self._pool.close()

    def _ask(self, statement: str, values: dict[str, object], expected: str) -> None:
        with self._pool.lend() as connection:
            (said,) = connection.execute(statement, values).fetchone()
        if said != expected:
            raise CannotRun(f"the floor said {said}")


Side = Ours | Floor
Asked = tuple[float, float]
"""Statements and commits."""


class Codes:
    """Issues and checks codes on both sides."""

    def __init__(self, floor: Floor, ours: Ours, cards: Sequence[Plastic]) -> None:
        self.floor, self.ours = floor, ours
        self._orders = {side.name: Orders(cards, ours.psp.acquirer_id) for side in (floor, ours)}
        self.seconds: dict[str, list[tuple[float, float]]] = {"floor": [], "ours": []}

    def compare(self, rounds: int, sizes: dict[str, int] = EACH_ROUND) -> Comparison:
        """Return codes per second, issued and checked, of the floor and of ours."""
        return in_turns(
            rounds,
            lambda: self.measure(self.floor, sizes[self.floor.name]),
            lambda: self.measure(self.ours, sizes[self.ours.name]),
        )

    def measure(self, side: Side, count: int) -> float:
        """Issue so many codes, then check them; return how many a second."""
        orders = self.orders(side, count)
        issuing = _timed(side.issue, orders)
        checking = _timed(side.verify, orders, side.codes(orders))
        self.seconds[side.name].append((issuing / count, checking / count))
        return count / (issuing + checking)

    def orders(self, side: Side, count: int) -> list[Wanted]:
        """Return the next payments of one side.

        Raises:
            CannotRun: when its cards are used up.
        """
        return self._orders[side.name].take(count)

    def statements(self, cluster: Cluster) -> dict[str, tuple[Asked, Asked]]:
        """Return statements and commits of one code and of its check, by side, as PostgreSQL logs them."""
        log = StatementLog(cluster)
        with log.kept():
            return {side.name: self._asked(log, side, who) for side, who in ((self.floor, FLOOR), (self.ours, OURS))}

    def _asked(self, log: StatementLog, side: Side, who: str) -> tuple[Asked, Asked]:
        orders = self.orders(side, COUNTED)
        issued = log.during(lambda: _timed(side.issue, orders))
        codes = side.codes(orders)
        checked = log.during(lambda: _timed(side.verify, orders, codes))
        return _each(figures(issued[who])), _each(figures(checked[who]))


@contextmanager
def compared(world: RunningWorld) -> Iterator[Codes]:
    """Set both sides up in a running sandbox; its worker stands still, so that messages are sent in nobody's time."""
    cards = [Plastic(card.pan, cvv2_of_card(world.world, card), card.expiry) for card in crowd(CROWD)]
    address = bank_books(world.world.cluster, map(_for_floor, cards), floor_codes.TABLES)
    worker = f"{BANK_TWO.program}-worker"
    world.signal(worker, signal.SIGSTOP)
    try:
        with bank_of(world.world, BANK_TWO, process=OURS) as bank, closing(Floor(address)) as floor:
            run = Codes(floor, Ours(bank, bank.psps.now().by_id[PSP_ID]), cards)
            run.compare(1)  # connections are open, and statements prepared
            run.seconds = {"floor": [], "ours": []}
            yield run
    finally:
        world.signal(worker, signal.SIGCONT)


def lines(run: Codes, comparison: Comparison, cluster: Cluster) -> Iterator[str]:
    """Say what was measured."""
    for number, (floor, ours) in enumerate(zip(comparison.usual, comparison.changed, strict=True), start=1):
        yield f"round {number}: {floor:.0f} codes/s issued and checked by the floor, {ours:.0f} by ours"
    for name, (issue, check) in run.statements(cluster).items():
        first, second = (f"{statements:g} and {commits:g}" for statements, commits in (issue, check))
        yield f"statements and commits, {name}: {first} for a code, {second} for its check"
    yield str(comparison)


def _for_floor(card: Plastic) -> dict[str, Any]:
    return {"pan": card.pan.reveal(), "exp_year": card.expiry[:2], "exp_month": card.expiry[2:]}


def _timed(do: Callable[..., None], *each: Sequence[Any]) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as several:
        list(several.map(do, *each))
    return time.perf_counter() - began


def _each(found: tuple[int, int]) -> Asked:
    statements, commits = found
    return statements / COUNTED, commits / COUNTED


def _expect(said: dict[str, Any], code: Code) -> None:
    if said["code"] != str(code):
        raise CannotRun(f"the bank said {said['code']}")
