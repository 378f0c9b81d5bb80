"""Moves the clock that decides: a sandbox's owner may replace ``house_now()``; no application ever does (D10, D38)."""

from __future__ import annotations

import psycopg
from psycopg import sql

_REPLACE = sql.SQL(
    "CREATE OR REPLACE FUNCTION house_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS {body}"
)


def set_offset(owner_url: str, seconds: float) -> None:
    """Let one organisation's clock run ``seconds`` ahead of the machine's (behind, when negative); 0 sets it right."""
    moved = "SELECT clock_timestamp()" + (f" + make_interval(secs => {float(seconds)!r})" if seconds else "")
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(_REPLACE.format(body=sql.Literal(moved)))
