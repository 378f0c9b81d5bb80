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
from gateway.domain import purposes as gateway_purposes
from gateway.domain.references import new_secret_key
from otp.domain import purposes
from sandbox.banks import BANKS, Bank
from sandbox.certificates import certificate_of, new_identity
from sandbox.top_ups import make_provider_keys
from sandbox.world import HANGING_ISSUER_ID, TERMINALS, World, terminal_keys

GATEWAY_SIGNING_KEY_ID = "pooya-harim-1"
Row = tuple[str, str, bytes]
MAC_BYTES = 16
PIN_BYTES = 24
CVK_BYTES = 16
PLAIN_BYTES = 32


def make_keys(world: World) -> None:
    """Write the key files, unless they are there: what was sealed under a key must open after the next start."""
    if world.secrets_file.exists():
        return
    gateway: list[Row] = [
        *((f"gateway-{purpose}-1", purpose, secrets.token_bytes(PLAIN_BYTES)) for purpose in gateway_purposes.ALL),
        (GATEWAY_SIGNING_KEY_ID, "harim-signing", secrets.token_bytes(PLAIN_BYTES)),
        ("pooya-soap-1", "harim-soap-signing", new_identity("pooya")),
        ("hanging-mac-out-1", f"iso-mac-out:{HANGING_ISSUER_ID}", secrets.token_bytes(MAC_BYTES)),
        ("hanging-mac-in-1", f"iso-mac-in:{HANGING_ISSUER_ID}", secrets.token_bytes(MAC_BYTES)),
        ("hanging-pin-1", f"iso-pin:{HANGING_ISSUER_ID}", secrets.token_bytes(PIN_BYTES)),
    ]
    terminals: list[Row] = [("terminals-seal-1", "pan-seal", secrets.token_bytes(PLAIN_BYTES))]
    for bank in BANKS:
        ours, theirs = _bank(bank)
        gateway += ours
        links = _terminals(bank)
        terminals += links
        _write(world.key_file(bank.organisation), _key_file([*theirs, *_other_end(links)]))
        _write(world.inbound_file(bank.organisation), {"sandbox": {"secret": secrets.token_hex(PLAIN_BYTES)}})
    _write(world.key_file(TERMINALS), _key_file(terminals))
    _write(world.key_file("gateway"), _key_file(gateway))
    make_provider_keys(
        world.top_up_folder, GATEWAY_SIGNING_KEY_ID, public_key(world.key_file("gateway"), GATEWAY_SIGNING_KEY_ID)
    )
    webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(PLAIN_BYTES)).decode()
    _write(world.secrets_file, {"secret_key": new_secret_key("test"), "webhook_secret": webhook_secret})


def _bank(bank: Bank) -> tuple[list[Row], list[Row]]:
    """Draw the keys of one bank: what the gateway holds of them, and what the bank holds."""
    sizes = (MAC_BYTES, MAC_BYTES, PIN_BYTES, PLAIN_BYTES)
    to_bank, to_gateway, pin, kek = (secrets.token_bytes(size) for size in sizes)
    ours = [
        (f"pooya-to-{bank.keys}-mac-1", f"iso-mac-out:{bank.issuer_id}", to_bank),
        (f"{bank.keys}-to-pooya-mac-1", f"iso-mac-in:{bank.issuer_id}", to_gateway),
        (f"{bank.keys}-pin-1", f"iso-pin:{bank.issuer_id}", pin),
        (f"pooya-{bank.keys}-kek-1", f"iso-kek:{bank.issuer_id}", kek),
    ]
    theirs = [
        *((f"bank-{purpose}-1", purpose, secrets.token_bytes(PLAIN_BYTES)) for purpose in purposes.SYMMETRIC),
        ("bank-cvk-1", purposes.CARD_VERIFICATION, secrets.token_bytes(CVK_BYTES)),
        (f"{bank.issuer_id}-harim-1", purposes.HARIM_SIGNING, secrets.token_bytes(PLAIN_BYTES)),
        (f"{bank.issuer_id}-soap-1", purposes.HARIM_SOAP_SIGNING, new_identity(bank.issuer_id)),
        *_other_end(ours),
    ]
    return ours, theirs


def _terminals(bank: Bank) -> list[Row]:
    """Draw the keys between the terminals and one bank, as the terminals hold them."""
    names = terminal_keys(bank)
    return [
        (names.mac_out, f"iso-mac-out:{bank.issuer_id}", secrets.token_bytes(MAC_BYTES)),
        (names.mac_in, f"iso-mac-in:{bank.issuer_id}", secrets.token_bytes(MAC_BYTES)),
        (names.pin, f"iso-pin:{bank.issuer_id}", secrets.token_bytes(PIN_BYTES)),
    ]


def _other_end(rows: Iterable[Row]) -> Iterable[Row]:
    """What goes out here comes in there."""
    turned = {"iso-mac-out": "iso-mac-in", "iso-mac-in": "iso-mac-out"}
    for key_id, purpose, material in rows:
        use = purpose.partition(":")[0]
        yield key_id, turned.get(use, use), material


def certificate(key_file: Path, key_id: str) -> str:
    """Return the certificate of a SOAP key, PEM: what the two organisations hand each other."""
    return certificate_of(Keyring.from_file(key_file).material(key_id).reveal())


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
