"""What the bank's keys are for: the ``purpose`` of each key in its key file."""

from __future__ import annotations

CARD_TOKEN = "card-token"  # noqa: S105 - a purpose, not a secret
"""HMAC of the PAN: how a card is found."""
PAN_SEAL = "pan-seal"
"""AES-256-GCM of the PAN, the holder's name and the customer's national code; each bound to its row."""
MOBILE_TOKEN = "mobile-token"  # noqa: S105 - a purpose, not a secret
"""HMAC of the mobile number: how limits per phone are counted."""
MOBILE_SEAL = "mobile-seal"
"""AES-256-GCM of the mobile number, bound to its row."""
CODE_DERIVE = "code-derive"
"""From which dynamic PINs are derived."""
CODE_MAC = "code-mac"
"""HMAC under which a code is found."""
CUSTOMER_TOKEN = "customer-token"  # noqa: S105 - a purpose, not a secret
"""HMAC of the holder's national code: which cards are of one customer (D23)."""
PIN_VERIFICATION = "pin-verification"
"""HMAC under which static PINs are kept: the first PIN, and a second one where it is static (D27)."""
ACTIVATION_DERIVE = "activation-derive"
"""From which both parts of an activation code are derived (D23)."""
DEVICE_SEAL = "device-seal"
"""AES-256-GCM of what an app and the bank share, bound to the device."""
AUDIT = "audit"
"""HMAC of the audit trail's rows and chain (D31)."""
AUDIT_HEAD = "audit-head"
"""Ed25519 private key (32 bytes) that signs heads of the trail for a second place (D31)."""
CONSOLE = "console"
"""HMAC of the operators' cookies and forms; a new key logs nobody out while the old one is kept."""
CARD_VERIFICATION = "card-verification"
"""16 bytes: the CVV2 key pair."""
HARIM_SIGNING = "harim-signing"
"""Ed25519 private key (32 bytes) that signs answers to PSPs; its key id is public."""
HARIM_SOAP_SIGNING = "harim-soap-signing"
"""PEM of private key and certificate that sign SOAP answers to PSPs; without one the bank has no SOAP door."""

SYMMETRIC = (
    CARD_TOKEN,
    PAN_SEAL,
    MOBILE_TOKEN,
    MOBILE_SEAL,
    CODE_DERIVE,
    CODE_MAC,
    CUSTOMER_TOKEN,
    PIN_VERIFICATION,
    ACTIVATION_DERIVE,
    DEVICE_SEAL,
    AUDIT,
    AUDIT_HEAD,
    CONSOLE,
)
"""Keys of 32 random bytes."""

ALL = (*SYMMETRIC, CARD_VERIFICATION, HARIM_SIGNING, HARIM_SOAP_SIGNING)
"""Every purpose of the web door and the worker; the host's keys are named by OTP_HOST_PEERS."""
