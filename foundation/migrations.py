"""Versions of a database: run by its owner role, which grants the two other roles their rights (D39)."""

from __future__ import annotations

from pathlib import Path

from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import create_engine, pool

CLOCK = """
CREATE FUNCTION house_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT clock_timestamp()';
COMMENT ON FUNCTION house_now() IS 'the only clock that decides; only a sandbox replaces it (D38)';
"""

APPEND_ONLY = """
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $do$ BEGIN
  RAISE EXCEPTION '% is append-only: a correction is a new row (D39)', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $do$;
COMMENT ON FUNCTION append_only IS 'refuses whoever changes or deletes what was written, the tables'' owner too';
"""
_APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

ROLES = """
DO $do$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{app}') THEN CREATE ROLE {app} NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{reader}') THEN CREATE ROLE {reader} NOLOGIN; END IF;
END $do$;
GRANT USAGE ON SCHEMA public TO {app}, {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {app}, {reader};
"""


def migrate(folder: Path, owner_url: str, *, application_role: str, reader_role: str) -> None:
    """Bring a database to the newest version in ``folder``."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    roles = {"application_role": application_role, "reader_role": reader_role}
    config.attributes.update({"url": owner_url, **roles})
    command.upgrade(config, "head")


def run_versions() -> None:
    """Be the ``env.py`` of Alembic: connect as the owner, one transaction for all versions."""
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def append_only(*tables: str) -> str:
    """Write the triggers that refuse whoever changes, deletes or empties these tables; needs ``APPEND_ONLY`` before."""
    return "".join(_APPEND_ONLY.format(table=table) for table in tables)


def execute(*parts: str, rights: str) -> None:
    """Run the parts of one version, then the rights; ``{app}`` and ``{reader}`` in them stand for the two roles."""
    roles = context.config.attributes
    names = {"app": roles["application_role"], "reader": roles["reader_role"]}
    for part in (*parts, (ROLES + rights).format(**names)):
        op.get_bind().exec_driver_sql(part.replace("%", "%%"))
