"""Makes every organisation's key file once, both ends of a shared key from one draw, readable by its owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foundation.keys import Keyring
from gateway.domain.references import new_secret_key
from otp.domain import purposes
from sandbox.world import HANGING_ISSUER_ID, ISSUER_ID, World

Row = tuple[str, str, bytes]
MAC_BYTES = 16
PIN_BYTES = 24
CVK_BYTES = 16
PLAIN_BYTES = 32
GATEWAY_PURPOSES = ("attempt-pan", "pan-hash", "card-token", "webhook-secret", "page-form")


def make_keys(world: World) -> None:
    """Write the key files, unless they are there: what was sealed under a key must open after the next start."""
    if world.secrets_file.exists():
        return
    sizes = (MAC_BYTES, MAC_BYTES, PIN_BYTES, PLAIN_BYTES)
    to_bank, to_gateway, pin, kek = (secrets.token_bytes(size) for size in sizes)
    gateway: list[Row] = [
        *((f"gateway-{purpose}-1", purpose, secrets.token_bytes(PLAIN_BYTES)) for purpose in GATEWAY_PURPOSES),
        ("pooya-harim-1", "harim-signing", secrets.token_bytes(PLAIN_BYTES)),
        ("pooya-to-bank-mac-1", f"iso-mac-out:{ISSUER_ID}", to_bank),
        ("bank-to-pooya-mac-1", f"iso-mac-in:{ISSUER_ID}", to_gateway),
        ("pin-1", f"iso-pin:{ISSUER_ID}", pin),
        ("pooya-bank-kek-1", f"iso-kek:{ISSUER_ID}", kek),
        ("hanging-mac-out-1", f"iso-mac-out:{HANGING_ISSUER_ID}", secrets.token_bytes(MAC_BYTES)),
        ("hanging-mac-in-1", f"iso-mac-in:{HANGING_ISSUER_ID}", secrets.token_bytes(MAC_BYTES)),
        ("hanging-pin-1", f"iso-pin:{HANGING_ISSUER_ID}", secrets.token_bytes(PIN_BYTES)),
    ]
    bank: list[Row] = [
        *((f"bank-{purpose}-1", purpose, secrets.token_bytes(PLAIN_BYTES)) for purpose in purposes.SYMMETRIC),
        ("bank-cvk-1", purposes.CARD_VERIFICATION, secrets.token_bytes(CVK_BYTES)),
        ("bank-two-harim-1", purposes.HARIM_SIGNING, secrets.token_bytes(PLAIN_BYTES)),
        ("pooya-to-bank-mac-1", "iso-mac-in", to_bank),
        ("bank-to-pooya-mac-1", "iso-mac-out", to_gateway),
        ("pin-1", "iso-pin", pin),
        ("pooya-bank-kek-1", "iso-kek", kek),
    ]
    _write(world.key_file("gateway"), _key_file(gateway))
    _write(world.key_file("bank_two"), _key_file(bank))
    webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(PLAIN_BYTES)).decode()
    _write(world.secrets_file, {"secret_key": new_secret_key("test"), "webhook_secret": webhook_secret})


def public_key(key_file: Path, key_id: str) -> bytes:
    """Return the public half of a signing key, 32 raw bytes: what the two organisations hand each other."""
    material = Keyring.from_file(key_file).material(key_id)
    return Ed25519PrivateKey.from_private_bytes(material.reveal()).public_key().public_bytes_raw()


def _key_file(rows: Iterable[Row]) -> dict[str, list[dict[str, str]]]:
    return {
        "keys": [
            {"id": key_id, "purpose": purpose, "material": base64.b64encode(material).decode(), "state": "active"}
            for key_id, purpose, material in rows
        ]
    }


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file, indent=1)
