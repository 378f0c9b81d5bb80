"""The bank's card: its expiry, its holder's mobile number, and the places its secrets are bound to.

>>> normalise_mobile("+98 912 345 6789")
'09123456789'
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from foundation.digits import to_ascii_digits
from foundation.sensitive import Sensitive
from otp.domain.errors import InvalidExpiry, InvalidMobile

TEHRAN = ZoneInfo("Asia/Tehran")
_SEPARATORS = re.compile(r"[\s\-().\u200b-\u200f]")
_MOBILE = re.compile(r"(?:\+98|0098|98|0)?(9[0-9]{9})")
_EXPIRY = re.compile(r"[0-9]{2}(0[1-9]|1[0-2])")


def normalise_mobile(text: str) -> str:
    """Return a mobile number as ``09`` and nine digits, whichever way it was typed.

    Raises:
        InvalidMobile: when it is none.
    """
    match = _MOBILE.fullmatch(_SEPARATORS.sub("", to_ascii_digits(text)))
    if match is None:
        raise InvalidMobile("a mobile number has eleven digits and begins with 09")
    return f"0{match[1]}"


def mask_mobile(mobile: Sensitive[str]) -> str:
    """Return a mobile number as its holder knows it again and nobody else can read it.

    >>> mask_mobile(Sensitive("09121234541"))
    '0912•••••41'
    """
    text = mobile.reveal()
    return f"{text[:4]}•••••{text[-2:]}"


def check_expiry(text: str) -> str:
    """Return an expiry as it came if it is ``YYMM``.

    Raises:
        InvalidExpiry: when it is not.
    """
    if _EXPIRY.fullmatch(text) is None:
        raise InvalidExpiry("an expiry is YYMM, as printed on the card")
    return text


def pan_place(card_name: bytes) -> str:
    """Where a sealed PAN belongs: it opens in no other row."""
    return f"card|pan|{card_name.hex()}"


def mobile_place(card_name: bytes) -> str:
    """Where a sealed mobile number belongs: it opens in no other row."""
    return f"card|mobile|{card_name.hex()}"
