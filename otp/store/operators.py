"""Operators, their log-ins, and the tries that are counted before a password is looked at (D20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from otp.domain.errors import DuplicateOperator
from otp.domain.operators import IDLE_SECONDS, LONGEST_SECONDS, Operator, Role
from otp.domain.quotas import Charge
from otp.store.quotas import COUNTED, counted

_ADD = text("""
INSERT INTO operator (name, password_hash, role) VALUES (:name, :password_hash, :role)
ON CONFLICT (name) DO NOTHING RETURNING name
""")

_DISABLE = text("UPDATE operator SET state = 'disabled' WHERE name = :name AND state = 'active'")

_PASSWORD = text("UPDATE operator SET password_hash = :password_hash WHERE name = :name AND state = 'active'")

_ALL = text("SELECT name, role, state FROM operator ORDER BY name")

_TRY = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
{COUNTED}
SELECT verdict.retry_after, operator.password_hash, operator.role
  FROM verdict LEFT JOIN operator ON operator.name = :name AND operator.state = 'active'
""")

# A password that changes meanwhile is waited for: then nobody gets in by the old one.
_BEGIN = text("""
WITH operator_now AS (
    SELECT name FROM operator
     WHERE name = :name AND state = 'active' AND password_hash = :password_hash FOR SHARE)
INSERT INTO operator_session (token_hash, name) SELECT :token_hash, name FROM operator_now RETURNING name
""")

_LIVE = f"""
seen_at > house_now() - make_interval(secs => {IDLE_SECONDS})
  AND begun_at > house_now() - make_interval(secs => {LONGEST_SECONDS})
"""

_SEE = text(f"""
UPDATE operator_session SET seen_at = house_now() FROM operator
 WHERE token_hash = :token_hash AND operator.name = operator_session.name AND operator.state = 'active' AND {_LIVE}
RETURNING operator.name, operator.role
""")

_END = text("DELETE FROM operator_session WHERE token_hash = :token_hash RETURNING name")

_END_ALL = text("DELETE FROM operator_session WHERE name = :name")

_FORGET = text(f"""
DELETE FROM operator_session WHERE NOT ({_LIVE})
""")


@dataclass(frozen=True, slots=True)
class Tried:
    """What one try to log in meets: a limit (seconds to wait), or the operator's password hash, or nobody."""

    retry_after: int | None
    password_hash: str | None
    role: str | None


def add(connection: Connection, operator: Operator, password_hash: str) -> None:
    """Write a new operator.

    Raises:
        DuplicateOperator: when the name is, or was, somebody's.
    """
    values = {"name": operator.name, "password_hash": password_hash, "role": operator.role}
    if connection.execute(_ADD, values).first() is None:
        raise DuplicateOperator(operator.name)


def disable(connection: Connection, name: str) -> bool:
    """Disable an operator and end all log-ins; tell whether there was such an active one."""
    connection.execute(_END_ALL, {"name": name})
    return connection.execute(_DISABLE, {"name": name}).rowcount == 1


def set_password(connection: Connection, name: str, password_hash: str) -> bool:
    """Keep another password of an operator and end all log-ins; tell whether there was such an active one."""
    changed = connection.execute(_PASSWORD, {"name": name, "password_hash": password_hash}).rowcount == 1
    connection.execute(_END_ALL, {"name": name})
    return changed


def every(connection: Connection) -> list[Operator]:
    """Read every operator there is or was, by name."""
    return [Operator(row.name, Role(row.role), active=row.state == "active") for row in connection.execute(_ALL)]


def count_try(connection: Connection, name: str, charges: Sequence[Charge]) -> Tried:
    """Count one try to log in and read whom it is about."""
    return Tried(**connection.execute(_TRY, {"name": name, **counted(charges)}).mappings().one())


def begin(connection: Connection, name: str, password_hash: str, token_hash: bytes) -> bool:
    """Begin a log-in, if the password is still the one that was right; those that are over are cleared away."""
    connection.execute(_FORGET)
    values = {"name": name, "password_hash": password_hash, "token_hash": token_hash}
    return connection.execute(_BEGIN, values).first() is not None


def see(connection: Connection, token_hash: bytes) -> Operator | None:
    """Return who is logged in by this token and let the log-in last on; ``None`` when it is over."""
    row = connection.execute(_SEE, {"token_hash": token_hash}).first()
    return None if row is None else Operator(row.name, Role(row.role))


def end(connection: Connection, token_hash: bytes) -> str | None:
    """End a log-in and return whose it was."""
    name: str | None = connection.execute(_END, {"token_hash": token_hash}).scalar_one_or_none()
    return name
