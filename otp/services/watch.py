"""The monitor: every minute the invariants are asked about, and what was found is shown on the page of metrics."""

from __future__ import annotations

from foundation.checks import Inspector, Report
from foundation.monitor import look
from foundation.settings import InvalidSettings
from otp.services.bank import Bank
from otp.store.checks import RULES


def watch(bank: Bank) -> None:
    """Take this minute's look unless another worker has it, and show what was found last."""
    found = look(bank.database, _inspector(bank))
    if found is not None:
        bank.meters.look.show(found)


def look_at_everything(bank: Bank) -> Report:
    """Ask every rule about everything there is; writes nothing.

    Raises:
        InvalidSettings: when there is no read-only role to ask as.
    """
    return _inspector(bank).everything()


def _inspector(bank: Bank) -> Inspector:
    if bank.reader is None:
        raise InvalidSettings("set OTP_READER_DATABASE_URL: the monitor asks as the read-only role")
    return Inspector(bank.reader, RULES)
