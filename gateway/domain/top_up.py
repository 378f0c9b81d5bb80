"""Mobile top-up: whose number it is, what its operator sells, and what a code for it is bound to (D5).

A number is recognised by its prefix, but a number that was ported keeps its prefix: so the payer may say which operator
it is with now. What follows the debit is the second leg of :mod:`gateway.domain.transfer`, with an operator in the
place of a bank (D7).

>>> operator_of("09121234567"), operator_of("09351234567"), operator_of("09311234567")
(<Operator.MCI: 'mci'>, <Operator.IRANCELL: 'irancell'>, None)
>>> number_of("+98 912 123 4567"), masked("09121234567"), payee_name(Operator.MCI, "09121234567")
('09121234567', '0912***4567', 'همراه اول 4 5 6 7')
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from foundation.digits import to_ascii_digits
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.top_up_errors import InvalidTopUp


class Operator(StrEnum):
    """The operators with numbers of their own that PSPs sell top-ups of."""

    MCI = "mci"
    IRANCELL = "irancell"
    RIGHTEL = "rightel"
    SHATEL = "shatel"


NAMES: Mapping[Operator, tuple[str, str]] = MappingProxyType(
    {
        Operator.MCI: ("همراه اول", "MCI"),
        Operator.IRANCELL: ("ایرانسل", "Irancell"),
        Operator.RIGHTEL: ("رایتل", "RighTel"),
        Operator.SHATEL: ("شاتل موبایل", "Shatel Mobile"),
    }
)
"""In Persian and English; the Persian one is part of what the SMS names."""

PREFIXES: Mapping[str, Operator] = MappingProxyType(
    {
        **{f"091{digit}": Operator.MCI for digit in range(10)},
        **dict.fromkeys(("0990", "0991", "0992", "0993", "0994", "0995", "0996"), Operator.MCI),
        **dict.fromkeys(("0900", "0901", "0902", "0903", "0904", "0905", "0941"), Operator.IRANCELL),
        **dict.fromkeys(("0930", "0933", "0935", "0936", "0937", "0938", "0939"), Operator.IRANCELL),
        **dict.fromkeys(("0920", "0921", "0922", "0923"), Operator.RIGHTEL),
        "0998": Operator.SHATEL,
    }
)
"""The first four digits as the regulator gave them out; others are of small operators, or nobody's."""


@dataclass(frozen=True, slots=True)
class TopUpRequest:
    """One delivery; ``reference`` names it for ever, however often it is asked for (contracts/topup/v1)."""

    reference: str
    operator: Operator
    mobile: Sensitive[str]
    amount: Rial


PREFIX_DIGITS = 4
_NUMBER = re.compile(r"(?:\+98|0098|98|0)?(9[0-9]{9})")
_BETWEEN = re.compile("[\\s()\\-\u200c\u200e\u200f]")


@dataclass(frozen=True, slots=True)
class Product:
    """From ``since`` on an operator sells top-ups of these amounts."""

    since: dt.date
    operator: Operator
    amounts: tuple[Rial, ...]


_USUAL = tuple(Rial(amount) for amount in (10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000))
PRODUCTS: tuple[Product, ...] = tuple(Product(dt.date(2023, 3, 21), operator, _USUAL) for operator in Operator)
"""Our own choice: operators publish no list for PSPs. The payer pays the amount itself; what an operator takes of it as
tax is between it and its subscriber, and no source has a surcharge. A change is a row with a date."""


def number_of(typed: str) -> str:
    """Read a mobile number as a person types it: digits of any script, with or without the country's.

    Raises:
        InvalidTopUp: it is none.
    """
    found = _NUMBER.fullmatch(_BETWEEN.sub("", to_ascii_digits(typed)))
    if found is None:
        raise InvalidTopUp("mobile", "number", "a mobile number is 09 and nine digits")
    return f"0{found[1]}"


def operator_of(number: str) -> Operator | None:
    """Return the operator that a number's prefix was given to; the number may be with another by now."""
    return PREFIXES.get(number[:PREFIX_DIGITS])


def chosen_operator(number: str, said: str | None) -> Operator:
    """Return the operator that was said, for a ported number, and without a word that of the prefix.

    Raises:
        InvalidTopUp: there is no such operator, or nothing was said and the prefix is nobody's here.
    """
    if said:
        try:
            return Operator(said)
        except ValueError:
            raise InvalidTopUp("operator", "unknown", f"operator is one of {', '.join(Operator)}") from None
    found = operator_of(number)
    if found is None:
        raise InvalidTopUp("operator", "needed", "the prefix is no known operator's: name the operator")
    return found


def amounts_of(operator: Operator, day: dt.date, table: Iterable[Product] = PRODUCTS) -> tuple[Rial, ...]:
    """Return what an operator sells on ``day``; nothing before its first row."""
    rows = [row for row in table if row.operator is operator and row.since <= day]
    return max(rows, key=lambda row: row.since).amounts if rows else ()


def check_amount(operator: Operator, amount: Rial, day: dt.date) -> Rial:
    """Return an amount that the operator sells on ``day``.

    Raises:
        InvalidTopUp: it sells no such top-up.
    """
    sold = amounts_of(operator, day)
    if amount not in sold:
        raise InvalidTopUp("amount", "not_sold", f"one of {', '.join(str(each.amount) for each in sold)} rials")
    return amount


def masked(number: str) -> str:
    """Return a number as a receipt and a log may show it."""
    return f"{number[:PREFIX_DIGITS]}***{number[-4:]}"


def payee_name(operator: Operator, number: str) -> str:
    """Return what the binding names as paid: the operator and the last digits, apart (D25)."""
    return f"{NAMES[operator][0]} {' '.join(number[-4:])}"


def payee_text(operator: Operator, number: str) -> str:
    """Return what the payee key of a code is made of: nothing else may be topped up by it (D5)."""
    return f"top-up|{operator}|{number}"
