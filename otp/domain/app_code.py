"""The codes that a holder's app makes: a key per card and purpose, and the digits of each step (RFC 6238, D14)."""

from __future__ import annotations

import base64
import hashlib
from enum import StrEnum

import pyotp
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from foundation.sensitive import Sensitive

STEP_SECONDS = 60
SECOND_PIN_DIGITS = 7
FIRST_PIN_DIGITS = 6
_KEY_BYTES = 32


class Purpose(StrEnum):
    """What a code of the app is for."""

    FIRST = "first"
    SECOND = "second"
    BOUND = "bound"


def code_key(code_root: Sensitive[bytes], purpose: Purpose, card_ref: str) -> Sensitive[bytes]:
    """Return the key of one card on one device for one purpose (32 bytes)."""
    info = f"ramznegar-v1|{purpose}|{card_ref}".encode()
    return Sensitive(HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(code_root.reveal()))


def second_pin(key: Sensitive[bytes], step: int) -> Sensitive[str]:
    """Return the dynamic second PIN of one step of a minute."""
    return _totp(key, step, SECOND_PIN_DIGITS)


def first_pin(key: Sensitive[bytes], step: int) -> Sensitive[str]:
    """Return the dynamic first PIN of one step of a minute."""
    return _totp(key, step, FIRST_PIN_DIGITS)


def _totp(key: Sensitive[bytes], step: int, digits: int) -> Sensitive[str]:
    secret = base64.b32encode(key.reveal()).decode()
    return Sensitive(pyotp.HOTP(secret, digits=digits, digest=hashlib.sha256).at(step))
