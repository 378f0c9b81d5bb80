"""The public check of a receipt (D28)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation.rial import Rial
from gateway.domain.errors import PaymentNotFound
from gateway.domain.payment import PaymentState
from gateway.services.gateway import Gateway
from gateway.store import payments


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """All that a stranger with a tracking code learns: it is genuine, how much, when, and whether the money stayed."""

    amount: Rial
    authorised_at: dt.datetime
    state: PaymentState


def look_up_receipt(gateway: Gateway, tracking_code: str) -> ReceiptCheck:
    """Return what may be said about the receipt with this tracking code.

    Raises:
        PaymentNotFound: no payment has it.
    """
    with gateway.database.single() as connection:
        found = payments.receipt(connection, tracking_code)
    if found is None:
        raise PaymentNotFound
    total, authorised_at, state = found
    return ReceiptCheck(Rial(total), authorised_at, state)
