"""What the bank raises on purpose. A refusal to a PSP and a declined purchase are values, not errors."""

from __future__ import annotations


class BankError(Exception):
    """Every error we raise on purpose."""


class InvalidMobile(BankError):
    """The text is no Iranian mobile number."""


class InvalidBinding(BankError):
    """A field of a transaction has a shape that no code can be bound to; ``field`` names it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class InvalidExpiry(BankError):
    """The text is no expiry of a card (``YYMM``, Jalali)."""


class InvalidHolderName(BankError):
    """The text is no name of a person."""


class DuplicateCard(BankError):
    """There is an account of this card already."""


class InvalidPsp(BankError):
    """A PSP cannot be registered so; the message is a sentence for the operator."""


class UnknownPsp(BankError):
    """There is no PSP with this id."""


class DuplicatePsp(BankError):
    """There is a PSP with this id or acquirer already."""


class InvalidNationalCode(BankError):
    """The text is no national code of a person in Iran."""


class InvalidPublicKey(BankError):
    """The bytes are no public key of an app."""


class InvalidOperator(BankError):
    """An operator cannot be registered so; the message is a sentence for whoever does it."""


class DuplicateOperator(BankError):
    """There is, or was, an operator of this name: names are never given twice, because the audit trail has them."""


class UnknownOperator(BankError):
    """There is no active operator of this name."""


class KeyNotRotated(Exception):
    """A key is not changed or removed; the message is a sentence for the operator."""


class DayNotOver(BankError):
    """A day's file was asked for before its day was over; the message says from when on it can be had."""
