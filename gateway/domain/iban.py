"""Where a merchant's money goes: an Iranian IBAN, and the shares of several."""

from __future__ import annotations

import re
from collections.abc import Sequence

from foundation.rial import Rial
from gateway.domain.errors import RefusedRow

HOLD_HOURS = 48
"""How long a new IBAN waits after its approval before money goes there (D11): time for its owner to object."""
PARTS_MAX = 10_000
"""The most parts one IBAN may have."""

_SHAPE = re.compile(r"IR[0-9]{24}")
_REMAINDER = 1
_MODULUS = 97
_LETTERS_FROM = 55
"""A is 10, B 11 …: the code of the letter less this (ISO 13616)."""


def check_iban(text: str) -> str:
    """Return an Iranian IBAN without spaces and in capitals.

    Raises:
        RefusedRow: it is not IR and 24 digits, or its check digits are wrong (ISO 13616, mod 97).
    """
    iban = text.replace(" ", "").upper()
    if not _SHAPE.fullmatch(iban):
        raise RefusedRow("an IBAN is IR and 24 digits")
    turned = iban[4:] + "".join(str(ord(letter) - _LETTERS_FROM) for letter in iban[:2]) + iban[2:4]
    if int(turned) % _MODULUS != _REMAINDER:
        raise RefusedRow("the check digits of this IBAN are wrong; compare it with the bank's paper")
    return iban


def shown(iban: str) -> str:
    """Return an IBAN as lists show it: its first four characters, and its last four digits."""
    return f"{iban[:4]}…{iban[-4:]}"


def split(total: Rial, parts: Sequence[int]) -> tuple[Rial, ...]:
    """Return each share of ``total`` by its parts: they sum to it exactly, the remainder goes to the first (D11).

    Raises:
        ValueError: there are no parts, or one is not positive.
    """
    if not parts or min(parts) <= 0:
        raise ValueError("shares have positive parts")
    shares = [total.amount * part // sum(parts) for part in parts]
    shares[0] += total.amount - sum(shares)
    return tuple(map(Rial, shares))
