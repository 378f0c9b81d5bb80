"""The bank's own dated table of fees: the most a cardholder may be charged on top of an amount (D5).

>>> fee_ceiling("CARD_TRANSFER", dt.date(2026, 1, 1), Rial(30_000_000))
Rial(12800)
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation.rial import Rial

NOTHING = Rial(0)
STEP = Rial(10_000_000)
"""Fees of transfers grow with each started ten million rials."""


@dataclass(frozen=True, slots=True)
class FeeRow:
    """From ``since`` (a date in Tehran) on, a fee for this type is at most ``ceiling``.

    Args:
        each_further: what each further started :data:`STEP` of the amount may add.
    """

    type: str
    since: dt.date
    ceiling: Rial
    each_further: Rial = NOTHING


FEE_CEILINGS: tuple[FeeRow, ...] = (
    FeeRow("PURCHASE", dt.date(2021, 3, 21), Rial(12_000)),
    FeeRow("BILL_PAYMENT", dt.date(2021, 3, 21), Rial(12_000)),
    FeeRow("TOP_UP", dt.date(2021, 3, 21), Rial(12_000)),
    FeeRow("BALANCE_INQUIRY", dt.date(2021, 3, 21), Rial(12_000)),
    FeeRow("CARD_TRANSFER", dt.date(2020, 11, 21), Rial(6_000), each_further=Rial(2_400)),
    FeeRow("CARD_TRANSFER", dt.date(2023, 6, 11), Rial(7_200), each_further=Rial(2_800)),
)
"""This bank's own policy: cardholders normally pay nothing on a purchase, a bill, a top-up or a question for their
balance, and never more than this; for a transfer the central bank's tariffs of 1399-09-01 and 1402-03-21. A type
without a row is not served."""


def fee_ceiling(type_word: str, day: dt.date, amount: Rial, table: tuple[FeeRow, ...] = FEE_CEILINGS) -> Rial | None:
    """Return the highest fee allowed on ``day`` on top of ``amount``; ``None`` when the type is not served then."""
    rows = [row for row in table if row.type == type_word and row.since <= day]
    if not rows:
        return None
    row = max(rows, key=lambda row: row.since)
    further = max(0, amount.amount - 1) // STEP.amount
    return Rial(row.ceiling.amount + further * row.each_further.amount)
