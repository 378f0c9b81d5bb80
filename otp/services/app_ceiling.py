"""A card's ceiling of codes that are bound to nothing: lower at once, higher after an SMS and a day (D14)."""

from __future__ import annotations

import structlog

from otp.domain.activation import Channel, ceiling_proof
from otp.domain.app_answers import AppCode, Refused
from otp.services.app_list import AppList, list_cards
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.services.issue_activation import Issued, Wanted, issue_activation
from otp.services.know_device import Caller
from otp.services.redeem import Proof, redeem
from otp.store import app_cards, devices
from otp.store.activations import ActivationRow
from otp.store.app_cards import Raise

log = structlog.get_logger()

RAISE_WAIT_SECONDS = 86_400


def set_ceiling(bank: Bank, caller: Caller, card_ref: str, rial: int) -> AppList | Issued | Refused:
    """Lower a card's ceiling at once, or text a code that raises it."""
    most = bank.settings.unbound_code_max_rial
    if rial > most:
        return Refused(AppCode.CEILING_TOO_HIGH)
    with bank.database.begin() as connection:
        card_id = devices.lock_card(connection, caller.device_id, state="active", card_ref=card_ref)
        if card_id is None:
            return Refused(AppCode.CARD_NOT_FOUND)
        lowered = app_cards.lower_ceiling(connection, card_id, card_ref, rial=rial, most=most)
        if lowered:
            by = By(f"app:{caller.device_id}")
            note(connection, bank.keys, by, "app.ceiling_lowered", f"card:{card_id}", {"rial": rial})
    if lowered:
        log.info("app_ceiling_lowered", device_id=caller.device_id)
        return list_cards(bank, caller)
    return issue_activation(bank, Wanted(card_id, Channel.SMS, device_id=caller.device_id, ceiling_rial=rial))


def confirm_ceiling(bank: Bank, caller: Caller, card_ref: str, activation_id: str, proof: bytes) -> AppList | Refused:
    """Raise a ceiling by the code that was texted: it comes in force a day from now, and the holder is told."""
    with bank.database.begin() as connection:
        card_id = devices.card_of(connection, caller.device_id, card_ref)
        if card_id is None:
            return Refused(AppCode.CARD_NOT_FOUND)
        shown = Proof(
            activation_id=activation_id,
            shown=proof,
            expected=lambda key: ceiling_proof(key, card_ref),
            fits=lambda row: _may_raise(row, caller, card_id),
        )
        redeemed = redeem(bank, connection, shown)
        if redeemed is None or redeemed.row.ceiling_rial is None:
            return Refused(AppCode.ACTIVATION_REFUSED)
        app_cards.raise_ceiling(
            connection,
            Raise(
                activation_key=redeemed.row.activation_key,
                device_id=caller.device_id,
                card_id=card_id,
                rial=redeemed.row.ceiling_rial,
                most=bank.settings.unbound_code_max_rial,
                wait_seconds=RAISE_WAIT_SECONDS,
            ),
        )
        by, raised = By(f"app:{caller.device_id}"), {"rial": redeemed.row.ceiling_rial}
        note(connection, bank.keys, by, "app.ceiling_raised", f"card:{card_id}", raised)
    bank.ring()
    log.info("app_ceiling_raised", device_id=caller.device_id)
    return list_cards(bank, caller)


def _may_raise(row: ActivationRow, caller: Caller, card_id: int) -> bool:
    return row.ceiling_rial is not None and (row.card_id, row.device_id) == (card_id, caller.device_id)
