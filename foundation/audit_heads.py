"""Heads of the audit chain in a second place: what a cut tail is found by (D31).

A head is one line of JSON, signed by Ed25519, so whoever keeps the file can check it and could not write it. The file
belongs on another machine or on a medium that only grows.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from foundation.audit import Head
from foundation.keys import Keyring, UnknownKey

PURPOSE = "audit-head"
"""Ed25519 private key, 32 bytes, that signs heads."""


class HeadRefused(ValueError):
    """A line of the file is no head, or its signature is not the bank's; the message has its number."""


def export(path: Path, keys: Keyring, head: Head, at: dt.datetime) -> None:
    """Add a signed head to the file and see it written."""
    key_id = keys.active_id(PURPOSE)
    told: dict[str, str | int] = {
        "at": at.astimezone(dt.UTC).isoformat(),
        "chain": head.chain_mac.hex(),
        "sealed_no": head.sealed_no,
    }
    signature = _private_key(keys, key_id).sign(_signed(told, key_id))
    line = json.dumps({**told, "key_id": key_id, "signature": base64.b64encode(signature).decode()})
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path, keys: Keyring) -> Iterator[Head]:
    """Read the heads of a file, oldest first.

    Raises:
        HeadRefused: at the first line that is no head of ours.
    """
    with path.open() as file:
        for number, line in enumerate(file, start=1):
            try:
                yield _head_of(json.loads(line), keys)
            except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature, UnknownKey):
                raise HeadRefused(f"line {number} of {path} is no head signed by this organisation") from None


def _head_of(told: dict[str, str | int], keys: Keyring) -> Head:
    signature, key_id = base64.b64decode(str(told.pop("signature"))), str(told.pop("key_id"))
    _public_key(keys, key_id).verify(signature, _signed(told, key_id))
    return Head(int(told["sealed_no"]), bytes.fromhex(str(told["chain"])))


def _signed(told: dict[str, str | int], key_id: str) -> bytes:
    return json.dumps(["audit-head", key_id, told], sort_keys=True, separators=(",", ":")).encode()


def _private_key(keys: Keyring, key_id: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.material(key_id).reveal())


def _public_key(keys: Keyring, key_id: str) -> Ed25519PublicKey:
    return _private_key(keys, key_id).public_key()
