"""Who is calling: the PSP whose key signed the message (D21, D41)."""

from __future__ import annotations

from foundation.hard_xml import Element
from foundation.signatures import RequestToSign, SignedMessage
from foundation.xml_signatures import SignedEnvelope
from otp.domain.psp import Psp
from otp.services.bank import Bank


def authenticate(bank: Bank, message: RequestToSign, body: bytes) -> tuple[Psp, SignedMessage]:
    """Return the PSP that signed this message, and what its signature says of itself.

    Raises:
        SignatureRefused: when nobody known did, or the message was changed or is older than five minutes.
    """
    psps = bank.psps.now()
    signed = psps.verifier.verify_request(message, body)
    return psps.by_key[signed.key_id], signed


def authenticate_envelope(bank: Bank, envelope: Element, *, address: str) -> tuple[Psp, SignedEnvelope]:
    """Return the PSP that signed this envelope for ``address``, and what of it may be believed; raises likewise."""
    psps = bank.psps.now()
    signed = psps.envelopes.verify_request(envelope, to=address)
    return psps.by_certificate[signed.certificate], signed
