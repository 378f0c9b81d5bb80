"""The page about SMS providers says what their tables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from otp.ports import Receipt
from otp.sms.accounts import PANELS
from otp.sms.panel import Verdict
from otp.sms.smpp_centre import STATUSES

PAGE = (Path(__file__).parents[3] / "docs" / "sms.md").read_text()


@pytest.mark.parametrize("kind", [*PANELS, "smpp"])
def test_the_page_has_every_code_of_a_provider(kind: str) -> None:
    """One row a provider: its codes by what they mean."""
    table = STATUSES if kind == "smpp" else PANELS[kind].codes
    cells = [" ".join(code for code, each in table.items() if each is verdict) or "–" for verdict in Verdict]

    assert f"| `{kind}` | {' | '.join(cells)} |" in PAGE


@pytest.mark.parametrize("kind", PANELS)
def test_the_page_has_every_final_state_of_a_provider(kind: str) -> None:
    """And its credentials, and how many messages one question is about."""
    panel = PANELS[kind]
    final = (Receipt.DELIVERED, Receipt.UNDELIVERED)
    cells = [" ".join(state for state, each in panel.receipts.items() if each is receipt) for receipt in final]

    assert f"| `{kind}` | {' | '.join(cells)} | {panel.ask_most} |" in PAGE
    assert f"| `{kind}` | {', '.join(f'`{name}`' for name in panel.credentials)} | `{panel.base}` |" in PAGE
