"""The ledger's chain: postings are chained each minute, heads kept in a second place, all examined on demand (D31)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from foundation.audit_proof import Finding
from foundation.audit_trail import Chain
from gateway.services.gateway import Gateway
from gateway.store import ledger_seals

LEDGER = Chain("ledger_head", ledger_seals.seal, ledger_seals.examine, rounds=60)


def seal_ledger(gateway: Gateway) -> None:
    """Chain what was committed, and keep the signed head in the second place."""
    LEDGER.seal_all(gateway.database, gateway.keyring, gateway.settings.ledger_head_file)


def examined(gateway: Gateway, heads: Path | None) -> AbstractContextManager[Iterator[Finding]]:
    """Open an examination of the whole ledger; as :meth:`foundation.audit_trail.Chain.examined`."""
    return LEDGER.examined(gateway.reader, gateway.keyring, heads, setting="GATEWAY_READER_DATABASE_URL")
