"""CVV2: the three digits on a card's back, derived from PAN and expiry under the bank's card verification key.

The bank stores no CVV2 (PCI DSS 3.3); it derives the value when a card is made and whenever one is checked.

>>> cvv_of(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"), "4123456789012345", "8701", "101")
'561'
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

from foundation.pan import Pan

CVK_BYTES = 16
CVV2_DIGITS = 3
SERVICE_CODE_OF_CVV2 = "000"
_HALF = 8
_HEX_OF_BLOCKS = 32


def cvv2_of(cvk: bytes, pan: Pan, expiry: str) -> str:
    """Derive the CVV2 of a card.

    Args:
        cvk: the card verification key pair, 16 bytes.
        pan: the card number.
        expiry: YYMM as printed on the card.

    Raises:
        ValueError: when the key is not 16 bytes or the expiry is not four digits.
    """
    if len(expiry) != len("YYMM") or not (expiry.isascii() and expiry.isdigit()):
        raise ValueError("an expiry is four digits, YYMM")
    return cvv_of(cvk, pan.reveal(), expiry, SERVICE_CODE_OF_CVV2)


def cvv_of(cvk: bytes, digits: str, expiry: str, service_code: str) -> str:
    """Derive a card verification value by the schemes' common algorithm (single DES, then two-key triple DES)."""
    if len(cvk) != CVK_BYTES:
        raise ValueError("a card verification key is 16 bytes")
    data = bytes.fromhex((digits + expiry + service_code).ljust(_HEX_OF_BLOCKS, "0"))
    left, right = cvk[:_HALF], cvk[_HALF:]
    first = _encrypt(left * 3, data[:_HALF])
    mixed = bytes(a ^ b for a, b in zip(first, data[_HALF:], strict=True))
    text = _encrypt(left + right + left, mixed).hex()
    decimals = [character for character in text if character.isdigit()]
    folded = [str(int(character, 16) - 10) for character in text if not character.isdigit()]
    return "".join(decimals + folded)[:CVV2_DIGITS]


def _encrypt(key: bytes, block: bytes) -> bytes:
    """Encrypt one block; a key of three equal parts is single DES."""
    encryptor = Cipher(TripleDES(key), ECB()).encryptor()  # noqa: S305 - one block, as the algorithm says
    return encryptor.update(block) + encryptor.finalize()
