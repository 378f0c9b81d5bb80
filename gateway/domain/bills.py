"""Bills (قبض): the two numbers on them, their check digits, and the amount that is written inside.

From «طرح هماهنگ پرداخت الکترونیکی قبوض»: a bill id is file, company (3 digits), service type and check digit; a payment
id is amount in thousands of rials, year, period (2 digits) and two check digits; each has 6 to 13 digits. A barcode is
both, filled up to 13 digits with zeros in front. Zeros in front mean nothing.

>>> bill = Bill.parse("7748317800142", "1770160")
>>> bill.amount, bill.service, bill.company, bill.barcode
(Rial(amount=17000), <Service.PHONE: 4>, '001', '77483178001420000001770160')
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from foundation.digits import to_ascii_digits
from foundation.rial import Rial
from gateway.domain.bill_errors import InvalidBill, InvalidBills

BILLS_MOST = 10
"""In one payment: as many as fit on a page that a person checks."""

DIGITS_LEAST = 6
DIGITS_MOST = 13
BARCODE_DIGITS = 2 * DIGITS_MOST
RIALS_PER_UNIT = 1_000
_MODULUS = 11
_WEIGHTS = (2, 3, 4, 5, 6, 7)
_AFTER_AMOUNT = 5
_NUMBER = re.compile(f"[0-9]{{{DIGITS_LEAST},{DIGITS_MOST}}}")
_BETWEEN = re.compile("[\\s\\-\u200c\u200e\u200f]")


class Service(IntEnum):
    """What is paid for: the last digit but one of a bill id."""

    WATER = 1
    POWER = 2
    GAS = 3
    PHONE = 4
    MOBILE = 5
    MUNICIPALITY = 6
    MUNICIPALITY_TWO = 7
    TAX = 8
    TRAFFIC_FINE = 9


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill; both numbers without zeros in front.

    Raises:
        InvalidBill: from :meth:`parse` and :meth:`of_barcode`; says which number is wrong, and how.
    """

    bill_id: str
    payment_id: str

    @classmethod
    def parse(cls, bill_id: str, payment_id: str) -> Bill:
        """Read both numbers as a person types them: digits of any script, spaces and dashes between."""
        bill, payment = _digits(bill_id, "bill_id"), _digits(payment_id, "payment_id")
        if check_digit(bill[:-1]) != bill[-1] or bill[-2] == "0":
            raise InvalidBill("bill_id", "check")
        if check_digit(payment[:-2]) != payment[-2] or check_digit(bill + payment[:-1]) != payment[-1]:
            raise InvalidBill("payment_id", "check")
        return cls(bill, payment)

    @classmethod
    def of_barcode(cls, barcode: str) -> Bill:
        """Read a barcode of 26 digits: the bill id in the first 13, the payment id in the last."""
        digits = _BETWEEN.sub("", to_ascii_digits(barcode))
        if len(digits) != BARCODE_DIGITS or not digits.isdecimal():
            raise InvalidBill("barcode", "length")
        try:
            return cls.parse(digits[:DIGITS_MOST], digits[DIGITS_MOST:])
        except InvalidBill as invalid:
            raise InvalidBill("barcode", invalid.reason) from None

    @property
    def amount(self) -> Rial:
        """What is owed; six digits without a zero in front leave at least a thousand rials."""
        return Rial(int(self.payment_id[:-_AFTER_AMOUNT]) * RIALS_PER_UNIT)

    @property
    def service(self) -> Service:
        """What it is for."""
        return Service(int(self.bill_id[-2]))

    @property
    def company(self) -> str:
        """Which company of that service sent it, three digits."""
        return self.bill_id[-5:-2].rjust(3, "0")

    @property
    def barcode(self) -> str:
        """Both numbers as one."""
        return self.bill_id.zfill(DIGITS_MOST) + self.payment_id.zfill(DIGITS_MOST)


def check_digit(digits: str) -> str:
    """Return the check digit of a number: weights 2 to 7 from the right, modulo 11, 0 for a rest below 2."""
    total = sum(int(digit) * _WEIGHTS[place % len(_WEIGHTS)] for place, digit in enumerate(reversed(digits)))
    rest = total % _MODULUS
    return str(0 if rest <= 1 else _MODULUS - rest)


def check_bills(bills: Sequence[Bill]) -> Rial:
    """Return what several bills are together.

    Raises:
        InvalidBills: there is none, there are more than ten, or one is there twice.
    """
    if not bills:
        raise InvalidBills("none", "name at least one bill")
    if len(bills) > BILLS_MOST:
        raise InvalidBills("many", f"one payment takes at most {BILLS_MOST} bills")
    if len(set(bills)) < len(bills):
        raise InvalidBills("twice", "one of the bills is there twice")
    return Rial(sum(bill.amount.amount for bill in bills))


def payee_key(bills: Iterable[Bill]) -> str:
    """Return what binds a code to just these bills: SHA-256 in hex over the sorted numbers and amounts (D5)."""
    facts = sorted(f"{bill.bill_id},{bill.payment_id},{bill.amount.amount}" for bill in bills)
    return hashlib.sha256("|".join(facts).encode()).hexdigest()


def _digits(typed: str, part: str) -> str:
    digits = _BETWEEN.sub("", to_ascii_digits(typed)).lstrip("0")
    if not _NUMBER.fullmatch(digits):
        raise InvalidBill(part, "length")
    return digits
