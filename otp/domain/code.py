"""The code itself: derived from a fresh nonce and the canonical binding, so a resend needs nothing stored (D5).

The derived key is HKDF-SHA-256 over nonce and canonical text; the digits are RFC 4226 truncation at counter 0, by pyotp
for six digits and more, by our own twelve lines for five.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import pyotp
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from foundation.sensitive import Sensitive

NONCE_BYTES = 16
PYOTP_DIGITS_LEAST = 6
ISSUED_DIGITS = range(5, 9)
"""Lengths this bank issues; it accepts 5 to 12 (D5)."""

_PURPOSE = b"dynamic-pin-v1\x00"
_KEY_BYTES = 32
_COUNTER = bytes(8)


def derive_code(key: Sensitive[bytes], nonce: bytes, canonical: str, digits: int) -> Sensitive[str]:
    """Derive the code of one challenge.

    Args:
        key: the bank's code-derive key.
        nonce: 16 fresh random bytes, stored with the challenge.
        canonical: the binding's canonical text.
        digits: 5 to 8.

    Raises:
        ValueError: for another number of digits or bytes.
    """
    if digits not in ISSUED_DIGITS or len(nonce) != NONCE_BYTES:
        raise ValueError("a code has 5 to 8 digits and a nonce of 16 bytes")
    kdf = HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE + nonce + canonical.encode())
    derived = kdf.derive(key.reveal())
    if digits < PYOTP_DIGITS_LEAST:
        return Sensitive(truncated(derived, digits))
    secret = base64.b32encode(derived).decode()
    return Sensitive(pyotp.HOTP(secret, digits=digits, digest=hashlib.sha256).at(0))


def truncated(key: bytes, digits: int) -> str:
    """Return the HOTP value of counter 0 (RFC 4226 §5.3 with HMAC-SHA-256), for any number of digits."""
    value = hmac.digest(key, _COUNTER, "sha256")
    offset = value[-1] & 0x0F
    number = int.from_bytes(value[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def mac_input(card_name: bytes, code: str) -> bytes:
    """What the code-mac key authenticates: a code is found by card and digits, and is stored nowhere (D5)."""
    return card_name + code.encode()
