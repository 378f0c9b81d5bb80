"""How the bank finds and judges a card: its token, its sealed values, its CVV2 and expiry."""

from __future__ import annotations

import hmac

from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.card import mobile_place, pan_place
from otp.domain.cvv2 import cvv2_of


def card_token(keys: Keyring, pan: Pan) -> bytes:
    """Return the keyed hash by which this bank finds a card."""
    return keys.mac(purposes.CARD_TOKEN, pan.reveal().encode())


def mobile_token(keys: Keyring, mobile: str) -> bytes:
    """Return the keyed hash under which limits per phone are counted."""
    return keys.mac(purposes.MOBILE_TOKEN, mobile.encode())


def customer_token(keys: Keyring, national_code: str) -> bytes:
    """Return the keyed hash by which the cards of one customer are known (D23)."""
    return keys.mac(purposes.CUSTOMER_TOKEN, national_code.encode())


def cvv2_matches(keys: Keyring, pan: Pan, expiry: str, cvv2: Sensitive[str]) -> bool:
    """Tell in constant time whether a CVV2 belongs to this card; it is derived, never stored."""
    cvk = keys.material(keys.active_id(purposes.CARD_VERIFICATION))
    expected = cvv2_of(cvk.reveal(), pan, expiry)
    return hmac.compare_digest(expected.encode(), cvv2.reveal().encode())


def open_pan(keys: Keyring, token: bytes, sealed: bytes) -> Pan:
    """Open a sealed PAN; it opens in its own row only."""
    return Pan.parse(keys.open(sealed, bound_to=pan_place(token)).decode())


def open_mobile(keys: Keyring, token: bytes, sealed: bytes) -> Sensitive[str]:
    """Open a sealed mobile number; it opens in its own row only."""
    return Sensitive(keys.open(sealed, bound_to=mobile_place(token)).decode())
