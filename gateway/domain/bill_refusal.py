"""A biller's later no to a bill that was paid: what it signs, and how the one refund that follows is called (D12).

The biller signs with a secret of its webhook endpoints: whoever was told of the bill is who refuses it. An API key can
make new secrets, so those it makes sign no refusal for two days, as money goes to no new IBAN: a stolen key alone gives
nothing away before its owner could see the strange endpoint. The text names one bill of one receipt, so a copy of it
says nothing new.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable

from foundation.sensitive import Sensitive
from gateway.domain.bills import Bill

SIGNATURE_PATTERN = "^v1,[A-Za-z0-9+/]{43}=$"
SECRET_HOLD_HOURS = 48
"""How long a secret that an API key made waits before it signs refusals."""
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins


def refusal_text(tracking_code: str, bill: Bill) -> str:
    """Return what is signed.

    >>> refusal_text("140900000001", Bill("7748317800142", "1770160"))
    'bill.refused.140900000001.7748317800142.1770160'
    """
    return f"bill.refused.{tracking_code}.{bill.bill_id}.{bill.payment_id}"


def signature_of(secret: Sensitive[str], text: str) -> str:
    """Return ``v1,`` and the HMAC-SHA-256 of a text under a webhook secret, in base64."""
    key = base64.b64decode(secret.reveal().removeprefix(_SECRET_PREFIX))
    return f"v1,{base64.b64encode(hmac.digest(key, text.encode(), 'sha256')).decode()}"


def is_signed(secrets: Iterable[Sensitive[str]], text: str, signature: str) -> bool:
    """Tell whether one of these secrets made the signature, each compared in constant time."""
    return any(hmac.compare_digest(signature_of(each, text).encode(), signature.encode()) for each in secrets)


def refund_id_of(payment_id: str, number: int) -> str:
    """Return the id of the refund of a payment's bill; no merchant can give it to a refund of its own.

    >>> refund_id_of("pay_A", 2)
    'bill:pay_A:2'
    """
    return f"bill:{payment_id}:{number}"
