"""What every page in a real browser must satisfy."""

from __future__ import annotations

import functools
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

from bench.pages.browser import SIZES as SIZES
from bench.pages.browser import launched as launched
from bench.pages.browser import visiting as visiting

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@functools.cache
def _axe() -> str:
    folder = Path(axe_playwright_python.__file__).parent
    return next(folder.rglob("axe*.js")).read_text(encoding="utf-8")


def assert_accessible(page: Page) -> None:
    """Fail on any rule of WCAG 2.2 AA that axe finds broken or cannot decide, and on sideways scrolling."""
    page.evaluate(_axe())
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", list(RULES))
    broken = [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["violations"]]
    unsure = [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["incomplete"]]
    assert not broken, (page.url, broken)
    assert not unsure, (page.url, unsure)
    width, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= seen, (page.url, width, seen)
