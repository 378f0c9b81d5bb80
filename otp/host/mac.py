"""Message authentication: AES-128-CMAC (NIST SP 800-38B), the left eight bytes (contracts/iso8583/v1)."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from foundation.sensitive import Sensitive

KEY_BYTES = 16
MAC_BYTES = 8
_CHECK_BYTES = 3


def mac_of(key: bytes, data: bytes) -> bytes:
    """Compute the eight bytes of DE 64.

    Raises:
        ValueError: when the key is not 16 bytes.
    """
    if len(key) != KEY_BYTES:
        raise ValueError("a MAC key is 16 bytes")
    cmac = CMAC(AES(key))
    cmac.update(data)
    return cmac.finalize()[:MAC_BYTES]


def mac_matches(key: bytes, data: bytes, mac: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(mac_of(key, data), mac)


def check_value(key: Sensitive[bytes]) -> str:
    """Return six hex digits of the CMAC over sixteen zero bytes: the key's check value (ANSI X9.24-1, shortened)."""
    return mac_of(key.reveal(), bytes(KEY_BYTES))[:_CHECK_BYTES].hex().upper()
