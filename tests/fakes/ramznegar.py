"""The far side of the app: the API of Ramznegar in memory, for as many phones as come, and the codes a bank expects.

Written from the note of that API alone; it refuses what a bank refuses, and forgets everything with the test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Blueprint, Response, jsonify, request

BANK = {"fa": "بانک نمونه", "en": "Sample Bank"}
CEILING_MAX_RIAL = 5_000_000
DAY_MS = 86_400_000


def unpadded(data: bytes) -> str:
    """Write bytes as the API does."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def padded(text: str) -> bytes:
    """Read bytes as the API does."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def derived(ikm: bytes, salt: bytes, info: bytes) -> bytes:
    """Derive 32 bytes."""
    return HKDF(hashes.SHA256(), 32, salt, info).derive(ikm)


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, data, "sha256")


def truncated(value: bytes, digits: int) -> str:
    """Read the digits out of a MAC (RFC 4226)."""
    at = value[-1] & 15
    return str((int.from_bytes(value[at : at + 4]) & 0x7FFFFFFF) % 10**digits).zfill(digits)


def code_of(root: bytes, purpose: str, card_ref: str, step: int, question: str = "") -> str:
    """Return the code of a card and purpose at a step of one minute, as the bank computes it."""
    key = derived(root, b"", f"ramznegar-v1|{purpose}|{card_ref}".encode())
    if purpose == "bound":
        asked = hashlib.sha256(question.encode()).digest().ljust(128, b"\0")
        data = b"OCRA-1:HOTP-SHA256-8:QH64-T1M\0" + asked + step.to_bytes(8)
        return truncated(mac(key, data), 8)
    return truncated(mac(key, step.to_bytes(8)), {"second": 7, "first": 6}[purpose])


class Said(Exception):
    """A refusal."""

    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


@dataclass
class Activation:
    """One activation: its parts, the card it is for and, by SMS, the deed it proves."""

    secret: str
    card: dict[str, Any]
    device_id: str | None = None
    wanted_rial: int | None = None


@dataclass
class Device:
    """One phone as the bank knows it."""

    device_id: str
    auth_key: bytes
    wrap_key: bytes
    name: str = ""
    state: str = "pending"
    calls: int = 0
    code_root: bytes = b""
    cards: list[dict[str, Any]] = field(default_factory=list)


class FakeBank:
    """The bank behind the API; ``ahead_seconds`` is how far its clock is ahead of this machine's."""

    def __init__(self) -> None:
        self.ahead_seconds = 0
        self.devices: dict[str, Device] = {}
        self.activations: dict[str, Activation] = {}
        self.addable: list[dict[str, str]] = []
        self._numbers = itertools.count(10_000_000)

    def now_ms(self) -> int:
        """Return the bank's time."""
        return int((time.time() + self.ahead_seconds) * 1000)

    def step(self) -> int:
        """Return the bank's minute."""
        return self.now_ms() // 60_000

    def issue(self, tail: str = "0017", *, slip: str = "40218833", sms: str = "7K3M9QXW") -> tuple[str, str, str]:
        """Let the cash machine print a slip; return id, slip part and SMS part."""
        activation_id = str(next(self._numbers))
        self.activations[activation_id] = Activation(slip + sms, self._card(tail))
        return activation_id, slip, sms

    def text(self, device: Device, tail: str, wanted_rial: int | None = None) -> str:
        """Send an SMS part for a deed of a device; return the activation's id. The part is always the same here."""
        activation_id = str(next(self._numbers))
        self.activations[activation_id] = Activation("5T0RMC4R", self._card(tail), device.device_id, wanted_rial)
        return activation_id

    def key(self, activation_id: str) -> bytes:
        """Return the activation's key; a wrong id has one that nobody knows."""
        secret = self.activations[activation_id].secret if activation_id in self.activations else uuid.uuid4().hex
        return derived(secret.encode(), f"ramznegar-v1|{activation_id}".encode(), b"activation")

    def proven(self, activation_id: str, proof: str, said: bytes) -> Activation:
        """Return the activation a proof is right for, and end it."""
        if not hmac.compare_digest(mac(self.key(activation_id), said), padded(proof)):
            raise Said(403, "ACTIVATION_REFUSED")
        return self.activations.pop(activation_id)

    def listed(self, device: Device) -> dict[str, Any]:
        """Return the list that most answers are."""
        devices = [
            {
                "device_id": each.device_id,
                "name": each.name,
                "added_at_ms": self.now_ms(),
                "seen_at_ms": self.now_ms(),
                "state": each.state,
                "this": each is device,
            }
            for each in self.devices.values()
            if each.state != "pending"
        ]
        return {"cards": device.cards, "addable": self.addable, "devices": devices, "now_ms": self.now_ms()}

    def root_in(self, device: Device, sealed: dict[str, str]) -> bytes:
        """Open a root of codes."""
        opener = AESGCM(device.wrap_key)
        return opener.decrypt(padded(sealed["iv"]), padded(sealed["text"]), device.device_id.encode())

    def check(self, root: bytes, card_ref: str, code: str) -> None:
        """Refuse a code that is not of this minute or its neighbours."""
        if code not in {code_of(root, "second", card_ref, self.step() + drift) for drift in (-1, 0, 1)}:
            raise Said(403, "CODE_WRONG")

    def _card(self, tail: str) -> dict[str, Any]:
        return {
            "card_ref": str(uuid.uuid4()),
            "masked_pan": f"999001******{tail}",
            "bank": BANK,
            "ceiling_rial": 1_000_000,
            "ceiling_max_rial": CEILING_MAX_RIAL,
            "ceiling_next": None,
        }


