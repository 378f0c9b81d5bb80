"""PIN block: ISO 9564-1 format 0 under triple DES with a 24-byte zone PIN key (D22, D38).

The one module of the gateway that speaks this cryptography.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

from foundation.pan import Pan
from foundation.sensitive import Sensitive

KEY_BYTES = 24
_CHECK_BYTES = 3
PIN_DIGITS = range(4, 13)


class PinRefused(ValueError):
    """The PIN cannot be put into a block: it is not 4 to 12 digits."""


def seal_pin(key: Sensitive[bytes], pin: Sensitive[str], pan: Pan) -> bytes:
    """Put a PIN, mixed with its card number, into eight encrypted bytes for DE 52.

    Raises:
        PinRefused: when the PIN is not 4 to 12 digits.
        ValueError: when the key is not 24 bytes.
    """
    digits = pin.reveal()
    if len(digits) not in PIN_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise PinRefused("a PIN is 4 to 12 digits")
    if len(key.reveal()) != KEY_BYTES:
        raise ValueError("a PIN key is 24 bytes")
    pin_field = bytes.fromhex(f"0{len(digits):X}{digits}".ljust(16, "F"))
    pan_field = bytes.fromhex("0000" + pan.reveal()[-13:-1])
    clear = bytes(a ^ b for a, b in zip(pin_field, pan_field, strict=True))
    encryptor = Cipher(TripleDES(key.reveal()), ECB()).encryptor()  # noqa: S305 - one block, as ISO 9564 says
    return encryptor.update(clear) + encryptor.finalize()


def check_value(key: Sensitive[bytes]) -> str:
    """Return six hex digits of an encrypted block of zeros: the key's check value (ANSI X9.24-1)."""
    encryptor = Cipher(TripleDES(key.reveal()), ECB()).encryptor()  # noqa: S305 - one block of zeros
    return encryptor.update(bytes(8))[:_CHECK_BYTES].hex().upper()
