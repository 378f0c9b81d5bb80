"""Tell the time that decides, for apps whose own clock may be off."""

from __future__ import annotations

from otp.services.bank import Bank
from otp.store import clock


def tell_time(bank: Bank) -> int:
    """Return the bank's time, milliseconds since 1970."""
    with bank.database.single() as connection:
        return clock.now_ms(connection)
