"""The settlement file that a bank carries out: as CSV, and as XML in the manner of PAYA. Both forms are ours.

The central bank's own format is not published; whoever connects a real bank writes that one beside these.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

COLUMNS = "payout,merchant,iban,amount_rial"


@dataclass(frozen=True, slots=True)
class Order:
    """One transfer of a file."""

    payout_id: int
    merchant_id: str
    name: str
    iban: str
    amount_rial: int


def as_csv(batch_id: int, value_day: dt.date, orders: Sequence[Order]) -> str:
    """Write head, columns, one line each, and the trailer by which a cut or changed file is known."""
    rows = (f"{one.payout_id},{one.merchant_id},{one.iban},{one.amount_rial}" for one in orders)
    body = "".join(f"{row}\n" for row in (f"pooya-settlement,1,{batch_id},{value_day:%Y%m%d}", COLUMNS, *rows))
    total = sum(one.amount_rial for one in orders)
    return f"{body}trailer,{len(orders)},{total},{hashlib.sha256(body.encode()).hexdigest()}\n"


def as_xml(batch_id: int, value_day: dt.date, orders: Sequence[Order]) -> str:
    """Write one order for each transfer, with their number and sum in front."""
    total = sum(one.amount_rial for one in orders)
    head = f'batch="{batch_id}" valueDay="{value_day}" count="{len(orders)}" sum="{total}"'
    rows = (
        f'  <transfer id="{one.payout_id}" iban={quoteattr(one.iban)} rial="{one.amount_rial}">'
        f"{escape(one.name)}</transfer>\n"
        for one in orders
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<settlement version="1" {head}>\n{"".join(rows)}</settlement>\n'
