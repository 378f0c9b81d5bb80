"""What an app shows of its customer: cards on this device, cards that could be, devices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from foundation.keys import Keyring
from otp.domain import purposes
from otp.services.bank import Bank
from otp.services.cards import lasting_mac, open_pan
from otp.services.judging import ceilings_of
from otp.services.know_device import Caller
from otp.store import app_cards
from otp.store.app_cards import ShownCard, ShownDevice

_CARD_NO = b"app-card\x00"
CARD_NO_BYTES = 16


@dataclass(frozen=True, slots=True)
class AppCard:
    """A card on this device; amounts in rials.

    Args:
        ceiling_max_rial: the bank's own, above which no holder's ceiling goes.
        next_rial: the ceiling that comes in force at ``next_at``, where one waits.
    """

    card_ref: str
    masked_pan: str
    ceiling_rial: int
    ceiling_max_rial: int
    next_rial: int | None
    next_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class AddableCard:
    """Another card of the customer, by a name that only this device may use."""

    card_no: str
    card_id: int
    masked_pan: str


@dataclass(frozen=True, slots=True)
class AppList:
    """All that an app shows, by the bank's clock."""

    now: dt.datetime
    own_device_id: str
    cards: Sequence[AppCard]
    addable: Sequence[AddableCard]
    devices: Sequence[ShownDevice]


def list_cards(bank: Bank, caller: Caller) -> AppList:
    """Read what this device may show."""
    ceilings = ceilings_of(bank.settings.limits())
    with bank.database.begin() as connection:
        shown = app_cards.shown_cards(connection, caller.device_id, caller.customer_id, ceilings)
        now, devices = app_cards.shown_devices(connection, caller.customer_id)
    return AppList(
        now=now,
        own_device_id=caller.device_id,
        cards=[_own(bank, row, row.card_ref) for row in shown if row.card_ref is not None],
        addable=[_addable(bank.keys, caller, row) for row in shown if row.card_ref is None and row.eligible],
        devices=devices,
    )


def addable_card(bank: Bank, connection: Connection, caller: Caller, card_no: str) -> int | None:
    """Return the card that this device calls so, if it could be added."""
    ceilings = ceilings_of(bank.settings.limits())
    shown = app_cards.shown_cards(connection, caller.device_id, caller.customer_id, ceilings)
    free = [_addable(bank.keys, caller, row) for row in shown if row.card_ref is None and row.eligible]
    return next((card.card_id for card in free if card.card_no == card_no), None)


def _own(bank: Bank, row: ShownCard, card_ref: str) -> AppCard:
    return AppCard(
        card_ref=card_ref,
        masked_pan=open_pan(bank.keys, row.card_name, row.pan_sealed).masked,
        ceiling_rial=row.ceiling_rial,
        ceiling_max_rial=bank.settings.unbound_code_max_rial,
        next_rial=row.next_rial,
        next_at=row.next_at,
    )


def _addable(keys: Keyring, caller: Caller, row: ShownCard) -> AddableCard:
    """Name a card by a keyed hash: the bank's own number of it stays at the bank."""
    said = _CARD_NO + f"{caller.device_id}|{row.card_id}".encode()
    card_no = lasting_mac(keys, purposes.CARD_TOKEN, said)[:CARD_NO_BYTES].hex()
    return AddableCard(card_no, row.card_id, open_pan(keys, row.card_name, row.pan_sealed).masked)
