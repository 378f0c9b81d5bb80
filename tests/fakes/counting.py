"""Counting what a database is asked: statements, and commits (an autocommitted write is one)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from foundation.database import Database

_WRITES = ("INSERT", "UPDATE", "DELETE")


@dataclass
class Counted:
    """What happened inside the block."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0


@contextmanager
def counting(database: Database) -> Iterator[Counted]:
    """Count the statements and commits of ``database`` inside the block."""
    counted = Counted()

    def before_execute(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counted.statements.append(statement.strip())
        isolation = connection.get_execution_options().get("isolation_level")
        if isolation == "AUTOCOMMIT" and any(word in statement for word in _WRITES):
            counted.commits += 1

    def on_commit(_connection: Any) -> None:
        counted.commits += 1

    event.listen(database.engine, "before_cursor_execute", before_execute)
    event.listen(database.engine, "commit", on_commit)
    try:
        yield counted
    finally:
        event.remove(database.engine, "before_cursor_execute", before_execute)
        event.remove(database.engine, "commit", on_commit)
