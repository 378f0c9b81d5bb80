"""The wires between the organisations: they lose, delay, repeat and garble; what they carry is the real messages."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from sandbox.simulator.calls import BRIEF, LATE, LONG, Calls, Until, never
from sandbox.simulator.coverage import Coverage
from sandbox.simulator.faults import Clock, Crashed, Fuse

FATES: dict[str, int] = {
    "delivered": 58,
    "message lost": 4,
    "answer lost": 5,
    "message arrives long after": 5,
    "message repeated": 5,
    "message slow": 7,
    "answer slow": 10,
    "message garbled": 1,
    "answer garbled": 1,
    "answer with a wrong MAC": 2,
    "not sent": 2,
}
"""What may happen to a question and its answer, and how often on a day like any other, of a hundred."""

PURCHASE_FATES = FATES | {"message slow": 22, "answer slow": 25}
"""Purchases are slow more often: what happens while nobody knows is what most of the rules are about."""

GIVING_FATES = FATES | {"message lost": 12, "answer lost": 16, "message arrives long after": 12}
"""Money that is given, a transfer's or a refund's, is lost more often: it is repeated until somebody answers."""

HANGS: dict[str, int] = {
    "message lost": 30,
    "answer lost": 30,
    "message arrives long after": 20,
    "message slow": 20,
}
"""The same while the issuer hangs."""

GOING_BACK = frozenset({"voiding", "disputed", "voided"})
MOMENTS = ("open", "paying", "authorised", "authorised", "confirmed", "reversing", "disputed", "disputed", "cancelled")
"""States of a payment in which an answer may be heard although its attempt goes back or went."""

WEATHERS = ("hangs", "flaps", "refuses")
FLAP_SECONDS = 7
POINT = 0.02
BANK_DIES = 0.02
HEARD_LATE = 0.7
STILL_SLOW = 0.8
TRANSIT_MOST = 200
TWICE_AT_ONCE = 0.5
T = TypeVar("T")
Watch = Callable[[], tuple[str, str]]


Unheard = Callable[[bytes, bool], None]


class NotSent(Exception):
    """Nobody could be reached: not a byte left."""


def nobody_listens(_answer: bytes, _again: bool) -> None:  # noqa: FBT001 - one of two things said of an answer
    """Be the ear of a wire that ends with its question."""


@dataclass(frozen=True, slots=True)
class Question:
    """A message on its way.

    Args:
        issuer_id: whose wire it goes over.
        at_bank: does the bank's work; told whether the message arrives whole.
        timeout_seconds: how long an answer is waited for.
        fates: what may happen to it on a day like any other.
        purchase: for a purchase, what state its attempt and its payment are in.
        unheard: is given an answer nobody waits for, and whether it came before.
    """

    issuer_id: str
    at_bank: Callable[[bool], bytes | None]
    timeout_seconds: float
    fates: Mapping[str, int] = field(default_factory=FATES.copy)
    purchase: Watch | None = None
    unheard: Unheard = nobody_listens


@dataclass
class Network:
    """What all simulated wires share.

    Args:
        weather: by issuer, what its wires are like; an issuer that is not named is well.
        transit: what is still under way to the bank although nobody waits for it any more.
        lost: answers that reached the gateway when nobody waited for them, to be heard beside the work.
    """

    dice: random.Random
    clock: Clock
    fuses: dict[str, Fuse]
    calls: Calls
    coverage: Coverage
    note: Callable[[str], None] = lambda _: None
    faulty: bool = True
    weather: dict[str, str] = field(default_factory=dict)
    transit: list[Callable[[], object]] = field(default_factory=list)
    lost: list[Callable[[], object]] = field(default_factory=list)

    def saw(self, what: str) -> None:
        """Count something that happened, and write it down."""
        self.coverage.saw(what)
        self.note(what)

    def happens(self, chance: float) -> bool:
        """Tell whether a fault of this chance strikes now."""
        return self.faulty and self.dice.random() < chance

    def point(self, name: str, chance: float = POINT) -> None:
        """Pass a named place of death (the names that the crash points of real processes have)."""
        if self.happens(chance):
            self.saw(name)
            raise Crashed

    def wait(self, patience: Sequence[int] = BRIEF, until: Until = never) -> bool:
        """Let others act for as long as the scheduler likes."""
        return self.faulty and self.calls.wait(patience, until)

    def now(self) -> float:
        """Return a clock that only goes forward, for breakers."""
        return self.clock.seconds

    def carry(self, question: Question) -> bytes | None:
        """Bring a message to the bank by one fate; ``None`` is silence.

        Raises:
            NotSent: nothing left this process.
        """
        purchase = question.purchase
        fate = self._fate(question.issuer_id, PURCHASE_FATES if purchase else question.fates)
        if fate == "not sent":
            raise NotSent
        began = self.clock.seconds
        if fate == "message slow":
            self._hold(purchase, LONG, lambda attempt, _: attempt == "voiding")
        if fate in {"message arrives long after", "message repeated"} and len(self.transit) < TRANSIT_MOST:
            self._send_on(question.issuer_id, lambda: self._arrives(question, again=fate == "message repeated"))
        gone = fate in {"message lost", "message arrives long after"}
        answer = None if gone else self.at_bank(question.issuer_id, lambda: question.at_bank(fate != "message garbled"))
        if fate == "message repeated" and self.dice.random() < TWICE_AT_ONCE:
            self.transit.pop()()
        if fate == "answer slow" or (fate == "message slow" and self.dice.random() < STILL_SLOW):
            late = self.dice.choice(MOMENTS)
            self._hold(purchase, LATE, lambda attempt, payment: attempt in GOING_BACK and payment == late)
        if answer is None or fate == "answer lost":
            self._silence(question.timeout_seconds)
            return None
        if self.clock.seconds - began > question.timeout_seconds:
            return self._late(question, answer)
        return _garbled(answer, fate)

    def _hold(self, purchase: Watch | None, patience: Sequence[int], until: Callable[[str, str], bool]) -> None:
        """Let a message be slow; a purchase's, if it can be, until the worst moment."""
        if purchase is None:
            self.wait()
        else:
            self.wait(patience, lambda: until(*purchase()))

    def _send_on(self, issuer_id: str, message: Callable[[], object]) -> None:
        self.transit.append(lambda: self.at_bank(issuer_id, message))

    def at_bank(self, issuer_id: str, work: Callable[[], T | None]) -> T | None:
        """Let a bank work; its process may die before, in or after its transaction, and then nobody answers."""
        fuse = self.fuses[issuer_id]
        before, lethal = fuse.left, fuse.lethal
        if self.happens(BANK_DIES):
            fuse.left, fuse.lethal = self.dice.randrange(4), self.dice.random() < 0.5  # noqa: PLR2004 - a coin
        try:
            return work()
        except (Crashed, OperationalError):
            self.note("bank died")
            return None
        finally:
            fuse.left, fuse.lethal = before, lethal

    def deliver(self) -> str:
        """Deliver one message that was under way for long, or hear one answer that nobody waits for."""
        if self.lost and (not self.transit or self.dice.random() < 0.5):  # noqa: PLR2004 - a coin
            self.lost.pop(self.dice.randrange(len(self.lost)))()
            return "an answer heard"
        if not self.transit:
            return "none"
        self.transit.pop(self.dice.randrange(len(self.transit)))()
        return "delivered"

    def _arrives(self, question: Question, *, again: bool) -> None:
        answer = question.at_bank(True)  # noqa: FBT003 - the only argument
        if answer is not None:
            question.unheard(answer, again)

    def hangs(self, issuer_id: str) -> bool:
        """Tell whether this issuer gives no answers now."""
        return self.weather.get(issuer_id) in {"hangs", "refuses"}

    def _fate(self, issuer_id: str, usual: Mapping[str, int]) -> str:
        weather = self.weather.get(issuer_id) if self.faulty else "clear"
        if weather == "refuses":
            self.saw("not sent")
            return "not sent"
        flapped = weather == "flaps" and int(self.clock.seconds / FLAP_SECONDS) % 2 == 0
        if flapped:
            self.saw("issuer flapped")
        rows = HANGS if weather == "hangs" or flapped else usual
        fate = self.dice.choices(list(rows), list(rows.values()))[0] if self.faulty else "delivered"
        if fate != "delivered":
            self.saw(fate)
        return fate

    def _silence(self, timeout_seconds: float) -> None:
        """Wait for an answer that never comes: while others act, or while nobody does."""
        if self.dice.random() < 0.3 or not self.wait():  # noqa: PLR2004 - more often somebody acts
            self.clock.seconds += timeout_seconds

    def _late(self, question: Question, answer: bytes) -> bytes | None:
        """Hear an answer after the time-out, as a process does that was stopped meanwhile, or give up before."""
        if self.dice.random() > HEARD_LATE:
            question.unheard(answer, False)  # noqa: FBT003 - it comes for the first time
            return None
        self.saw("answer heard after the time-out")
        return answer


def _garbled(answer: bytes, fate: str) -> bytes:
    if fate == "answer garbled":
        return bytes([answer[0], answer[1] ^ 1, *answer[2:]])
    if fate == "answer with a wrong MAC":
        return bytes([*answer[:-1], answer[-1] ^ 1])
    return answer
