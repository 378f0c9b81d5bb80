"""What the gateway's keys are for: the ``purpose`` of each key in its key file."""

from __future__ import annotations

ATTEMPT_PAN = "attempt-pan"
"""AES-256-GCM of the PAN of an attempt whose outcome is still asked for."""
PAN_HASH = "pan-hash"
"""HMAC of the PAN: how limits per card are counted."""
CARD_TOKEN = "card-token"  # noqa: S105 - a purpose, not a secret
"""HMAC of the PAN for one merchant: how a merchant knows a card, or a saved destination, again."""
WEBHOOK_SECRET = "webhook-secret"  # noqa: S105 - a purpose, not a secret
"""AES-256-GCM of merchants' webhook secrets."""
PAGE_FORM = "page-form"
"""HMAC of the payment page's forms and challenges."""
RECEIPT = "receipt"
"""HMAC of a receipt's number: the seal of its QR code."""
LEDGER = "ledger"
"""HMAC that chains the ledger's postings; whoever has it and the database could write another history."""
AUDIT = "audit"
"""HMAC of the rows of the approvals trail and of its chain."""

DESTINATION_PAN = "destination-pan"
"""AES-256-GCM of the card numbers of saved destinations."""

ALL = (ATTEMPT_PAN, PAN_HASH, CARD_TOKEN, WEBHOOK_SECRET, PAGE_FORM, RECEIPT, LEDGER, AUDIT, DESTINATION_PAN)
"""Keys of 32 random bytes; without one of them no payment is taken. Links and wires name theirs in settings or rows."""
