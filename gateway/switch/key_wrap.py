"""Keys under a key: AES key wrap (RFC 3394) under a key-exchange key of 32 bytes, and check values (D22, D41)."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from foundation.keys import Keyring
from foundation.sensitive import Sensitive
from gateway.ports import WrappedKeys
from gateway.switch import mac, pin_block

KEK_BYTES = 32
NAME_BYTES = 5


class NotUnwrapped(ValueError):
    """A wrapped key does not open under this key-exchange key, or is not of its size."""


def draw(keyring: Keyring, kek_id: str) -> WrappedKeys:
    """Draw a set of link keys with a name of its own; they leave this function only wrapped.

    Raises:
        ValueError: when the key-exchange key is not 32 bytes.
    """
    kek = _kek(keyring, kek_id)
    pin, request, answer = (
        aes_key_wrap(kek, secrets.token_bytes(size)) for size in (pin_block.KEY_BYTES, mac.KEY_BYTES, mac.KEY_BYTES)
    )
    return WrappedKeys(f"ks-{secrets.token_hex(NAME_BYTES)}", kek_id, pin, request, answer)


def opened(keyring: Keyring, keys: WrappedKeys) -> tuple[Sensitive[bytes], Sensitive[bytes], Sensitive[bytes]]:
    """Return the PIN key, our MAC key and the host's.

    Raises:
        NotUnwrapped: when one does not open or has another size.
        UnknownKey: when the key-exchange key is not on the ring.
    """
    kek = _kek(keyring, keys.kek_id)
    return (
        _opened(kek, keys.pin, pin_block.KEY_BYTES),
        _opened(kek, keys.request_mac, mac.KEY_BYTES),
        _opened(kek, keys.answer_mac, mac.KEY_BYTES),
    )


def check_values(keyring: Keyring, keys: WrappedKeys) -> tuple[str, str, str]:
    """Return six hex digits for each key, by which both sides know that they hold the same."""
    pin, request, answer = opened(keyring, keys)
    return pin_block.check_value(pin), mac.check_value(request), mac.check_value(answer)


def _kek(keyring: Keyring, kek_id: str) -> bytes:
    kek = keyring.material(kek_id).reveal()
    if len(kek) != KEK_BYTES:
        raise ValueError(f"a key-exchange key is {KEK_BYTES} bytes")
    return kek


def _opened(kek: bytes, wrapped: bytes, size: int) -> Sensitive[bytes]:
    try:
        key = aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        raise NotUnwrapped("a wrapped key does not open") from None
    if len(key) != size:
        raise NotUnwrapped("a wrapped key has another size")
    return Sensitive(key)
