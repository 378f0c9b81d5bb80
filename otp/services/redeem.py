"""Take or refuse the proof of an activation: known or not, right or not, it takes the same work (D18, D23)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.activation import (
    ACTIVATION,
    NONCE_BYTES,
    ActivationEvent,
    ActivationState,
    Channel,
    activation_key,
    judge,
    slip_part,
    sms_part,
)
from otp.services.bank import Bank
from otp.store import activations
from otp.store.activations import ActivationRow

log = structlog.get_logger()

NOBODYS = "activation|nobodys"
"""Where guesses at numbers that no live activation has are counted."""
SHARDS = 16


@dataclass(frozen=True, slots=True)
class Proof:
    """What is shown of an activation.

    Args:
        shown: 32 bytes.
        expected: what they should be under the activation's key.
        fits: whether an activation may be used for this at all; one that may not is as good as none.
    """

    activation_id: str
    shown: bytes
    expected: Callable[[Sensitive[bytes]], bytes]
    fits: Callable[[ActivationRow], bool]


@dataclass(frozen=True, slots=True)
class Redeemed:
    """An activation whose proof was right; its card and itself are held, and it is not used up yet."""

    row: ActivationRow
    key: Sensitive[bytes]


def redeem(bank: Bank, connection: Connection, proof: Proof) -> Redeemed | None:
    """Judge a proof under the locks of card and activation; what is not taken is counted and written here."""
    card_id = activations.lock_card(connection, proof.activation_id)
    now, row = activations.read(connection, proof.activation_id, card_id)
    if row is not None and not (proof.fits(row) and row.card_status == "active"):
        row = None
    key = _key(bank, proof.activation_id, row)
    right = hmac.compare_digest(proof.expected(key), proof.shown)
    if row is None:
        _refuse(connection, proof.activation_id, None, ActivationState.ISSUED)
        return None
    event = judge(now=now, expires_at=row.expires_at, wrong_tries=row.wrong_tries, right=right)
    if event is ActivationEvent.PROVEN:
        return Redeemed(row, key)
    _refuse(connection, proof.activation_id, row, ACTIVATION.next(ActivationState.ISSUED, event))
    return None


def _key(bank: Bank, activation_id: str, row: ActivationRow | None) -> Sensitive[bytes]:
    """Make the key of an activation; of one that is not there, one that nobody can have."""
    key_id = bank.keys.active_id(purposes.ACTIVATION_DERIVE) if row is None else row.key_id
    nonce = bytes(NONCE_BYTES) if row is None else row.nonce
    material = bank.keys.material(key_id)
    slip, sms = slip_part(material, nonce), sms_part(material, nonce)
    by_sms = row is not None and row.channel == Channel.SMS
    return activation_key(activation_id, *((sms,) if by_sms else (slip, sms)))


def _refuse(connection: Connection, activation_id: str, row: ActivationRow | None, state: ActivationState) -> None:
    dead = state is ActivationState.EXPIRED
    activations.refuse(
        connection,
        None if row is None else row.activation_key,
        state=state,
        wrong_tries=0 if row is None else row.wrong_tries + (not dead),
        nobodys=f"{NOBODYS}|{int(activation_id) % SHARDS}",
    )
    log.warning("activation_refused", known=row is not None, state=state)
