"""Settings come from the environment and nothing else; a wrong one stops the process with a sentence that names it."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

S = TypeVar("S", bound=BaseSettings)


class InvalidSettings(Exception):
    """A setting is missing or wrong; the message is a sentence that names it."""


def from_environment(kind: type[S]) -> S:
    """Read one organisation's settings from its environment variables.

    Raises:
        InvalidSettings: naming every variable that is missing or wrong, never its value.
    """
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        rows = (
            (prefix + "_".join(map(str, row["loc"]))).upper() + f" ({row['msg'].lower()})" for row in error.errors()
        )
        raise InvalidSettings("set these correctly: " + ", ".join(rows)) from None
