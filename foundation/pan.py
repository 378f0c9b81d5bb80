"""PAN: the 16-digit number of a bank card (ISO/IEC 7812), its BIN, its check digit and its mask.

>>> Pan.parse("۶۲۱۹ ۸۶۱۰ ۳۴۵۲ ۹۰۰۷").masked
'621986******9007'
>>> luhn_sum("6219861034529008") % 10
1
"""

from __future__ import annotations

from foundation.digits import ASCII, to_ascii_digits
from foundation.sensitive import Sensitive

LENGTH = 16
BIN_LENGTH = 6
_SEPARATORS = str.maketrans("", "", " -\u00a0\u200b\u200c\u200e\u200f\u2009")


class InvalidPan(ValueError):
    """The text is no card number; ``reason`` is ``length`` or ``luhn``. The text itself is not kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Pan(Sensitive[str]):
    """A card number that passed its check digit; prints as stars and shows at most its first six and last four."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Pan:
        """Read a card number as typed: any digits, spaces or dashes between.

        Raises:
            InvalidPan: ``length`` when it is not sixteen digits, ``luhn`` when the check digit is wrong.
        """
        digits = to_ascii_digits(text).translate(_SEPARATORS)
        if len(digits) != LENGTH or any(digit not in ASCII for digit in digits):
            raise InvalidPan("length")
        if luhn_sum(digits) % 10:
            raise InvalidPan("luhn")
        return cls(digits)

    @property
    def bin(self) -> str:
        """The first six digits, which name the issuer."""
        return self._value[:BIN_LENGTH]

    @property
    def masked(self) -> str:
        """First six and last four, the most that may be shown (PCI DSS 3.4.1)."""
        return f"{self.bin}******{self._value[-4:]}"


def luhn_sum(digits: str) -> int:
    """Sum of ISO/IEC 7812-1 annex B: from the right, every second digit doubled, its digits added."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - a doubled digit above nine
    return total


def with_check_digit(digits: str) -> str:
    """Append the Luhn check digit, for makers of test cards.

    >>> with_check_digit("621986103452900")
    '6219861034529007'
    """
    return digits + str(-luhn_sum(digits + "0") % 10)
