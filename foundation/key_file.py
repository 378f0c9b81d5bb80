"""The key file: JSON, readable by its owner only, each key wrapped under a master key or, in a sandbox, in clear.

::

    {"keys": [{"id": "code-mac-1", "purpose": "code-mac", "wrapped": "<base64>", "state": "active"}]}

``material`` instead of ``wrapped`` is a key in clear. A key is ``coming`` (it opens and verifies, so that every
process knows it before one writes with it), ``active`` (the last one of a purpose writes) or ``retired`` (it opens and
verifies).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from foundation.durable import name_to_disk, to_disk
from foundation.master_keys import MasterKey, MasterKeyRefused
from foundation.sensitive import Sensitive


class KeyFileRefused(Exception):
    """The key file is missing, readable by others, or not a list of keys; the message says what to do."""


class KeyState(StrEnum):
    """What a key is for now."""

    COMING = "coming"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its id is public, its material is not."""

    id: str
    purpose: str
    material: Sensitive[bytes]
    state: KeyState = KeyState.ACTIVE

    @property
    def place(self) -> str:
        """Where its wrapped form belongs: it opens as no other key."""
        return f"key|{self.purpose}|{self.id}"


def read_keys(path: Path, master: MasterKey | None, *, clear_allowed: bool = True) -> list[Key]:
    """Read every key of a file.

    Args:
        path: of the file.
        master: what its keys are wrapped under; ``None`` where they are in clear.
        clear_allowed: whether keys in clear are taken; a live process takes none.

    Raises:
        KeyFileRefused: when it is missing, readable by others, malformed, or a key does not open.
    """
    if not path.is_file():
        raise KeyFileRefused(f"there is no key file at {path}; make one or correct the setting")
    if path.stat().st_mode & 0o077:
        raise KeyFileRefused(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        rows = json.loads(path.read_text())["keys"]
        keys = [_key_of(row, master, clear_allowed=clear_allowed) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileRefused(f"{path} is not a key file: {type(error).__name__}") from None
    except MasterKeyRefused as error:
        raise KeyFileRefused(f"{path}: {error}") from None
    if len({key.id for key in keys}) != len(keys):
        raise KeyFileRefused("two keys share one id; give each key its own")
    return keys


def _key_of(row: dict[str, str], master: MasterKey | None, *, clear_allowed: bool) -> Key:
    key = Key(row["id"], row["purpose"], Sensitive(b""), KeyState(row.get("state", "active")))
    if "material" in row:
        if not clear_allowed:
            raise MasterKeyRefused(f"{key.id} is in clear; wrap the file: python -m otp keys wrap")
        return replace(key, material=Sensitive(base64.b64decode(row["material"], validate=True)))
    if master is None:
        raise MasterKeyRefused(f"{key.id} is wrapped; name the master key in the settings")
    return replace(key, material=master.unwrap(base64.b64decode(row["wrapped"], validate=True), place=key.place))


def write_keys(path: Path, keys: list[Key], master: MasterKey | None) -> None:
    """Write a key file anew: readers see the old one or the new one, never half of one, also after a power failure.

    Raises:
        MasterKeyRefused: when a key could not be wrapped; the file is as it was.
    """
    text = json.dumps({"keys": [_row_of(key, master) for key in keys]}, indent=1)
    beside = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        to_disk(file)
    beside.replace(path)
    name_to_disk(path)


def _row_of(key: Key, master: MasterKey | None) -> dict[str, str]:
    row = {"id": key.id, "purpose": key.purpose, "state": str(key.state)}
    if master is None:
        return {**row, "material": base64.b64encode(key.material.reveal()).decode()}
    return {**row, "wrapped": base64.b64encode(master.wrap(key.material, place=key.place)).decode()}


def change_keys(path: Path, master: MasterKey | None, change: Callable[[list[Key]], list[Key]]) -> list[Key]:
    """Read, change and write a key file while nobody else does; return the keys as they are now."""
    with _held(path):
        keys = change(read_keys(path, master))
        write_keys(path, keys, master)
    return keys


def wrap_keys(path: Path, master: MasterKey | None, under: MasterKey) -> list[Key]:
    """Write a key file under another master key, or its first, while nobody else changes it; return its keys."""
    with _held(path):
        keys = read_keys(path, master)
        write_keys(path, keys, under)
    return keys


@contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
