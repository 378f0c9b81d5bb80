"""The app is weighed as a stranger gets it, and its unlocking timed in parts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from bench.app import Shell, Unlock, lines, unlocked, weigh
from tests.ramznegar.conftest import Served, served

__all__ = ["served"]


@pytest.mark.browser
def test_a_shell_and_two_unlocks_are_measured(served: Served, browser: Browser) -> None:
    """Script, style, font and page are counted; stretching is a part of the whole, and not all of it."""
    shell = weigh(browser, served.url)
    found = unlocked(browser, served.url, served.bank.issue(), 2)

    assert {"Document", "Font", "Script", "Stylesheet"} <= shell.kinds.keys()
    assert min(shell.kinds.values()) > 0
    assert shell.requests >= len(shell.kinds)
    assert len(found) == 2
    assert all(0 < each.stretching < each.whole for each in found)


def test_figures_stand_beside_their_budgets() -> None:
    """What is beyond is told as a multiple; stretching counts against no budget."""
    said = list(lines(Shell({"Script": 92_160, "Font": 30_720}, 25), [Unlock(1_200.0, 1_100.0)]))

    assert said == [
        "shell: 120.0 KB in 25 requests (Font 30.0, Script 90.0), 2.0 times its budget",
        (
            "from unlocking to the code: 100 ms after the PIN was stretched, within its budget; "
            "stretching took 1100 ms (medians of 1)"
        ),
    ]
