"""How Alembic reaches the gateway's database."""

from foundation.migrations import run_versions

run_versions()
