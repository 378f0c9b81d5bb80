"""``python -m otp clearing export``: the file by which an acquirer compares its books with the bank's."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path
from typing import Any

from otp.domain.errors import DayNotOver
from otp.services.bank import Bank
from otp.services.clearing import export


def add_to(clearing: argparse.ArgumentParser) -> None:
    """Add the verb to ``python -m otp clearing``."""
    clearing.description = "Write what was captured on a day (contracts/clearing/v1)."
    verbs: Any = clearing.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("export", help="write the file of one acquirer and capture date")
    one.add_argument("--date", required=True, type=_day, help="capture date, YYYYMMDD")
    one.add_argument("--acquirer", required=True, help="DE 32 of the acquirer")
    one.add_argument("--to", type=Path, help="a file to write; otherwise it is printed")


def run(bank: Bank, chosen: argparse.Namespace) -> int:
    """Run the verb."""
    try:
        content = export(bank, chosen.acquirer, chosen.date)
        if chosen.to is not None:
            chosen.to.write_text(content)
    except (DayNotOver, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if chosen.to is None:
        print(content, end="")
    return 0


def _day(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC).date()
