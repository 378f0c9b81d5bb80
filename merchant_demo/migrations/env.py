"""How Alembic reaches the shop's database."""

from foundation.migrations import run_versions

run_versions()
