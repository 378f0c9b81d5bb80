"""The bank's clearing file (``contracts/clearing/v1``) as the gateway reads it: whole, or not at all (F31)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

from gateway.domain.errors import RefusedRow

LINES_MAX = 2_000_000
LATE_DAYS = 35
"""How old a capture date may be: as long as the banks keep the keys of messages (D9)."""
DATED_BEFORE_DAYS, DATED_AFTER_DAYS = 2, 7
"""How far from its message's day a bank may date a movement (DE 17): some name the working day after a holiday."""
CLOSES_AFTER = dt.timedelta(minutes=5)

COLUMNS = "acquirer,terminal,stan,rrn,local_time,kind,amount_rial,capture_date,state"
PURCHASE, REVERSAL = "purchase", "reversal"
CREDIT, CREDIT_REVERSAL = "credit", "credit_reversal"
APPROVED, REVERSED = "approved", "reversed"

_HEAD = re.compile(r"pooya-clearing,1,([0-9]{8}),([0-9]{6,11})")
_TRAILER = re.compile(r"trailer,([0-9]{1,9}),([0-9]{1,18}),([0-9a-f]{64})")
_LINE = re.compile(
    r"([0-9]{6,11}),([0-9A-Z]{8}),([0-9]{6}),([0-9]{12}),([0-9]{12}),"
    r"(?:(purchase|credit),([0-9]{1,15}),([0-9]{8}),(approved|reversed)"
    r"|(reversal|credit_reversal),([0-9]{1,15}),([0-9]{8}),(reversed))"
)


class Key(NamedTuple):
    """The key of a financial message, the same on both sides: DE 32, 41, 11, 37 and 12."""

    acquirer_id: str
    terminal_id: str
    stan: str
    rrn: str
    local_time: str


@dataclass(frozen=True, slots=True)
class BankLine:
    """One line of the bank's: a debit or credit of the file's day, or the reversal on that day of an earlier one.

    Args:
        number: counts the lines from 1.
        amount_rial: the total, with the cardholder's fee.
        captured: the day the debit or credit was captured on.
    """

    number: int
    key: Key
    kind: str
    amount_rial: int
    captured: dt.date
    state: str

    @property
    def gives(self) -> bool:
        """Tell whether it is about money that a card was given, not about a debit."""
        return self.kind in (CREDIT, CREDIT_REVERSAL)


@dataclass(frozen=True, slots=True)
class ClearingFile:
    """A file that was read to its end and fits its trailer; ``sha256`` is over all of it."""

    day: dt.date
    acquirer_id: str
    lines: tuple[BankLine, ...]
    sum_rial: int
    sha256: bytes


def read(content: bytes) -> ClearingFile:
    """Read a file.

    Raises:
        RefusedRow: it is cut, changed, in another encoding, or has a line of another shape; the message says which.
    """
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        raise RefusedRow("this file is not plain ASCII text; ask for it again, and transfer it unchanged") from None
    body, _, trailer = text.removesuffix("\n").rpartition("\n")
    found = _TRAILER.fullmatch(trailer)
    if not text.endswith("\n") or found is None:
        raise RefusedRow("this file ends without its trailer, so it is cut; ask for it again")
    rows = body.split("\n")
    head = _HEAD.fullmatch(rows[0])
    if head is None or rows[1:2] != [COLUMNS]:
        raise RefusedRow("this is no clearing file of version 1 (contracts/clearing/v1)")
    if hashlib.sha256(f"{body}\n".encode()).hexdigest() != found[3]:
        raise RefusedRow("this file is not as its trailer says (SHA-256): it is cut or changed; ask for it again")
    lines = _lines(rows[2:], _day(head[1], "the first line"), head[2])
    total = sum(line.amount_rial for line in lines)
    if (len(lines), total) != (int(found[1]), int(found[2])):
        raise RefusedRow("the trailer counts other lines or another sum than there are; ask for the file again")
    digest = hashlib.sha256(content).digest()
    return ClearingFile(_day(head[1], "the first line"), head[2], lines, total, digest)


def check_in_time(day: dt.date, now: dt.datetime) -> dt.date:
    """Return the capture date of a file that may be read at ``now``, a moment in the time of Tehran.

    Raises:
        RefusedRow: the day is not over, or so long ago that nobody keeps its keys.
    """
    if now.replace(tzinfo=None) < dt.datetime.combine(day, dt.time()) + dt.timedelta(days=1) + CLOSES_AFTER:
        raise RefusedRow(f"{day} is not over; its file is the last word only after midnight in Tehran")
    if now.date() - day > dt.timedelta(days=LATE_DAYS):
        raise RefusedRow(
            f"{day} is more than {LATE_DAYS} days ago: too late to compare; what it should "
            "name is listed for two people to decide about: python -m gateway reconcile list"
        )
    return day


def _lines(rows: list[str], day: dt.date, acquirer_id: str) -> tuple[BankLine, ...]:
    if len(rows) > LINES_MAX:
        raise RefusedRow(f"a file has at most {LINES_MAX} lines")
    return tuple(_line(number, row, day, acquirer_id) for number, row in enumerate(rows, start=1))


def _line(number: int, row: str, day: dt.date, acquirer_id: str) -> BankLine:
    found = _LINE.fullmatch(row)
    if found is None:
        raise RefusedRow(f"line {number} has another shape than contracts/clearing/v1 says; ask for the file again")
    kind, amount, captured, state = found.group(6, 7, 8, 9) if found[6] else found.group(10, 11, 12, 13)
    when = _day(captured, f"line {number}")
    if (when == day) is not (kind in (PURCHASE, CREDIT)) or when > day or found[1] != acquirer_id:
        raise RefusedRow(f"line {number} does not belong into the file of {day} and {acquirer_id}")
    return BankLine(number, Key(*found.group(1, 2, 3, 4, 5)), kind, int(amount), when, state)


def _day(text: str, where: str) -> dt.date:
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise RefusedRow(f"{where} names a day that there is not") from None
