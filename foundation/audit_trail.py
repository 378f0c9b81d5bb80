"""What every keeper of a chain does: acts are written by whom, committed rows chained in rounds, all examined (D31)."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection, text

from foundation import audit, audit_heads, audit_proof
from foundation.audit import Act, Details, Head
from foundation.audit_proof import Finding
from foundation.database import Database
from foundation.keys import Keyring
from foundation.settings import InvalidSettings

log = structlog.get_logger()

SEAL_EVERY_SECONDS = 60.0

_NOW = text("SELECT house_now()")
_FREEZE = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

Seal = Callable[[Connection, Keyring], tuple[Head, bool] | None]
Examine = Callable[[Connection, Keyring, Iterable[Head]], Iterator[Finding]]


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
    details: Details | None = None,
) -> None:
    """Write an act into the trail, in the transaction that does it; ``by`` is this process's account unless given."""
    who = By.operator() if by is None else by
    audit.append(connection, keys, Act(who.actor, action, subject, who.reason, details or {}))


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain over committed rows.

    Args:
        event: what the log calls a new head.
        seal: chains a batch of what was committed, at most a thousand rows.
        examine: walks the whole chain and tells what is wrong.
        rounds: how many batches at most are chained at once; what is left is chained a minute later.
    """

    event: str
    seal: Seal
    examine: Examine
    rounds: int

    def seal_all(self, database: Database, keys: Keyring, head_file: Path | None) -> None:
        """Chain what was committed, log the head, and keep it signed in the second place where one is named."""
        last: tuple[Head, dt.datetime] | None = None
        for _ in range(self.rounds):
            with database.begin() as connection:
                sealed, now = self.seal(connection, keys), connection.execute(_NOW).scalar_one()
            if sealed is None:
                break
            last = (sealed[0], now)
            if not sealed[1]:
                break
        if last is None:
            return
        log.info(self.event, sealed_no=last[0].sealed_no, chain=last[0].chain_mac.hex())
        if head_file is not None:
            audit_heads.export(head_file, keys, *last)

    @contextmanager
    def examined(
        self, reader: Database | None, keys: Keyring, heads: Path | None, *, setting: str
    ) -> Iterator[Iterator[Finding]]:
        """Open an examination of the whole chain at one instant, as the read-only role.

        Args:
            reader: the database as that role.
            keys: with every key that rows were chained under.
            heads: file of heads kept elsewhere; without one a cut tail is not found.
            setting: names the reader's address.

        Raises:
            InvalidSettings: when there is no read-only role to ask as.
            HeadRefused: when the file holds a line that is not ours.
        """
        if reader is None:
            raise InvalidSettings(f"set {setting}: a chain is examined as the read-only role")
        kept = () if heads is None else audit_heads.read(heads, keys)
        with reader.begin() as connection:
            connection.execute(_FREEZE)
            yield self.examine(connection, keys, kept)


TRAIL = Chain("audit_head", audit.seal, audit_proof.examine, rounds=10)
"""The acts of an organisation."""
