"""An operator makes, rotates, lists and revokes merchants' secret keys. A key is shown once; its hash is kept.

Who did, with which scopes, stands in the approvals trail: a key moves its merchant's money.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Connection

from foundation.audit import Details
from gateway.domain.errors import RefusedRow
from gateway.domain.references import READABLE, mode_of_secret_key, new_secret_key
from gateway.domain.scopes import check_scopes
from gateway.services.audit_trail import By, note
from gateway.services.authenticate import MODES, secret_hash
from gateway.services.gateway import Gateway
from gateway.store import keys
from gateway.store.keys import KeyRow as KeyRow

KEY_ID_LENGTH = 12
NAME_MAX = 64
DAYS = range(1, 3_651)
OVERLAP_HOURS = range(24 * 90 + 1)


def new_key(  # noqa: PLR0913 - what an operator says of a key
    gateway: Gateway,
    terminal_id: str,
    *,
    secret: str | None = None,
    name: str = "",
    scopes: Iterable[str] = (),
    expires_days: int | None = None,
    by: str | None = None,
) -> str:
    """Make a secret key for a terminal and return it, the only time it can be seen; or register a given one.

    ``name`` is what the operator calls it, at most 64 characters. No ``scopes`` means every scope, no
    ``expires_days`` until it is revoked, no ``by`` the user of this machine.

    Raises:
        RefusedRow: there is no such terminal or scope, the life is out of range, or the given secret is not a key
            of this mode.
    """
    mode = MODES[gateway.settings.mode]
    secret = secret or new_secret_key(mode)
    _require(mode_of_secret_key(secret) == mode, f"a key here is sk_{mode}_ and forty letters and digits")
    _require(len(name) <= NAME_MAX and name.isprintable(), f"a name has at most {NAME_MAX} printable characters")
    _require(gateway.directory.has_terminal(terminal_id), f"there is no terminal {terminal_id}; add its merchant first")
    hashed, granted = _hashed(secret), sorted(check_scopes(scopes))
    values = {
        **hashed,
        "terminal_id": terminal_id,
        "mode": mode,
        "name": name,
        "scopes": granted,
        "expires_days": _days(expires_days),
    }
    with gateway.database.begin() as connection:
        if keys.add(connection, values):
            details = {"terminal": terminal_id, "scopes": " ".join(granted), "expires_days": expires_days}
            _note(gateway, connection, by, "key.made", hashed["key_id"], details)
    gateway.directory.forget()
    return secret


def rotate_key(
    gateway: Gateway, key_id: str, *, overlap_hours: int, expires_days: int | None = None, by: str | None = None
) -> tuple[str, dt.datetime]:
    """Make the successor of a key, with its name and scopes; both work until the old one ends.

    Returns:
        The new secret, shown this once, and when the old key ends.

    Raises:
        RefusedRow: the key is not there or has ended, or a number is out of range.
    """
    _require(overlap_hours in OVERLAP_HOURS, f"overlap is 0 to {OVERLAP_HOURS[-1]} hours")
    secret = new_secret_key(MODES[gateway.settings.mode])
    hashed = _hashed(secret)
    values = {
        **hashed,
        "replaces": key_id,
        "overlap_hours": overlap_hours,
        "expires_days": _days(expires_days),
    }
    with gateway.database.begin() as connection:
        ends = keys.rotate(connection, values)
        if ends is not None:
            successor: Details = {"successor": str(hashed["key_id"]), "ends": ends.isoformat()}
            _note(gateway, connection, by, "key.rotated", key_id, successor)
            _note(gateway, connection, by, "key.made", hashed["key_id"], {"replaces": key_id})
    gateway.directory.forget()
    if ends is None:
        raise RefusedRow(f"there is no usable key {key_id}")
    return secret, ends


def revoke_key(gateway: Gateway, key_id: str, *, by: str | None = None) -> None:
    """End a key; every process refuses it after ``GATEWAY_DIRECTORY_SECONDS`` at most.

    Raises:
        RefusedRow: there is no such key, or it was revoked before.
    """
    with gateway.database.begin() as connection:
        revoked = keys.revoke(connection, key_id)
        if revoked:
            _note(gateway, connection, by, "key.revoked", key_id, {})
    gateway.directory.forget()
    _require(revoked, f"there is no key {key_id} to revoke")


def list_keys(gateway: Gateway, terminal_id: str) -> list[KeyRow]:
    """Return every key of a terminal, oldest first, those that ended too."""
    with gateway.database.single() as connection:
        return keys.of_terminal(connection, terminal_id)


def _note(
    gateway: Gateway, connection: Connection, by: str | None, action: str, key_id: object, details: Details
) -> None:
    note(connection, gateway.keyring, By.operator(by), action, f"key:{key_id}", details)


def _hashed(secret: str) -> dict[str, object]:
    hashed = secret_hash(secret)
    return {
        "secret_hash": hashed,
        "key_id": "key_" + "".join(READABLE[byte % len(READABLE)] for byte in hashed[:KEY_ID_LENGTH]),
    }


def _days(days: int | None) -> int | None:
    _require(days is None or days in DAYS, f"a key lives {DAYS[0]} to {DAYS[-1]} days")
    return days


def _require(holds: object, sentence: str) -> None:
    if not holds:
        raise RefusedRow(sentence)
