"""Keeps the memory of all books: reads every committed change, and has each judged as it comes.

Triggers of the simulated databases record each row's before and after, so a step costs one query per database that was
used in it, and no state between two steps escapes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from gateway.domain.attempt import ENDS as ATTEMPT_ENDS
from gateway.domain.payment import PaymentEvent, PaymentState
from gateway.domain.refund import ENDS as REFUND_ENDS
from gateway.domain.refund import MACHINE as REFUND
from gateway.domain.transfer import CREDIT
from sandbox.simulator import invariants, keeping, legs, telling
from sandbox.simulator.check import require
from sandbox.simulator.faults import SimulatedDatabase
from sandbox.simulator.memory import Key, Memory, Row, key_of

READ = b"SELECT number, kind, before, after FROM simulator_change WHERE number > %s ORDER BY number"
EVENTS = frozenset(map(str, PaymentEvent))
SAME_STATE_APPROVAL = frozenset({"voiding", "disputed", "voided"})
REFUND_EVENTS = {(str(row.before), str(row.after)): str(row.event) for row in REFUND.transitions if row.before}
CREDIT_EVENTS = {(str(row.before), str(row.after)): str(row.event) for row in CREDIT.transitions if row.before}
ATTEMPT_EVENTS = {
    "approved": "switch_approved",
    "declined": "switch_declined",
    "unknown": "no_answer",
    "voiding": "reversal_decided",
    "voided": "reversal_accepted",
    "disputed": "reversal_overdue",
    "stood": "reversal_impossible",
}
CHALLENGE_EVENTS = {
    "consumed": "code_matched",
    "locked": "last_try_mismatched",
    "expired": "lifetime_elapsed",
    "superseded": "newer_issued",
}
COUNTED = {
    "payment": "SELECT state, count(*) FROM payment GROUP BY 1",
    "attempt": "SELECT state, count(*) FROM attempt GROUP BY 1",
    "authorisation": "SELECT state, count(*) FROM authorisation GROUP BY 1",
}
HEX = "\\x"
"""How PostgreSQL writes bytes begins."""

AT_GATEWAY = frozenset({"payment", "attempt"})


@dataclass
class Source:
    """One organisation's database: who writes it, and who reads what was written."""

    name: str
    database: SimulatedDatabase
    reader: psycopg.Connection[tuple[Any, ...]]
    seen: int = 0


