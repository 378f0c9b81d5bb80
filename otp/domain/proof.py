"""The proof that a code was checked (D13): derived, and kept as a keyed hash, so that nothing stored could be spent.

Whoever repeats the same request gets the same proof, because it is derived from that request; nobody else can.
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from foundation.sensitive import Sensitive

PROOF_SECONDS = 60
"""How long a proof can be spent (D13)."""

PROOF_SHAPE = r"[A-Za-z0-9_-]{43}"
"""256 bits in base64url without padding."""

_DERIVED_FOR = b"verify-proof-v1\x00"
_KEPT_FOR = b"kept-proof-v1\x00"
_BYTES = 32


def derive_proof(key: Sensitive[bytes], psp_id: str, request_id: str, body_hash: bytes) -> Sensitive[str]:
    """Derive the proof that one request earns.

    Args:
        key: the bank's code-derive key; codes are derived from it under another purpose.
        psp_id: who asked.
        request_id: its request, which serves once (D21).
        body_hash: 32 bytes, so that another message under the same id would earn another proof.
    """
    info = _DERIVED_FOR + f"{psp_id}\x00{request_id}\x00".encode() + body_hash
    raw = HKDF(SHA256(), length=_BYTES, salt=None, info=info).derive(key.reveal())
    return Sensitive(base64.urlsafe_b64encode(raw).decode().rstrip("="))


def proof_mac_input(card_name: bytes, acquirer_id: str, proof: str) -> bytes:
    """What the code-mac key authenticates: a proof is found by its card and its acquirer, and by nobody else's."""
    return _KEPT_FOR + card_name + f"{acquirer_id}\x00{proof}".encode()
