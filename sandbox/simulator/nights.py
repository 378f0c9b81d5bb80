"""Days end: banks write what they captured, some of their files are wrong, and the gateway compares and pays out."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from foundation.persian import TEHRAN
from gateway.domain.clearing import Key
from gateway.domain.errors import RefusedRow
from gateway.services import approve, ibans
from gateway.services.gateway import Gateway
from gateway.services.reconcile import Imported, import_file
from otp.services.bank import Bank
from otp.services.clearing import export
from sandbox.simulator.bills import BILLER_ID
from sandbox.simulator.check import require
from sandbox.simulator.faults import BEGIN
from sandbox.simulator.memory import instant
from sandbox.simulator.mirror import Mirror
from sandbox.simulator.network import Network
from sandbox.world import ACQUIRER_ID, MERCHANT_ID

IBAN = "IR062960000000100324200001"
MAKER, CHECKER, REASON = "sara", "ali", "letter of the merchant"
HONEST = 0.3
BEHIND_MOST = 30
"""Days that the clerks may be late: a file of 35 days ago is compared no more (D9)."""

HOUR_OF_FILES = dt.timedelta(minutes=20)
LISTED_AFTER = dt.timedelta(hours=1)
"""How long past its deadline a second leg is listed beside its debit's line (D7)."""

PAID_OUT = frozenset({"PURCHASE", "BILL_PAYMENT"})
NO_REVERSAL_AFTER = dt.timedelta(hours=1)
WRONG = {
    "missing_there": 3,
    "amount_differs": 3,
    "duplicate": 3,
    "missing_here": 3,
    "reversed_there": 3,
}
"""What is planted into a file: the difference that the gateway must find."""


@dataclass
class File:
    """A bank's file on its way to the gateway, and what is wrong with it."""

    issuer_id: str
    day: dt.date
    content: bytes
    planted: Counter[str]


