"""The clock that decides, as a number."""

from __future__ import annotations

from sqlalchemy import Connection, text

_NOW = text("SELECT CAST(floor(extract(epoch FROM house_now()) * 1000) AS bigint)")


def now_ms(connection: Connection) -> int:
    """Return the database's time, milliseconds since 1970."""
    return int(connection.execute(_NOW).scalar_one())
