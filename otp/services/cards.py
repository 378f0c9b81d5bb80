"""How the bank finds and judges a card: its token, its sealed values, its CVV2 and expiry."""

from __future__ import annotations

import hmac

from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.card import mobile_place, pan_place
from otp.domain.code import derive_code, mac_input
from otp.domain.cvv2 import cvv2_of

MOBILE_CODE_DIGITS = 6


def card_tokens(keys: Keyring, pan: Pan, *, writing: str | None = None) -> tuple[bytes, ...]:
    """Return the keyed hashes by which this bank may find a card: under the key that writes, then under another.

    ``writing`` is that key's id where it is kept beside its hash: asked twice, it may be another one the second time.
    """
    return _under_live_keys(keys, purposes.CARD_TOKEN, pan.reveal().encode(), writing)


def mobile_tokens(keys: Keyring, mobile: str, *, writing: str | None = None) -> tuple[bytes, ...]:
    """Return the keyed hashes by which a phone may be known; as :func:`card_tokens`."""
    return _under_live_keys(keys, purposes.MOBILE_TOKEN, mobile.encode(), writing)


def lasting_mac(keys: Keyring, purpose: str, data: bytes) -> bytes:
    """Return a keyed hash under the oldest live key: a change of key changes it only when the old one is removed."""
    return keys.mac_with(keys.ids(purpose)[0], data)


def _under_live_keys(keys: Keyring, purpose: str, data: bytes, writing: str | None) -> tuple[bytes, ...]:
    active = writing or keys.active_id(purpose)
    others = (key_id for key_id in keys.ids(purpose) if key_id != active)
    return tuple(keys.mac_with(key_id, data) for key_id in (active, *others))


def customer_tokens(keys: Keyring, national_code: str, *, writing: str | None = None) -> tuple[bytes, ...]:
    """Return the keyed hashes by which a customer may be known (D23); as :func:`card_tokens`."""
    return _under_live_keys(keys, purposes.CUSTOMER_TOKEN, national_code.encode(), writing)


def pin_mac(keys: Keyring, key_id: str, name: bytes, pin: Sensitive[str]) -> bytes:
    """Return the keyed value that a PIN of this card is kept as; the PIN itself is kept nowhere (D27)."""
    return keys.mac_with(key_id, mac_input(name, pin.reveal()))


def cvv2_matches(keys: Keyring, pan: Pan, expiry: str, cvv2: Sensitive[str]) -> bool:
    """Tell in constant time whether a CVV2 belongs to this card; it is derived, never stored."""
    cvk = keys.material(keys.active_id(purposes.CARD_VERIFICATION))
    expected = cvv2_of(cvk.reveal(), pan, expiry)
    return hmac.compare_digest(expected.encode(), cvv2.reveal().encode())


def mobile_code(keys: Keyring, key_id: str, nonce: bytes, name: bytes, new_mobile: bytes) -> Sensitive[str]:
    """Derive the six digits that confirm a new mobile number of this card; they are stored nowhere (D25)."""
    bound = f"mobile-v1|{name.hex()}|{new_mobile.hex()}"
    return derive_code(keys.material(key_id), nonce, bound, MOBILE_CODE_DIGITS)


def open_pan(keys: Keyring, name: bytes, sealed: bytes) -> Pan:
    """Open a sealed PAN; it opens in its own row only."""
    return Pan.parse(keys.open(sealed, bound_to=pan_place(name)).decode())


def open_mobile(keys: Keyring, name: bytes, sealed: bytes) -> Sensitive[str]:
    """Open a sealed mobile number; it opens in its own row only."""
    return Sensitive(keys.open(sealed, bound_to=mobile_place(name)).decode())
