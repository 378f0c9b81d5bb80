"""A PIN is kept as a keyed value only, so it moves to another key when somebody shows the right one (D27, D41)."""

from __future__ import annotations

from sqlalchemy import Connection

from foundation.keys import Keyring
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.services.cards import pin_mac
from otp.store import pins
from otp.store.accounts import HeldCard
from otp.store.pins import PinKind


def keep_under_present_key(
    keys: Keyring, connection: Connection, card: HeldCard, kind: PinKind, pin: Sensitive[str], kept_under: str | None
) -> None:
    """Keep a PIN that was just right and approved under the key that writes, if it is under another.

    Only what was approved comes here: a statement more for a right PIN beside a wrong CVV2 would tell them apart (D18).
    """
    key_id = keys.active_id(purposes.PIN_VERIFICATION)
    if card.card_id is not None and kept_under != key_id:
        pins.keep(connection, card.card_id, kind, pin_mac(keys, key_id, card.name, pin), key_id)
