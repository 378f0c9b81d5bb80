"""Operators: add, change password, disable, list; log in, be known, log out. Each of it is in the audit trail (D31)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from foundation.sensitive import Sensitive
from otp.domain.errors import UnknownOperator
from otp.domain.operators import Operator, Role, check_name, check_password, is_name, log_in_charges
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.store import operators

HASHED_BY = "scrypt:32768:8:3"
"""N, r, p: 32 MiB a try (OWASP Password Storage Cheat Sheet, scrypt with N = 2^15)."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Somebody has logged in; only the browser gets the token."""

    operator: Operator
    token: Sensitive[str]


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many tries; the next one is looked at after so long, seconds."""

    seconds: int


def add_operator(bank: Bank, name: str, password: Sensitive[str], role: Role, *, by: By | None = None) -> Operator:
    """Register somebody.

    Raises:
        InvalidOperator: when name or password cannot be one.
        DuplicateOperator: when the name is, or was, somebody's.
    """
    operator = Operator(check_name(name), role)
    check_password(len(password.reveal()))
    hashed = _hashed(password.reveal())
    with bank.database.begin() as connection:
        operators.add(connection, operator, hashed)
        note(connection, bank.keys, by, "operator.added", f"operator:{name}", {"role": role})
    return operator


def disable_operator(bank: Bank, name: str, *, by: By | None = None) -> None:
    """Let somebody in no more, from the next request on; the name is not given again.

    Raises:
        UnknownOperator: when there is no active operator of this name.
    """
    with bank.database.begin() as connection:
        if not operators.disable(connection, name):
            raise UnknownOperator(name)
        note(connection, bank.keys, by, "operator.disabled", f"operator:{name}")


def change_password(bank: Bank, name: str, password: Sensitive[str], *, by: By | None = None) -> None:
    """Give an operator another password; whoever is logged in under this name is out at the next request.

    Raises:
        InvalidOperator: when the password cannot be one.
        UnknownOperator: when there is no active operator of this name.
    """
    check_password(len(password.reveal()))
    hashed = _hashed(password.reveal())
    with bank.database.begin() as connection:
        if not operators.set_password(connection, name, hashed):
            raise UnknownOperator(name)
        note(connection, bank.keys, by, "operator.password_changed", f"operator:{name}")


def every_operator(bank: Bank) -> list[Operator]:
    """Return everybody who is or was registered."""
    with bank.database.single() as connection:
        return operators.every(connection)


def log_in(bank: Bank, name: str, password: Sensitive[str], address: str) -> LoggedIn | Wait | None:
    """Let somebody in by name and password; ``None`` when there is no such pair.

    The try is counted and committed before the password is looked at, so that tries side by side cannot outrun the
    limit. A name that nobody has takes as long as a wrong password.
    """
    if not is_name(name):
        return None
    with bank.database.single() as connection:
        tried = operators.count_try(connection, name, log_in_charges(name, address))
    if tried.retry_after is not None:
        return Wait(tried.retry_after)
    right = check_password_hash(tried.password_hash or _nobodys(), password.reveal())
    if not right or tried.password_hash is None or tried.role is None:
        return None
    token = secrets.token_urlsafe(32)
    with bank.database.begin() as connection:
        if not operators.begin(connection, name, tried.password_hash, _token_hash(token)):
            return None
        note(connection, bank.keys, By(f"operator:{name}"), "operator.logged_in", f"operator:{name}")
    return LoggedIn(Operator(name, Role(tried.role)), Sensitive(token))


def who_is(bank: Bank, token: Sensitive[str]) -> Operator | None:
    """Return who is logged in by this token; each time it is asked the quarter of an hour begins anew."""
    with bank.database.single() as connection:
        return operators.see(connection, _token_hash(token.reveal()))


def log_out(bank: Bank, token: Sensitive[str]) -> None:
    """End a log-in; one that is over already stays so."""
    with bank.database.begin() as connection:
        name = operators.end(connection, _token_hash(token.reveal()))
        if name is not None:
            note(connection, bank.keys, By(f"operator:{name}"), "operator.logged_out", f"operator:{name}")


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _hashed(password: str) -> str:
    return generate_password_hash(password, HASHED_BY)


@cache
def _nobodys() -> str:
    """Return the hash of a password that nobody knows."""
    return _hashed(secrets.token_urlsafe(32))
