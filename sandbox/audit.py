"""Compares the gateway's ledger, the banks' accounts and the shop's orders, rial by rial (D36).

What each organisation must keep by itself its own monitor asks. Money in flight is explained while it is younger than
its promise (the gateway's view ``attempt_under_way`` says so); after that it counts like any other difference.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from foundation.checks import Inspector, Severity
from foundation.database import Database
from foundation.monitor import open_reader
from gateway.store.checks import RULES as GATEWAY_RULES
from otp.store.checks import RULES as BANK_RULES
from sandbox.banks import BANKS
from sandbox.books import Attempt, Authorisation, Books, Order, Payment, read_books
from sandbox.places import CannotRun
from sandbox.world import World

LISTED = frozenset({"I5_past_promise", "I5_disputed"})
"""Checks of the monitors whose attempts stand one by one in the report already."""

SHOP_PROMISE = dt.timedelta(minutes=10)
"""How long after its confirmation the shop may not yet have written an order down as paid."""

KEPT = frozenset({"confirmed", "settled"})
WHOLLY_REFUNDED = "refunded"
"""The shop was paid and nobody has its money: its order may say either."""
SHOP_WAITS = frozenset({"awaiting", "checking"})
LOOKS = 3
PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; an explained one is no difference."""

    text: str
    rial: int
    explained: bool = False

    def __str__(self) -> str:
        """Write the line."""
        return f"{'in flight, explained' if self.explained else 'difference'}: {self.text}, {self.rial} rial"


