"""How Alembic reaches the bank's database."""

from foundation.migrations import run_versions

run_versions()
