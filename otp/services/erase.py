"""Erase phones when their time is over, by what they were kept for (D43)."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from otp.services.bank import Bank
from otp.store import retention

log = structlog.get_logger(__name__)

ERASED_AT_ONCE = 500
BATCHES_MOST = 200
"""In one round, of each kind; what is left has its turn in the next."""

SENDERS_KEPT_DAYS = 3
"""No centre sends a message again after that; its name is all that makes a repeat harmless (D26)."""


def erase(bank: Bank) -> dict[str, int]:
    """Erase what is past its time, in small transactions; return how many rows of each kind."""
    settings = bank.settings
    kinds: dict[str, Callable[[Connection], int]] = {
        "mobile_changes": lambda connection: retention.erase_changes(
            connection,
            made_days=settings.former_mobile_days,
            typed_days=settings.typed_mobile_days,
            most=ERASED_AT_ONCE,
        ),
        "senders": lambda connection: retention.forget_senders(
            connection, keep_days=SENDERS_KEPT_DAYS, most=ERASED_AT_ONCE
        ),
    }
    numbers = {kind: _all(bank, wipe) for kind, wipe in kinds.items()}
    if any(numbers.values()):
        log.info("phones_erased", **numbers)
    return numbers


def _all(bank: Bank, wipe: Callable[[Connection], int]) -> int:
    total = 0
    for _ in range(BATCHES_MOST):
        with bank.database.single() as connection:
            erased = wipe(connection)
        total += erased
        if erased < ERASED_AT_ONCE:
            break
    return total
