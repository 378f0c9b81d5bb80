"""The public check of a receipt (D28)."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
from dataclasses import dataclass

from foundation.rial import Rial
from gateway.domain import purposes
from gateway.domain.errors import PaymentNotFound
from gateway.domain.payment import PaymentState
from gateway.services.gateway import Gateway
from gateway.store import payments

SEAL_BYTES = 15
"""Of the HMAC-SHA-256: 120 bits are 20 characters without padding, which keeps the QR code small."""


@dataclass(frozen=True, slots=True)
class ReceiptRest:
    """What only a holder of the receipt's seal learns, to compare with the paper: the rest of what stands on it."""

    merchant_name_fa: str
    merchant_name_en: str
    terminal_id: str
    pan_masked: str
    rrn: str


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """All that a stranger with a tracking code learns: it is genuine, how much, when, and whether the money stayed."""

    amount: Rial
    authorised_at: dt.datetime
    state: PaymentState
    tracking_code: str
    rest: ReceiptRest | None


def receipt_seal(gateway: Gateway, tracking_code: str) -> str:
    """Return the seal that a receipt's QR code carries beside its tracking code."""
    return _seal(gateway, gateway.keyring.active_id(purposes.RECEIPT), tracking_code)


def look_up_receipt(gateway: Gateway, tracking_code: str, seal: str = "") -> ReceiptCheck:
    """Return what may be said about the receipt with this tracking code; the rest of it to whoever holds its seal.

    Raises:
        PaymentNotFound: no payment has it.
    """
    with gateway.database.single() as connection:
        row = payments.receipt(connection, tracking_code)
    if row is None:
        raise PaymentNotFound
    rest = ReceiptRest(row.merchant_name_fa, row.merchant_name_en, row.terminal_id, row.pan_masked, row.rrn)
    return ReceiptCheck(
        Rial(row.total_rial),
        row.authorised_at,
        PaymentState(row.state),
        tracking_code,
        rest if _is_sealed(gateway, tracking_code, seal) else None,
    )


def _is_sealed(gateway: Gateway, tracking_code: str, seal: str) -> bool:
    """Tell whether any key of receipts made this seal: paper lives longer than keys."""
    key_ids = gateway.keyring.ids(purposes.RECEIPT)
    return any(hmac.compare_digest(_seal(gateway, key_id, tracking_code).encode(), seal.encode()) for key_id in key_ids)


def _seal(gateway: Gateway, key_id: str, tracking_code: str) -> str:
    code = gateway.keyring.mac_with(key_id, tracking_code.encode())
    return base64.urlsafe_b64encode(code[:SEAL_BYTES]).decode()
