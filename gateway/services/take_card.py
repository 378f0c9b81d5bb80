"""Which issuer a card belongs to, and whether this gateway takes it (D10)."""

from __future__ import annotations

from foundation.pan import Pan
from gateway.domain import purposes
from gateway.domain.errors import RealCardInSandbox, UnknownIssuer
from gateway.domain.issuers import Issuer, is_sandbox_card, real_bank_of
from gateway.services.gateway import Gateway

TOKEN_BYTES = 16


def issuer_of(gateway: Gateway, pan: Pan) -> Issuer:
    """Return the issuer of this card.

    Raises:
        RealCardInSandbox: a real bank's card where only test cards work.
        UnknownIssuer: no issuer is connected for it, or a test card where only real ones work.
    """
    digits = pan.reveal()
    sandbox = gateway.settings.mode == "sandbox"
    if sandbox and (bank := real_bank_of(digits)) is not None:
        raise RealCardInSandbox(bank.name_fa, bank.name_en)
    issuer = None if is_sandbox_card(digits) != sandbox else gateway.directory.issuer_of(pan)
    if issuer is None:
        raise UnknownIssuer
    return issuer


def pan_hash(gateway: Gateway, pan: Pan) -> bytes:
    """Return the keyed hash under which a card is counted; it never leaves the gateway."""
    return gateway.keyring.mac(purposes.PAN_HASH, pan.reveal().encode())


def card_token(gateway: Gateway, pan: Pan, merchant_id: str) -> str:
    """Return the name of this card for this merchant alone: two merchants cannot compare theirs (D16)."""
    data = f"{merchant_id}|{pan.reveal()}".encode()
    return "card_" + gateway.keyring.mac(purposes.CARD_TOKEN, data)[:TOKEN_BYTES].hex()