def api_of(bank: FakeBank) -> Blueprint:
    """Return the API of this bank."""
    api = Blueprint("fake_api", __name__, url_prefix="/ramznegar/api")
    for add in (_answering, _activation, _cards, _changes):
        add(api, bank)
    return api


def _caller(bank: FakeBank) -> Device:
    parts = dict(part.split("=", 1) for part in request.headers.get("Ramznegar-Device", "id=-").split("; "))
    device = bank.devices.get(parts["id"])
    if device is None or device.state == "removed":
        raise Said(401, "CALL_REFUSED")
    said = f"{request.method}\n{request.path}\n{parts['n']}\n{hashlib.sha256(request.get_data()).hexdigest()}"
    right = hmac.compare_digest(mac(device.auth_key, said.encode()), padded(parts["mac"]))
    if not right or int(parts["n"]) <= device.calls:
        raise Said(401, "CALL_REFUSED")
    device.calls = int(parts["n"])
    if device.state == "suspended":
        raise Said(403, "DEVICE_SUSPENDED")
    return device


def _card_of(device: Device, card_ref: str) -> dict[str, Any]:
    return next(card for card in device.cards if card["card_ref"] == card_ref)


def _answering(api: Blueprint, bank: FakeBank) -> None:
    @api.errorhandler(Said)
    def refused(error: Said) -> tuple[Response, int]:
        return jsonify(code=error.code, message={"fa": "نشد", "en": "Refused"}), error.status

    @api.after_request
    def timed(response: Response) -> Response:
        response.headers["Ramznegar-Time"] = str(bank.now_ms())
        return response


