"""Names and numbers by which a payment is known to others: their shapes, and how new ones are made.

STAN (DE 11, six digits) and RRN (DE 37, ``YDDD`` and eight digits) come from database sequences (D37); the
rest is chance.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

Chance = Callable[[int], int]
"""Returns a number in ``range(n)``; the real one is :func:`secrets.randbelow`."""

REFERENCE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
REFERENCE_LENGTH = 16
TRACKING_DIGITS = 14
READABLE = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"
PAGE_TOKEN_LENGTH = 32
ID_LENGTH = 20
SECRET_LENGTH = 40
OWN_ORDER_LENGTH = 12

PAYMENT_ID_PATTERN = f"^pay_[{READABLE}]{{{ID_LENGTH}}}$"
ORDER_ID_PATTERN = "^[A-Za-z0-9._-]{1,64}$"
DESTINATION_TOKEN_PATTERN = "^dest_[0-9a-f]{32}$"  # noqa: S105 - a shape, not a secret
_ORDER_ID = re.compile(ORDER_ID_PATTERN)
_SECRET = re.compile(r"sk_(test|live)_[0-9A-Za-z]{40}")


def _random(alphabet: str, length: int, chance: Chance) -> str:
    return "".join(alphabet[chance(len(alphabet))] for _ in range(length))


def new_payment_id(chance: Chance = secrets.randbelow) -> str:
    """Make a payment id: ``pay_`` and twenty characters."""
    return "pay_" + _random(READABLE, ID_LENGTH, chance)


def new_attempt_id(chance: Chance = secrets.randbelow) -> str:
    """Make an attempt id: ``att_`` and twenty characters."""
    return "att_" + _random(READABLE, ID_LENGTH, chance)


def new_order_id(prefix: str, chance: Chance = secrets.randbelow) -> str:
    """Make an order id for what the gateway opens itself: ``prefix-`` and twelve characters."""
    return f"{prefix}-" + _random(READABLE, OWN_ORDER_LENGTH, chance)


def new_page_token(chance: Chance = secrets.randbelow) -> str:
    """Make the token in a hosted page's address: 32 characters, about 184 bits."""
    return _random(READABLE, PAGE_TOKEN_LENGTH, chance)


def new_reference(chance: Chance = secrets.randbelow) -> str:
    """Make a payment reference: 16 characters A–Z 2–7, the ``transaction_ref`` that binds a code (D5, D9b)."""
    return _random(REFERENCE_ALPHABET, REFERENCE_LENGTH, chance)


def new_tracking_code(chance: Chance = secrets.randbelow) -> str:
    """Make what a customer reads on a receipt: 14 random digits, no zero first (D28: at least 12)."""
    return str(1 + chance(9)) + _random("0123456789", TRACKING_DIGITS - 1, chance)


def new_secret_key(mode: str, chance: Chance = secrets.randbelow) -> str:
    """Make a merchant's secret: ``sk_test_`` or ``sk_live_`` and forty characters."""
    return f"sk_{mode}_" + _random(READABLE, SECRET_LENGTH, chance)


def mode_of_secret_key(secret: str) -> str | None:
    """Return ``test`` or ``live`` when the text has the shape of a secret key."""
    found = _SECRET.fullmatch(secret)
    return found.group(1) if found else None


def is_order_id(text: str) -> bool:
    """Tell whether a merchant may name an order so: 1–64 letters, digits and ``._-``."""
    return _ORDER_ID.fullmatch(text) is not None