@dataclass(frozen=True, slots=True)
class Day:
    """One capture date between the banks: what each book got, in rials."""

    captured: str
    books: Mapping[str, int]

    @property
    def rial(self) -> int:
        """What is left of it: the banks' interbank accounts less the gateway's transfer clearing."""
        return sum(-rial if book == "gateway" else rial for book, rial in self.books.items())

    @property
    def finding(self) -> Finding:
        """Say that it is not zero."""
        return Finding(f"between the banks, captured on {self.captured}: {self._told}", abs(self.rial))

    def __str__(self) -> str:
        """Write the line."""
        return f"between the banks, captured on {self.captured}: {self._told}; sum {self.rial} rial"

    @property
    def _told(self) -> str:
        return ", ".join(f"{book} {rial:+}" for book, rial in self.books.items())


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found."""

    findings: tuple[Finding, ...]
    verdicts: tuple[str, ...] = ()

    @property
    def unexplained_rial(self) -> int:
        """The sum of all that nothing explains."""
        return sum(finding.rial for finding in self.findings if not finding.explained)

    @property
    def clean(self) -> bool:
        """Whether there is no difference at all, not even one of zero rials."""
        return all(finding.explained for finding in self.findings)

    @property
    def lines(self) -> tuple[str, ...]:
        """What was added up and what the monitors say, one line per finding, then the verdict."""
        return (*self.verdicts, *map(str, self.findings), f"unexplained: {self.unexplained_rial} rial")


def audit(world: World) -> Report:
    """Compare the running sandbox's books; what is gone at a second look was only being written meanwhile.

    Raises:
        CannotRun: when the databases do not answer.
    """
    try:
        report = _look(world)
        for _ in range(LOOKS - 1):
            if report.clean:
                break
            time.sleep(PAUSE_SECONDS)
            report = _look(world)
    except (psycopg.OperationalError, SQLAlchemyError):
        raise CannotRun("the databases do not answer; start the sandbox first: make demo") from None
    return report


def compare(books: Books) -> Report:
    """Compare the books of all three organisations with each other; what each must keep alone its monitor asks."""
    days = interbank_days(books)
    return Report(
        (
            *_both_sides(books.attempts, books.authorisations),
            *_orders(books.orders, books.payments),
            *(day.finding for day in days if day.rial),
        ),
        tuple(map(str, days)),
    )


def interbank_days(books: Books) -> list[Day]:
    """Add up, by capture date, what the banks' interbank accounts and the gateway's transfer clearing got (D7).

    What the gateway took from a card for another bank, a bank owes; so the sum of both sides' movements is zero on each
    day, also where debit and credit were captured on two. Money in flight, and what differs key by key, is reported for
    itself and left out.
    """
    agreed = _agreed(books.attempts, books.authorisations)
    days: dict[str, Counter[str]] = {}
    for leg in books.legs:
        if leg.rial and tuple(leg.key) in agreed:
            days.setdefault(leg.captured or "unknown", Counter())[leg.book] += leg.rial
    return [Day(captured, dict(sorted(days[captured].items()))) for captured in sorted(days)]


def monitored(gateway: Database, banks: Mapping[str, Database]) -> Report:
    """Ask the monitors of gateway and banks about everything; what breaks a rule about money is a difference.

    Args:
        gateway: its database, as its read-only role.
        banks: the same of each bank, by the bank's name in the report.
    """
    findings: list[Finding] = []
    verdicts: list[str] = []
    asked = [("gateway", gateway, GATEWAY_RULES), *((name, bank, BANK_RULES) for name, bank in banks.items())]
    for name, database, rules in asked:
        meanings = {check.name: check.means for check in rules.checks}
        for verdict in Inspector(database, rules).everything().verdicts:
            verdicts.append(f"{name}'s monitor: {verdict}")
            if not verdict.holds and verdict.severity == Severity.MONEY and verdict.name not in LISTED:
                what = f"{name}: not so that {meanings[verdict.name]} ({verdict.name}: {', '.join(verdict.examples)})"
                findings.append(Finding(what, verdict.rial))
    return Report(tuple(findings), tuple(verdicts))


def _look(world: World) -> Report:
    found = compare(read_books(world))
    with ExitStack() as opened:
        gateway = opened.enter_context(_reader(world, "gateway"))
        banks = {bank.program: opened.enter_context(_reader(world, bank.organisation)) for bank in BANKS}
        asked = monitored(gateway, banks)
    return Report((*found.findings, *asked.findings), (*found.verdicts, *asked.verdicts))


@contextmanager
def _reader(world: World, organisation: str) -> Iterator[Database]:
    database = open_reader(world.database_url(organisation, "reader"), "audit")
    try:
        yield database
    finally:
        database.close()


def _agreed(attempts: Iterable[Attempt], authorisations: Iterable[Authorisation]) -> set[tuple[str, ...]]:
    at_bank = {tuple(row.key): row.net_rial for row in authorisations}
    return {
        tuple(attempt.key)
        for attempt in attempts
        if attempt.past_promise is None and attempt.net_rial == at_bank.get(tuple(attempt.key), 0)
    }


def _both_sides(attempts: Iterable[Attempt], authorisations: Iterable[Authorisation]) -> Iterator[Finding]:
    at_bank = {tuple(row.key): row for row in authorisations}
    for attempt in attempts:
        row = at_bank.pop(tuple(attempt.key), None)
        gap = abs((row.net_rial if row else 0) - attempt.net_rial)
        name = f"{attempt.whose}: {attempt.what} {attempt.attempt_id} of {attempt.payment_id}"
        if attempt.past_promise is not None:
            age = f"{attempt.state} for {int(attempt.age.total_seconds())} s"
            yield Finding(f"{name} is {age}", attempt.total_rial, explained=not attempt.past_promise)
        elif gap:
            yield Finding(f"{name} is {attempt.state}, at the bank {row.state if row else 'unheard of'}", gap)
    for row in at_bank.values():
        if row.net_rial:
            moved = "took" if row.net_rial > 0 else "gave"
            what = f"bank: authorisation {row.authorisation_id} {moved} money for no attempt of the gateway or a till"
            yield Finding(what, abs(row.net_rial))


def _orders(orders: Iterable[Order], payments: Iterable[Payment]) -> Iterator[Finding]:
    by_id = {payment.payment_id: payment for payment in payments}
    for order in orders:
        payment = by_id.get(order.payment_id)
        kept = payment is not None and payment.state in KEPT
        name = f"shop: order {order.number} is {order.state}, its payment {payment.state if payment else 'unheard of'}"
        if payment is not None and order.total_rial != payment.amount_rial:
            yield Finding(f"{name}, for another amount", abs(order.total_rial - payment.amount_rial))
        elif kept != (order.state == "paid") and (payment is None or payment.state != WHOLLY_REFUNDED):
            waits = payment is not None and order.state in SHOP_WAITS and payment.age <= SHOP_PROMISE
            yield Finding(name, order.total_rial, explained=waits)
