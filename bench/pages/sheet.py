"""The contact sheet: ``python -m bench.pages`` walks through a sandbox of its own and keeps pictures.

Pictures are WebP as the browser itself writes them, in ``docs/images/pages/``; ``docs/pages.md`` lays them out by
state, language, device and theme.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from bench.pages.browser import SIZES
from bench.pages.walker import LANGUAGES, Language, Sight
from sandbox.documents import DOCS

FOLDER = DOCS / "images" / "pages"
PAGE = DOCS / "pages.md"
THEMES = ("light", "dark")
SCREENS = tuple(itertools.product(SIZES, THEMES))
QUALITY = 35
SCALE = {"phone": 0.7, "desktop": 0.5, "paper": 0.7}
"""Pixels kept of each pixel: small enough for a sheet of hundreds, large enough to read."""

TALLEST_PIXELS = 2_800
"""Beyond this a page only goes on as it began: a reference, a list of cards."""

TITLES = {
    "payment": ("صفحهٔ پرداخت", "Payment page"),
    "bill": ("قبض", "Bills"),
    "transfer": ("کارت به کارت", "Card to card"),
    "top-up": ("شارژ", "Top-up"),
    "balance": ("مانده", "Balance"),
    "shop": ("فروشگاه", "Shop"),
    "machine": ("خودپرداز", "Cash machine"),
    "ramznegar": ("رمزنگار", "Ramznegar"),
    "till": ("کارتخوان", "Till"),
    "console": ("میز اپراتورها", "Operators' page"),
    "sandbox": ("محیط آزمایشی", "Sandbox"),
    "reference": ("مرجع API", "API reference"),
}
INTRO = """# Pages
<!-- written by `make shots`; nothing here is edited by hand -->

Every page in every state, in both languages, on a phone (412 pixels) and a desk (1180), in light and dark; what is
printed, on its paper. `make shots` walks through a sandbox of its own, takes these pictures and writes this page; the
tests look at the same walk (`tests/e2e/test_every_state.py`).
"""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    part: str
    state: str
    language: Language
    device: str
    theme: str

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return FOLDER / f"{self.part}-{self.state}-{self.language}-{self.device}-{self.theme}.webp"


def take(sights: Iterable[Sight]) -> Iterator[Shot]:
    """Take four pictures of each sight, both devices in both themes; one of what is printed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for sight in sights:
        for device, theme in [("paper", "light")] if sight.paper else SCREENS:
            height = SIZES["desktop"]["height"]
            sight.view.set_viewport_size({"width": sight.paper, "height": height} if sight.paper else SIZES[device])  # type: ignore[arg-type]  # a plain dict of its two numbers
            sight.view.emulate_media(
                media="print" if sight.paper else "screen", color_scheme="dark" if theme == "dark" else "light"
            )
            shot = Shot(sight.part, sight.state, sight.language, device, theme)
            shot.file.write_bytes(picture(sight.view, SCALE[device]))
            yield shot
        sight.view.emulate_media(media="screen", color_scheme="light")
        sight.view.set_viewport_size(SIZES["desktop"])  # type: ignore[arg-type]  # as above


def picture(page: Page, scale: float) -> bytes:
    """Return the whole page as a small WebP picture."""
    page.evaluate("scrollTo(0, 0)")  # what stays in sight stands where it began
    session = page.context.new_cdp_session(page)
    size = session.send("Page.getLayoutMetrics")["cssContentSize"]
    height = min(size["height"], TALLEST_PIXELS)
    clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": scale}
    options = {"format": "webp", "quality": QUALITY, "captureBeyondViewport": True, "clip": clip}
    data = session.send("Page.captureScreenshot", options)["data"]
    session.detach()
    return base64.b64decode(data)


def lay_out(shots: Iterable[Shot]) -> str:
    """Return the page that shows the pictures: for each state a table of language against device and theme."""
    by_part: dict[str, dict[str, list[Shot]]] = {}
    for shot in shots:
        by_part.setdefault(shot.part, {}).setdefault(shot.state, []).append(shot)
    sections = [INTRO]
    for part, (persian, english) in TITLES.items():
        if part in by_part:
            sections.append(f"## {english} · {persian}\n")
            sections += [_table(state, taken) for state, taken in by_part[part].items()]
    return "\n".join(sections)


def _table(state: str, taken: list[Shot]) -> str:
    columns = [("paper", "light")] if taken[0].device == "paper" else SCREENS
    files = {(shot.language, shot.device, shot.theme): shot.file for shot in taken}
    head = "| | " + " | ".join(f"{device}, {theme}" for device, theme in columns) + " |"
    rows = [
        f"| {language} | " + " | ".join(_cell(state, files.get((language, *column))) for column in columns) + " |"
        for language in LANGUAGES
    ]
    return f"### {state}\n\n{head}\n{'|---' * (1 + len(columns))}|\n" + "\n".join(rows) + "\n"


def _cell(state: str, file: Path | None) -> str:
    return f"![{state}]({file.relative_to(DOCS).as_posix()})" if file else "–"
