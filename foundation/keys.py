"""Keys by purpose: MACs, sealed values bound to their row, rotation with several live keys.

The key file is JSON, readable by its owner only::

    {"keys": [{"id": "code-mac-1", "purpose": "code-mac", "material": "<base64>", "state": "active"}]}

Per purpose the last *active* key writes; *retired* keys still open and verify.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from foundation.sensitive import Sensitive

NONCE_BYTES = 12
_PURPOSE_SEPARATOR = b"\x00"


class KeyFileRefused(Exception):
    """The key file is missing, readable by others, or not a list of keys; the message says what to do."""


class UnknownKey(LookupError):
    """No key with this id or purpose is on the ring."""


class SealBroken(ValueError):
    """The value was changed, moved to another row, or sealed under another key."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its id is public, its material is not."""

    id: str
    purpose: str
    material: Sensitive[bytes]
    active: bool = True


class Keyring:
    """The keys of one organisation, loaded once at start."""

    def __init__(self, keys: list[Key]) -> None:
        self._by_id = {key.id: key for key in keys}
        if len(self._by_id) != len(keys):
            raise KeyFileRefused("two keys share one id; give each key its own")
        self._writing = {key.purpose: key for key in keys if key.active}
        self._ciphers: dict[str, AESGCM] = {}

    @classmethod
    def from_file(cls, path: str | Path) -> Keyring:
        """Load a key file.

        Raises:
            KeyFileRefused: when it is missing, readable by group or others, or malformed.
        """
        path = Path(path)
        if not path.is_file():
            raise KeyFileRefused(f"there is no key file at {path}; make one or correct the setting")
        if path.stat().st_mode & 0o077:
            raise KeyFileRefused(f"{path} can be read by others; run: chmod 600 {path}")
        try:
            rows = json.loads(path.read_text())["keys"]
            keys = [
                Key(
                    id=row["id"],
                    purpose=row["purpose"],
                    material=Sensitive(base64.b64decode(row["material"], validate=True)),
                    active=row.get("state", "active") == "active",
                )
                for row in rows
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise KeyFileRefused(f"{path} is not a key file: {type(error).__name__}") from None
        return cls(keys)

    def active_id(self, purpose: str) -> str:
        """Return the id of the key that writes for ``purpose``."""
        return self._active(purpose).id

    def ids(self, purpose: str) -> tuple[str, ...]:
        """Return the ids of every key of ``purpose``, oldest first."""
        return tuple(key.id for key in self.of_purpose(purpose))

    def of_purpose(self, purpose: str) -> tuple[Key, ...]:
        """Return every key of ``purpose``, oldest first."""
        return tuple(key for key in self._by_id.values() if key.purpose == purpose)

    def material(self, key_id: str) -> Sensitive[bytes]:
        """Return a key's bytes, for the modules that speak a wire's own cryptography."""
        return self._key(key_id).material

    def mac(self, purpose: str, data: bytes) -> bytes:
        """HMAC-SHA-256 of ``data`` under the writing key of ``purpose`` (32 bytes)."""
        return hmac.digest(self._active(purpose).material.reveal(), data, "sha256")

    def mac_with(self, key_id: str, data: bytes) -> bytes:
        """HMAC-SHA-256 of ``data`` under one named key (32 bytes)."""
        return hmac.digest(self._key(key_id).material.reveal(), data, "sha256")

    def seal(self, purpose: str, plaintext: bytes, *, bound_to: str) -> bytes:
        """Encrypt with AES-256-GCM, bound to a place such as ``attempt|pan|42``; returns ``v1|key id|nonce|text``."""
        key = self._active(purpose)
        nonce = secrets.token_bytes(NONCE_BYTES)
        header = b"v1|" + key.id.encode() + b"|"
        return header + nonce + self._cipher(key).encrypt(nonce, plaintext, header + bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Decrypt what :meth:`seal` made for the same place.

        Raises:
            SealBroken: when it was changed, cut, or belongs elsewhere.
        """
        version, _, rest = sealed.partition(b"|")
        key_id, separator, body = rest.partition(b"|")
        if version != b"v1" or not separator or len(body) <= NONCE_BYTES:
            raise SealBroken("not a sealed value")
        header = b"v1|" + key_id + b"|"
        try:
            cipher = self._cipher(self._key(key_id.decode()))
            return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], header + bound_to.encode())
        except (InvalidTag, UnknownKey, UnicodeDecodeError):
            raise SealBroken("the sealed value does not open here") from None

    def check_value(self, key_id: str) -> str:
        """Return six hex digits by which two custodians compare a key without showing it."""
        material = self._key(key_id).material.reveal()
        return hashlib.sha256(b"key check value" + _PURPOSE_SEPARATOR + material).hexdigest()[:6].upper()

    def _active(self, purpose: str) -> Key:
        try:
            return self._writing[purpose]
        except KeyError:
            raise UnknownKey(f"no active key for {purpose}; add one to the key file") from None

    def _key(self, key_id: str) -> Key:
        try:
            return self._by_id[key_id]
        except KeyError:
            raise UnknownKey(f"no key named {key_id}") from None

    def _cipher(self, key: Key) -> AESGCM:
        if key.id not in self._ciphers:
            self._ciphers[key.id] = AESGCM(key.material.reveal())
        return self._ciphers[key.id]
