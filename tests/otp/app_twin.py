"""A twin of the app in Python: its keys, its codes and its signed calls, written from the note and not from the bank.

It speaks through ``send``, so that a test client and a real address serve alike. Nothing of the bank's own
cryptography is imported: HKDF, TOTP and the proofs are written out.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

API = "/ramznegar/api"
PIN = "240613"
ROUNDS = 600_000
"""Of PBKDF2, as the app does it; the bank never sees how often, so tests may do fewer."""

Send = Callable[[str, str, bytes, dict[str, str]], tuple[int, Any, dict[str, str]]]
"""Method, path, body, headers → status, JSON, headers."""


def through(client: Any, *, address: str = "192.0.2.7") -> Send:
    """Speak through a Flask test client, from one address."""

    def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        answer = client.open(
            path, method=method, data=body, headers=headers, environ_overrides={"REMOTE_ADDR": address}
        )
        return answer.status_code, answer.get_json(), dict(answer.headers)

    return send


def b64(raw: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def mac(key: bytes, *said: bytes) -> bytes:
    """HMAC-SHA-256 over parts joined."""
    return hmac.digest(key, b"".join(said), "sha256")


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    """One block of HKDF-SHA-256 (RFC 5869)."""
    return mac(mac(salt or bytes(32), key), info, b"\x01")


def activation_key(activation_id: str, typed: str) -> bytes:
    """Return K_act of a code as typed."""
    return hkdf(typed.encode(), f"ramznegar-v1|{activation_id}".encode(), b"activation")


def totp(key: bytes, step: int, digits: int) -> str:
    """RFC 4226 truncation of HMAC-SHA-256 over a step."""
    value = mac(key, step.to_bytes(8))
    offset = value[-1] & 15
    return str((int.from_bytes(value[offset : offset + 4]) & 0x7FFFFFFF) % 10**digits).zfill(digits)


def public_point(private: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """Return a public key, of a new pair unless one is given, as an uncompressed point."""
    private = private or ec.generate_private_key(ec.SECP256R1())
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class AppTwin:
    """An app on one device.

    Args:
        send: how it reaches the bank.
        rounds: of PBKDF2.
    """

    send: Send
    rounds: int = ROUNDS
    device_id: str = ""
    device_key: bytes = b""
    auth_key: bytes = b""
    wrap_key: bytes = b""
    calls: int = 0
    cards: list[str] = field(default_factory=list)
    last_answer: dict[str, str] = field(default_factory=dict)

    def activate(self, activation_id: str, typed: str, *, point: bytes | None = None) -> tuple[int, Any]:
        """Pair with the bank by a code, and check the bank's own proof; raises ``AssertionError`` when it is wrong."""
        private = ec.generate_private_key(ec.SECP256R1())
        public = point or public_point(private)
        key = activation_key(activation_id, typed)
        proof = mac(key, b"ramznegar-v1|client|", activation_id.encode(), b"|", public)
        status, told = self._plain(
            "POST", "/activations", {"activation_id": activation_id, "public_key": b64(public), "proof": b64(proof)}
        )
        if status == 200:
            theirs = unb64(told["public_key"])
            assert hmac.compare_digest(unb64(told["proof"]), mac(key, b"ramznegar-v1|server|", public, theirs))
            shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
            self.device_key, self.auth_key, self.wrap_key = (
                hkdf(shared, key, info) for info in (b"device", b"auth", b"wrap")
            )
            self.device_id, self.cards, self.calls = told["device_id"], [told["card"]["card_ref"]], 0
        return status, told

    def confirm(
        self, now_ms: int, *, pin: str = PIN, name: str = "گوشی من", code: str | None = None
    ) -> tuple[int, Any]:
        """Send the code root and the first code."""
        first = code or self.second_pin(self.cards[0], now_ms, pin=pin)
        return self.call("POST", "/confirm", {"name": name, "code_root": self.wrapped(pin), "code": first})

    def change_pin(self, now_ms: int, *, pin: str = PIN, new: str, code: str | None = None) -> tuple[int, Any]:
        """Change the app's PIN, proven by a code under the old one."""
        last = code or self.second_pin(self.cards[0], now_ms, pin=pin)
        return self.call("PUT", "/pin", {"card_ref": self.cards[0], "code": last, "code_root": self.wrapped(new)})

    def add(self, activation_id: str, typed: str) -> tuple[int, Any]:
        """Add a card by its code."""
        key = activation_key(activation_id, typed)
        proof = b64(mac(key, b"ramznegar-v1|add|", self.device_id.encode()))
        status, told = self.call("POST", "/cards", {"activation_id": activation_id, "proof": proof})
        if status == 200:
            self.cards.append(told["added"])
        return status, told

    def confirm_ceiling(self, card_ref: str, activation_id: str, typed: str) -> tuple[int, Any]:
        """Raise a ceiling by the code that was texted."""
        proof = b64(mac(activation_key(activation_id, typed), b"ramznegar-v1|ceiling|", card_ref.encode()))
        path = f"/cards/{card_ref}/ceiling/confirm"
        return self.call("POST", path, {"activation_id": activation_id, "proof": proof})

    def call(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        """Make one signed call, the next in number."""
        self.calls += 1
        body = b"" if document is None else json.dumps(document).encode()
        return self.repeat(method, path, body, self.header(method, path, body))

    def header(self, method: str, path: str, body: bytes, *, number: int | None = None) -> str:
        """Sign a call."""
        number = self.calls if number is None else number
        said = "\n".join((method, API + path, str(number), hashlib.sha256(body).hexdigest())).encode()
        return f"id={self.device_id}; n={number}; mac={b64(mac(self.auth_key, said))}"

    def repeat(self, method: str, path: str, body: bytes, header: str) -> tuple[int, Any]:
        """Send a call as it is, whoever signed it."""
        headers = {"Ramznegar-Device": header, "Content-Type": "application/json"}
        status, told, self.last_answer = self.send(method, API + path, body, headers)
        return status, told

    def second_pin(self, card_ref: str, now_ms: int, *, pin: str = PIN, steps: int = 0) -> str:
        """Make the dynamic second PIN of a moment, or of some steps later."""
        return totp(self.code_key("second", card_ref, pin), now_ms // 60_000 + steps, 7)

    def first_pin(self, card_ref: str, now_ms: int, *, pin: str = PIN, steps: int = 0) -> str:
        """Make the dynamic first PIN of a moment, or of some steps later."""
        return totp(self.code_key("first", card_ref, pin), now_ms // 60_000 + steps, 6)

    def code_key(self, purpose: str, card_ref: str, pin: str = PIN) -> bytes:
        """Return the key of one card for one purpose; the app has it for a moment only."""
        return hkdf(self.code_root(pin), b"", f"ramznegar-v1|{purpose}|{card_ref}".encode())

    def code_root(self, pin: str = PIN) -> bytes:
        """Stretch the PIN and put the device's key over it."""
        salt = bytes.fromhex(self.device_id.replace("-", ""))
        return mac(self.device_key, hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, self.rounds, 32))

    def wrapped(self, pin: str) -> dict[str, str]:
        """Wrap the code root for the bank."""
        iv = secrets.token_bytes(12)
        text = AESGCM(self.wrap_key).encrypt(iv, self.code_root(pin), self.device_id.encode())
        return {"iv": b64(iv), "text": b64(text)}

    def copied(self) -> AppTwin:
        """Return another app with all that this one has: a copied profile."""
        return copy.copy(self)

    def _plain(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        status, told, self.last_answer = self.send(method, API + path, json.dumps(document).encode(), headers)
        return status, told
