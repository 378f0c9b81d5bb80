"""Marks on numbered rows: up to a mark every number is there for good, or never will be.

Numbers are drawn in order, but commit in any. So a mark is set at the highest number, and *after* that the transactions
are noted that hold a writer's lock on the table. An insert takes that lock before it draws a number and keeps it until
its end, therefore whoever may still commit a number up to the mark is among them; once all of them have ended, nobody
comes in below it any more. Those who write meanwhile have higher numbers, and nobody waits for anybody.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text


def writers(table: str) -> str:
    """Return a query for the transactions that write to a table at this moment."""
    return f"""
SELECT DISTINCT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = CAST('{table}' AS regclass) AND mode = 'RowExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def write_on(table: str) -> TextClause:
    """Return the question whether any of ``:writers`` has not ended yet."""
    return text(f"SELECT EXISTS ({writers(table)} AND virtualtransaction = ANY(CAST(:writers AS text[])))")
