"""The contact sheet shows what was taken, each state in a table of its own."""

from __future__ import annotations

import itertools

from bench.pages.browser import SIZES
from bench.pages.sheet import THEMES, Shot, lay_out
from bench.pages.walker import LANGUAGES


def test_each_state_is_laid_out_by_language_device_and_theme() -> None:
    """Both languages have a row, each device and theme a column; a picture not taken leaves a gap, not a wrong one."""
    taken = [Shot("shop", "shelf", *each) for each in itertools.product(LANGUAGES, SIZES, THEMES)][:-1]
    page = lay_out(taken)
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith(("| fa", "| en"))]

    assert "## Shop · فروشگاه" in page
    assert "| | phone, light | phone, dark | desktop, light | desktop, dark |" in page
    assert [row[0] for row in rows] == ["| fa", "| en"]
    assert rows[0][4].startswith("![shelf](images/pages/shop-shelf-fa-desktop-dark.webp)")
    assert rows[1][4] == "– |"
    assert all(shot.file.suffix == ".webp" for shot in taken)


def test_what_is_printed_has_one_picture_in_each_language() -> None:
    """Paper has neither a device nor a theme."""
    page = lay_out([Shot("payment", "receipt-printed", language, "paper", "light") for language in LANGUAGES])

    assert "| | paper, light |" in page
    assert "| fa | ![receipt-printed](images/pages/payment-receipt-printed-fa-paper-light.webp) |" in page
