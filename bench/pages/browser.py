"""A real browser: where it is found, how it is started, and what its console complains about."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, sync_playwright

from sandbox.places import CannotRun

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",  # else a small picture has letters at whole pixels, with gaps inside of words
)
SIZES = {"phone": {"width": 412, "height": 860}, "desktop": {"width": 1180, "height": 820}}
_ON_PURPOSE = re.compile("the server responded with a status of (4|503)|Service Worker registration blocked by")
"""The browser’s own notes: a page that refuses, is missing or is out of order; a worker that a test does without."""


def find_chromium() -> str:
    """Return the browser to drive: ``$CHROMIUM``, or an installed one.

    Raises:
        CannotRun: with a sentence that says what to do.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise CannotRun("no browser: install Debian's chromium-headless-shell, or set CHROMIUM to the path of one")
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the browser and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, complaints: list[str], **options: Any) -> Iterator[BrowserContext]:
    """Open a private window in Tehran's time; what a console complains about is added to ``complaints``."""
    defaults: dict[str, Any] = {"locale": "fa-IR", "timezone_id": "Asia/Tehran", "viewport": SIZES["desktop"]}
    context = browser.new_context(**(defaults | options))
    context.set_default_timeout(15_000)
    context.on("console", lambda message: _note(message, complaints))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    if message.type in {"error", "warning"} and not _ON_PURPOSE.search(message.text):
        complaints.append(message.text)
