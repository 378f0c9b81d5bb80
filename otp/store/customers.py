"""Customers: known by a hash of their national code when a card is opened, and by their number ever after (D23)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

# A statement of its own before the look: one that waited for a lock goes on with its old snapshot (D4).
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended('customer ' || encode(:held_by, 'hex'), 0))")

# Whoever is known under the key before is known under the one that writes from now on. Where one process has forgotten
# the old key a moment before another, the two hold different locks; then both write the same hash.
_KNOW = text("""
WITH known AS (
    UPDATE customer SET customer_token = :token, customer_token_key = :key_id
     WHERE customer_token = ANY(CAST(:tokens AS bytea[])) RETURNING customer_id, national_code_sealed),
added AS (
    INSERT INTO customer (customer_token, customer_token_key)
    SELECT :token, :key_id WHERE NOT EXISTS (SELECT FROM known)
        ON CONFLICT (customer_token) DO UPDATE SET customer_token = EXCLUDED.customer_token
    RETURNING customer_id, national_code_sealed)
SELECT customer_id, national_code_sealed IS NULL AS unsealed FROM known
UNION ALL SELECT customer_id, national_code_sealed IS NULL FROM added
""")

_MOVE = text("""
UPDATE customer SET customer_token = :token, customer_token_key = :key_id
 WHERE customer_token = ANY(CAST(:tokens AS bytea[]))
RETURNING customer_id, national_code_sealed IS NULL AS unsealed
""")

_SEAL = text("UPDATE customer SET national_code_sealed = :sealed WHERE customer_id = :customer_id")


@dataclass(frozen=True, slots=True)
class Hashes:
    """What a customer may be found by.

    Args:
        tokens: by each live key, the one that writes first.
        key_id: of the key that writes.
        held_by: the hash that every process makes alike while a key changes.
    """

    tokens: Sequence[bytes]
    key_id: str
    held_by: bytes


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer; ``unsealed`` where the national code is not kept beside the hash yet."""

    customer_id: int
    unsealed: bool


def know(connection: Connection, hashes: Hashes) -> KnownCustomer:
    """Find a customer, or write one, under the key that writes; whoever opens another card of theirs waits."""
    connection.execute(_HOLD, {"held_by": hashes.held_by})
    return KnownCustomer(**connection.execute(_KNOW, _values(hashes)).mappings().one())


def find(connection: Connection, hashes: Hashes) -> KnownCustomer | None:
    """Find a customer and leave it under the key that writes; ``None`` when there is none."""
    row = connection.execute(_MOVE, _values(hashes)).mappings().one_or_none()
    return None if row is None else KnownCustomer(**row)


def seal(connection: Connection, customer_id: int, national_code_sealed: bytes) -> None:
    """Keep a customer's national code beside its hash; the row is held."""
    connection.execute(_SEAL, {"customer_id": customer_id, "sealed": national_code_sealed})


def _values(hashes: Hashes) -> dict[str, object]:
    return {"tokens": list(hashes.tokens), "token": hashes.tokens[0], "key_id": hashes.key_id}
