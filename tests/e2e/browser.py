"""What every page in a real browser must satisfy."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

from bench.pages.browser import SIZES as SIZES
from bench.pages.browser import launched as launched
from bench.pages.browser import visiting as visiting

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOUR_RULES = ("color-contrast", "link-in-text-block")
"""Rules whose answer depends on the theme."""

KINDS = ("violations", "incomplete")
"""What axe is asked for: what is broken, and what it cannot decide."""

_RUN = """async options => {
  const at = scrollY;
  scrollTo(0, 0);
  const found = await axe.run(document, options), said = [];
  scrollTo(0, at);
  for (const kind of options.resultTypes)
    for (const rule of found[kind])
      for (const node of rule.nodes) said.push(`${kind}: ${rule.id}: ${node.target}: ${node.failureSummary ?? ""}`);
  return said;
}"""
"""From the top of the page: under a strip that stays in sight lies whatever was scrolled there, half of a field too."""


@functools.cache
def _axe() -> str:
    folder = Path(axe_playwright_python.__file__).parent
    return next(folder.rglob("axe*.js")).read_text(encoding="utf-8")


def findings(page: Page, *, colours: bool = True, structure: bool = True) -> list[str]:
    """Return what axe finds broken or cannot decide by the rules of WCAG 2.2 AA, and whether the page scrolls sideways.

    Args:
        page: as it stands.
        colours: ask the rules that look at colours.
        structure: ask every other rule; without both only the scrolling is looked at.
    """
    found = _asked(page, colours=colours, structure=structure) if colours or structure else []
    width, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return found + ([f"scrolls sideways: {width} > {seen}"] if width > seen else [])


def _asked(page: Page, *, colours: bool, structure: bool) -> list[str]:
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_axe())
    options: dict[str, Any] = {
        "resultTypes": list(KINDS),
        "runOnly": {"type": "tag", "values": list(RULES)},
        "preload": False,  # style sheets fetched once more, which none of these rules reads
    }
    if not structure:
        options["runOnly"] = list(COLOUR_RULES)
    elif not colours:
        options["rules"] = {rule: {"enabled": False} for rule in COLOUR_RULES}
    said: list[str] = page.evaluate(_RUN, options)
    return said


def assert_accessible(page: Page) -> None:
    """Fail on any rule of WCAG 2.2 AA that axe finds broken or cannot decide, and on sideways scrolling."""
    found = findings(page)
    assert not found, "\n".join((page.url, *found))
