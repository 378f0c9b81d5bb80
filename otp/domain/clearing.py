"""The clearing file of one capture date and one acquirer (``contracts/clearing/v1``): how the bank writes it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass

VERSION = 1
NAME = "pooya-clearing"
COLUMNS = "acquirer,terminal,stan,rrn,local_time,kind,amount_rial,capture_date,state"
CLOSES_AFTER = dt.timedelta(minutes=5)
"""How long after midnight in Tehran a day is over: a debit that was begun before has then committed or never will."""


@dataclass(frozen=True, slots=True)
class Line:
    """One movement the acquirer takes part in; ``amount_rial`` is the total with the cardholder's fee.

    Args:
        kind: ``purchase`` (any debit) or ``credit`` in the file of the day it was captured, ``reversal`` or
            ``credit_reversal`` in that of a later day it was undone.
        state: ``approved`` or ``reversed``, as the file's day ended.
    """

    acquirer: str
    terminal: str
    stan: str
    rrn: str
    local_time: str
    kind: str
    amount_rial: int
    capture_date: str
    state: str


def closed(day: dt.date, now: dt.datetime) -> bool:
    """Tell whether ``day`` is over, by a ``now`` in the time of Tehran."""
    return now.replace(tzinfo=None) >= dt.datetime.combine(day, dt.time()) + dt.timedelta(days=1) + CLOSES_AFTER


def written(day: dt.date, acquirer: str, lines: Sequence[Line]) -> str:
    """Write a file whole: head, columns, lines, and the trailer by which a cut or changed one is known."""
    rows = [",".join(map(str, astuple(line))) for line in lines]
    body = "".join(f"{row}\n" for row in (f"{NAME},{VERSION},{day:%Y%m%d},{acquirer}", COLUMNS, *rows))
    total = sum(line.amount_rial for line in lines)
    return f"{body}trailer,{len(lines)},{total},{hashlib.sha256(body.encode()).hexdigest()}\n"
