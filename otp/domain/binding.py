"""What a code is bound to: the nine facts of D5, written one way only (canonical v1), and their digest.

A wire that carries less binds less: such a code is bound to what :data:`SHAPES` says of its dialect, and is treated as
unbound (D6, D14).

>>> payee_name_allowed("فروشگاه نمونه 2"), payee_name_allowed("call 0912"), payee_name_allowed("a@b")
(True, False, False)
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from foundation.rial import Rial
from otp.domain.errors import InvalidBinding


class TransactionType(StrEnum):
    """The type of a transaction, as Harim v1 and DE 48.02 write it."""

    PURCHASE = "PURCHASE"
    CARD_TRANSFER = "CARD_TRANSFER"
    BILL_PAYMENT = "BILL_PAYMENT"
    TOP_UP = "TOP_UP"
    BALANCE_INQUIRY = "BALANCE_INQUIRY"


TOTAL_MAX = 999_999_999_999
"""DE 4 has twelve digits."""

PAYEE_NAME_UNITS_MAX = 20
WITH_PAYEE_KEY = frozenset({TransactionType.CARD_TRANSFER, TransactionType.BILL_PAYMENT, TransactionType.TOP_UP})
WITHOUT_AMOUNT = frozenset({TransactionType.BALANCE_INQUIRY})
_ZWNJ = "\u200c"
_KEY = re.compile(r"[0-9a-f]{64}")
COMPLETE = ("type", "amount", "fee", "acquirer", "merchant", "terminal", "payee", "payee_key", "ref")
"""Every fact, as the canonical text names it: what this bank's profile requires of a code that is bound (D6)."""

SHAPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tosan-yaghut": ("type", "total", "acquirer", "merchant", "terminal", "payee"),
        "sadad-adaptor": ("type", "total", "acquirer"),
    }
)
"""What a code asked for in a weak dialect is bound to: exactly this, no less. ``total`` is principal and fee (DE 4)."""

_FIELDS = {
    "acquirer": "acquirer_id",
    "merchant": "merchant_id",
    "terminal": "terminal_id",
    "payee": "payee_name",
    "payee_key": "payee_key",
    "ref": "transaction_ref",
}
"""Facts that are texts, with the field that holds each."""

_PATTERNS = {
    "acquirer": re.compile(r"[0-9]{6,11}"),
    "merchant": re.compile(r"[0-9A-Za-z]{1,15}"),
    "terminal": re.compile(r"[0-9A-Za-z]{1,8}"),
    "ref": re.compile(r"[A-Z2-7]{16}"),
}
_REFERENCE_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Binding:
    """The transaction a code is for.

    Args:
        amount: the principal, without the fee.
        fee: what the cardholder pays on top.
        payee_key: token of the destination card or of the number that is topped up, or digest of the bills, 64 hex
            digits; empty for a purchase and a balance.
        transaction_ref: the payment's reference, 16 characters A–Z 2–7.
        bound: the facts that count; the others are empty, and without ``amount`` the principal is the whole total.
    """

    type: TransactionType
    amount: Rial
    fee: Rial
    acquirer_id: str
    merchant_id: str
    terminal_id: str
    payee_name: str
    payee_key: str
    transaction_ref: str
    bound: tuple[str, ...] = COMPLETE

    @property
    def total(self) -> Rial:
        """What leaves the card."""
        return self.amount + self.fee

    @property
    def complete(self) -> bool:
        """Tell whether nothing is left open (D6)."""
        return self.bound == COMPLETE

    def canonical(self) -> str:
        """Write what is bound, version 1 (contracts/harim/v1)."""
        return self._written(self.bound)

    def digest(self) -> bytes:
        """SHA-256 of the canonical text, 32 bytes."""
        return hashlib.sha256(self.canonical().encode()).digest()

    def narrowed(self, bound: tuple[str, ...]) -> Binding:
        """Return as much of this transaction as ``bound``, one of :data:`SHAPES`, names.

        Its reference follows from just that, so the same question is about the same code (D9b).
        """
        text = self._written(bound)
        reference = base64.b32encode(hashlib.sha256(text.encode()).digest())[:_REFERENCE_LENGTH].decode()
        left_open: dict[str, Any] = {field: "" for fact, field in _FIELDS.items() if fact not in bound}
        left_open["transaction_ref"] = reference
        return replace(self, amount=self.total, fee=Rial(0), bound=bound, **left_open)

    def _written(self, bound: tuple[str, ...]) -> str:
        facts = {
            "type": str(self.type),
            "amount": str(self.amount.amount),
            "fee": str(self.fee.amount),
            "total": str(self.total.amount),
            "acquirer": self.acquirer_id,
            "merchant": self.merchant_id,
            "terminal": self.terminal_id,
            "payee": self.payee_name,
            "payee_key": self.payee_key,
            "ref": self.transaction_ref,
        }
        return "|".join(("v1", *(f"{name}={facts[name]}" for name in bound)))


def parse_canonical(text: str) -> Binding:
    """Read back what :meth:`Binding.canonical` wrote; a fact that is not bound is empty."""
    _, *pairs = text.split("|")
    values = dict(pair.split("=", 1) for pair in pairs)
    return Binding(
        type=TransactionType(values["type"]),
        amount=Rial(int(values["amount" if "amount" in values else "total"])),
        fee=Rial(int(values.get("fee", 0))),
        acquirer_id=values["acquirer"],
        merchant_id=values.get("merchant", ""),
        terminal_id=values.get("terminal", ""),
        payee_name=values.get("payee", ""),
        payee_key=values.get("payee_key", ""),
        transaction_ref=values.get("ref", ""),
        bound=tuple(values),
    )


def check_binding(binding: Binding) -> None:
    """Refuse a transaction that no code can be bound to (D6, D25).

    Raises:
        InvalidBinding: with the name of the first field that is missing or misshapen.
    """
    for fact, pattern in _PATTERNS.items():
        if fact in binding.bound and pattern.fullmatch(getattr(binding, _FIELDS[fact])) is None:
            raise InvalidBinding(_FIELDS[fact])
    checks = (
        ("payee_name", "payee" not in binding.bound or payee_name_allowed(binding.payee_name)),
        ("payee_key", "payee_key" not in binding.bound or _payee_key_allowed(binding)),
        ("amount", _amount_allowed(binding)),
    )
    for field, allowed in checks:
        if not allowed:
            raise InvalidBinding(field)


def payee_name_allowed(name: str) -> bool:
    """Tell whether an SMS may show this name (D25).

    Letters, single spaces and single digits, at most 20 UTF-16 units: nothing that looks like a code, a link or an
    ``@host #code`` line.
    """
    units = len(name.encode("utf-16-le")) // 2
    return (
        0 < units <= PAYEE_NAME_UNITS_MAX
        and name == name.strip()
        and unicodedata.is_normalized("NFC", name)
        and all(character in (" ", _ZWNJ) or _is_letter_or_digit(character) for character in name)
        and not any(left.isdigit() and right.isdigit() for left, right in pairwise(name))
    )


def _is_letter_or_digit(character: str) -> bool:
    return unicodedata.category(character) in {"Lu", "Ll", "Lo", "Lm", "Mn", "Nd"}


def _payee_key_allowed(binding: Binding) -> bool:
    if binding.type in WITH_PAYEE_KEY:
        return _KEY.fullmatch(binding.payee_key) is not None
    return binding.payee_key == ""


def _amount_allowed(binding: Binding) -> bool:
    return binding.total.amount <= TOTAL_MAX and bool(binding.amount) == (binding.type not in WITHOUT_AMOUNT)
