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


def card_token(keys: Keyring, pan: Pan) -> bytes:
    """Return the keyed hash by which this bank finds a card."""
    return keys.mac(purposes.CARD_TOKEN, pan.reveal().encode())


def mobile_token(keys: Keyring, mobile: str) -> bytes:
    """Return the keyed hash under which limits per phone are counted."""
    return keys.mac(purposes.MOBILE_TOKEN, mobile.encode())


def customer_token(keys: Keyring, national_code: str) -> bytes:
    """Return the keyed hash by which the cards of one customer are known (D23)."""
    return keys.mac(purposes.CUSTOMER_TOKEN, national_code.encode())


def pin_mac(keys: Keyring, token: bytes, pin: Sensitive[str]) -> bytes:
    """Return the keyed value that a PIN of this card is kept as; the PIN itself is kept nowhere (D27)."""
    return keys.mac(purposes.PIN_VERIFICATION, mac_input(token, pin.reveal()))


def cvv2_matches(keys: Keyring, pan: Pan, expiry: str, cvv2: Sensitive[str]) -> bool:
    """Tell in constant time whether a CVV2 belongs to this card; it is derived, never stored."""
    cvk = keys.material(keys.active_id(purposes.CARD_VERIFICATION))
    expected = cvv2_of(cvk.reveal(), pan, expiry)
    return hmac.compare_digest(expected.encode(), cvv2.reveal().encode())


def mobile_code(keys: Keyring, key_id: str, nonce: bytes, token: bytes, new_mobile: bytes) -> Sensitive[str]:
    """Derive the six digits that confirm a new mobile number of this card; they are stored nowhere (D25)."""
    bound = f"mobile-v1|{token.hex()}|{new_mobile.hex()}"
    return derive_code(keys.material(key_id), nonce, bound, MOBILE_CODE_DIGITS)


def open_pan(keys: Keyring, token: bytes, sealed: bytes) -> Pan:
    """Open a sealed PAN; it opens in its own row only."""
    return Pan.parse(keys.open(sealed, bound_to=pan_place(token)).decode())


def open_mobile(keys: Keyring, token: bytes, sealed: bytes) -> Sensitive[str]:
    """Open a sealed mobile number; it opens in its own row only."""
    return Sensitive(keys.open(sealed, bound_to=mobile_place(token)).decode())
