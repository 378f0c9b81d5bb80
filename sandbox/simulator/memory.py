"""All books as their committed changes made them: what the invariants look at."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sandbox.simulator.coverage import Coverage
from sandbox.simulator.faults import BEGIN

Row = dict[str, Any]
Key = tuple[str, ...]
Pair = tuple[str, str]
"""Bill id and payment id."""

Part = tuple[str, int | None]
"""A payment, or one bill of it by its number: what is paid out at once."""


def _sums() -> Any:
    return defaultdict(int)


@dataclass
class Memory:
    """Rows by their keys, and sums of what was posted.

    Args:
        step: the scheduler's, at the last look.
        now: the gateway's time at the last look.
        since: attempts without a final result, and the step at which they were submitted.
        overdue: reversals past their time that nobody was told of, and the step since when.
        oldest: the most steps that one had to wait for its result.
        longest_unknown: the most steps that one was neither decided nor being reversed.
        states: every state that a payment was in.
        balances: by payment and account, at the gateway.
        accounts: by account, whatever payments it is about, at the gateway.
        booked: by authorisation and account, what its bank's postings brought.
        card_net: by account, what the banks' postings brought.
        transfers: by payment, where its second leg stands.
        credits: by message key, the payment whose second leg it is.
        destinations: by payment, the card at its bank that the money is meant for, as the sender knows it.
        refunds: by number.
        refund_keys: by message key, the number of the refund whose it is.
        refund_since: by number, the step since when an issuer is asked to give it.
        paid_out: by payment and number of the bill, if so, its line in a batch.
        written: by the SHA-256 of a bank's file in hex, the attempts that it calls approved, and those it lies about.
        told: attempts that a bank's file, read by the gateway, calls approved.
        doubted: attempts about which such a file said something else.
        waiting: by organisation and topic, how many jobs nobody has done yet.
        credit_since: by payment, the step since when its second leg is under way.
        paid_by: by code, the authorisation that it paid.
        bills: by payment, the pairs of numbers that it is for.
        bill_rows: by payment and number, one bill of it.
        claimed: by pair, the payment that has claimed it.
        debited: by pair, the payments whose money the bank holds.
        endpoints: the merchant's and the biller's, by their ids, those that were removed too.
        event_types: by event that tells of a payment or a bill.
        event_owners: by such an event, the merchant or biller whose it is.
        told_at: by such an event, when it became true.
        deliveries: by event and endpoint, as everything that follows.
        owing: events whose commit is not yet read whole, and who has to be told.
        unnoticed: given up in such a commit; its owner has to be told.
        heard: answered 2xx.
        gone: answered 410.
    """

    coverage: Coverage
    step: int = 0
    now: dt.datetime = BEGIN
    oldest: int = 0
    longest_unknown: int = 0
    since: dict[str, int] = field(default_factory=dict)
    overdue: dict[str, int] = field(default_factory=dict)
    payments: dict[str, Row] = field(default_factory=dict)
    attempts: dict[str, Row] = field(default_factory=dict)
    jobs: dict[str, Row] = field(default_factory=dict)
    bank_jobs: dict[int, Row] = field(default_factory=dict)
    cards: dict[int, Row] = field(default_factory=dict)
    challenges: dict[int, Row] = field(default_factory=dict)
    authorisations: dict[int, Row] = field(default_factory=dict)
    states: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    balances: dict[tuple[str, str], int] = field(default_factory=_sums)
    accounts: dict[str, int] = field(default_factory=_sums)
    booked: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(_sums))
    transfers: dict[str, Row] = field(default_factory=dict)
    credits: dict[Key, str] = field(default_factory=dict)
    destinations: dict[str, int] = field(default_factory=dict)
    refunds: dict[int, Row] = field(default_factory=dict)
    refund_keys: dict[Key, int] = field(default_factory=dict)
    refund_since: dict[int, int] = field(default_factory=dict)
    paid_out: dict[Part, Row] = field(default_factory=dict)
    written: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    doubted: set[str] = field(default_factory=set)
    waiting: dict[tuple[str, str], int] = field(default_factory=_sums)
    credit_since: dict[str, int] = field(default_factory=dict)
    card_net: dict[str, int] = field(default_factory=_sums)
    approved: dict[str, int] = field(default_factory=_sums)
    paid_by: dict[int, int] = field(default_factory=dict)
    wrong_tries: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    by_key: dict[Key, str] = field(default_factory=dict)
    at_bank: dict[Key, int] = field(default_factory=dict)
    bills: dict[str, set[Pair]] = field(default_factory=lambda: defaultdict(set))
    bill_rows: dict[Part, Row] = field(default_factory=dict)
    claimed: dict[Pair, str] = field(default_factory=dict)
    debited: dict[Pair, set[str]] = field(default_factory=lambda: defaultdict(set))
    endpoints: dict[str, Row] = field(default_factory=dict)
    event_types: dict[str, str] = field(default_factory=dict)
    event_owners: dict[str, str] = field(default_factory=dict)
    told_at: dict[str, dt.datetime] = field(default_factory=dict)
    deliveries: dict[tuple[str, str], Row] = field(default_factory=dict)
    owing: set[tuple[str, str]] = field(default_factory=set)
    unnoticed: set[tuple[str, str]] = field(default_factory=set)
    heard: set[tuple[str, str]] = field(default_factory=set)
    gone: set[tuple[str, str]] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)

    def attempt_at(self, key: Key) -> Row:
        """Return the attempt with this message key, empty when none is known yet."""
        return self.attempts.get(self.by_key.get(key, ""), {})

    def authorisation_of(self, attempt: Row) -> Row | None:
        """Return what the bank has of an attempt."""
        return self.authorisations.get(self.at_bank.get(key_of(attempt), 0))

    def credit_of(self, payment_id: str) -> Row | None:
        """Return what the destination's bank has of a transfer's second leg."""
        transfer, payment = self.transfers[payment_id], self.payments[payment_id]
        attempt = self.attempts.get(payment["attempt_id"] or "")
        if attempt is None or transfer["stan"] is None:
            return None
        return self.authorisations.get(self.at_bank.get(key_of(attempt | _own_key(transfer)), 0))

    def moved(self, row: Row, card: str) -> int:
        """Return what an authorisation's postings brought to one of its cards."""
        return self.booked[row["authorisation_id"]][f"card:{row[card]}"] if row[card] else 0


def _own_key(row: Row) -> Row:
    return {name: row[name] for name in ("stan", "rrn", "local_time")}


def key_of(row: Row) -> Key:
    """Return what a purchase is called on both sides of the wire."""
    return tuple(str(row[name]) for name in ("acquirer_id", "terminal_id", "stan", "rrn", "local_time"))


def instant(text: str) -> dt.datetime:
    """Read a time as PostgreSQL writes it into JSON."""
    return dt.datetime.fromisoformat(text)
