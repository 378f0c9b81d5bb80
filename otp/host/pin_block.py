"""PIN block: ISO 9564-1 format 0 under triple DES with a 24-byte zone PIN key (D22, D38).

The one module of the bank's host that speaks this cryptography.
"""

from __future__ import annotations

import re

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

from foundation.pan import Pan
from foundation.sensitive import Sensitive

KEY_BYTES = 24
_CHECK_BYTES = 3
BLOCK_BYTES = 8
_FORMAT_0 = re.compile(r"0([4-9A-C])([0-9]+)(F*)")


class PinBlockRefused(ValueError):
    """The block does not open to a PIN of this card: another key, another card, or damage."""


def open_pin(key: Sensitive[bytes], block: bytes, pan: Pan) -> Sensitive[str]:
    """Take the PIN out of DE 52.

    Raises:
        PinBlockRefused: when what comes out is not a format 0 block of 4 to 12 digits.
        ValueError: when the key is not 24 bytes.
    """
    if len(key.reveal()) != KEY_BYTES:
        raise ValueError("a PIN key is 24 bytes")
    if len(block) != BLOCK_BYTES:
        raise PinBlockRefused("a PIN block is eight bytes")
    decryptor = Cipher(TripleDES(key.reveal()), ECB()).decryptor()  # noqa: S305 - one block, as ISO 9564 says
    mixed = decryptor.update(block) + decryptor.finalize()
    pan_field = bytes.fromhex("0000" + pan.reveal()[-13:-1])
    clear = bytes(a ^ b for a, b in zip(mixed, pan_field, strict=True)).hex().upper()
    shape = _FORMAT_0.fullmatch(clear)
    if shape is None or len(shape[2]) != int(shape[1], 16):
        raise PinBlockRefused("not a format 0 block of this card")
    return Sensitive(shape[2])


def check_value(key: Sensitive[bytes]) -> str:
    """Return six hex digits of an encrypted block of zeros: the key's check value (ANSI X9.24-1)."""
    encryptor = Cipher(TripleDES(key.reveal()), ECB()).encryptor()  # noqa: S305 - one block of zeros
    return encryptor.update(bytes(8))[:_CHECK_BYTES].hex().upper()
