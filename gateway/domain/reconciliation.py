"""Our books beside the bank's: each line matches, waits for money that is under way, or is a listed exception (I14).

A transfer between two banks is compared with the files of both: its debit with the one's, its credit with the other's.
Nothing here moves money. An exception names both sides and exactly one thing to do; two people decide about it (D35).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.attempt import AttemptState
from gateway.domain.clearing import APPROVED, CREDIT, PURCHASE, BankLine, Key
from gateway.domain.refund import RefundState
from gateway.domain.transfer import Credit


class Difference(StrEnum):
    """How two books differ about one movement."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT_DIFFERS = "amount_differs"
    DUPLICATE = "duplicate"
    REVERSED_HERE = "reversed_here"
    REVERSED_THERE = "reversed_there"
    CREDIT_WITHOUT_DEBIT = "credit_without_debit"
    CREDIT_MISSING_THERE = "credit_missing_there"
    CREDIT_REVERSED_THERE = "credit_reversed_there"
    DEBIT_WITHOUT_CREDIT = "debit_without_credit"


MEANS: dict[Difference, str] = {
    Difference.MISSING_HERE: "the bank moved money for an attempt that took none here, or that is not here",
    Difference.MISSING_THERE: "an attempt was approved here and is not in the bank's file",
    Difference.AMOUNT_DIFFERS: "both sides moved money, but not the same",
    Difference.DUPLICATE: "the bank tells one movement twice",
    Difference.REVERSED_HERE: "given back here; the bank's books keep the debit",
    Difference.REVERSED_THERE: "kept here; the bank gave the money back",
    Difference.CREDIT_WITHOUT_DEBIT: "the bank gave a card money that nobody has paid for here, or not any more",
    Difference.CREDIT_MISSING_THERE: "a credit was given here and is not in the bank's file",
    Difference.CREDIT_REVERSED_THERE: "a credit stands here; the bank has taken it back",
    Difference.DEBIT_WITHOUT_CREDIT: "the source's bank keeps the debit; past its deadline nobody has given the credit",
}
PROPOSES: dict[Difference, str] = {
    Difference.MISSING_HERE: "ask the bank to give the money back to the card, and for its confirmation",
    Difference.MISSING_THERE: "ask the bank whether it captured this message; do not settle it before it says so",
    Difference.AMOUNT_DIFFERS: "ask the bank for its message, and settle what both sides agree on",
    Difference.DUPLICATE: "ask the bank whether it moved the money twice; if so it undoes one",
    Difference.REVERSED_HERE: "ask the bank to give the money back to the card now: it said that it had",
    Difference.REVERSED_THERE: "do not settle this payment; ask the bank on whose word it gave the money back",
    Difference.CREDIT_WITHOUT_DEBIT: "ask the bank to take the credit back from the card, and for its confirmation",
    Difference.CREDIT_MISSING_THERE: "ask the bank to book the credit that it said yes to; keep the debit meanwhile",
    Difference.CREDIT_REVERSED_THERE: "ask the bank on whose word it took the credit back, and to give it again",
    Difference.DEBIT_WITHOUT_CREDIT: "ask the destination's bank for the credit's state; its no frees the debit",
}
"""Exactly one thing to do about each."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the differences of one side's movements are called."""

    missing_here: Difference
    missing_there: Difference
    reversed_here: Difference
    reversed_there: Difference


OF_DEBITS = Names(
    Difference.MISSING_HERE, Difference.MISSING_THERE, Difference.REVERSED_HERE, Difference.REVERSED_THERE
)
OF_CREDITS = Names(
    Difference.CREDIT_WITHOUT_DEBIT,
    Difference.CREDIT_MISSING_THERE,
    Difference.CREDIT_WITHOUT_DEBIT,
    Difference.CREDIT_REVERSED_THERE,
)
"""A credit that is refused or taken back here has its debit given back, so one that stands there is paid by nobody."""


class Standing(StrEnum):
    """What became of a movement in our books."""

    UNDER_WAY = "under_way"
    KEPT = "kept"
    NEVER = "never"
    UNDONE = "undone"


State = AttemptState | Credit | RefundState

