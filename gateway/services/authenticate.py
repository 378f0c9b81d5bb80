"""Who is calling the merchant API."""

from __future__ import annotations

import hashlib

from gateway.domain.errors import Unauthenticated
from gateway.domain.references import mode_of_secret_key
from gateway.services.gateway import Gateway
from gateway.store.directory import Caller as Caller

MODES = {"sandbox": "test", "live": "live"}


def secret_hash(secret: str) -> bytes:
    """Return what the database keeps of a secret key: its SHA-256 (the key has 200 random bits)."""
    return hashlib.sha256(secret.encode()).digest()


def authenticate(gateway: Gateway, secret: str) -> Caller:
    """Return the terminal whose secret key this is.

    Raises:
        Unauthenticated: unknown, expired, revoked, of a closed merchant, or of the other mode (D10).
    """
    mode = mode_of_secret_key(secret)
    if mode != MODES[gateway.settings.mode]:
        raise Unauthenticated
    caller = gateway.directory.caller(secret_hash(secret))
    if caller is None or caller.mode != mode:
        raise Unauthenticated
    return caller
