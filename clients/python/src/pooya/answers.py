"""Lists page by page, and things that are what the contract says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pooya.errors import Unavailable

Thing = TypeVar("Thing")
Content = Mapping[str, Any]


def asked(value: object) -> str | int:
    """Write a value of a query: times in RFC 3339."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value if isinstance(value, int) else str(value)


def thing(read: Callable[[Content], Thing], content: Content, *, key: str | None = None) -> Thing:
    """Read one thing.

    Raises:
        Unavailable: the answer is not one; what was asked may have been done, under ``key``.
    """
    try:
        return read(content)
    except ValueError as error:
        raise Unavailable(f"unexpected answer: {error}", idempotency_key=key) from None


def items(read: Callable[[Content], Thing], page: Content) -> list[Thing]:
    """Read the things of one page.

    Raises:
        Unavailable: the answer is no list of them.
    """
    found = page.get("items")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise Unavailable("unexpected answer: no list")
    return [thing(read, item) for item in found]


def pages(
    fetch: Callable[[dict[str, str | int]], Content], read: Callable[[Content], Thing], query: Mapping[str, str | int]
) -> Iterator[Thing]:
    """Go over a list, page by page as they are needed; the filters stay, the cursor goes along."""
    wanted = dict(query)
    while True:
        page = fetch(wanted)
        yield from items(read, page)
        cursor = page.get("next_cursor")
        if not isinstance(cursor, str) or cursor == wanted.get("cursor"):
            return
        wanted["cursor"] = cursor
