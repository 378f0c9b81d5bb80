"""The codes that a holder's app makes: a key per card and purpose, and the digits of each minute (D14, D24).

The second and the first PIN are TOTP (RFC 6238) with SHA-256 and steps of a minute. The code that is bound to one
purchase is OCRA (RFC 6287) over a question that names it; it has one digit more, so that an entry's length says which
of the two it can be, and no entry can meet more than five values that are good at one time.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import pyotp
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from foundation.sensitive import Sensitive
from otp.domain.ocra import ocra

STEP_SECONDS = 60
SECOND_PIN_DIGITS = 7
FIRST_PIN_DIGITS = 6
BOUND_CODE_DIGITS = 8
BOUND_SUITE = f"OCRA-1:HOTP-SHA256-{BOUND_CODE_DIGITS}:QH64-T1M"
_KEY_BYTES = 32


class Purpose(StrEnum):
    """What a code of the app is for."""

    FIRST = "first"
    SECOND = "second"
    BOUND = "bound"


@dataclass(frozen=True, slots=True)
class Window:
    """How many minutes before and after a device's own are good: people are slow, and clocks are off."""

    earlier: int
    later: int


WINDOWS: Mapping[Purpose, Window] = MappingProxyType(
    {Purpose.SECOND: Window(1, 1), Purpose.FIRST: Window(1, 0), Purpose.BOUND: Window(1, 0)}
)
"""Three values of seven digits, two of six, and two of eight for each way to name a purchase (D14)."""


def good_steps(purpose: Purpose, now_step: int, drift: int) -> range:
    """Return the minutes whose codes are good now.

    The window follows the device, no further than that the bank's own minute stays in it: who was slow once, or whose
    clock was put right, is not shut out. So what is good is at most two minutes from the bank's clock.

    Args:
        purpose: of the code.
        now_step: whole minutes since 1970 by the bank's clock.
        drift: minutes that the device was ahead of the bank's clock when its code was last taken.
    """
    window = WINDOWS[purpose]
    middle = now_step + max(-window.later, min(window.earlier, drift))
    return range(middle - window.earlier, middle + window.later + 1)


def code_key(code_root: Sensitive[bytes], purpose: Purpose, card_ref: str) -> Sensitive[bytes]:
    """Return the key of one card on one device for one purpose (32 bytes)."""
    info = f"ramznegar-v1|{purpose}|{card_ref}".encode()
    return Sensitive(HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(code_root.reveal()))


def second_pin(key: Sensitive[bytes], step: int) -> Sensitive[str]:
    """Return the dynamic second PIN of one step of a minute."""
    return _hotp(key, step, SECOND_PIN_DIGITS)


def first_pin(key: Sensitive[bytes], step: int) -> Sensitive[str]:
    """Return the dynamic first PIN of one step of a minute."""
    return _hotp(key, step, FIRST_PIN_DIGITS)


def bound_code(key: Sensitive[bytes], question: str, minute: int) -> Sensitive[str]:
    """Return the code of one purchase in one minute.

    Args:
        key: of the card, for purpose ``bound``.
        question: the whole text that names the purchase; its SHA-256 is what OCRA is asked.
        minute: whole minutes since 1970.
    """
    asked = hashlib.sha256(question.encode()).hexdigest()
    return Sensitive(ocra(BOUND_SUITE, key.reveal(), question=asked, time=minute))


def typed_purchase(total_rial: int, terminal_id: str) -> str:
    """Name a purchase by what its holder types into the app: the total and the terminal (D24)."""
    return f"typed-v1|total={total_rial}|terminal={terminal_id}"


def typed_transfer(total_rial: int, destination_tail: Sensitive[str]) -> str:
    """Name a transfer by what its holder types into the app: the total and the destination's last eight digits (D24).

    >>> typed_transfer(1_255_000, Sensitive("00000017"))
    'typed-v1|total=1255000|destination=00000017'
    """
    return f"typed-v1|total={total_rial}|destination={destination_tail.reveal()}"


def _hotp(key: Sensitive[bytes], step: int, digits: int) -> Sensitive[str]:
    secret = base64.b32encode(key.reveal()).decode()
    return Sensitive(pyotp.HOTP(secret, digits=digits, digest=hashlib.sha256).at(step))
