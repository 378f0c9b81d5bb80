"""Whoever believes the OpenAPI document meets no surprise: generated requests against a real server."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.api.door import OPERATIONS
from gateway.services.enrol import add_merchant
from tests.fakes.shop import MERCHANT, SECRET_KEY, Shop

EXAMPLES = 25
SEED = 20_261_124
OPENED = 3
CONFIG = """
[generation]
allow-x00 = false
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "409", "422"]
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "404", "405", "413", "415", "422"]
"""
"""422: a callback address on somebody else's site, which no schema can say; nor that no text has the character NUL."""

NOT_TRUE_HERE = "ensure_resource_availability"
"""A repeated idempotency key is answered as the first time, although the endpoint it made was removed since."""


@pytest.mark.timeout(150)
def test_the_document_is_true(shop: Shop, address: str, tmp_path: Path) -> None:
    """Every check of schemathesis, examples, edges, random and stateful, on payments in several states."""
    shop.confirm(shop.paid())
    shop.paid()
    shop.open(order_id="A-1")
    assert shop.rows("SELECT count(*) FROM payment") == [(OPENED,)]
    add_merchant(shop.gateway, replace(MERCHANT, site="https://shop.example"))  # of the document's example
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/api/v1/openapi.json", "--url", address]
    options = [
        "--checks=all",
        f"--exclude-checks={NOT_TRUE_HERE}",
        f"--max-examples={EXAMPLES}",
        f"--seed={SEED}",
        "--generation-database=none",
    ]
    header = ["--header", f"Authorization: Bearer {SECRET_KEY}", "--request-timeout=20", "--no-color"]
    words = [*command, *options, *header]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own words

    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert f"Tested: {len(OPERATIONS) + 1}" in done.stdout
    assert shop.rows("SELECT count(*) FROM payment")[0][0] > OPENED
