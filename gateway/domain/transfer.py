"""Card to card: how much, how often, at what fee; and the second leg, which gives the money to another bank (D7).

The first leg is an ordinary attempt. Within one bank it is the whole transfer; between two banks its approval owes a
credit, sent under one key again and again until its answer is explicit. Past its deadline the credit is taken back
instead, and only "reversed" or "never received" lets the first leg be undone; "cannot be reversed" means complete.

>>> transfer_fee(Rial(50_000_000), dt.date(2026, 1, 1))
Rial(18400)
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from foundation.machine import Machine, Transition
from foundation.rial import Rial

STEP_RIAL = 10_000_000
"""Fees grow with each started ten million rials."""

HOLDER_FRESH_SECONDS = 900
"""How long the name of a destination's holder is believed."""

DESTINATION_KEPT_DAYS = 180
"""How long a saved destination is kept after it was used last."""

CARD_WORD = "کارت"
_NOTHING = Rial(0)


@dataclass(frozen=True, slots=True)
class FeeRow:
    """From ``since`` on a transfer costs ``first``, and ``further`` for each further started ten million rials."""

    since: dt.date
    first: Rial
    further: Rial


FEES: tuple[FeeRow, ...] = (
    FeeRow(dt.date(2020, 11, 21), Rial(6_000), Rial(2_400)),
    FeeRow(dt.date(2023, 6, 11), Rial(7_200), Rial(2_800)),
)
"""The central bank's tariffs of 1399-09-01 and 1402-03-21 for transfers between two banks; paid by the sender."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """From ``since`` on: the least and the most of one transfer, and what a card may send in a Tehran day.

    Args:
        to_one_card: how many times a day to the same destination.
    """

    since: dt.date
    least: Rial
    most: Rial
    day_most: Rial
    day_count: int
    to_one_card: int


LIMITS: tuple[LimitRow, ...] = (
    LimitRow(dt.date(2021, 1, 19), Rial(10_000), Rial(30_000_000), Rial(100_000_000), 20, 3),
    LimitRow(dt.date(2024, 3, 20), Rial(10_000), Rial(50_000_000), Rial(100_000_000), 20, 3),
)
"""As payment apps and banks announced them; amounts leave fees out."""


@dataclass(frozen=True, slots=True)
class DaySoFar:
    """What a card has sent since midnight in Tehran: how much, how often, and how often to this destination."""

    sent: Rial = _NOTHING
    count: int = 0
    to_destination: int = 0


@dataclass(frozen=True, slots=True)
class Consent:
    """What the sender's page showed when it was sent: which naming of the payee, and that its name was checked.

    Args:
        naming: the transfer's reference as the page had it; a payee named anew has another one.
        checked: the sender ticked that the name is the right one.
    """

    naming: str = ""
    checked: bool = False


class Limit(StrEnum):
    """Which limit a transfer is outside of."""

    LEAST = "least"
    MOST = "most"
    DAY = "day"
    COUNT = "count"
    DESTINATION = "destination"


class Credit(StrEnum):
    """Where the second leg stands."""

    NONE = "none"
    OWED = "owed"
    REVERSING = "reversing"
    GIVEN = "given"
    REFUSED = "refused"
    REVERSED = "reversed"


class CreditEvent(StrEnum):
    """What can happen to it."""

    DEBIT_APPROVED = "debit_approved"
    GIVEN = "given"
    REFUSED = "refused"
    DEADLINE_PASSED = "deadline_passed"
    TAKEN_BACK = "taken_back"
    CANNOT_BE_TAKEN_BACK = "cannot_be_taken_back"


_S, _E = Credit, CreditEvent

CREDIT = Machine(
    (
        Transition(None, _E.DEBIT_APPROVED, _S.OWED),
        Transition(_S.OWED, _E.GIVEN, _S.GIVEN),
        Transition(_S.OWED, _E.REFUSED, _S.REFUSED),
        Transition(_S.OWED, _E.DEADLINE_PASSED, _S.REVERSING),
        Transition(_S.REVERSING, _E.TAKEN_BACK, _S.REVERSED),
        Transition(_S.REVERSING, _E.CANNOT_BE_TAKEN_BACK, _S.GIVEN),
    )
)
"""A credit whose reversal is decided is never sent again, and no later approval of it counts (D2)."""

_Row = TypeVar("_Row", FeeRow, LimitRow)


def transfer_fee(amount: Rial, day: dt.date, *, inside: bool = False, table: tuple[FeeRow, ...] = FEES) -> Rial:
    """Return what the sender pays on top; nothing within one bank, and nothing before the first row."""
    row = _in_force(table, day)
    if row is None or inside:
        return _NOTHING
    further = max(0, amount.amount - 1) // STEP_RIAL
    return Rial(row.first.amount + further * row.further.amount)


def limits_on(day: dt.date, table: tuple[LimitRow, ...] = LIMITS) -> LimitRow:
    """Return the limits in force on ``day``; before the first row that one."""
    return _in_force(table, day) or table[0]


def outside(amount: Rial, so_far: DaySoFar, limits: LimitRow) -> Limit | None:
    """Say which limit a transfer of ``amount`` is outside of, if any."""
    rows = (
        (amount < limits.least, Limit.LEAST),
        (amount > limits.most, Limit.MOST),
        (so_far.sent + amount > limits.day_most, Limit.DAY),
        (so_far.count >= limits.day_count, Limit.COUNT),
        (so_far.to_destination >= limits.to_one_card, Limit.DESTINATION),
    )
    return next((limit for holds, limit in rows if holds), None)


def card_name(last_four: str) -> str:
    """Return what a destination is called in the binding and the SMS: its last digits, apart (D25).

    >>> card_name("4719")
    'کارت 4 7 1 9'
    """
    return f"{CARD_WORD} {' '.join(last_four)}"


def masked_name(told: str) -> str:
    """Return a holder's name as strangers may see it, whatever its bank told; masking twice changes nothing (D28).

    >>> masked_name("م*** ر***"), masked_name("مریم رضایی")
    ('م*** ر***', 'م*** ر***')
    """
    return " ".join(f"{word[0]}***" for word in told.split())


def _in_force(table: tuple[_Row, ...], day: dt.date) -> _Row | None:
    rows = [row for row in table if row.since <= day]
    return max(rows, key=lambda row: row.since) if rows else None