@dataclass
class Mirror(Memory):
    """The memory, and how it is kept."""

    sources: tuple[Source, ...] = ()
    changes: int = 0
    _was: dict[str, str] = field(default_factory=dict)
    _digest: Any = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        """Name the whole history: equal digests are equal histories."""
        return str(self._digest.hexdigest())

    def say(self, line: str) -> None:
        """Add a line to the history's digest."""
        self._digest.update(line.encode())

    def observe(self, step: int, now: dt.datetime) -> None:
        """Read what was committed since the last look, and check everything it touched."""
        self.step, self.now = step, now
        for source in self.sources:
            if source.database.used:
                source.database.used = False
                self._read(source)
        invariants.check_ages(self)
        invariants.check_alarms(self)
        touched, self.touched = sorted(self.touched), set()
        for attempt_id in touched:
            invariants.check_both_sides(self, self.attempts[attempt_id])
        for payment_id in sorted({self.attempts[attempt_id]["payment_id"] for attempt_id in touched}):
            invariants.check_payment(self, self.payments[payment_id])

    def _read(self, source: Source) -> None:
        handlers = self._handlers(source.name)
        for number, kind, before, after in source.reader.execute(READ, (source.seen,)).fetchall():
            source.seen = number
            self.changes += 1
            row = after or before
            self.say(f"{source.name} {kind} {row}")
            invariants.check_move(kind, before, after)
            if after is not None:
                handlers[kind](before, after)
            elif kind == "webhook_delivery":
                telling.note_forgotten(self, before)
        telling.check_commit(self)

    def _handlers(self, organisation: str) -> dict[str, Callable[[Row | None, Row], None]]:
        if organisation == "gateway":
            return {
                "payment": self._payment,
                "payment_event": self._event,
                "attempt": self._attempt,
                "transfer": self._transfer,
                "refund": self._refund,
                "settlement_line": self._line,
                "clearing_file": self._file,
                "bill": lambda _, after: invariants.check_claim(self, after),
                "outbox": self._job,
                "posting": self._posting,
                "webhook_endpoint": lambda before, after: telling.note_endpoint(self, before, after),
                "webhook_event": lambda _, after: telling.note_event(self, after),
                "webhook_delivery": lambda before, after: telling.note_delivery(self, before, after),
            }
        return {
            "card": self._card,
            "challenge": self._challenge,
            "authorisation": lambda before, after: self._authorisation(before, after | {"bank": organisation}),
            "outbox": partial(self._bank_job, organisation),
            "posting": self._bank_posting,
        }

    def _payment(self, before: Row | None, after: Row) -> None:
        payment_id = after["payment_id"]
        self.payments[payment_id] = after
        self.states[payment_id].add(after["state"])
        self._was[payment_id] = before["state"] if before else ""
        told = after["state"] != "authorised" or after["kind"] != legs.TRANSFER
        if before and before["state"] != after["state"] and told:
            telling.check_owed(self.sources[0].reader, after)
        if after["attempt_id"] in self.attempts:
            self.touched.add(after["attempt_id"])

    def _event(self, _before: Row | None, after: Row) -> None:
        """Judge a move by its event; a late approval leaves the payment's row alone."""
        event, payment_id = after["event"], after["payment_id"]
        if event not in EVENTS or event == PaymentEvent.OPENED:
            return
        late = event == PaymentEvent.LATE_APPROVAL
        was = self.payments[payment_id]["state"] if late else self._was[payment_id]
        invariants.check_event(was, event, after["state"])
        self.coverage.moved("payment", was, event)
        if late:
            self.coverage.saw("late approval recorded")
        if event == PaymentEvent.CONFIRM_WINDOW_ELAPSED:
            self.coverage.saw("not confirmed in time")
        if event == PaymentEvent.REVERSAL_OVERDUE:
            self.coverage.saw("reversal overdue")

    def _attempt(self, before: Row | None, after: Row) -> None:
        name, state = after["attempt_id"], after["state"]
        self.attempts[name] = after
        self.touched.add(name)
        if before is None:
            self.by_key[key_of(after)] = name
        elif before["state"] != state:
            late = before["state"] == "declined"
            self.coverage.moved("attempt", before["state"], "switch_approved" if late else ATTEMPT_EVENTS[state])
        elif state in SAME_STATE_APPROVAL:
            self.coverage.moved("attempt", state, "switch_approved")
        waited = self.step - self.since.setdefault(name, self.step)
        self.oldest = max(self.oldest, waited)
        if before and before["state"] in invariants.UNDECIDED and state not in invariants.UNDECIDED:
            self.longest_unknown = max(self.longest_unknown, waited)
        if state in ATTEMPT_ENDS:
            self.since.pop(name)

    def _transfer(self, before: Row | None, after: Row) -> None:
        payment_id, credit = after["payment_id"], after["credit"]
        self.transfers[payment_id] = after
        if before is None or before["credit"] == credit:
            return
        event = CREDIT_EVENTS.get((before["credit"], credit), "debit_approved")
        self.coverage.moved("credit", before["credit"], event)
        self.coverage.saw(f"credit: {event}")
        attempt = self.attempts[self.payments[payment_id]["attempt_id"]]
        self.credits[key_of(attempt | {name: after[name] for name in ("stan", "rrn", "local_time")})] = payment_id
        self.touched.add(attempt["attempt_id"])
        if credit in legs.UNDER_WAY:
            self.credit_since.setdefault(payment_id, self.step)
        else:
            self.credit_since.pop(payment_id)

    def _refund(self, before: Row | None, after: Row) -> None:
        number, state = after["number"], after["state"]
        self.refunds[number] = after
        self.touched.add(after["attempt_id"])
        if after["stan"]:
            self.refund_keys[key_of(after)] = number
        if before is None or before["state"] == state:
            return
        event = REFUND_EVENTS[before["state"], state]
        self.coverage.moved("refund", before["state"], event)
        self.coverage.saw(f"refund: {event}")
        if state == "sent":
            self.refund_since[number] = self.step
        elif state in REFUND_ENDS:
            self.refund_since.pop(number, None)

    def _line(self, before: Row | None, after: Row) -> None:
        keeping.check_line(self, before, after)
        self.touched.add(self.payments[after["payment_id"]]["attempt_id"])

    def _file(self, _: Row | None, after: Row) -> None:
        told, doubted = self.written[after["sha256"].removeprefix(HEX)]
        self.told |= told
        self.doubted |= doubted

    def _job(self, before: Row | None, after: Row) -> None:
        self.jobs[after["unique_key"]] = after
        self._wait("gateway", before, after)
        invariants.check_job(after)
        if "attempt_id" in after["payload"]:
            self.touched.add(after["payload"]["attempt_id"])

    def _posting(self, _before: Row | None, after: Row) -> None:
        require(isinstance(after["amount_rial"], int) and after["amount_rial"] > 0, "I1: not a whole positive sum")
        for side, sign in (("source", -1), ("destination", 1)):
            self.balances[after["payment_id"], after[side].partition(":")[0]] += sign * after["amount_rial"]
            self.accounts[after[side]] += sign * after["amount_rial"]
        keeping.check_floor(self, after["source"])
        self.touched.add(after["attempt_id"])

    def _card(self, before: Row | None, after: Row) -> None:
        self.cards[after["card_id"]] = after
        require(before is None or before["opened_rial"] == after["opened_rial"], "I1: an opening balance changed")

    def _challenge(self, before: Row | None, after: Row) -> None:
        self.challenges[after["challenge_id"]] = after
        self.wrong_tries[after["transaction_ref"]][after["challenge_id"]] = after["wrong_tries"]
        invariants.check_tries(self, after)
        if before is None:
            return
        if before["state"] != after["state"]:
            self.coverage.moved("challenge", before["state"], CHALLENGE_EVENTS[after["state"]])
        elif before["resends"] != after["resends"]:
            self.coverage.moved("challenge", "issued", "resent")
        elif before["wrong_tries"] != after["wrong_tries"]:
            self.coverage.moved("challenge", "issued", "code_mismatched")
        if after["delivery"] == "dropped" != before["delivery"]:
            self.coverage.saw("sms dropped")

    def _bank_job(self, organisation: str, before: Row | None, after: Row) -> None:
        self.bank_jobs[after["id"]] = after
        self._wait(organisation, before, after)

    def _wait(self, organisation: str, before: Row | None, after: Row) -> None:
        for job, sign in ((before, -1), (after, 1)):
            if job and not job["done_at"] and not job["dead_at"]:
                self.waiting[organisation, job["topic"]] += sign

    def _authorisation(self, before: Row | None, after: Row) -> None:
        key, number = key_of(after), after["authorisation_id"]
        self.authorisations[number] = after
        self.at_bank[key] = number
        transfer, refund = self.credits.get(key), self.refunds.get(self.refund_keys.get(key, 0))
        attempt_id = self._attempt_behind(key, transfer, refund)
        require(attempt_id, f"I5: the bank was asked {key} without a committed intent")
        self.touched.add(str(attempt_id))
        was, now = before and before["state"], after["state"]
        if now == "tombstone":
            self.coverage.saw("tombstone before the purchase")
        if after["reason"] and was != now:
            self.coverage.saw(f"bank: {after['reason']}")
        if after["reversal_refused"] and not (before or {}).get("reversal_refused"):
            self.coverage.saw("money spent before it could be taken back")
        if transfer and now == "approved":
            legs.check_credit(self, after, transfer)
        elif refund and now == "approved":
            keeping.check_return(self, after, refund)
            invariants.give_bill_back(self, refund)
        elif not transfer and not refund:
            self._debit(after, str(was), now)

    def _attempt_behind(self, key: Key, transfer: str | None, refund: Row | None) -> str | None:
        """Return the attempt that a message is about: its own, or that of the payment whose money is given."""
        given = self.payments[transfer] if transfer else refund
        return str(given["attempt_id"]) if given else self.by_key.get(key)

    def _debit(self, row: Row, was: str, now: str) -> None:
        if now == "approved" and was != now:
            self.approved[row["transaction_ref"]] += 1
            invariants.check_debit(self, row)
            invariants.check_bills(self, row)
        elif was == "approved" and now != was:
            self.approved[row["transaction_ref"]] -= 1
            invariants.forget_bills(self, row)

    def _bank_posting(self, _before: Row | None, after: Row) -> None:
        for side, sign in (("source", -1), ("destination", 1)):
            self.card_net[after[side]] += sign * after["amount_rial"]
            self.booked[after["authorisation_id"]][after[side]] += sign * after["amount_rial"]
        row = self.authorisations.get(after["authorisation_id"], {})
        twice = row.get("card_id") and -self.moved(row, "card_id") > row["amount_rial"]
        require(not twice, f"I2: authorisation {row.get('authorisation_id')} debited twice")

    def check_all(self) -> None:
        """Check everything again, and compare the memory with the tables (each thousand steps, and at the end)."""
        for attempt in self.attempts.values():
            invariants.check_both_sides(self, attempt)
        for payment in self.payments.values():
            invariants.check_payment(self, payment)
        rows = {"payment": self.payments, "attempt": self.attempts, "authorisation": self.authorisations}
        counted = {name: Counter(row["state"] for row in table.values()) for name, table in rows.items()}  # type: ignore[attr-defined]  # one of three dicts
        found: dict[str, Counter[str]] = {name: Counter() for name in rows}
        for source in self.sources:
            for name, query in COUNTED.items():
                if (name in AT_GATEWAY) is (source.name == "gateway"):
                    found[name] += Counter(dict(source.reader.execute(query.encode()).fetchall()))
        require(found == counted, "the books changed behind the record")

    def check_rest(self) -> None:
        """Check what holds when everything has come to rest."""
        legs.check_clearing(self)
        for name, _ in self.paid_out:
            row = self.authorisation_of(self.attempts[self.payments[name]["attempt_id"]])
            require(
                row and row["state"] == "approved",
                f"I14: {name} is paid out, and its bank holds nothing",
            )

    def state(self, payment_id: str) -> str:
        """Say where a payment stands."""
        return str(self.payments.get(payment_id, {}).get("state", PaymentState.OPEN))

    def stands(self, key: Key) -> tuple[str, str]:
        """Say where an attempt and its payment stand."""
        attempt = self.attempt_at(key)
        return str(attempt.get("state")), self.state(attempt.get("payment_id", ""))
