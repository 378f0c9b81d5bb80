"""What a code is bound to: the nine facts of D5, written one way only (canonical v1), and their digest.

>>> payee_name_allowed("فروشگاه نمونه 2"), payee_name_allowed("call 0912"), payee_name_allowed("a@b")
(True, False, False)
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

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
WITH_PAYEE_KEY = frozenset({TransactionType.CARD_TRANSFER, TransactionType.BILL_PAYMENT})
WITHOUT_AMOUNT = frozenset({TransactionType.BALANCE_INQUIRY})
_ZWNJ = "\u200c"
_KEY = re.compile(r"[0-9a-f]{64}")
_SHAPES = {
    "acquirer_id": re.compile(r"[0-9]{6,11}"),
    "merchant_id": re.compile(r"[0-9A-Za-z]{1,15}"),
    "terminal_id": re.compile(r"[0-9A-Za-z]{1,8}"),
    "transaction_ref": re.compile(r"[A-Z2-7]{16}"),
}


@dataclass(frozen=True, slots=True)
class Binding:
    """The transaction a code is for.

    Args:
        amount: the principal, without the fee.
        fee: what the cardholder pays on top.
        payee_key: destination card token or bill digest, 64 hex digits; empty for a purchase.
        transaction_ref: the payment's reference, 16 characters A–Z 2–7.
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

    def canonical(self) -> str:
        """Write the binding, version 1 (contracts/harim/v1)."""
        return (
            f"v1|type={self.type}|amount={self.amount.amount}|fee={self.fee.amount}|acquirer={self.acquirer_id}"
            f"|merchant={self.merchant_id}|terminal={self.terminal_id}|payee={self.payee_name}"
            f"|payee_key={self.payee_key}|ref={self.transaction_ref}"
        )

    def digest(self) -> bytes:
        """SHA-256 of the canonical text, 32 bytes."""
        return hashlib.sha256(self.canonical().encode()).digest()


def parse_canonical(text: str) -> Binding:
    """Read back what :meth:`Binding.canonical` wrote."""
    _, *pairs = text.split("|")
    values = dict(pair.split("=", 1) for pair in pairs)
    return Binding(
        type=TransactionType(values["type"]),
        amount=Rial(int(values["amount"])),
        fee=Rial(int(values["fee"])),
        acquirer_id=values["acquirer"],
        merchant_id=values["merchant"],
        terminal_id=values["terminal"],
        payee_name=values["payee"],
        payee_key=values["payee_key"],
        transaction_ref=values["ref"],
    )


def check_binding(binding: Binding) -> None:
    """Refuse a transaction that no code can be bound to (D6, D25).

    Raises:
        InvalidBinding: with the name of the first field that is missing or misshapen.
    """
    for field, shape in _SHAPES.items():
        if shape.fullmatch(getattr(binding, field)) is None:
            raise InvalidBinding(field)
    checks = (
        ("payee_name", payee_name_allowed(binding.payee_name)),
        ("payee_key", _payee_key_allowed(binding)),
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
    return (binding.amount + binding.fee).amount <= TOTAL_MAX and bool(binding.amount) == (
        binding.type not in WITHOUT_AMOUNT
    )
