"""The same request twice has one effect and one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.domain.errors import IdempotencyMismatch
from gateway.store import idempotency as store
from gateway.store.directory import Caller

IN_PROGRESS = "another request with this key, or about the same, is being carried out; repeat it"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key and the SHA-256 of the request it stands for."""

    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A merchant's request that may come again: who sends it, and under which key, if any."""

    caller: Caller
    idempotency: Idempotency | None


def kept_under(idempotency: Idempotency | None) -> dict[str, object]:
    """Return the values under which a request's answer is kept; nothing is kept without a key."""
    return {
        "key": idempotency.key if idempotency else None,
        "body_hash": idempotency.body_hash if idempotency else None,
    }


def first_answer(connection: Connection, caller: Caller, idempotency: Idempotency | None) -> dict[str, Any] | None:
    """Return the row that this key's first request was answered with; ``None`` when there was none.

    Raises:
        IdempotencyMismatch: it was another request.
    """
    known = None if idempotency is None else store.stored(connection, caller.terminal_id, idempotency.key)
    if idempotency is None or known is None:
        return None
    if known.body_hash != idempotency.body_hash:
        raise IdempotencyMismatch
    return dict(known.answer)


def keep_answer(connection: Connection, caller: Caller, idempotency: Idempotency | None, answer: str) -> None:
    """Keep the answer, JSON, to a request that found its wish already fulfilled, so that a repeat reads the same."""
    if idempotency is not None:
        store.keep(connection, caller.terminal_id, idempotency.key, idempotency.body_hash, answer)
