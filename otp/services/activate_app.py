"""Activate the app on a device: exchange keys against a proven code, then believe it by its first code (D23)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from foundation.keys import Keyring
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.activation import Channel, client_proof, server_proof
from otp.domain.app_answers import AppCode, Refused
from otp.domain.device import check_name
from otp.domain.pairing import Kept, Pairing, WrappedRoot, check_public_key, kept_place, pair
from otp.services.app_list import AppList, list_cards
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.services.cards import open_pan
from otp.services.first_code import Shown, judge_code
from otp.services.know_device import Caller
from otp.services.redeem import Proof, Redeemed, redeem
from otp.store import devices

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Paired:
    """What a new device is told; it can do nothing yet but confirm.

    Args:
        public_key: the bank's, 65 bytes.
        proof: the bank had the code too, and these are the keys that were exchanged (32 bytes).
    """

    device_id: str
    public_key: bytes
    proof: bytes
    card_ref: str
    masked_pan: str


def activate_app(bank: Bank, activation_id: str, client_public: bytes, proof: bytes) -> Paired | Refused:
    """Pair a new device with the bank, if its proof is right; nothing that follows from a key is told before.

    Raises:
        InvalidPublicKey: when the device's key is none.
    """
    client = check_public_key(client_public)
    shown = Proof(
        activation_id=activation_id,
        shown=proof,
        expected=lambda key: client_proof(key, activation_id, client_public),
        fits=lambda row: row.channel == Channel.ATM,
    )
    with bank.database.begin() as connection:
        redeemed = redeem(bank, connection, shown)
        if redeemed is None:
            return Refused(AppCode.ACTIVATION_REFUSED)
        pairing = pair(ec.generate_private_key(ec.SECP256R1()), client, redeemed.key)
        row = _new_device(bank.keys, redeemed, pairing)
        devices.pair(connection, row)
    log.info("app_paired", device_id=row.device_id)
    return Paired(
        device_id=row.device_id,
        public_key=pairing.public_key,
        proof=server_proof(redeemed.key, client_public, pairing.public_key),
        card_ref=row.card_ref,
        masked_pan=open_pan(bank.keys, redeemed.row.card_name, redeemed.row.pan_sealed).masked,
    )


def confirm_app(bank: Bank, caller: Caller, name: str, root: WrappedRoot, code: Sensitive[str]) -> AppList | Refused:
    """Let a device begin once its first code is right: then its card's old binding ends and the holder is told.

    Asked again by a device that has begun with this root, show it what it shows; nothing is done twice.
    """
    with bank.database.begin() as connection:
        card_id = devices.lock_card(connection, caller.device_id, state=caller.state)
        if card_id is None:
            return Refused(AppCode.CALL_REFUSED)
        rooted = judge_code(bank, connection, Shown(caller.device_id, card_id, root, code, by_new_root=True))
        if isinstance(rooted, Refused):
            return rooted
        if rooted is not None:
            devices.confirm(connection, rooted, check_name(name))
            note(connection, bank.keys, By(f"app:{caller.device_id}"), "app.activated", f"card:{card_id}")
            log.info("app_confirmed", device_id=caller.device_id)
    bank.ring()
    return list_cards(bank, caller)


def _new_device(keys: Keyring, redeemed: Redeemed, pairing: Pairing) -> devices.Pairing:
    device_id = str(uuid.uuid4())

    def sealed(kept: Kept, secret: Sensitive[bytes]) -> bytes:
        return keys.seal(purposes.DEVICE_SEAL, secret.reveal(), bound_to=kept_place(kept, device_id))

    return devices.Pairing(
        activation_key=redeemed.row.activation_key,
        device_id=device_id,
        customer_id=redeemed.row.customer_id,
        auth_key_sealed=sealed(Kept.AUTH_KEY, pairing.auth_key),
        wrap_key_sealed=sealed(Kept.WRAP_KEY, pairing.wrap_key),
        card_ref=str(uuid.uuid4()),
        card_id=redeemed.row.card_id,
    )
