"""A throw-away database whose constraints were taken away, to plant what they forbid."""

from __future__ import annotations

import psycopg

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
