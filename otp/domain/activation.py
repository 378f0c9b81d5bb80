"""Activation of the app: two parts of a code by two ways, the key both sides make of them, and what it proves (D23).

Slip and SMS part are derived from the activation's nonce and stored nowhere. Neither is ever sent by the app: it proves
that it knows them, and it proves so first.
"""

from __future__ import annotations

import datetime as dt
import hmac
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from foundation.digits import to_ascii_digits
from foundation.machine import Machine, Transition
from foundation.sensitive import Sensitive

ID_DIGITS = 8
SLIP_DIGITS = 8
SMS_LENGTH = 8
"""Characters of 5 bits each: 40 bits that no slip shows."""
NONCE_BYTES = 16
KEY_BYTES = 32
TRIES_MAX = 5
LIFE_SECONDS = 86_400

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O or U, so that what is read aloud or typed cannot be mistaken."""
_READ_AS = str.maketrans("OIL", "011", " -\u200c\u200e\u200f")
_PREFIX = b"ramznegar-v1|"


class Channel(StrEnum):
    """How an activation reaches the holder: ``atm`` a slip and an SMS, ``sms`` an SMS alone."""

    ATM = "atm"
    SMS = "sms"


class ActivationState(StrEnum):
    """Where an activation stands; only an issued one can be used."""

    ISSUED = "issued"
    USED = "used"
    LOCKED = "locked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class ActivationEvent(StrEnum):
    """What can happen to an activation."""

    ISSUED = "issued"
    PROVEN = "proven"
    MISTAKEN = "mistaken"
    LAST_TRY_MISTAKEN = "last_try_mistaken"
    LIFETIME_ELAPSED = "lifetime_elapsed"
    NEWER_ISSUED = "newer_issued"


ACTIVATION = Machine(
    (
        Transition(None, ActivationEvent.ISSUED, ActivationState.ISSUED),
        Transition(ActivationState.ISSUED, ActivationEvent.PROVEN, ActivationState.USED),
        Transition(ActivationState.ISSUED, ActivationEvent.MISTAKEN, ActivationState.ISSUED),
        Transition(ActivationState.ISSUED, ActivationEvent.LAST_TRY_MISTAKEN, ActivationState.LOCKED),
        Transition(ActivationState.ISSUED, ActivationEvent.LIFETIME_ELAPSED, ActivationState.EXPIRED),
        Transition(ActivationState.ISSUED, ActivationEvent.NEWER_ISSUED, ActivationState.SUPERSEDED),
    )
)
"""An activation serves once, whatever becomes of the device."""

BY_CLOCK = frozenset({ActivationEvent.LIFETIME_ELAPSED})
"""Events that the sweeper can produce."""


def judge(*, now: dt.datetime, expires_at: dt.datetime, wrong_tries: int, right: bool) -> ActivationEvent:
    """Say what one proof does to an issued activation; past its life even a right one only ends it."""
    if expires_at <= now:
        return ActivationEvent.LIFETIME_ELAPSED
    if right:
        return ActivationEvent.PROVEN
    last = wrong_tries + 1 >= TRIES_MAX
    return ActivationEvent.LAST_TRY_MISTAKEN if last else ActivationEvent.MISTAKEN


def slip_part(key: Sensitive[bytes], nonce: bytes) -> Sensitive[str]:
    """Derive the digits that the cash machine prints."""
    number = int.from_bytes(_derived(key.reveal(), salt=nonce, info=b"slip"))
    return Sensitive(str(number % 10**SLIP_DIGITS).zfill(SLIP_DIGITS))


def sms_part(key: Sensitive[bytes], nonce: bytes) -> Sensitive[str]:
    """Derive the characters that the holder is texted."""
    number = int.from_bytes(_derived(key.reveal(), salt=nonce, info=b"sms"))
    return Sensitive("".join(ALPHABET[number >> 5 * place & 31] for place in range(SMS_LENGTH)))


def normalise_part(typed: str) -> str:
    """Return a part as both sides count it: ASCII, upper case, no spaces or dashes, no letter that looks like a digit.

    >>> normalise_part("۱۲-o l ab")
    '1201AB'
    """
    return to_ascii_digits(typed).upper().translate(_READ_AS)


def activation_key(activation_id: str, *parts: Sensitive[str]) -> Sensitive[bytes]:
    """Return the key that only somebody who has every part of this activation can make.

    Args:
        activation_id: its public number.
        parts: slip and SMS part, or the SMS part alone.
    """
    typed = "".join(normalise_part(part.reveal()) for part in parts).encode()
    return Sensitive(_derived(typed, salt=_PREFIX + activation_id.encode(), info=b"activation"))


def client_proof(key: Sensitive[bytes], activation_id: str, client_public: bytes) -> bytes:
    """Return what a new app shows first: it has the code, and this is its public key (32 bytes)."""
    return _proof(key, b"client|" + activation_id.encode() + b"|" + client_public)


def server_proof(key: Sensitive[bytes], client_public: bytes, server_public: bytes) -> bytes:
    """Return what the bank answers: it has the code too, and these are both public keys (32 bytes)."""
    return _proof(key, b"server|" + client_public + server_public)


def add_proof(key: Sensitive[bytes], device_id: str) -> bytes:
    """Return what an app shows to have one more card (32 bytes)."""
    return _proof(key, b"add|" + device_id.encode())


def ceiling_proof(key: Sensitive[bytes], card_ref: str) -> bytes:
    """Return what an app shows to have a ceiling raised (32 bytes)."""
    return _proof(key, b"ceiling|" + card_ref.encode())


def _proof(key: Sensitive[bytes], said: bytes) -> bytes:
    return hmac.digest(key.reveal(), _PREFIX + said, "sha256")


def _derived(key: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), length=KEY_BYTES, salt=salt, info=info).derive(key)
