"""Requests that have been carried out, by their Idempotency-Key, with their answers.

The effect and its answer are one statement: there is nothing half done to resume. While a statement runs, the key
is held by the database; a twin waits at most :data:`WAIT_MS`, then learns that the first is in progress. A crash of
the first frees the key at once, and a statement that hangs is ended by the database after its statement time-out:
that is the key's lease.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError

WAIT_MS = 2_000

BOUNDED = f"(SELECT set_config('lock_timeout', '{WAIT_MS}', true)) AS bounded"
"""An item of FROM: from here on this one statement waits for nobody longer than :data:`WAIT_MS`."""

_STORED = text("SELECT body_hash, answer FROM idempotency WHERE terminal_id = :terminal_id AND key = :key")
_KEEP = text("""
INSERT INTO idempotency (terminal_id, key, body_hash, answer)
VALUES (:terminal_id, :key, :body_hash, CAST(:answer AS jsonb)) ON CONFLICT DO NOTHING
""")


class KeyTaken(Exception):
    """The idempotency key already belongs to another request; nothing was changed."""


class Busy(Exception):
    """Somebody else holds the key or the row; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The first answer to a request with this key: the row as it then was, by column."""

    body_hash: bytes
    answer: Mapping[str, Any]


def kept(of: str, *, terminal: str = "terminal_id") -> str:
    """Keep each row of ``of`` as the answer to its request, where that has a ``:key`` (and a ``:body_hash``).

    ``terminal`` is the SQL name of whose key it is.
    """
    return (
        "kept AS (INSERT INTO idempotency (terminal_id, key, body_hash, answer) "
        f"SELECT {terminal}, :key, :body_hash, to_jsonb({of}) FROM {of} WHERE CAST(:key AS text) IS NOT NULL)"
    )


def stored(connection: Connection, terminal_id: str, key: str) -> Stored | None:
    """Return what a request with this key was answered."""
    row = connection.execute(_STORED, {"terminal_id": terminal_id, "key": key}).one_or_none()
    return None if row is None else Stored(bytes(row.body_hash), row.answer)


def keep(connection: Connection, terminal_id: str, key: str, body_hash: bytes, answer: str) -> None:
    """Keep an answer, JSON, to a request that changed nothing; the first one stays."""
    values = {"terminal_id": terminal_id, "key": key, "body_hash": body_hash, "answer": answer}
    connection.execute(_KEEP, values)


@contextmanager
def conflicts(**others: type[Exception]) -> Iterator[None]:
    """Translate what the database says when a request meets another one.

    Args:
        others: constraint → exception, for constraints of the statement's own.

    Raises:
        KeyTaken, Busy: or what ``others`` names.
    """
    try:
        yield
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        named: dict[str, type[Exception]] = {"idempotency_key": KeyTaken, **others}
        known = named.get(constraint or "")
        if known is None:
            raise
        raise known from None
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise Busy from None
        raise
