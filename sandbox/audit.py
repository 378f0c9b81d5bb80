"""Compares the gateway's ledger, the bank's accounts and the shop's orders, rial by rial (D36).

Money in flight is explained while it is younger than its promise; after that it counts like any other difference.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg

from sandbox.books import Attempt, Authorisation, Books, Order, Payment, read_books
from sandbox.places import CannotRun
from sandbox.world import World

PROMISES = {
    "submitted": dt.timedelta(minutes=2),
    "unknown": dt.timedelta(minutes=10),
    "voiding": dt.timedelta(hours=24),
    "disputed": dt.timedelta(0),
}
"""How long money of an attempt in such a state may be under way."""

SHOP_PROMISE = dt.timedelta(minutes=10)
"""How long after its confirmation the shop may not yet have written an order down as paid."""

KEPT = frozenset({"confirmed", "settled"})
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
class Report:
    """What an audit found."""

    findings: tuple[Finding, ...]

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
        """One line per finding, then the verdict."""
        return (*map(str, self.findings), f"unexplained: {self.unexplained_rial} rial")


def audit(world: World) -> Report:
    """Compare the running sandbox's books; what is gone at a second look was only being written meanwhile.

    Raises:
        CannotRun: when the databases do not answer.
    """
    try:
        report = compare(read_books(world))
        for _ in range(LOOKS - 1):
            if report.clean:
                break
            time.sleep(PAUSE_SECONDS)
            report = compare(read_books(world))
    except psycopg.OperationalError:
        raise CannotRun("the databases do not answer; start the sandbox first: make demo") from None
    return report


def compare(books: Books) -> Report:
    """Compare the books of all three organisations."""
    return Report(
        (
            *_accounts(books),
            *_authorisations(books.authorisations),
            *_both_sides(books.attempts, books.authorisations),
            *_payments(books.payments, books.attempts),
            *_orders(books.orders, books.payments),
        )
    )


def _accounts(books: Books) -> Iterator[Finding]:
    for account in books.accounts:
        gap = abs(account.balance_rial - account.expected_rial)
        yield Finding(f"bank: card {account.card_id} holds other than its postings say", gap)


def _authorisations(rows: Iterable[Authorisation]) -> Iterator[Finding]:
    for row in rows:
        expected = row.amount_rial if row.state == "approved" else 0
        if row.net_rial != expected:
            what = f"bank: authorisation {row.authorisation_id} is {row.state} but its postings say otherwise"
            yield Finding(what, abs(row.net_rial - expected))


def _both_sides(attempts: Iterable[Attempt], authorisations: Iterable[Authorisation]) -> Iterator[Finding]:
    at_bank = {tuple(row.key): row for row in authorisations}
    for attempt in attempts:
        row = at_bank.pop(tuple(attempt.key), None)
        gap = abs((row.net_rial if row else 0) - attempt.net_rial)
        name = f"gateway: attempt {attempt.attempt_id} of {attempt.payment_id}"
        promise = PROMISES.get(attempt.state)
        if promise is not None:
            age = f"{attempt.state} for {int(attempt.age.total_seconds())} s"
            yield Finding(f"{name} is {age}", attempt.total_rial, explained=_is_explained(attempt, promise))
        elif gap:
            yield Finding(f"{name} is {attempt.state}, at the bank {row.state if row else 'unheard of'}", gap)
        elif attempt.net_rial != (attempt.total_rial if attempt.state == "approved" else 0):
            yield Finding(f"{name} is {attempt.state} but its postings say otherwise", attempt.total_rial)
    for row in at_bank.values():
        if row.net_rial:
            what = f"bank: authorisation {row.authorisation_id} took money for no attempt of the gateway"
            yield Finding(what, abs(row.net_rial))


def _is_explained(attempt: Attempt, promise: dt.timedelta) -> bool:
    """Tell whether an attempt under way is within the shopper's promised hour, else its state's usual time."""
    if attempt.state != "disputed" and attempt.late is not None:
        return not attempt.late
    return attempt.age <= promise


def _payments(payments: Iterable[Payment], attempts: Iterable[Attempt]) -> Iterator[Finding]:
    under_way = {attempt.payment_id for attempt in attempts if attempt.state in PROMISES}
    for row in payments:
        pending = row.amount_rial if row.state == "authorised" else 0
        payable = row.amount_rial if row.state in KEPT else 0
        gap = abs(row.pending_rial - pending) + abs(row.payable_rial - payable)
        if gap and row.payment_id not in under_way:
            what = f"gateway: payment {row.payment_id} is {row.state} but its merchant's accounts say otherwise"
            yield Finding(what, gap)


def _orders(orders: Iterable[Order], payments: Iterable[Payment]) -> Iterator[Finding]:
    by_id = {payment.payment_id: payment for payment in payments}
    for order in orders:
        payment = by_id.get(order.payment_id)
        kept = payment is not None and payment.state in KEPT
        name = f"shop: order {order.number} is {order.state}, its payment {payment.state if payment else 'unheard of'}"
        if payment is not None and order.total_rial != payment.amount_rial:
            yield Finding(f"{name}, for another amount", abs(order.total_rial - payment.amount_rial))
        elif kept != (order.state == "paid"):
            waits = payment is not None and order.state in SHOP_WAITS and payment.age <= SHOP_PROMISE
            yield Finding(name, order.total_rial, explained=waits)
