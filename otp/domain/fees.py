"""The bank's own dated table of fees: the most a cardholder may be charged on top of an amount (D5)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation.rial import Rial


@dataclass(frozen=True, slots=True)
class FeeRow:
    """From ``since`` (a date in Tehran) on, a fee for this type is at most ``ceiling``."""

    type: str
    since: dt.date
    ceiling: Rial


FEE_CEILINGS: tuple[FeeRow, ...] = (
    FeeRow("PURCHASE", dt.date(2021, 3, 21), Rial(12_000)),
    FeeRow("BILL_PAYMENT", dt.date(2021, 3, 21), Rial(12_000)),
)
"""This bank's own policy: cardholders normally pay nothing on a purchase or a bill, and never more than this. A type
without a row is not served."""


def fee_ceiling(type_word: str, day: dt.date, table: tuple[FeeRow, ...] = FEE_CEILINGS) -> Rial | None:
    """Return the highest fee allowed on ``day``; ``None`` when the bank does not serve this type then."""
    rows = [row for row in table if row.type == type_word and row.since <= day]
    return max(rows, key=lambda row: row.since).ceiling if rows else None
