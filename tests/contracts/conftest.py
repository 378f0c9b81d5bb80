"""Both sides of the contracts, wired as in production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from foundation.database import Database
from tests.fakes.pair import Pair, paired


@pytest.fixture
def pair(
    gateway_database: Database, gateway_urls: dict[str, str], bank_database: Database, tmp_path: Path
) -> Iterator[Pair]:
    """A gateway and a bank's host on one link, with empty databases."""
    assert gateway_database.ping()
    with paired(tmp_path, gateway_urls["application"], bank_database) as both:
        yield both