STANDING: dict[State, Standing] = {
    AttemptState.SUBMITTED: Standing.UNDER_WAY,
    AttemptState.UNKNOWN: Standing.UNDER_WAY,
    AttemptState.APPROVED: Standing.KEPT,
    AttemptState.DECLINED: Standing.NEVER,
    AttemptState.VOIDING: Standing.UNDER_WAY,
    AttemptState.DISPUTED: Standing.UNDER_WAY,
    AttemptState.VOIDED: Standing.UNDONE,
    AttemptState.STOOD: Standing.KEPT,
    Credit.OWED: Standing.UNDER_WAY,
    Credit.REVERSING: Standing.UNDER_WAY,
    Credit.GIVEN: Standing.KEPT,
    Credit.REFUSED: Standing.NEVER,
    Credit.REVERSED: Standing.UNDONE,
    RefundState.REQUESTED: Standing.UNDER_WAY,
    RefundState.SENT: Standing.UNDER_WAY,
    RefundState.UNKNOWN: Standing.UNDER_WAY,
    RefundState.DONE: Standing.KEPT,
    RefundState.REFUSED: Standing.NEVER,
}
"""Of attempts, credits of transfers and refunds; one that has no message yet is in nobody's file."""


def at_rest(states: Iterable[State]) -> list[State]:
    """Return those of ``states`` that are somebody's last word."""
    return [state for state in states if STANDING.get(state, Standing.UNDER_WAY) is not Standing.UNDER_WAY]


class Verdict(StrEnum):
    """What became of one line of the bank's."""

    MATCHED = "matched"
    UNDER_WAY = "under_way"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class Ours:
    """An attempt, the credit of a transfer or a refund as our books have it.

    Args:
        attempt_id: of a credit that of its debit, of a refund that of what it gives back.
        state: of the attempt, credit or refund.
        total_rial: what its message moves: of an attempt amount and the cardholder's fee.
        reversed_on: the day in Tehran on which its reversal was accepted; of the last minutes of a day, the next.
        gives: it gives a card money.
    """

    attempt_id: str
    key: Key
    state: State
    total_rial: int
    reversed_on: dt.date | None = None
    gives: bool = False

    @property
    def standing(self) -> Standing:
        """What became of it."""
        return STANDING[self.state]

    @property
    def names(self) -> Names:
        """What its differences are called."""
        return OF_CREDITS if self.gives else OF_DEBITS


@dataclass(frozen=True, slots=True)
class Judged:
    """A line with its verdict; ``difference`` where it is an exception."""

    line: BankLine
    attempt_id: str | None
    verdict: Verdict
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A movement of ours that the bank's file should name and does not."""

    ours: Ours
    difference: Difference


def judge(line: BankLine, ours: Ours | None, day: dt.date) -> Judged:
    """Compare one line of the file of ``day`` with our movement of that key, as it stands now."""
    if ours is None or ours.gives != line.gives:
        names = OF_CREDITS if line.gives else OF_DEBITS
        return Judged(line, None, Verdict.EXCEPTION, names.missing_here)
    if ours.standing is Standing.UNDER_WAY:
        return Judged(line, ours.attempt_id, Verdict.UNDER_WAY)
    difference = _difference(line, ours, day)
    verdict = Verdict.MATCHED if difference is None else Verdict.EXCEPTION
    return Judged(line, ours.attempt_id, verdict, difference)


def judge_all(
    lines: Iterable[BankLine],
    ours: Mapping[Key, Ours],
    day: dt.date,
    told_before: AbstractSet[tuple[Key, str]] = frozenset(),
) -> list[Judged]:
    """Compare every line; one that repeats key and kind, here or in a file before, is a duplicate."""
    told = set(told_before)
    judged = []
    for line in lines:
        own = ours.get(line.key)
        if (line.key, line.kind) in told:
            attempt_id = None if own is None else own.attempt_id
            judged.append(Judged(line, attempt_id, Verdict.EXCEPTION, Difference.DUPLICATE))
        else:
            told.add((line.key, line.kind))
            judged.append(judge(line, own, day))
    return judged


def missing(lines: Iterable[BankLine], captured: Iterable[Ours], undone: Iterable[Ours]) -> list[Missing]:
    """Find what the file should name.

    Args:
        lines: the file's.
        captured: our movements whose approval names this capture date.
        undone: our movements that the files of all days until they were undone call approved, and none reversed.
    """
    told = {(line.key, line.kind) for line in lines}
    return [
        *(
            Missing(row, row.names.missing_there)
            for row in captured
            if row.standing is Standing.KEPT and (row.key, CREDIT if row.gives else PURCHASE) not in told
        ),
        *(Missing(row, row.names.reversed_here) for row in undone),
    ]


def _difference(line: BankLine, ours: Ours, day: dt.date) -> Difference | None:
    kept_there = line.state == APPROVED
    if ours.standing is Standing.NEVER:
        return ours.names.missing_here if kept_there else None
    kept_here = ours.standing is Standing.KEPT
    undone_later = ours.reversed_on is not None and ours.reversed_on > day
    if kept_there and not kept_here and not undone_later:
        return ours.names.reversed_here
    if kept_here and not kept_there:
        return ours.names.reversed_there
    return Difference.AMOUNT_DIFFERS if line.amount_rial != ours.total_rial else None
