"""The invariants of money, checked against every committed change of both databases (I1 to I11, I13, I18).

Triggers of the simulated databases record each row's before and after. A mirror of both books is kept from them, so a
step costs one query per database, and no state between two steps escapes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg

from gateway.domain.attempt import ENDS as ATTEMPT_ENDS
from gateway.domain.attempt import MACHINE as ATTEMPT
from gateway.domain.payment import ENDS, MACHINE, TELLS, PaymentEvent
from otp.domain.binding import parse_canonical
from otp.domain.challenge import CHALLENGE

Row = dict[str, Any]
READ = b"SELECT number, kind, before, after FROM simulator_change WHERE number > %s ORDER BY number"
KEYS = {"payment": "payment_id", "attempt": "attempt_id", "outbox": "id", "posting": "posting_id"}
BANK_KEYS = {
    "card": "card_id",
    "challenge": "challenge_id",
    "authorisation": "authorisation_id",
    "posting": "posting_id",
}
BANK_MOVES = {
    ("received", "approved"),
    ("received", "declined"),
    ("approved", "reversed"),
}
ALLOWED: dict[str, set[tuple[str, str]]] = {
    "payment": {(str(row.before), str(row.after)) for row in MACHINE.transitions if row.before},
    "attempt": {(str(row.before), str(row.after)) for row in ATTEMPT.transitions if row.before},
    "challenge": {(str(row.before), str(row.after)) for row in CHALLENGE.transitions if row.before},
    "authorisation": BANK_MOVES,
}
FIRST = {
    "payment": {"open"},
    "attempt": {"submitted"},
    "challenge": {"issued"},
    "authorisation": {"received", "tombstone"},
}
TOLD = {
    "authorised": TELLS[PaymentEvent.ATTEMPT_APPROVED],
    "confirmed": TELLS[PaymentEvent.PAYEE_CONFIRMED],
    "reversed": TELLS[PaymentEvent.REVERSAL_ACCEPTED],
    "cancelled": TELLS[PaymentEvent.CUSTOMER_CANCELLED],
    "expired": TELLS[PaymentEvent.WINDOW_ELAPSED],
}
MONEY_MAY_BE_GONE = frozenset({"declined", "voided"})
RESTING = ENDS | {"confirmed"}
TRIES_MOST = 5


class Violated(Exception):
    """An invariant does not hold; the text begins with its number."""


def require(holds: object, what: str) -> None:
    """Raise :class:`Violated` unless it holds."""
    if not holds:
        raise Violated(what)


@dataclass
class Mirror:
    """Both books as the committed changes made them."""

    gateway_reader: psycopg.Connection[tuple[object, ...]]
    bank_reader: psycopg.Connection[tuple[object, ...]]
    payments: dict[str, Row] = field(default_factory=dict)
    attempts: dict[str, Row] = field(default_factory=dict)
    jobs: dict[str, Row] = field(default_factory=dict)
    cards: dict[int, Row] = field(default_factory=dict)
    challenges: dict[int, Row] = field(default_factory=dict)
    authorisations: dict[int, Row] = field(default_factory=dict)
    balances: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    taken: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    card_net: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    approved: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_key: dict[tuple[str, ...], str] = field(default_factory=dict)
    at_bank: dict[tuple[str, ...], int] = field(default_factory=dict)
    changes: int = 0
    _seen: dict[str, int] = field(default_factory=lambda: {"gateway": 0, "bank": 0})
    _touched: set[str] = field(default_factory=set)
    _digest: Any = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        """Name the whole history: equal digests are equal histories."""
        return str(self._digest.hexdigest())

    def say(self, line: str) -> None:
        """Add a line to the history's digest."""
        self._digest.update(line.encode())

    def observe(self) -> None:
        """Read what was committed since the last look, and check everything it touched."""
        for name, reader, keys in (
            ("gateway", self.gateway_reader, KEYS),
            ("bank", self.bank_reader, BANK_KEYS),
        ):
            for number, kind, before, after in reader.execute(READ, (self._seen[name],)).fetchall():
                self._seen[name] = int(str(number))
                self.changes += 1
                row = after or before
                self.say(f"{name} {kind} {row[keys[str(kind)]]} {row.get('state')}")  # type: ignore[index, attr-defined]
                self._moved(str(kind), before, after)  # type: ignore[arg-type]
                getattr(self, f"_{name}_{kind}")(before, after)
        touched, self._touched = sorted(self._touched), set()
        for attempt_id in touched:
            self._check_both_sides(self.attempts[attempt_id])
        for payment_id in sorted({self.attempts[attempt_id]["payment_id"] for attempt_id in touched}):
            self._check_payment(self.payments[payment_id])

    def _moved(self, kind: str, before: Row | None, after: Row | None) -> None:
        """Check I7 (moves along the tables only) and the append-only half of I1."""
        if kind == "posting":
            require(before is None, "I1: a posting was changed or deleted")
        if kind not in ALLOWED or after is None:
            return
        if before is None:
            require(after["state"] in FIRST[kind], f"I7: a {kind} began as {after['state']}")
        elif before["state"] != after["state"]:
            move = (before["state"], after["state"])
            require(move in ALLOWED[kind], f"I7: a {kind} went from {move[0]} to {move[1]}")

    def _gateway_payment(self, before: Row | None, after: Row) -> None:
        payment_id = after["payment_id"]
        self.payments[payment_id] = after
        if before and before["state"] != after["state"] and (told := TOLD.get(after["state"])):
            self._owed(told, payment_id)
        if after["attempt_id"] in self.attempts:
            self._touched.add(after["attempt_id"])

    def _owed(self, told: str, payment_id: str) -> None:
        """Check I11: the event is in the same commit, so it is there when all of it has been read."""
        query = b"SELECT 1 FROM webhook_event WHERE type = %s AND payment_id = %s"
        require(self.gateway_reader.execute(query, (told, payment_id)).fetchone(), f"I11: no {told} of {payment_id}")

    def _gateway_attempt(self, before: Row | None, after: Row) -> None:
        self.attempts[after["attempt_id"]] = after
        self._touched.add(after["attempt_id"])
        if before is None:
            self.by_key[key_of(after)] = after["attempt_id"]

    def _gateway_outbox(self, _before: Row | None, after: Row | None) -> None:
        if after is None:
            return
        self.jobs[after["unique_key"]] = after
        if after["topic"].startswith("switch."):
            require(after["dead_at"] is None, f"I11: {after['unique_key']} is dead; only an answer ends it")
            self._touched.add(after["payload"]["attempt_id"])

    def _gateway_posting(self, _before: Row | None, after: Row) -> None:
        require(isinstance(after["amount_rial"], int) and after["amount_rial"] > 0, "I1: not a whole positive sum")
        for side, sign in (("source", -1), ("destination", 1)):
            self.balances[after["payment_id"], after[side].partition(":")[0]] += sign * after["amount_rial"]
        self._touched.add(after["attempt_id"])

    def _bank_card(self, before: Row | None, after: Row) -> None:
        self.cards[after["card_id"]] = after
        require(before is None or before["opened_rial"] == after["opened_rial"], "I1: an opening balance changed")

    def _bank_challenge(self, _before: Row | None, after: Row) -> None:
        self.challenges[after["challenge_id"]] = after
        require(after["wrong_tries"] <= min(TRIES_MOST, after["tries_max"]), "I9: too many wrong tries")

    def _bank_authorisation(self, before: Row | None, after: Row) -> None:
        key, number = key_of(after), after["authorisation_id"]
        self.authorisations[number] = after
        self.at_bank[key] = number
        require(key in self.by_key, f"I5: the bank was asked {key} without a committed intent")
        self._touched.add(self.by_key[key])
        was, now = before and before["state"], after["state"]
        if now == "approved" and was != now:
            self.approved[after["transaction_ref"]] += 1
            require(self.approved[after["transaction_ref"]] == 1, "I2: a payment was debited twice")
            self._check_code(after)
        elif was == "approved" and now != was:
            self.approved[after["transaction_ref"]] -= 1

    def _check_code(self, row: Row) -> None:
        """Check I9: one live code, of this card, payment and amount, pays; by the bank's own clock."""
        challenge = self.challenges.get(row["challenge_id"])
        if challenge is None:
            raise Violated("I9: paid without a code")
        bound = parse_canonical(challenge["canonical"])
        require(challenge["card_id"] == row["card_id"], "I9: another card's code paid")
        require(challenge["transaction_ref"] == row["transaction_ref"], "I9: another payment's code paid")
        require((bound.amount + bound.fee).amount == row["amount_rial"], "I9: a code for another amount paid")
        in_time = _instant(row["decided_at"]) < _instant(challenge["expires_at"])
        require(in_time, "I9: a dead code paid")

    def _bank_posting(self, _before: Row | None, after: Row) -> None:
        for side, sign in (("source", -1), ("destination", 1)):
            self.card_net[after[side]] += sign * after["amount_rial"]
        taken = after["amount_rial"] if after["source"].startswith("card:") else -after["amount_rial"]
        self.taken[after["authorisation_id"]] += taken

    def _check_both_sides(self, attempt: Row) -> None:
        """Check I3, I4 and I6 of one attempt: what the gateway was told is what the bank holds."""
        row = self.authorisations.get(self.at_bank.get(key_of(attempt), 0))
        name, state = attempt["attempt_id"], attempt["state"]
        if row is not None:
            total, taken = row["amount_rial"], self.taken[row["authorisation_id"]]
            require(taken == (total if row["state"] == "approved" else 0), f"I4: {name} is partly reversed")
            require(total == attempt["amount_rial"] + attempt["fee_rial"], f"I3: {name} has another amount")
            card = self.cards.get(row["card_id"])
            net = card and card["opened_rial"] + self.card_net[f"card:{card['card_id']}"]
            require(card is None or card["balance_rial"] == net, f"I1: card {row['card_id']} holds other money")
        held = row is not None and row["state"] == "approved"
        require(not (held and state in MONEY_MAY_BE_GONE), f"I6: {name} is {state}, but the bank holds its money")
        require(held or state != "approved", f"I3: {name} is approved, but the bank holds nothing")
        if state in {"unknown", "voiding", "disputed"}:
            topic = "switch.inquire" if state == "unknown" else "switch.reverse"
            job = self.jobs.get(f"{topic}:{name}")
            require(job and job["done_at"] is None, f"I11: {name} is {state} and nobody works on it")

    def _check_payment(self, row: Row) -> None:
        """Check I3 and I13: the accounts hold what the state says, and kept money was confirmed."""
        state, amount, name = row["state"], row["amount_rial"], row["payment_id"]
        pending, payable, issuer, suspense = (
            self.balances[name, account] for account in ("pending", "payable", "issuer", "suspense")
        )
        fees = self.balances[name, "fees"]
        require(issuer + pending + payable + fees + suspense == 0, f"I1: {name} does not sum to zero")
        require(payable in {0, amount} and pending in {0, amount}, f"I3: {name} holds a part")
        require(not payable or row["confirmed_at"], f"I3: {name} keeps money nobody confirmed")
        require((pending == amount) or state != "authorised", f"I3: {name} is authorised without its money")
        require((payable == amount) or state != "confirmed", f"I13: {name} is confirmed without its money")
        at_rest = state in {"open", "paying", "cancelled", "expired", "reversed", "unknown"}
        require(not at_rest or not (pending or payable), f"I3: {name} is {state} and holds money")

    def check_all(self) -> None:
        """Compare the mirror with the tables themselves (each thousand steps, and at the end)."""
        for attempt in self.attempts.values():
            self._check_both_sides(attempt)
        for payment in self.payments.values():
            self._check_payment(payment)
        queries = (
            (self.gateway_reader, b"SELECT state, count(*) FROM payment GROUP BY 1", self.payments),
            (self.gateway_reader, b"SELECT state, count(*) FROM attempt GROUP BY 1", self.attempts),
            (self.bank_reader, b"SELECT state, count(*) FROM authorisation GROUP BY 1", self.authorisations),
        )
        for reader, query, rows in queries:
            counted: dict[str, int] = defaultdict(int)
            for row in rows.values():
                counted[row["state"]] += 1
            found = {str(state): number for state, number in reader.execute(query).fetchall()}
            require(found == dict(counted), "the books changed behind the record")

    def check_quiet(self) -> None:
        """Check I18: nothing is under way any more."""
        moving = [row["payment_id"] for row in self.payments.values() if row["state"] not in RESTING]
        require(not moving, f"I18: not at rest: {moving[:3]}")
        moving = [row["attempt_id"] for row in self.attempts.values() if row["state"] not in ATTEMPT_ENDS]
        require(not moving, f"I18: not at rest: {moving[:3]}")
        waiting = [key for key, job in self.jobs.items() if not job["done_at"] and not job["dead_at"]]
        require(not waiting, f"I11: never ended: {waiting[:3]}")


def key_of(row: Row) -> tuple[str, ...]:
    """Return what a purchase is called on both sides of the wire."""
    return tuple(str(row[name]) for name in ("acquirer_id", "terminal_id", "stan", "rrn", "local_time"))


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
