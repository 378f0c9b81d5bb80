"""The database's clock."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, text

_NOW = text("SELECT house_now()")
_NOW_MS = text("SELECT CAST(floor(extract(epoch FROM house_now()) * 1000) AS bigint)")


def now(connection: Connection) -> dt.datetime:
    """Return the instant by the clock that decides (D38)."""
    moment: dt.datetime = connection.execute(_NOW).scalar_one()
    return moment


def now_ms(connection: Connection) -> int:
    """Return the database's time, milliseconds since 1970."""
    return int(connection.execute(_NOW_MS).scalar_one())
