"""What is wrong with the sandbox's world at present: one small file that every wrapper reads (D10).

The control page writes it; the bank's front, the SMS provider and the bank's pages read it. No file: nothing is wrong.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

FILE_VARIABLE = "SANDBOX_FAULTS_FILE"
CLOCK_MOST_SECONDS = 30 * 86_400
Bank = Literal["up", "slow", "down"]
Sms = Literal["deliver", "drop", "delay"]


class InvalidFault(ValueError):
    """A fault that there is not; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The present state of the world.

    Args:
        bank: ``slow`` delays every answer of the bank, ``down`` gives none, on Harim and on the switch alike.
        sms: ``drop`` loses every message that the provider accepted, ``delay`` lets it arrive late.
        clock_seconds: how far ahead the deciding clocks of bank and gateway run; behind when negative.
    """

    bank: Bank = "up"
    sms: Sms = "deliver"
    clock_seconds: int = 0

    @property
    def active(self) -> dict[str, str | int]:
        """What is not as it should be."""
        return {field.name: getattr(self, field.name) for field in fields(self) if self._changed(field.name)}

    def _changed(self, name: str) -> bool:
        return bool(getattr(self, name) != getattr(RIGHT, name))


RIGHT = Faults()
CHOICES: dict[str, tuple[str, ...]] = {"bank": get_args(Bank), "sms": get_args(Sms)}


def changed(faults: Faults, changes: dict[str, Any]) -> Faults:
    """Return ``faults`` with ``changes`` as a person or a program wrote them; ``{"reset": …}`` sets everything right.

    Raises:
        InvalidFault: an unknown name or value; nothing is changed then.
    """
    if "reset" in changes:
        return RIGHT
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name in CHOICES:
            if value not in CHOICES[name]:
                raise InvalidFault(f"{name} is one of {', '.join(CHOICES[name])}")
            values[name] = value
        elif name == "clock_seconds":
            values[name] = _seconds(value)
        else:
            raise InvalidFault(f"there is no fault {name!r}; there are bank, sms, clock_seconds and reset")
    return replace(faults, **values)


def _seconds(value: object) -> int:
    try:
        seconds = int(str(value))
    except ValueError:
        raise InvalidFault("clock_seconds is a whole number of seconds") from None
    if abs(seconds) > CLOCK_MOST_SECONDS:
        raise InvalidFault("clock_seconds goes 30 days either way")
    return seconds


class FaultsFile:
    """Reads and writes the state; a reader sees the old one or the new one, never half of one."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @classmethod
    def from_environment(cls) -> FaultsFile:
        """Take the file that the sandbox named to this process."""
        return cls(Path(os.environ[FILE_VARIABLE]))

    def read(self) -> Faults:
        """Return the present state."""
        try:
            return Faults(**json.loads(self._file.read_text()))
        except FileNotFoundError:
            return RIGHT

    def write(self, faults: Faults) -> None:
        """Make ``faults`` the present state."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(f".{secrets.token_hex(4)}")
        beside.write_text(json.dumps(asdict(faults)))
        beside.replace(self._file)
