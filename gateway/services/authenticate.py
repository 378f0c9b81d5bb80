"""Who is calling the merchant API."""

from __future__ import annotations

import hashlib

from gateway.domain.errors import KeyOfOtherMode, Unauthenticated
from gateway.domain.references import mode_of_secret_key
from gateway.services.gateway import Gateway
from gateway.store.directory import Caller as Caller

MODES = {"sandbox": "test", "live": "live"}


def secret_hash(secret: str) -> bytes:
    """Return what the database keeps of a secret key: its SHA-256 (the key has 200 random bits)."""
    return hashlib.sha256(secret.encode()).digest()


def remembered(gateway: Gateway, secret: str) -> Caller | None:
    """Return the terminal whose secret key this is if this process knows it already, without a question."""
    return gateway.directory.remembered_caller(secret_hash(secret))


def authenticate(gateway: Gateway, secret: str) -> Caller:
    """Return the terminal whose secret key this is.

    Raises:
        KeyOfOtherMode: its prefix says so (D10); it was not looked up.
        Unauthenticated: no key at all, unknown, expired, revoked, or of a closed merchant.
    """
    mode, ours = mode_of_secret_key(secret), MODES[gateway.settings.mode]
    if mode is None:
        raise Unauthenticated("send Authorization: Bearer and your secret key")
    if mode != ours:
        raise KeyOfOtherMode(f"this gateway takes sk_{ours}_ keys")
    caller = gateway.directory.caller(secret_hash(secret))
    if caller is None or caller.mode != mode:
        raise Unauthenticated("this key is unknown, expired or revoked")
    return caller
