"""The ledger's chain: postings are chained each minute, heads kept in a second place, all examined on demand (D31)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from foundation import audit_heads
from foundation.audit import Head
from foundation.audit_proof import Finding
from foundation.settings import InvalidSettings
from gateway.services.gateway import Gateway
from gateway.store import ledger_seals, settlements

log = structlog.get_logger()

BATCHES_MAX = 60
"""Of a thousand postings in one round; what is left is chained a minute later."""


def seal_ledger(gateway: Gateway) -> None:
    """Chain what was committed, log the head, and keep it signed in the second place where one is named."""
    head = _chain(gateway)
    if head is None:
        return
    log.info("ledger_head", sealed_no=head.sealed_no, chain=head.chain_mac.hex())
    file = gateway.settings.ledger_head_file
    if file is not None:
        with gateway.database.single() as connection:
            now = settlements.now(connection)
        audit_heads.export(file, gateway.keyring, head, now)


@contextmanager
def examined(gateway: Gateway, heads: Path | None) -> Iterator[Iterator[Finding]]:
    """Open an examination of the whole ledger, as the read-only role.

    Args:
        gateway: with a reader.
        heads: file of heads kept elsewhere; without one a cut tail is not found.

    Raises:
        InvalidSettings: when there is no read-only role to ask as.
        HeadRefused: when the file holds a line that is not ours.
    """
    if gateway.reader is None:
        raise InvalidSettings("set GATEWAY_READER_DATABASE_URL: the ledger is examined as the read-only role")
    kept = () if heads is None else audit_heads.read(heads, gateway.keyring)
    with gateway.reader.begin() as connection:
        yield ledger_seals.examine(connection, gateway.keyring, kept)


def _chain(gateway: Gateway) -> Head | None:
    head = None
    for _ in range(BATCHES_MAX):
        with gateway.database.begin() as connection:
            sealed = ledger_seals.seal(connection, gateway.keyring)
        if sealed is None:
            break
        head, more = sealed
        if not more:
            break
    return head
