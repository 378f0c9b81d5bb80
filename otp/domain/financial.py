"""Financial messages as the bank understands them, free of any wire: purchase, reversal, inquiry, and their answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive

PIN_DIGITS_LEAST = 5
"""Codes of 5 to 12 digits are compared; a shorter PIN is no dynamic PIN (D5)."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """The duplicate key of a financial message: DE 32, 41, 11, 37 and DE 12 as sent (D9)."""

    acquirer_id: str
    terminal_id: str
    stan: str
    rrn: str
    local_time: str


@dataclass(frozen=True, slots=True)
class Purchase:
    """A 1200 that is allowed by a code: a purchase, a transfer, a top-up, or the question for a balance.

    Args:
        destination: the card that a transfer within this bank moves the money to; ``None`` for any other message, and
            where the digits are no card number.
        destination_tail: the last eight digits of the card that a transfer goes to, in this bank or another; ``None``
            where the message does not tell them.
        sent_at: DE 12 as an instant.
        total: principal and fee (DE 4); ``fee`` is DE 46.
        pin: ``None`` when the PIN block does not open to a PIN, or ``proof`` is there instead.
        proof: that the code was checked before (D13).
        pan: ``None`` when the digits are no card number.
    """

    key: MessageKey
    sent_at: dt.datetime
    processing_code: str
    type_word: str
    total: Rial
    fee: Rial
    merchant_id: str
    payee_name: str
    payee_key: str
    transaction_ref: str
    pan: Pan | None
    expiry: Sensitive[str]
    cvv2: Sensitive[str]
    pin: Sensitive[str] | None
    proof: Sensitive[str] | None = None
    destination: Pan | None = None
    destination_tail: Sensitive[str] | None = None


@dataclass(frozen=True, slots=True)
class CardPresent:
    """A card in a machine with its holder's first PIN: a purchase at a terminal (1200), or a check of the PIN (1100).

    Args:
        sent_at: DE 12 as an instant.
        total: what is to be taken (DE 4), and ``fee`` of it (DE 46); nothing for a check.
        payee_name: empty for a check.
        pin: ``None`` when the PIN block does not open to a PIN.
        pan: ``None`` when the digits are no card number.
        money: whether money is asked for.
        trusted: whether this acquirer may speak for a card in a machine at all.
    """

    key: MessageKey
    sent_at: dt.datetime
    processing_code: str
    total: Rial
    fee: Rial
    merchant_id: str
    payee_name: str
    pan: Pan | None
    pin: Sensitive[str] | None
    money: bool
    trusted: bool


@dataclass(frozen=True, slots=True)
class Credit:
    """A 1200 or 1201 that brings money to a card: of a transfer, or back from a purchase (D7).

    Args:
        sent_at: DE 12 of the first, as an instant.
        pan: the card that gets it; ``None`` when the digits are no card number.
        day_max: what this acquirer may give in a day; zero where it may give nothing.
    """

    key: MessageKey
    sent_at: dt.datetime
    processing_code: str
    type_word: str
    total: Rial
    fee: Rial
    merchant_id: str
    payee_name: str
    transaction_ref: str
    pan: Pan | None
    day_max: Rial


@dataclass(frozen=True, slots=True)
class HolderQuestion:
    """A 1100 that asks for the name of a card's holder (D28).

    Args:
        asker: the acquirer's keyed token of the card that wants to send, 64 hex digits.
        trusted: whether this acquirer may give money to cards, and so may ask whose they are.
    """

    acquirer_id: str
    processing_code: str
    asker: str
    pan: Pan | None
    trusted: bool


@dataclass(frozen=True, slots=True)
class Reversal:
    """A 1420: give the money of ``original`` back, or never take it. It has a STAN and a time of its own."""

    original: MessageKey
    own_stan: str
    own_local_time: str
    total: Rial
    pan: Pan | None


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """What the host says: DE 39; for an approval DE 38, DE 17 (``MMDD``); to an inquiry DE 4; about a holder DE 43.

    Args:
        balance: what is left on the card, told to its holder who asked (DE 54).
    """

    action_code: str
    approval_code: str | None = None
    capture_date: str | None = None
    total: Rial | None = None
    holder: str | None = None
    balance: Sensitive[Rial] | None = None