@dataclass
class Nights:
    """The banks' clerks and the gateway's.

    Args:
        next_day: by bank, the next capture date that it has written no file of.
        sent: files that the gateway has not read yet.
    """

    dice: random.Random
    network: Network
    gateway: Gateway
    banks: dict[str, Bank]
    mirror: Mirror
    next_day: dict[str, dt.date] = field(default_factory=dict)
    sent: list[File] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.next_day = dict.fromkeys(self.banks, BEGIN.astimezone(TEHRAN).date())

    def enrol(self) -> None:
        """Have the accounts of merchant and biller approved by two people."""
        for merchant_id in (MERCHANT_ID, BILLER_ID):
            request = ibans.add_iban(self.gateway, merchant_id, IBAN, parts=1, by=MAKER, reason=REASON)
            approve.approve(self.gateway, request, by=CHECKER)

    def end_day(self) -> str:
        """Let the time go on to a little after midnight in Tehran, unless clerks are late: then they work first."""
        now = self.network.clock.now("nobody").astimezone(TEHRAN)
        if (now.date() - min(*self.next_day.values(), *(file.day for file in self.sent))).days >= BEHIND_MOST:
            return self.work()
        midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), TEHRAN)
        self.network.clock.seconds += (midnight + HOUR_OF_FILES - now).total_seconds()
        return str(now.date())

    def work(self, *, honest: bool = False) -> str:
        """Let a bank write the file of a day that is over, or the gateway read one."""
        if self.sent and (honest or self.dice.random() < 0.7):  # noqa: PLR2004 - they are read soon
            return self._read(self.dice.choice(self.sent))
        today = (self.network.clock.now("nobody").astimezone(TEHRAN) - HOUR_OF_FILES).date()
        due = [name for name, day in self.next_day.items() if day < today]
        return self._write(self.dice.choice(due), honest=honest) if due else "no day is over"

    def catch_up(self) -> None:
        """Write and read every file that is due, as they are."""
        while self.sent or self.work(honest=True) != "no day is over":
            if self.sent:
                self._read(self.sent[0])

    def _write(self, name: str, *, honest: bool) -> str:
        day = self.next_day[name]
        content = export(self.banks[name], ACQUIRER_ID, day)
        self.sent.append(self._changed(name, day, content, honest=honest))
        self.next_day[name] = day + dt.timedelta(days=1)
        return f"{name} wrote {day}: {dict(self.sent[-1].planted)}"

    def _read(self, file: File) -> str:
        if self.network.happens(0.2):
            self._refused(file)
        done = import_file(self.gateway, file.issuer_id, file.content)
        self.sent.remove(file)
        self._judge(file, done)
        return f"{file.issuer_id} {file.day}: {dict(done.verdicts)} {dict(done.differences)}"

    def _refused(self, file: File) -> None:
        """Check F31: a file that is cut is read by nobody."""
        try:
            import_file(self.gateway, file.issuer_id, file.content[: self.dice.randrange(len(file.content))])
        except RefusedRow:
            self.network.saw("file cut")
            return
        require(False, "I14: a cut file was read")  # noqa: FBT003 - it was not refused

    def _judge(self, file: File, done: Imported) -> None:
        """Check I14: what is wrong with a file is found, each by its name, and nothing else but overdue credits."""
        found = Counter(done.differences)
        if not done.again:
            wrong = file.planted - found or found - file.planted - self._long_overdue()
            require(not wrong, f"I14: {dict(file.planted)} became {dict(found)}")
        for name in file.planted:
            self.network.saw("file told otherwise")
            self.network.saw(f"file: {name}")

    def _long_overdue(self) -> Counter[str]:
        """Count the transfers that a file's reading lists for their age: time goes on while a bank is silent (D7)."""
        since = self.network.clock.now("gateway") - LISTED_AFTER
        waiting = [each for each in self.mirror.transfers.values() if each["credit"] in {"owed", "reversing"}]
        return Counter(debit_without_credit=sum(instant(each["deadline_at"]) < since for each in waiting))

    def _changed(self, name: str, day: dt.date, content: str, *, honest: bool) -> File:
        """Tell one approved purchase of a file otherwise than it was, if it has one."""
        head, columns, *lines = content.splitlines()[:-1]
        fitting = [number for number, line in enumerate(lines) if self._approved(line)]
        told = {self._attempt(line) for line in lines if line.endswith(",approved")}
        planted, doubted = Counter[str](), set[str]()
        if fitting and not honest and self.dice.random() > HONEST:
            what, at = self.dice.choices(list(WRONG), list(WRONG.values()))[0], self.dice.choice(fitting)
            planted[what] += 1
            if what != "missing_here":
                doubted.add(self._attempt(lines[at]))
            _CHANGES[what](lines, at)
        written = _written(head, columns, lines)
        self.mirror.written[hashlib.sha256(written).hexdigest()] = frozenset(told), frozenset(doubted)
        return File(name, day, written, planted)

    def _approved(self, line: str) -> bool:
        """Tell whether a line is a purchase that is approved on both sides, for good."""
        attempt = self.mirror.attempts.get(self._attempt(line), {})
        payment = self.mirror.payments.get(attempt.get("payment_id", ""), {})
        if attempt.get("state") != "approved" or payment.get("state") not in {"confirmed", "settled"}:
            return False
        for_good = self.mirror.now - instant(payment["confirmed_at"]) > NO_REVERSAL_AFTER
        return for_good and payment["kind"] in PAID_OUT and ",purchase," in line

    def _attempt(self, line: str) -> str:
        return self.mirror.by_key.get(tuple(Key(*line.split(",")[:5])), "")


def _more(lines: list[str], at: int) -> None:
    parts = lines[at].split(",")
    lines[at] = ",".join((*parts[:6], str(int(parts[6]) + 1), *parts[7:]))


def _stranger(lines: list[str], at: int) -> None:
    parts = lines[at].split(",")
    lines.append(",".join((*parts[:3], "9" * 12, *parts[4:])))


def _dropped(lines: list[str], at: int) -> None:
    del lines[at]


def _twice(lines: list[str], at: int) -> None:
    lines.append(lines[at])


def _undone(lines: list[str], at: int) -> None:
    lines[at] = lines[at].replace(",approved", ",reversed")


_CHANGES: dict[str, Callable[[list[str], int], None]] = {
    "missing_there": _dropped,
    "amount_differs": _more,
    "duplicate": _twice,
    "missing_here": _stranger,
    "reversed_there": _undone,
}


def _written(head: str, columns: str, lines: list[str]) -> bytes:
    body = "".join(f"{line}\n" for line in (head, columns, *lines))
    total = sum(int(line.split(",")[6]) for line in lines)
    return f"{body}trailer,{len(lines)},{total},{hashlib.sha256(body.encode()).hexdigest()}\n".encode()
