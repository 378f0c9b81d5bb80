"""What the tills sold: written before the bank is asked, so that nothing it takes is without a word here (D2, D36)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from otp.domain.financial import MessageKey

UNDER_WAY = ("sent", "reversing")
PROMISE_SECONDS = 300.0
"""How long a sale may be without its end; after that it counts as a difference."""
SENT_SECONDS = 30.0
"""How long a question may be without its answer; after that the sale is to be undone."""
SHOWN = 10

_TABLE = """
CREATE TABLE IF NOT EXISTS sale (
  rrn TEXT PRIMARY KEY, acquirer_id TEXT NOT NULL, terminal_id TEXT NOT NULL, stan TEXT NOT NULL,
  local_time TEXT NOT NULL, masked_pan TEXT NOT NULL, pan_sealed BLOB NOT NULL, rial INTEGER NOT NULL,
  state TEXT NOT NULL, action_code TEXT, at REAL NOT NULL);
"""
_ADD = """
INSERT INTO sale (rrn, acquirer_id, terminal_id, stan, local_time, masked_pan, pan_sealed, rial, state, at)
VALUES (:rrn, :acquirer_id, :terminal_id, :stan, :local_time, :masked_pan, :pan_sealed, :rial, 'sent', :at)
"""
_MOVE = """
UPDATE sale SET state = ?, action_code = coalesce(?, action_code)
 WHERE rrn = ? AND state IN (SELECT value FROM json_each(?))
"""
_TO_BE_UNDONE = """
SELECT * FROM sale WHERE terminal_id = :terminal_id AND (state = 'reversing' OR (state = 'sent' AND at < :sent_before))
 ORDER BY rrn = :first DESC, random() LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale; ``state`` is sent, approved, declined, reversing or reversed."""

    key: MessageKey
    masked_pan: str
    pan_sealed: bytes
    rial: int
    state: str
    action_code: str | None
    age_seconds: float


class SalesBook:
    """The book of every till of this sandbox."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def begin(self, key: MessageKey, masked_pan: str, pan_sealed: bytes, rial: int) -> None:
        """Write a sale down that is about to be asked for."""
        with self._open() as connection:
            values = {"masked_pan": masked_pan, "pan_sealed": pan_sealed, "rial": rial, "at": time.time()}
            connection.execute(_ADD, asdict(key) | values)

    def move(self, rrn: str, state: str, action_code: str | None = None, *, of: tuple[str, ...] = UNDER_WAY) -> bool:
        """Write what became of a sale, if it is in one of the states ``of``; tell whether it was."""
        with self._open() as connection:
            return connection.execute(_MOVE, (state, action_code, rrn, json.dumps(of))).rowcount == 1

    def all(self) -> list[Sale]:
        """Return every sale, oldest first."""
        return self._read("SELECT * FROM sale ORDER BY at", ())

    def newest(self, terminal_id: str) -> list[Sale]:
        """Return the last sales of a till, newest first."""
        return self._read("SELECT * FROM sale WHERE terminal_id = ? ORDER BY at DESC LIMIT ?", (terminal_id, SHOWN))

    def to_be_undone(self, terminal_id: str, *, first: str | None, most: int) -> list[Sale]:
        """Return sales of a till that have no end, however old: the one of the RRN ``first`` before all others.

        These come in no order, so that no other waits for ever behind one that its bank does not undo.
        """
        values = {"terminal_id": terminal_id, "sent_before": time.time() - SENT_SECONDS, "first": first, "most": most}
        return self._read(_TO_BE_UNDONE, values)

    def _read(self, question: str, values: tuple[object, ...] | dict[str, object]) -> list[Sale]:
        with self._open() as connection:
            return [_sale(row) for row in connection.execute(question, values)]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=10, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLE)
            yield connection
        finally:
            connection.close()


def _sale(row: sqlite3.Row) -> Sale:
    return Sale(
        key=MessageKey(*(row[name] for name in MessageKey.__slots__)),
        masked_pan=row["masked_pan"],
        pan_sealed=row["pan_sealed"],
        rial=row["rial"],
        state=row["state"],
        action_code=row["action_code"],
        age_seconds=time.time() - row["at"],
    )
