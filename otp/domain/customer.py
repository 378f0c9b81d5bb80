"""Whose card it is: the national code (کد ملی) of a customer.

>>> check_national_code("۰۴۹۹۳۷۰۸۹۹")
'0499370899'
"""

from __future__ import annotations

import re

from foundation.digits import to_ascii_digits
from otp.domain.errors import InvalidNationalCode

_NATIONAL_CODE = re.compile(r"(?!(.)\1{9})[0-9]{10}")


def national_code_place(customer_id: int) -> str:
    """Where a sealed national code belongs: it opens in no other row."""
    return f"customer|code|{customer_id}"


def check_national_code(text: str) -> str:
    """Return a national code in ASCII digits if its check digit is right.

    Weights 10 to 2, modulo 11; a remainder above 1 is taken from 11. Ten equal digits fit and belong to nobody.

    Raises:
        InvalidNationalCode: when it is none.
    """
    code = to_ascii_digits(text)
    if _NATIONAL_CODE.fullmatch(code):
        rest = sum(int(digit) * weight for digit, weight in zip(code, range(10, 1, -1), strict=False)) % 11
        if int(code[-1]) == (rest if rest <= 1 else 11 - rest):
            return code
    raise InvalidNationalCode("a national code has ten digits, the last of which checks the others")
