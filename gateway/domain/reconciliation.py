"""Our books beside the bank's: each line matches, waits for money that is under way, or is a listed exception (I14).

Nothing here moves money. An exception names both sides and exactly one thing to do; two people decide about it (D35).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.attempt import AttemptState
from gateway.domain.clearing import APPROVED, PURCHASE, REVERSAL, BankLine, Key


class Difference(StrEnum):
    """How two books differ about one movement."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT_DIFFERS = "amount_differs"
    DUPLICATE = "duplicate"
    REVERSED_HERE = "reversed_here"
    REVERSED_THERE = "reversed_there"


MEANS: dict[Difference, str] = {
    Difference.MISSING_HERE: "the bank moved money for an attempt that took none here, or that is not here",
    Difference.MISSING_THERE: "an attempt was approved here and is not in the bank's file",
    Difference.AMOUNT_DIFFERS: "both sides moved money, but not the same",
    Difference.DUPLICATE: "the bank tells one movement twice",
    Difference.REVERSED_HERE: "given back here; the bank's books keep the debit",
    Difference.REVERSED_THERE: "kept here; the bank gave the money back",
}
PROPOSES: dict[Difference, str] = {
    Difference.MISSING_HERE: "ask the bank to give the money back to the card, and for its confirmation",
    Difference.MISSING_THERE: "ask the bank whether it captured this message; do not settle it before it says so",
    Difference.AMOUNT_DIFFERS: "ask the bank for its message, and settle what both sides agree on",
    Difference.DUPLICATE: "ask the bank whether it debited twice; if so it gives one debit back",
    Difference.REVERSED_HERE: "ask the bank to give the money back to the card now: it said that it had",
    Difference.REVERSED_THERE: "do not settle this payment; ask the bank on whose word it gave the money back",
}
"""Exactly one thing to do about each."""


class Verdict(StrEnum):
    """What became of one line of the bank's."""

    MATCHED = "matched"
    UNDER_WAY = "under_way"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class Ours:
    """An attempt as our books have it.

    Args:
        total_rial: amount and the cardholder's fee.
        reversed_on: the day in Tehran on which its reversal was accepted; of the last minutes of a day, the next.
    """

    attempt_id: str
    key: Key
    state: AttemptState
    total_rial: int
    reversed_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A line with its verdict; ``difference`` where it is an exception."""

    line: BankLine
    attempt_id: str | None
    verdict: Verdict
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """An attempt that the bank's file should name and does not."""

    ours: Ours
    difference: Difference


_UNDER_WAY = frozenset({AttemptState.SUBMITTED, AttemptState.UNKNOWN, AttemptState.VOIDING, AttemptState.DISPUTED})


def judge(line: BankLine, ours: Ours | None, day: dt.date) -> Judged:
    """Compare one line of the file of ``day`` with our attempt of that key, as it stands now."""
    if ours is None:
        return Judged(line, None, Verdict.EXCEPTION, Difference.MISSING_HERE)
    if ours.state in _UNDER_WAY:
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
        captured: our attempts whose approval names this capture date.
        undone: our attempts given back on this day, that a file of an earlier day calls approved and that no file
            calls reversed yet.
    """
    told = {(line.key, line.kind) for line in lines}
    return [
        *(
            Missing(row, Difference.MISSING_THERE)
            for row in captured
            if row.state is AttemptState.APPROVED and (row.key, PURCHASE) not in told
        ),
        *(Missing(row, Difference.REVERSED_HERE) for row in undone if (row.key, REVERSAL) not in told),
    ]


def _difference(line: BankLine, ours: Ours, day: dt.date) -> Difference | None:
    kept_there = line.kind == PURCHASE and line.state == APPROVED
    if ours.state is AttemptState.DECLINED:
        return Difference.MISSING_HERE if kept_there else None
    kept_here = ours.state is AttemptState.APPROVED
    undone_later = ours.reversed_on is not None and ours.reversed_on > day
    if kept_there and not kept_here and not undone_later:
        return Difference.REVERSED_HERE
    if kept_here and not kept_there:
        return Difference.REVERSED_THERE
    return Difference.AMOUNT_DIFFERS if line.amount_rial != ours.total_rial else None
