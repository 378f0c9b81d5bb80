"""Keys by purpose: MACs, sealed values bound to their row, rotation with several live keys while everything runs.

Per purpose the last *active* key writes; *coming* and *retired* keys open and verify as well. A ring that was read from
a file reads it again when the file changes; a thread beside it looks once a second.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from foundation.key_file import Key as Key
from foundation.key_file import KeyFileRefused as KeyFileRefused
from foundation.key_file import KeyState, read_keys
from foundation.master_keys import MasterKey, MasterKeyRefused, open_master
from foundation.sensitive import Sensitive

log = structlog.get_logger(__name__)

NONCE_BYTES = 12
LOOK_EVERY_SECONDS = 1.0
"""How often a ring's thread looks whether its file has changed."""
LOOK_AGAIN_MOST_SECONDS = 60.0
"""A file that could not be read is tried again after one second, two, four and so on, up to this."""
UNREADABLE = (KeyFileRefused, OSError)
"""What a file that cannot be read now is told by; it may be readable later."""
_PURPOSE_SEPARATOR = b"\x00"


class UnknownKey(LookupError):
    """No key with this id or purpose is on the ring."""


class SealBroken(ValueError):
    """The value was changed, moved to another row, or sealed under another key."""


class _Ring:
    """Keys that belong together, as one file had them; replaced as a whole."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self.by_id = {key.id: key for key in keys}
        if len(self.by_id) != len(keys):
            raise KeyFileRefused("two keys share one id; give each key its own")
        self.writing = {key.purpose: key for key in keys if key.state is KeyState.ACTIVE}
        self.ciphers: dict[str, AESGCM] = {}


class _Source:
    """The file behind a ring: how it looked when it was read last, and when it could not be."""

    def __init__(self, path: Path, master: MasterKey | None, *, clear_allowed: bool) -> None:
        self._path, self._master, self._clear_allowed = path, master, clear_allowed
        self._seen = self._refused = self._look()
        self._pause = LOOK_EVERY_SECONDS
        self._again_at = 0.0

    def read(self) -> _Ring:
        """Read the file as it is now; raises one of :data:`UNREADABLE` when it cannot, or an HSM is away."""
        found = self._look()
        try:
            ring = _Ring(read_keys(self._path, self._master, clear_allowed=self._clear_allowed))
        except UNREADABLE:
            longer = min(2 * self._pause, LOOK_AGAIN_MOST_SECONDS)
            self._pause = longer if found == self._refused else LOOK_EVERY_SECONDS
            self._refused, self._again_at = found, time.monotonic() + self._pause
            raise
        self._seen = found
        return ring

    def due(self) -> bool:
        """Tell whether the file is another one than was read; one that could not be read waits longer each time."""
        found = self._look()
        return found != self._seen and (found != self._refused or time.monotonic() >= self._again_at)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


class Keyring:
    """The keys of one organisation."""

    def __init__(self, keys: list[Key]) -> None:
        self._ring = _Ring(keys)

    @classmethod
    def from_file(cls, path: str | Path, master: MasterKey | None = None, *, clear_allowed: bool = True) -> Keyring:
        """Load a key file, and follow it from now on.

        Args:
            path: of the file (:mod:`foundation.key_file`).
            master: what its keys are wrapped under.
            clear_allowed: whether keys in clear are taken.

        Raises:
            KeyFileRefused: when it is missing, readable by group or others, malformed, or a key does not open.
        """
        source = _Source(Path(path), master, clear_allowed=clear_allowed)
        ring = cls([])
        ring._ring = source.read()
        ring.follow(source)
        return ring

    @classmethod
    def configured(cls, path: Path, master_key: str | None, pin_file: Path | None) -> Keyring:
        """Load the key file of a deployment: with a master key every key is wrapped, without one all are in clear.

        Args:
            path: of the key file.
            master_key: names the master key (:mod:`foundation.master_keys`); ``None`` where keys are in clear.
            pin_file: of the HSM's token.

        Raises:
            KeyFileRefused: when the file, a key in it or the master key cannot be used.
        """
        try:
            master = None if master_key is None else open_master(master_key, pin_file)
        except MasterKeyRefused as error:
            raise KeyFileRefused(str(error)) from None
        return cls.from_file(path, master, clear_allowed=master is None)

    def follow(self, source: _Source) -> None:
        """Look after a file on a thread of its own: an HSM may take seconds, and whoever uses a key holds a card."""
        _followed[self], gone = source, threading.Event()
        weakref.finalize(self, gone.set)
        looking = (weakref.WeakMethod(self._read_again), source, gone)
        threading.Thread(target=_look_after, args=looking, name="keys", daemon=True).start()

    def active_id(self, purpose: str) -> str:
        """Return the id of the key that writes for ``purpose``."""
        return self._active(purpose).id

    def ids(self, purpose: str) -> tuple[str, ...]:
        """Return the ids of every key of ``purpose``, oldest first."""
        return tuple(key.id for key in self.of_purpose(purpose))

    def of_purpose(self, purpose: str) -> tuple[Key, ...]:
        """Return every key of ``purpose``, oldest first."""
        return tuple(key for key in self._ring.by_id.values() if key.purpose == purpose)

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
            return self._ring.writing[purpose]
        except KeyError:
            raise UnknownKey(f"no active key for {purpose}; add one to the key file") from None

    def _key(self, key_id: str) -> Key:
        try:
            return self._ring.by_id[key_id]
        except KeyError:
            raise UnknownKey(f"no key named {key_id}") from None

    def _cipher(self, key: Key) -> AESGCM:
        ciphers = self._ring.ciphers
        if key.id not in ciphers:
            ciphers[key.id] = AESGCM(key.material.reveal())
        return ciphers[key.id]

    def _read_again(self, source: _Source) -> None:
        """Take the keys that the file has now; a file that is not readable, or an HSM away, changes none."""
        try:
            self._ring = source.read()
            log.info("keys_read_again", keys=len(self._ring.by_id))
        except UNREADABLE as error:
            log.warning("keys_not_read_again", why=str(error))


def _look_after(
    read_again_of: weakref.WeakMethod[Callable[[_Source], None]], source: _Source, gone: threading.Event
) -> None:
    while not gone.wait(LOOK_EVERY_SECONDS):
        read_again = read_again_of()
        if read_again is not None and source.due():
            read_again(source)
        del read_again  # else this thread alone would keep the ring


def _follow_after_fork() -> None:
    """Begin anew: threads are missing in a process that was forked."""
    for ring, source in list(_followed.items()):
        ring.follow(source)


_followed: weakref.WeakKeyDictionary[Keyring, _Source] = weakref.WeakKeyDictionary()
os.register_at_fork(after_in_child=_follow_after_fork)
