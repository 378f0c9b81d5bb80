"""Databases as they were before one migration, to try what it does with the rows that are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from sandbox.postgres import Cluster, Roles


def database_before(
    cluster: Cluster, fresh_database: Callable[[str, str], str], organisation: str, migrations: ModuleType, stem: str
) -> str:
    """Make a database at the version before the migration whose file ends with ``stem``; return the owner's address."""
    fresh_database(organisation, f"{organisation}_{stem}_roles")  # makes the roles where this is the first test
    roles, name = Roles(organisation), f"{organisation}_{stem}_before"
    cluster.create_database(name, roles)
    url = cluster.url(name, roles.owner)
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    config.attributes.update(url=url, application_role=roles.application, reader_role=roles.reader)
    every = ScriptDirectory.from_config(config).walk_revisions()
    (own,) = [each for each in every if Path(each.path).stem.endswith(stem)]
    command.upgrade(config, str(own.down_revision))
    return url
