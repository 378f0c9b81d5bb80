"""Every screen in both languages, themes and widths; what the app weighs, and how soon a code is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from bench.app import SHELL_MOST_BYTES, weigh
from bench.pages.browser import ARGUMENTS, find_chromium
from tests.e2e.test_card_page import SPACED, scrolls_sideways, space_out
from tests.ramznegar.conftest import Holder, Served, put_finger

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]
CODE_MOST_MS = 300
LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("fa", {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}),
    ("en", {"viewport": {"width": 320, "height": 640}, "color_scheme": "light"}),
    ("fa", {"viewport": {"width": 1180, "height": 820}, "color_scheme": "light"}),
    ("en", {"viewport": {"width": 1180, "height": 820}, "color_scheme": "dark"}),
    ("fa", {"forced_colors": "active"}),
]
CODE_AFTER = """async () => {
  const before = performance.now();
  document.querySelector("[data-part=finger]").click();
  while (!document.querySelector("[data-part=code]")?.textContent) await new Promise(requestAnimationFrame);
  return performance.now() - before;
}"""


def open_anew(someone: Holder, screen: str) -> None:
    """Open a screen in a page that shows no other one before it."""
    someone.open(screen)
    someone.page.reload()
    expect(someone.page.locator("h1")).not_to_be_empty()


@pytest.mark.parametrize(("language", "options"), LOOKS)
def test_every_screen_is_accessible_and_never_scrolls_sideways(
    holder: Holders, language: str, options: dict[str, Any]
) -> None:
    """WCAG 2.2 AA by axe with nothing broken and nothing undecided, from 320 pixels; spaced and doubled text fits."""
    someone = holder(language, **options)
    colours = "forced_colors" not in options  # there the phone decides
    put_finger(someone.page)
    for before in ("", "#/activate", "#/help"):
        open_anew(someone, before)
        someone.look(f"before-{before.strip('#/')}", colours=colours)
    someone.activate(finger=True)
    card = f"#/cards/{someone.card_ref}"
    screens = [
        card,
        f"{card}/purchase",
        f"{card}/ceiling",
        "#/add",
        "#/settings",
        "#/settings/finger",
        "#/settings/pin",
    ]
    for screen in ["#/", *screens, "#/help", card]:
        open_anew(someone, screen)
        someone.look(screen.strip("#/").replace(someone.card_ref, "card").replace("/", "-") or "home", colours=colours)
    someone.unlock()
    someone.code()
    someone.look("code", colours=colours)
    for css in (SPACED, "html { font-size: 200% }"):
        space_out(someone.page, css)
        assert not scrolls_sideways(someone.page), css


def test_everything_the_app_needs_offline_fits_in_sixty_kilobytes(served: Served, holder: Holders) -> None:
    """The page, all modules, words in both languages, style, font, worker: as they go over the wire, packed."""
    someone = holder()
    someone.open()
    someone.offline_ready()
    kept = someone.page.evaluate(
        "(async () => (await (await caches.open((await caches.keys())[0])).keys()).map(r => r.url))()"
    )
    asked = [*kept, f"{served.url}sw.js", f"{served.url}manifest.webmanifest"]
    fetch = someone.context.request.get
    sizes = {url: int(fetch(url, headers={"Accept-Encoding": "gzip"}).headers["content-length"]) for url in asked}

    assert sum(sizes.values()) <= SHELL_MOST_BYTES, sizes
    assert not [url for url in kept if "jsqr" in url]


def test_the_shell_fits_in_sixty_kilobytes_headers_and_all(served: Served, browser: Browser) -> None:
    """What a phone loads when it opens the app for the first time, in a handful of requests."""
    shell = weigh(browser, served.url)

    assert sum(shell.kinds.values()) <= SHELL_MOST_BYTES, shell
    assert shell.requests <= 6


def test_a_finger_shows_the_code_at_once(holder: Holders) -> None:
    """Under 300 ms from the touch to the code; only a PIN takes longer, by what stretching it costs."""
    someone = holder()
    put_finger(someone.page)
    someone.activate(finger=True)
    someone.page.reload()
    someone.to_card()
    expect(someone.page.locator("[data-part=finger]")).to_be_visible()

    assert someone.page.evaluate(CODE_AFTER) <= CODE_MOST_MS
    someone.code()


def test_the_app_can_be_installed(served: Served, browser: Browser, tmp_path: Path) -> None:
    """A browser finds nothing that stands against it: manifest, icons, worker."""
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "own", executable_path=find_chromium(), args=list(ARGUMENTS)
    )
    page = context.pages[0]
    page.goto(served.url)
    expect(page.locator("html")).to_have_attribute("data-offline", "ready")
    session = context.new_cdp_session(page)
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    manifest = session.send("Page.getAppManifest")
    context.close()

    assert errors == []
    assert manifest["errors"] == []
