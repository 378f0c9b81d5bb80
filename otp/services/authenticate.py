"""Who is calling: the PSP whose key signed the message (D21, D41)."""

from __future__ import annotations

from foundation.signatures import RequestToSign
from otp.domain.psp import Psp
from otp.services.bank import Bank


def authenticate(bank: Bank, message: RequestToSign, body: bytes) -> Psp:
    """Return the PSP that signed this message.

    Raises:
        SignatureRefused: when nobody known did, or the message was changed or is older than five minutes.
    """
    psps = bank.psps.now()
    return psps.by_key[psps.verifier.verify_request(message, body).key_id]
