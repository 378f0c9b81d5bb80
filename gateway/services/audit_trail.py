"""The gateway's approvals trail: who asked, who approved or refused, what and why; chained each minute (D31, D35)."""

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
from gateway.services.gateway import Gateway

WORKER = By("worker:gateway")
"""Who acts when time is up."""


def acts(gateway: Gateway, *, subject: str | None, most: int) -> list[Kept]:
    """Read the newest acts, newest first; of one subject, or of all."""
    with gateway.database.single() as connection:
        return audit.newest(connection, subject=subject, most=most)


def seal_trail(gateway: Gateway) -> None:
    """Chain what was committed, and keep the signed head in the second place."""
    TRAIL.seal_all(gateway.database, gateway.keyring, gateway.settings.audit_head_file)


def examined(gateway: Gateway, heads: Path | None) -> AbstractContextManager[Iterator[Finding]]:
    """Open an examination of the whole trail; as :meth:`foundation.audit_trail.Chain.examined`."""
    return TRAIL.examined(gateway.reader, gateway.keyring, heads, setting="GATEWAY_READER_DATABASE_URL")
