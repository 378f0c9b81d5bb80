"""The master key: what the keys of a key file are wrapped under, in an HSM by PKCS#11 or in a file (D41).

It wraps and unwraps and does nothing else, and it is asked only at start and when the key file changes. A wrapped key
is bound to its id and purpose, so rows of a key file cannot be exchanged.

A master key is named by a text: ``file:/path`` or ``pkcs11:/path/of/module.so?token=LABEL&object=LABEL``.
"""

from __future__ import annotations

import base64
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs

import pkcs11
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pkcs11.exceptions import PKCS11Error
from pkcs11.mechanisms import GCMParams

from foundation.durable import name_to_disk, to_disk
from foundation.sensitive import Sensitive

NONCE_BYTES = 12
KEY_BYTES = 32
HSM_SECONDS = 10.0
"""How long an HSM may take for one call; after that it counts as away."""

_TAG_BITS = 128
T = TypeVar("T")


class MasterKeyRefused(Exception):
    """The master key cannot be used: not there, not ours, or its HSM is away; the message says what to do."""


class MasterKey(Protocol):
    """Wraps keys and unwraps them."""

    def wrap(self, material: Sensitive[bytes], *, place: str) -> bytes:
        """Encrypt a key for one place in a key file.

        Raises:
            MasterKeyRefused: when it cannot.
        """
        ...

    def unwrap(self, wrapped: bytes, *, place: str) -> Sensitive[bytes]:
        """Decrypt what :meth:`wrap` made for the same place.

        Raises:
            MasterKeyRefused: when it cannot, or the value was changed, belongs elsewhere or to another master key.
        """
        ...


class FileMasterKey:
    """A master key in a file of its own: 32 bytes in base64, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise MasterKeyRefused(f"there is no master key at {path}; make one: python -m otp keys new-master {path}")
        if path.stat().st_mode & 0o077:
            raise MasterKeyRefused(f"{path} can be read by others; run: chmod 600 {path}")
        try:
            material = base64.b64decode(path.read_text().strip(), validate=True)
        except ValueError:
            material = b""
        if len(material) != KEY_BYTES:
            raise MasterKeyRefused(f"{path} is no master key: {KEY_BYTES} bytes in base64")
        self._cipher = AESGCM(material)

    def wrap(self, material: Sensitive[bytes], *, place: str) -> bytes:
        """Encrypt by AES-256-GCM under a fresh nonce."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, material.reveal(), place.encode())

    def unwrap(self, wrapped: bytes, *, place: str) -> Sensitive[bytes]:
        """Decrypt; raises :class:`MasterKeyRefused` when it does not open."""
        try:
            return Sensitive(self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], place.encode()))
        except (InvalidTag, ValueError):
            raise MasterKeyRefused(f"{place} does not open under this master key") from None


class HsmMasterKey:
    """A master key that never leaves its HSM: AES-256, by PKCS#11.

    Args:
        module: path of the HSM's PKCS#11 library.
        token: label of the token.
        name: label of the key.
        pin: the user's PIN of the token.
    """

    def __init__(self, module: str, *, token: str, name: str, pin: Sensitive[str]) -> None:
        self._module, self._token, self._name, self._pin = module, token, name, pin

    def wrap(self, material: Sensitive[bytes], *, place: str) -> bytes:
        """Encrypt inside the HSM, by AES-GCM under a fresh nonce."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._with_key(
            lambda key: key.encrypt(material.reveal(), **_gcm(nonce, place)), f"{place} was not wrapped"
        )

    def unwrap(self, wrapped: bytes, *, place: str) -> Sensitive[bytes]:
        """Decrypt inside the HSM; raises :class:`MasterKeyRefused` when it does not open or the HSM is away."""
        nonce, text = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        opened = self._with_key(
            lambda key: key.decrypt(text, **_gcm(nonce, place)), f"{place} does not open under this master key"
        )
        return Sensitive(opened)

    def _with_key(self, use: Callable[[Any], bytes], otherwise: str) -> bytes:
        def call() -> bytes:
            token = pkcs11.lib(self._module).get_token(token_label=self._token)
            with token.open(user_pin=self._pin.reveal()) as session:
                key = session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=self._name)
                return bytes(use(key))

        try:
            return _within(HSM_SECONDS, call)
        except TimeoutError:
            raise MasterKeyRefused(f"the HSM did not answer within {HSM_SECONDS:.0f} s; {otherwise}") from None
        except (PKCS11Error, RuntimeError) as error:
            raise MasterKeyRefused(f"the HSM says {type(error).__name__}; {otherwise}") from None


def open_master(name: str, pin_file: Path | None) -> MasterKey:
    """Open the master key that a setting names.

    Args:
        name: ``file:…`` or ``pkcs11:…``.
        pin_file: holds the PIN of the HSM's token, readable by its owner only.

    Raises:
        MasterKeyRefused: when the name is none, or what it names cannot be used.
    """
    kind, _, rest = name.partition(":")
    if kind == "file" and rest:
        return FileMasterKey(Path(rest))
    module, _, query = rest.partition("?")
    labels = {key: values[0] for key, values in parse_qs(query).items()}
    if kind != "pkcs11" or not module or set(labels) != {"token", "object"}:
        raise MasterKeyRefused("a master key is file:/path or pkcs11:/path/of/module.so?token=LABEL&object=LABEL")
    return HsmMasterKey(module, token=labels["token"], name=labels["object"], pin=_pin(pin_file))


def new_master_file(path: Path) -> None:
    """Draw a master key into a new file, readable by its owner only; it is on the disk before anything is wrapped.

    Raises:
        MasterKeyRefused: when something is there already: keys may be wrapped under it.
    """
    text = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            to_disk(file)
        name_to_disk(path)
    except OSError as error:
        raise MasterKeyRefused(f"{path} was not made: {error.strerror}") from None


def _pin(file: Path | None) -> Sensitive[str]:
    if file is None or not file.is_file():
        raise MasterKeyRefused("name a file with the PIN of the HSM's token")
    if file.stat().st_mode & 0o077:
        raise MasterKeyRefused(f"{file} can be read by others; run: chmod 600 {file}")
    return Sensitive(file.read_text().strip())


def _gcm(nonce: bytes, place: str) -> dict[str, Any]:
    parameters = GCMParams(nonce, place.encode(), _TAG_BITS)
    return {"mechanism": pkcs11.Mechanism.AES_GCM, "mechanism_param": parameters}


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Run a call that cannot be given a time-out; its thread is left behind when it hangs."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - handed over to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="hsm", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if errors:
        raise errors[0]
    return results[0]
