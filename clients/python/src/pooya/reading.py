"""Values out of JSON; each raises :class:`ValueError` that names what is missing or of another kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any


def text(body: Mapping[str, Any], name: str) -> str:
    """Return a text that has to be there."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing")
    return value


def whole(body: Mapping[str, Any], name: str) -> int:
    """Return a whole number that has to be there."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} is not a whole number")  # noqa: TRY004 - one kind of error for every wrong value
    return value


def moment(body: Mapping[str, Any], name: str) -> dt.datetime:
    """Return a time that has to be there."""
    return dt.datetime.fromisoformat(text(body, name))


def day(body: Mapping[str, Any], name: str) -> dt.date:
    """Return a day that has to be there."""
    return dt.date.fromisoformat(text(body, name))


def maybe_whole(body: Mapping[str, Any], name: str) -> int | None:
    """Return a whole number or nothing."""
    return None if body.get(name) is None else whole(body, name)


def maybe_moment(body: Mapping[str, Any], name: str) -> dt.datetime | None:
    """Return a time or nothing."""
    return None if body.get(name) is None else moment(body, name)
