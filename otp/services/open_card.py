"""Open a card account: the card is found by its token, its PAN and mobile are sealed to their row."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.card import check_expiry, mobile_place, normalise_mobile, pan_place
from otp.domain.holder import check_holder_name, holder_place
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.services.cards import card_tokens, mobile_tokens, pin_mac
from otp.services.customers import know_customer
from otp.store import cards

NAME_BYTES = 32
_LABELLED = (purposes.CARD_TOKEN, purposes.MOBILE_TOKEN, purposes.PIN_VERIFICATION)
"""Purposes whose key is kept beside what was hashed under it."""


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card as the bank issues it.

    Args:
        expiry: ``YYMM``, Jalali, as printed on the card.
        mobile: the holder's number, however it is written; ``None`` when none is known.
        balance: what the account opens with.
        customer: the holder's national code; ``None`` where nobody is known, as with a gift card: such a card gets no
            app (D23).
        kind: ``debit`` or ``gift``.
        first_pin: four digits, for machines that take the card.
        static_second_pin: 5, 6 or 9 to 12 digits, as gift cards have one; both are kept as keyed values only (D27).
        holder: the holder's name, which whoever sends money to the card sees masked (D28).
    """

    pan: Pan
    expiry: str
    mobile: str | None
    balance: Rial
    second_pin_active: bool = True
    customer: str | None = None
    kind: Literal["debit", "gift"] = "debit"
    first_pin: Sensitive[str] | None = None
    static_second_pin: Sensitive[str] | None = None
    holder: str | None = None


def open_card(bank: Bank, card: NewCard) -> int:
    """Open the account and return its number at the bank.

    Raises:
        InvalidExpiry: when the expiry is not ``YYMM``.
        InvalidMobile: when the number is no Iranian mobile.
        InvalidNationalCode: when the holder's national code is none.
        InvalidHolderName: when the name is none.
        DuplicateCard: when the card has an account already.
    """
    keys, name = bank.keys, secrets.token_bytes(NAME_BYTES)
    mobile = normalise_mobile(card.mobile) if card.mobile else None
    place = mobile_place(name)
    card_key, mobile_key, pin_key = map(keys.active_id, _LABELLED)
    row = cards.NewRow(
        tokens=card_tokens(keys, card.pan, writing=card_key),
        card_token_key=card_key,
        card_name=name,
        pan_sealed=keys.seal(purposes.PAN_SEAL, card.pan.reveal().encode(), bound_to=pan_place(name)),
        expiry=check_expiry(card.expiry),
        mobile_sealed=keys.seal(purposes.MOBILE_SEAL, mobile.encode(), bound_to=place) if mobile else None,
        mobile_token=mobile_tokens(keys, mobile, writing=mobile_key)[0] if mobile else None,
        mobile_token_key=mobile_key,
        mobile_last_two=mobile[-2:] if mobile else None,
        second_pin_active=card.second_pin_active,
        balance_rial=card.balance.amount,
        kind=card.kind,
        pin_key=pin_key,
        first_pin_mac=pin_mac(keys, pin_key, name, card.first_pin) if card.first_pin else None,
        static_second_pin_mac=pin_mac(keys, pin_key, name, card.static_second_pin) if card.static_second_pin else None,
        holder_name_sealed=_sealed_holder(bank, name, card.holder) if card.holder else None,
    )
    with bank.database.begin() as connection:
        customer_id = know_customer(keys, connection, card.customer) if card.customer else None
        return cards.add(connection, row, customer_id)


def _sealed_holder(bank: Bank, card_name: bytes, holder: str) -> bytes:
    name = check_holder_name(holder)
    return bank.keys.seal(purposes.PAN_SEAL, name.encode(), bound_to=holder_place(card_name))


def block_card(bank: Bank, pan: Pan, *, by: By | None = None) -> bool:
    """Block a card; ``False`` when the bank has no such card."""
    with bank.database.begin() as connection:
        card_id = cards.block(connection, card_tokens(bank.keys, pan))
        if card_id is not None:
            note(connection, bank.keys, by, "card.blocked", f"card:{card_id}")
        return card_id is not None
