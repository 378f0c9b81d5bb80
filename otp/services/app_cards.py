"""The cards on a device: one more by its own code, one less, and the device itself ended (D23)."""

from __future__ import annotations

import uuid

import structlog

from otp.domain.activation import Channel, add_proof
from otp.domain.app_answers import AppCode, Refused
from otp.domain.device import DeviceState
from otp.services.app_list import AppList, addable_card, list_cards
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.services.issue_activation import Issued, Wanted, issue_activation
from otp.services.know_device import Caller
from otp.services.redeem import Proof, redeem
from otp.store import devices
from otp.store.activations import ActivationRow

log = structlog.get_logger()


def request_card(bank: Bank, caller: Caller, card_no: str) -> Issued | Refused:
    """Text a code to the mobile of another card of the same customer; it adds that card to this device."""
    with bank.database.single() as connection:
        card_id = addable_card(bank, connection, caller, card_no)
    if card_id is None:
        return Refused(AppCode.CARD_NOT_FOUND)
    return issue_activation(bank, Wanted(card_id, Channel.SMS, device_id=caller.device_id))


def add_card(bank: Bank, caller: Caller, activation_id: str, proof: bytes) -> tuple[AppList, str] | Refused:
    """Add a card by its code, at once: its old binding ends, and its holder is told; return its name as well."""
    shown = Proof(
        activation_id=activation_id,
        shown=proof,
        expected=lambda key: add_proof(key, caller.device_id),
        fits=lambda row: _may_add(row, caller),
    )
    card_ref = str(uuid.uuid4())
    with bank.database.begin() as connection:
        redeemed = redeem(bank, connection, shown)
        if redeemed is None:
            return Refused(AppCode.ACTIVATION_REFUSED)
        card_id = redeemed.row.card_id
        if devices.hold(connection, caller.device_id, card_id).state != DeviceState.ACTIVE:
            return Refused(AppCode.CALL_REFUSED)
        key = redeemed.row.activation_key
        devices.add_card(connection, key, device_id=caller.device_id, card_id=card_id, card_ref=card_ref)
        note(connection, bank.keys, By(f"app:{caller.device_id}"), "app.card_added", f"card:{card_id}")
    bank.ring()
    log.info("app_card_added", device_id=caller.device_id)
    return list_cards(bank, caller), card_ref


def remove_card(bank: Bank, caller: Caller, card_ref: str) -> AppList | Refused:
    """Take a card off this device and tell its holder; the device goes on, even without a card."""
    with bank.database.begin() as connection:
        card_id = devices.lock_card(connection, caller.device_id, state="active", card_ref=card_ref)
        if card_id is None:
            return Refused(AppCode.CARD_NOT_FOUND)
        devices.remove_card(connection, caller.device_id, card_ref)
        note(connection, bank.keys, By(f"app:{caller.device_id}"), "app.card_removed", f"card:{card_id}")
    bank.ring()
    log.info("app_card_removed", device_id=caller.device_id)
    return list_cards(bank, caller)


def remove_device(bank: Bank, caller: Caller, device_id: str) -> AppList | Refused:
    """End a device of the same customer, this one or another, with its keys and cards, and tell the holder."""
    with bank.database.begin() as connection:
        if not devices.hold_whole(connection, device_id, caller.customer_id):
            return Refused(AppCode.DEVICE_NOT_FOUND)
        devices.remove(connection, device_id)
        note(connection, bank.keys, By(f"app:{caller.device_id}"), "app.removed", f"device:{device_id}")
    bank.ring()
    log.info("app_removed", device_id=device_id, by=caller.device_id)
    return list_cards(bank, caller)


def _may_add(row: ActivationRow, caller: Caller) -> bool:
    """The cash machine vouches for any card; an SMS for one of the same customer, to the device that asked (D23)."""
    if row.ceiling_rial is not None:
        return False
    if row.channel == Channel.ATM:
        return True
    return row.device_id == caller.device_id and row.customer_id == caller.customer_id
