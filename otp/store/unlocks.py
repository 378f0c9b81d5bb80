"""Requests to unlock a card, and the lock itself: read and written under the card's lock."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import Connection, text

from otp.domain.unlocking import LIFE_HOURS, Asked, CardLock

_HOLD_CARD = text("SELECT card_id FROM card WHERE card_id = :card_id FOR UPDATE")

_CARD_OF = text("SELECT card_id FROM unlock_request WHERE unlock_id = :unlock_id")

# Statements of their own after the card's lock: one that waited for a lock goes on with its old snapshot (D4).
_LOCK = text("""
SELECT house_now() AS now, status = 'blocked' AS blocked, held_by_bank, pin_failures, pin_lock_level, pin_locked_until
  FROM card WHERE card_id = :card_id
""")

_COLUMNS = "unlock_id, card_id, state, maker, reason, before, expires_at"
_WAITING = text(f"SELECT {_COLUMNS} FROM unlock_request WHERE card_id = :card_id AND state = 'asked'")
_ONE = text(f"SELECT {_COLUMNS} FROM unlock_request WHERE unlock_id = :unlock_id")

_LAPSE = text("UPDATE unlock_request SET state = 'lapsed' WHERE unlock_id = :unlock_id")

# Who is no active operator is nobody here, and the row's own constraints refuse nobody.
_ACTIVE = "(SELECT name FROM operator WHERE name = :who AND role = 'operator' AND state = 'active')"

_ASK = text(f"""
INSERT INTO unlock_request (card_id, maker, reason, before, asked_at, expires_at)
SELECT :card_id, {_ACTIVE}, :reason, CAST(:before AS jsonb), now, now + interval '{LIFE_HOURS} hours'
  FROM (SELECT house_now() AS now) AS clock
RETURNING unlock_id
""")

_APPROVE = text(f"""
WITH approved AS (
    UPDATE unlock_request SET state = 'approved', checker = {_ACTIVE}, approved_at = house_now(),
           after = CAST(:after AS jsonb)
     WHERE unlock_id = :unlock_id AND state = 'asked' RETURNING card_id)
UPDATE card SET status = 'active', pin_failures = 0, pin_lock_level = 0, pin_locked_until = NULL
  FROM approved WHERE card.card_id = approved.card_id
""")


def hold_card(connection: Connection, card_id: int) -> bool:
    """Lock a card until this transaction ends; tell whether there is one."""
    return connection.execute(_HOLD_CARD, {"card_id": card_id}).first() is not None


def card_of(connection: Connection, unlock_id: int) -> int | None:
    """Return the card that a request is about."""
    card_id: int | None = connection.execute(_CARD_OF, {"unlock_id": unlock_id}).scalar_one_or_none()
    return card_id


def lock_of(connection: Connection, card_id: int) -> tuple[CardLock, dt.datetime]:
    """Read what keeps a held card out, and the moment that decides."""
    row = dict(connection.execute(_LOCK, {"card_id": card_id}).mappings().one())
    return CardLock(**{name: value for name, value in row.items() if name != "now"}), row["now"]


def waiting(connection: Connection, card_id: int) -> Asked | None:
    """Read the request that nobody has answered, lapsed or not."""
    return _asked(connection.execute(_WAITING, {"card_id": card_id}).mappings().first())


def one(connection: Connection, unlock_id: int) -> Asked | None:
    """Read one request."""
    return _asked(connection.execute(_ONE, {"unlock_id": unlock_id}).mappings().first())


def lapse(connection: Connection, unlock_id: int) -> None:
    """Let a request go that nobody approved in time."""
    connection.execute(_LAPSE, {"unlock_id": unlock_id})


def ask(connection: Connection, card_id: int, maker: str, reason: str, before: dict[str, object]) -> int:
    """Write a request and return its number."""
    values = {"card_id": card_id, "who": maker, "reason": reason, "before": json.dumps(before)}
    return int(connection.execute(_ASK, values).scalar_one())


def approve(connection: Connection, unlock_id: int, checker: str, after: dict[str, object]) -> bool:
    """Approve a request and open its card, in one statement; tell whether there was one to approve."""
    values = {"unlock_id": unlock_id, "who": checker, "after": json.dumps(after)}
    return connection.execute(_APPROVE, values).rowcount == 1


def _asked(row: Any) -> Asked | None:
    return None if row is None else Asked(**row)