def _activation(api: Blueprint, bank: FakeBank) -> None:
    @api.post("/activations")
    def activate() -> Response:
        asked = request.get_json()
        activation_id, theirs = asked["activation_id"], padded(asked["public_key"])
        salt = bank.key(activation_id)
        said = b"ramznegar-v1|client|" + activation_id.encode() + b"|" + theirs
        activation = bank.proven(activation_id, asked["proof"], said)
        own = ec.generate_private_key(ec.SECP256R1())
        shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        auth, wrap = (derived(shared, salt, info) for info in (b"auth", b"wrap"))
        device = Device(str(uuid.uuid4()), auth, wrap, cards=[activation.card])
        bank.devices[device.device_id] = device
        public = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        proof = mac(salt, b"ramznegar-v1|server|" + theirs + public)
        return jsonify(
            device_id=device.device_id,
            public_key=unpadded(public),
            proof=unpadded(proof),
            card={name: activation.card[name] for name in ("card_ref", "masked_pan", "bank")},
            now_ms=bank.now_ms(),
        )

    @api.post("/confirm")
    def confirm() -> Response:
        device, asked = _caller(bank), request.get_json()
        root = bank.root_in(device, asked["code_root"])
        if device.state == "active":  # its first answer was lost: alike to the same root, a guess by any other
            if root != device.code_root:
                raise Said(403, "CODE_WRONG")
            return jsonify(bank.listed(device))
        bank.check(root, device.cards[0]["card_ref"], asked["code"])
        device.code_root, device.name, device.state = root, asked["name"], "active"
        return jsonify(bank.listed(device))


def _cards(api: Blueprint, bank: FakeBank) -> None:
    @api.get("/cards")
    def cards() -> Response:
        return jsonify(bank.listed(_caller(bank)))

    @api.post("/cards/requests")
    def request_card() -> tuple[Response, int]:
        device, wanted = _caller(bank), request.get_json()["card_no"]
        chosen = next(card for card in bank.addable if card["card_no"] == wanted)
        activation_id = bank.text(device, chosen["masked_pan"][-4:])
        return jsonify(activation_id=activation_id, mobile_last_two="45"), 202

    @api.post("/cards")
    def add_card() -> Response:
        device, asked = _caller(bank), request.get_json()
        said = f"ramznegar-v1|add|{device.device_id}".encode()
        card = bank.proven(asked["activation_id"], asked["proof"], said).card
        device.cards.append(card)
        bank.addable = [each for each in bank.addable if each["masked_pan"][-4:] != card["masked_pan"][-4:]]
        return jsonify(bank.listed(device) | {"added": card["card_ref"]})

    @api.delete("/cards/<card_ref>")
    def remove_card(card_ref: str) -> Response:
        device = _caller(bank)
        device.cards.remove(_card_of(device, card_ref))
        return jsonify(bank.listed(device))


def _changes(api: Blueprint, bank: FakeBank) -> None:
    @api.put("/cards/<card_ref>/ceiling")
    def ceiling(card_ref: str) -> Response | tuple[Response, int]:
        device, wanted = _caller(bank), request.get_json()["ceiling_rial"]
        card = _card_of(device, card_ref)
        if wanted > card["ceiling_rial"]:
            activation_id = bank.text(device, card["masked_pan"][-4:], wanted)
            return jsonify(activation_id=activation_id, mobile_last_two="45"), 202
        card["ceiling_rial"] = wanted
        return jsonify(bank.listed(device))

    @api.post("/cards/<card_ref>/ceiling/confirm")
    def confirm_ceiling(card_ref: str) -> Response:
        device, asked = _caller(bank), request.get_json()
        said = f"ramznegar-v1|ceiling|{card_ref}".encode()
        wanted = bank.proven(asked["activation_id"], asked["proof"], said).wanted_rial
        _card_of(device, card_ref)["ceiling_next"] = {"rial": wanted, "at_ms": bank.now_ms() + DAY_MS}
        return jsonify(bank.listed(device))

    @api.put("/pin")
    def change_pin() -> Response:
        device, asked = _caller(bank), request.get_json()
        bank.check(device.code_root, asked["card_ref"], asked["code"])
        device.code_root = bank.root_in(device, asked["code_root"])
        return jsonify({})

    @api.delete("/devices/<device_id>")
    def remove_device(device_id: str) -> Response:
        device = _caller(bank)
        bank.devices[device_id].state = "removed"
        bank.devices = {key: each for key, each in bank.devices.items() if each.state != "removed"}
        return jsonify(bank.listed(device))
