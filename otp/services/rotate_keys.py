"""Change the bank's keys while everything runs: every process knows a key before one writes with it (D41).

A new key is first *coming*: processes read the file again within a second or two, and then open and verify under it.
Only then it becomes *active*. What was sealed under the old key is sealed anew in small transactions, and what rows are
found by is hashed anew (:mod:`otp.services.rehash`); an old key goes when nothing needs it. Each step can be cut
anywhere and done again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from foundation.key_file import Key, KeyState, change_keys, read_keys, wrap_keys
from foundation.master_keys import MasterKey, open_master
from foundation.sensitive import Sensitive
from otp.domain.errors import KeyNotRotated
from otp.domain.key_rotation import ONE_AT_A_TIME, ROTATIONS, Rotation, next_id, outlives_hours
from otp.services import rehash
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.store import sealed_values

KEY_BYTES = 32
SETTLE_SECONDS = 5.0
"""How long every process has to read the key file again before somebody writes with the new key."""
RESEALED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Rotated:
    """A change of key: the new key's id, how many values were sealed or hashed anew, and how many cannot be yet."""

    key_id: str
    renewed: int
    remaining: int


def rotate(bank: Bank, purpose: str, *, by: By | None = None, settle: Callable[[float], None] = time.sleep) -> Rotated:
    """Give a purpose a new key.

    Args:
        bank: whose settings name the key file.
        purpose: one of :data:`otp.domain.purposes.ALL`.
        by: who does it and why.
        settle: waits until every process knows the key.

    Raises:
        KeyNotRotated: when this purpose's key is not changed by command; the message says why and what to do.
        KeyFileRefused: when the key file or the master key cannot be used.
    """
    _refuse_change(bank, purpose)
    key_id = _add(bank, purpose)
    _noted(bank, by, "key.added", key_id, purpose)
    settle(SETTLE_SECONDS)
    retired = _activate(bank, purpose, key_id)
    _noted(bank, by, "key.activated", key_id, purpose)
    for old in retired:
        _noted(bank, by, "key.retired", old, purpose)
    settle(SETTLE_SECONDS)  # until nobody writes with the old one any more
    return Rotated(key_id, renew(bank, purpose), rehash.remaining(bank, purpose))


def renew(bank: Bank, purpose: str) -> int:
    """Seal or hash anew what is under another than the writing key; return how many values.

    PINs are not among them: they move one by one when they are used (:mod:`otp.services.fresh_pins`).
    """
    return _reseal(bank, purpose) + rehash.rehash(bank, purpose)


def _reseal(bank: Bank, purpose: str) -> int:
    key_id, number = bank.keys.active_id(purpose), 0
    for where in sealed_values.COLUMNS.get(purpose, ()):
        while batch := _reseal_batch(bank, purpose, key_id, where):
            number += batch
    return number


def remove(bank: Bank, key_id: str, *, by: By | None = None) -> None:
    """Take a retired key out of the key file for good, once nothing needs it.

    Raises:
        KeyNotRotated: when something may still need it; the message says what.
    """
    keys = {key.id: key for key in _read(bank)}
    if key_id not in keys:
        raise KeyNotRotated(f"there is no key {key_id}")
    key = keys[key_id]
    reason = _why_kept(bank, key)
    if reason is not None:
        raise KeyNotRotated(f"{key_id} stays: {reason}")
    path, master = _file(bank)
    change_keys(path, master, lambda found: [each for each in found if each.id != key_id])
    _noted(bank, by, "key.removed", key_id, key.purpose)


def wrap(bank: Bank, name: str, pin_file: Path | None, *, by: By | None = None) -> int:
    """Wrap every key of the file under another master key, or under its first; return how many.

    Afterwards the settings must name it; running processes go on with the keys they have.
    """
    path, master = _file(bank)
    keys = wrap_keys(path, master, open_master(name, pin_file))
    with bank.database.begin() as connection:
        note(connection, bank.keys, by, "keys.wrapped", "key-file", {"keys": len(keys), "master": name})
    return len(keys)


def _refuse_change(bank: Bank, purpose: str) -> None:
    rotation = ROTATIONS.get(purpose, Rotation.HELD)
    if rotation is Rotation.HELD:
        raise KeyNotRotated(f"{purpose} is not changed by command: others rely on it; see docs/operations.md")
    kept = [key.id for key in _read(bank) if key.purpose == purpose and key.state is KeyState.RETIRED]
    if kept and rotation in ONE_AT_A_TIME:
        raise KeyNotRotated(f"{kept[0]} is tried by every look-up; run: keys reseal {purpose}, and remove it first")


def _add(bank: Bank, purpose: str) -> str:
    path, master = _file(bank)
    added: list[str] = []

    def add(keys: list[Key]) -> list[Key]:
        waiting = [key.id for key in keys if key.purpose == purpose and key.state is KeyState.COMING]
        if waiting:  # a change that was cut goes on
            added.append(waiting[-1])
            return keys
        key_id = next_id(purpose, frozenset(key.id for key in keys))
        added.append(key_id)
        return [*keys, Key(key_id, purpose, Sensitive(secrets.token_bytes(KEY_BYTES)), KeyState.COMING)]

    change_keys(path, master, add)
    return added[-1]


def _activate(bank: Bank, purpose: str, key_id: str) -> list[str]:
    path, master = _file(bank)
    retired: list[str] = []

    def state_of(key: Key) -> KeyState:
        if key.id == key_id:
            return KeyState.ACTIVE
        if key.purpose == purpose and key.state is KeyState.ACTIVE:
            retired.append(key.id)
            return KeyState.RETIRED
        return key.state

    change_keys(path, master, lambda keys: [replace(key, state=state_of(key)) for key in keys])
    return retired


def _reseal_batch(bank: Bank, purpose: str, key_id: str, where: sealed_values.SealedColumn) -> int:
    with bank.database.begin() as connection:
        found = sealed_values.under_other_keys(connection, where, key_id, RESEALED_AT_ONCE)
        fresh = [
            (
                value.row_id,
                bank.keys.seal(purpose, bank.keys.open(value.sealed, bound_to=value.place), bound_to=value.place),
            )
            for value in found
        ]
        if fresh:
            sealed_values.write(connection, where, fresh)
    return len(found)


def _why_kept(bank: Bank, key: Key) -> str | None:
    if key.state is not KeyState.RETIRED:
        return f"it is {key.state}; only a retired key goes"
    rotation = ROTATIONS.get(key.purpose, Rotation.HELD)
    if rotation in (Rotation.HELD, Rotation.KEPT):
        return "what was made under it is verified for ever"
    with bank.database.begin() as connection:
        hours = outlives_hours(key.purpose)
        if not sealed_values.retired_long_enough(connection, key.id, hours):
            return f"it was not retired {hours} hours ago by this bank's commands"
        columns = sealed_values.COLUMNS.get(key.purpose, ())
        number = sum(sealed_values.count_under(connection, where, key.id) for where in columns)
    if number:
        return f"{number} values are sealed under it; run: python -m otp keys reseal {key.purpose}"
    return rehash.why_kept(bank, key.purpose)


def _file(bank: Bank) -> tuple[Path, MasterKey | None]:
    settings = bank.settings
    name = settings.master_key
    return settings.key_file, None if name is None else open_master(name, settings.master_pin_file)


def _read(bank: Bank) -> list[Key]:
    path, master = _file(bank)
    return read_keys(path, master)


def _noted(bank: Bank, by: By | None, action: str, key_id: str, purpose: str) -> None:
    with bank.database.begin() as connection:
        note(connection, bank.keys, by, action, f"key:{key_id}", {"purpose": purpose})
