"""The bank's audit trail: acts are written with what they tell of, chained each minute, examined on demand (D31)."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection

from foundation import audit, audit_heads
from foundation.audit import Act, Head, Kept
from foundation.audit_proof import Finding, examine
from foundation.keys import Keyring
from foundation.settings import InvalidSettings
from otp.services.bank import Bank
from otp.store import clock

log = structlog.get_logger(__name__)

SEAL_EVERY_SECONDS = 60.0
BATCHES_MAX = 10
"""Of a thousand rows; what is left is chained a minute later."""


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, and why, in a person's words.

    Args:
        actor: with the kind in front, as in :class:`foundation.audit.Act`.
    """

    actor: str
    reason: str = ""

    @classmethod
    def operator(cls, name: str | None = None, reason: str = "") -> By:
        """Name the person at a command line: as given, otherwise the account that runs the command."""
        return cls(f"operator:{name or getpass.getuser()}", reason)


def note(
    connection: Connection,
    keys: Keyring,
    by: By | None,
    action: str,
    subject: str,
    details: Mapping[str, str | int | bool | None] | None = None,
) -> None:
    """Write an act into the trail, in the transaction that does it; ``by`` is this process's account unless given."""
    who = By.operator() if by is None else by
    audit.append(connection, keys, Act(who.actor, action, subject, who.reason, details or {}))


def acts(bank: Bank, *, subject: str | None, most: int) -> list[Kept]:
    """Read the newest acts, newest first; of one subject, or of all."""
    with bank.database.single() as connection:
        return audit.newest(connection, subject=subject, most=most)


def seal_trail(bank: Bank) -> None:
    """Chain what was committed, and keep the signed head in the second place."""
    sealed, now = _seal_once(bank)
    for _ in range(BATCHES_MAX - 1):
        if sealed is None or not sealed[1]:
            break
        sealed, now = _seal_once(bank)
    if sealed is None:
        return
    head = sealed[0]
    log.info("audit_head", sealed_no=head.sealed_no, chain=head.chain_mac.hex())
    if bank.settings.audit_head_file is not None:
        audit_heads.export(bank.settings.audit_head_file, bank.keys, head, now)


def _seal_once(bank: Bank) -> tuple[tuple[Head, bool] | None, dt.datetime]:
    with bank.database.begin() as connection:
        return audit.seal(connection, bank.keys), clock.now(connection)


@contextmanager
def examined(bank: Bank, heads: Path | None) -> Iterator[Iterator[Finding]]:
    """Open an examination of the whole trail, as the read-only role.

    Args:
        bank: with a reader.
        heads: file of heads kept elsewhere; without one a cut tail is not found.

    Raises:
        InvalidSettings: when there is no read-only role to ask as.
        HeadRefused: when the file holds a line that is not ours.
    """
    if bank.reader is None:
        raise InvalidSettings("set OTP_READER_DATABASE_URL: the trail is examined as the read-only role")
    with bank.reader.begin() as connection:
        clock.freeze(connection)
        yield examine(connection, bank.keys, () if heads is None else audit_heads.read(heads, bank.keys))
