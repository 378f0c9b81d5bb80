"""The bills of a simulated town: one company sends them, and people try to pay the same ones."""

from __future__ import annotations

import random

from gateway.domain.bills import Bill, check_digit

BILLER_ID = "000000000000901"
BILLER_TERMINAL_ID = "90000001"
BILLER_HOOK_URL = "http://localhost:8200/bills"
BILLER_HOOK_SECRET = "whsec_YmlsbGVy"  # noqa: S105 - of a simulated server
SERVICE = 4
COMPANY = "001"
NEIGHBOURS = 4
MOST = 3


def bill_of(number: int) -> Bill:
    """Return the company's bill with this number; the same number is the same bill."""
    bill_id = f"{10_000_000 + number}{COMPANY}{SERVICE}"
    bill_id += check_digit(bill_id)
    payment_id = f"{10 + number % 5_000}701"
    payment_id += check_digit(payment_id)
    return Bill.parse(bill_id, payment_id + check_digit(bill_id + payment_id))


def some_bills(dice: random.Random, about: int) -> tuple[Bill, ...]:
    """Pick one to three bills of those that others pay now, too, in any order."""
    numbers = dice.sample(range(about // 3, about // 3 + NEIGHBOURS), dice.randrange(1, MOST + 1))
    return tuple(map(bill_of, numbers))
