"""Fees as a dated table: what a cardholder pays on top of a purchase, by the day it is opened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation.rial import Rial


@dataclass(frozen=True, slots=True)
class FeeRow:
    """From ``since`` on, a cardholder pays ``fee`` on a purchase."""

    since: dt.date
    fee: Rial


PURCHASE_FEES: tuple[FeeRow, ...] = (FeeRow(dt.date(2019, 12, 22), Rial(0)),)
"""Purchases cost the cardholder nothing; the acquirer's fee is between it and the merchant."""


def purchase_fee(day: dt.date, table: tuple[FeeRow, ...] = PURCHASE_FEES) -> Rial:
    """Return the cardholder's fee for a purchase opened on ``day``; nothing before the first row."""
    rows = [row for row in table if row.since <= day]
    return max(rows, key=lambda row: row.since).fee if rows else Rial(0)
