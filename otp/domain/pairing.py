"""What an app and the bank share after one exchange of public keys, and what the app then tells under it (D23).

The exchange is P-256; its result is salted with the activation's key, so whoever stood between without the code shares
nothing. Of the three keys the bank keeps two: the app's own key never was at the bank at rest.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from foundation.sensitive import Sensitive
from otp.domain.errors import InvalidPublicKey

PUBLIC_KEY_BYTES = 65
ROOT_BYTES = 32
IV_BYTES = 12
_KEY_BYTES = 32


class Kept(StrEnum):
    """What the bank keeps of a device, sealed."""

    AUTH_KEY = "auth-key"
    WRAP_KEY = "wrap-key"
    CODE_ROOT = "code-root"


@dataclass(frozen=True, slots=True)
class Pairing:
    """The bank's side of one exchange.

    Args:
        public_key: the bank's, an uncompressed point (65 bytes).
        auth_key: under which the app's calls are signed.
        wrap_key: under which the app sends its code root.
    """

    public_key: bytes
    auth_key: Sensitive[bytes]
    wrap_key: Sensitive[bytes]


@dataclass(frozen=True, slots=True)
class WrappedRoot:
    """A code root on its way from the app: AES-256-GCM under the wrap key, the device's id beside it."""

    iv: bytes
    text: bytes


def check_public_key(raw: bytes) -> ec.EllipticCurvePublicKey:
    """Return an app's public key.

    Raises:
        InvalidPublicKey: when it is no uncompressed point of P-256.
    """
    if len(raw) != PUBLIC_KEY_BYTES:
        raise InvalidPublicKey("a public key is an uncompressed point of 65 bytes")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        raise InvalidPublicKey("the point is not on the curve") from None


def pair(
    private: ec.EllipticCurvePrivateKey, client: ec.EllipticCurvePublicKey, activation_key: Sensitive[bytes]
) -> Pairing:
    """Make the keys that the bank shares with one app."""
    shared, salt = private.exchange(ec.ECDH(), client), activation_key.reveal()
    auth, wrap = (HKDF(SHA256(), length=_KEY_BYTES, salt=salt, info=info).derive(shared) for info in (b"auth", b"wrap"))
    public_key = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Pairing(public_key, Sensitive(auth), Sensitive(wrap))


def unwrapped(wrap_key: Sensitive[bytes], device_id: str, root: WrappedRoot) -> Sensitive[bytes] | None:
    """Open a code root; ``None`` when it was changed, cut, or wrapped for another device."""
    try:
        opened = AESGCM(wrap_key.reveal()).decrypt(root.iv, root.text, device_id.encode())
    except InvalidTag:
        return None
    return Sensitive(opened) if len(opened) == ROOT_BYTES else None


def call_mac(auth_key: Sensitive[bytes], method: str, path: str, number: int, body: bytes) -> bytes:
    """Return what signs one call of an app: what it does, to what, as which call, with which body (32 bytes)."""
    said = "\n".join((method, path, str(number), hashlib.sha256(body).hexdigest()))
    return hmac.digest(auth_key.reveal(), said.encode(), "sha256")


def kept_place(kept: Kept, device_id: str) -> str:
    """Where a device's sealed value belongs: it opens in no other row and as nothing else."""
    return f"device|{kept}|{device_id}"
