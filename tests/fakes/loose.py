"""Ways past what a database forbids, to plant it: no constraint in a throw-away one, no trigger for one statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

_CHANGED = re.compile(r"(?:UPDATE|DELETE FROM) (\w+)")

LOOSEN = """
DO $$ DECLARE each record; BEGIN
  FOR each IN SELECT conrelid::regclass AS of_table, conname FROM pg_constraint
    WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', each.of_table, each.conname);
  END LOOP;
  FOR each IN SELECT indexrelid::regclass AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indisunique AND indpred IS NOT NULL AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('DROP INDEX %s', each.name);
  END LOOP;
  FOR each IN SELECT tgrelid::regclass AS of_table, tgname FROM pg_trigger WHERE NOT tgisinternal LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', each.tgname, each.of_table);
  END LOOP;
END $$
"""


def loosen(owner_url: str) -> None:
    """Drop every CHECK, every reference, every trigger and every partial unique index."""
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(LOOSEN.encode())


@contextmanager
def unguarded(execute: Callable[[str], object], statement: str) -> Iterator[None]:
    """Take the triggers off what a statement changes, within its transaction, as the owner of the tables could.

    Args:
        execute: runs one statement as the owner.
        statement: changes one table.
    """
    (table,) = set(_CHANGED.findall(statement))
    execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
