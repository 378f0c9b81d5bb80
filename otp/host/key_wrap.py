"""Keys under a key: AES key wrap (RFC 3394) under a key-exchange key of 32 bytes, and check values (D22, D41)."""

from __future__ import annotations

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from foundation.sensitive import Sensitive

KEK_BYTES = 32


class NotUnwrapped(ValueError):
    """A wrapped key does not open under this key-exchange key, or is not of its size."""


def opened(kek: Sensitive[bytes], wrapped: bytes, size: int) -> Sensitive[bytes]:
    """Return the key.

    Raises:
        NotUnwrapped: when it does not open or has another size.
    """
    try:
        key = aes_key_unwrap(kek.reveal(), wrapped)
    except (InvalidUnwrap, ValueError):
        raise NotUnwrapped("a wrapped key does not open") from None
    if len(key) != size:
        raise NotUnwrapped("a wrapped key has another size")
    return Sensitive(key)
