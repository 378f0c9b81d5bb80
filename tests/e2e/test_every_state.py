"""Every page in every state, both languages, both themes, three widths: axe, sideways scrolling, console and policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser

from bench.pages.silence import kinds_taken_back, silence, silent_kinds
from bench.pages.walk import bank_in, in_one, kinds_in
from bench.pages.walker import Sight, Walker
from tests.e2e.browser import findings, visiting
from tests.world import RunningWorld

pytestmark = [pytest.mark.world, pytest.mark.browser]

WIDTHS = (320, 412, 1180)
STRETCHES: dict[str, tuple[Callable[[Walker], Iterator[Sight]], int]] = {
    "fa": (partial(in_one, language="fa"), 54),
    "en": (partial(in_one, language="en"), 54),
    "fa kinds": (partial(kinds_in, language="fa"), 26),
    "en kinds": (partial(kinds_in, language="en"), 26),
    "fa bank": (partial(bank_in, language="fa"), 48),
    "en bank": (partial(bank_in, language="en"), 48),
    "silence": (silence, 2 * 8),
    "silent kinds": (silent_kinds, 2 * 9),
    "taken back": (kinds_taken_back, 2 * 9),
}
"""The walk in pieces, and what there is to be seen on each."""

LISTEN = """addEventListener("securitypolicyviolation", event => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} on ${location.href}`);
});"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("stretch", STRETCHES)
def test_every_page_and_state_is_for_everybody(world: RunningWorld, browser: Browser, stretch: str) -> None:
    """Axe finds nothing broken and nothing undecided; nothing scrolls sideways; consoles and policies stay silent."""
    goes, there_are = STRETCHES[stretch]
    complaints: list[str] = []
    wrong: list[str] = []
    seen: set[tuple[str, str, str]] = set()
    with visiting(browser, complaints) as context:
        context.add_init_script(LISTEN)
        for sight in goes(Walker(world, context)):
            seen.add((sight.part, sight.state, sight.language))
            if not sight.paper:
                wrong += [f"{sight.part} {sight.state} {sight.language} {what}" for what in look(sight)]
    assert wrong == []
    assert complaints == []
    assert len(seen) == there_are


def look(sight: Sight) -> Iterator[str]:
    """Look at one state in each width and theme.

    A theme changes colours only, so in the dark only their rules are asked; 412 pixels have the layout and colours of
    320, so there axe is not asked again.
    """
    for width in WIDTHS:
        sight.view.set_viewport_size({"width": width, "height": 820})
        between = width == WIDTHS[1]
        yield from (
            f"{width} light: {what}" for what in findings(sight.view, colours=not between, structure=not between)
        )
        if between:
            continue
        sight.view.emulate_media(color_scheme="dark")
        yield from (f"{width} dark: {what}" for what in findings(sight.view, structure=False))
        sight.view.emulate_media(color_scheme="light")
