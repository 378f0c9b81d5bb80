"""The operators' page of a running sandbox: behind several web processes, with the operators its documents name."""

from __future__ import annotations

import re

import pytest
import requests

from sandbox.seed import OPERATOR_PASSWORD, OPERATORS
from tests.world import RunningWorld

_PROOF = re.compile(r'name="csrf_token" type="hidden" value="([0-9a-f]{64})"')


@pytest.mark.parametrize("bank", ["bank", "bank_one"])
def test_the_documented_operators_may_log_in(world: RunningWorld, bank: str) -> None:
    """Whichever worker answers: each of the two sees the monitor's look, at either bank."""
    url = f"http://localhost:{world.world.ports[bank]}/console"
    for name in OPERATORS:
        with requests.Session() as browser:
            proof = _PROOF.search(browser.get(f"{url}/log-in", timeout=10).text)
            assert proof
            form = {"csrf_token": proof[1], "name": name, "password": OPERATOR_PASSWORD}

            pages = [browser.post(f"{url}/log-in?lang=en", data=form, timeout=10)]
            pages += [browser.get(f"{url}/?lang=en", timeout=10) for _ in range(4)]

            assert {page.status_code for page in pages} == {200}
            assert all("The bank’s parts" in page.text and name in page.text for page in pages)
