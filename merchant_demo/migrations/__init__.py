"""Versions of the shop's database, run by its owner role (D39)."""

from __future__ import annotations

from pathlib import Path

from foundation import migrations


def migrate(owner_url: str, *, application_role: str = "shop_app", reader_role: str = "shop_reader") -> None:
    """Bring the database to the newest version and grant the two other roles their rights."""
    folder = Path(__file__).parent
    migrations.migrate(folder, owner_url, application_role=application_role, reader_role=reader_role)
