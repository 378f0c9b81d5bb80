"""The bank's audit trail: acts are written with what they tell of, chained each minute, examined on demand (D31)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from foundation import audit
from foundation.audit import Kept
from foundation.audit_proof import Finding
from foundation.audit_trail import SEAL_EVERY_SECONDS as SEAL_EVERY_SECONDS
from foundation.audit_trail import TRAIL
from foundation.audit_trail import By as By
from foundation.audit_trail import note as note
from otp.services.bank import Bank


def acts(bank: Bank, *, subject: str | None, most: int) -> list[Kept]:
    """Read the newest acts, newest first; of one subject, or of all."""
    with bank.database.single() as connection:
        return audit.newest(connection, subject=subject, most=most)


def seal_trail(bank: Bank) -> None:
    """Chain what was committed, and keep the signed head in the second place."""
    TRAIL.seal_all(bank.database, bank.keys, bank.settings.audit_head_file)


def examined(bank: Bank, heads: Path | None) -> AbstractContextManager[Iterator[Finding]]:
    """Open an examination of the whole trail; as :meth:`foundation.audit_trail.Chain.examined`."""
    return TRAIL.examined(bank.reader, bank.keys, heads, setting="OTP_READER_DATABASE_URL")
