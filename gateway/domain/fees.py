"""Fees as dated tables: what a cardholder pays on a purchase or for a balance, and a merchant when it is paid out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation.rial import Rial


@dataclass(frozen=True, slots=True)
class FeeRow:
    """From ``since`` on, a cardholder pays ``fee`` on a purchase, or for a balance."""

    since: dt.date
    fee: Rial


PURCHASE_FEES: tuple[FeeRow, ...] = (FeeRow(dt.date(2019, 12, 22), Rial(0)),)
"""Purchases cost the cardholder nothing; the acquirer's fee is between it and the merchant."""


BALANCE_FEES: tuple[FeeRow, ...] = (FeeRow(dt.date(2019, 12, 22), Rial(0)),)
"""A balance is told free of charge here; no tariff for pages is published. A change is a row with a date."""


def balance_fee(day: dt.date) -> Rial:
    """Return the cardholder's fee for a question for the balance asked on ``day``."""
    return purchase_fee(day, BALANCE_FEES)


def purchase_fee(day: dt.date, table: tuple[FeeRow, ...] = PURCHASE_FEES) -> Rial:
    """Return the cardholder's fee for a purchase opened on ``day``; nothing before the first row."""
    rows = [row for row in table if row.since <= day]
    return max(rows, key=lambda row: row.since).fee if rows else Rial(0)


@dataclass(frozen=True, slots=True)
class AcquiringRow:
    """From ``since`` on, a merchant pays this on a purchase that is paid out to it.

    Args:
        per_million: millionths of the amount, rounded to the nearest rial, halves up: 200 is 0.02 %.
        least: the least it pays.
        most: the most it pays; the amount itself is never exceeded.
    """

    since: dt.date
    per_million: int
    least: Rial
    most: Rial


ACQUIRING_FEES: tuple[AcquiringRow, ...] = (AcquiringRow(dt.date(2019, 12, 22), 0, Rial(0), Rial(0)),)
"""This gateway charges its merchants nothing. The network's published tariff would be 200 per million, at least 1,200
and at most 40,000 rials: a row with a date."""

MILLION = 1_000_000


def acquiring_fee(amount: Rial, day: dt.date, table: tuple[AcquiringRow, ...] = ACQUIRING_FEES) -> Rial:
    """Return what a merchant pays on ``amount`` confirmed on ``day``; nothing before the first row."""
    rows = [row for row in table if row.since <= day]
    if not rows:
        return Rial(0)
    row = max(rows, key=lambda row: row.since)
    share = Rial((amount.amount * row.per_million + MILLION // 2) // MILLION)
    return min(max(share, row.least), row.most, amount)
