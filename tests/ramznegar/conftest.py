"""A bank that serves the app, a phone with a browser, and people who use it."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import BaseWSGIServer, make_server

from otp.ramznegar import pages
from otp.ramznegar.shell import modules
from otp.ramznegar.wording import WORDS
from tests.e2e.browser import findings, visiting
from tests.fakes.ramznegar import Device, FakeBank, api_of, code_of

SHOTS = os.environ.get("POOYA_SHOTS")
DRAWN_ANEW = "Unable to determine previous heading"
"""What axe says when an answer came while it looked, and the screen under it was drawn anew; so it looks again."""

PIN = "482913"
PHONE = {"width": 390, "height": 844}
GROUPS = {
    "second": re.compile(r"^\d{3} \d{4}$"),
    "first": re.compile(r"^\d{3} \d{3}$"),
    "bound": re.compile(r"^\d{4} \d{4}$"),
}
"""How each code stands on the screen."""


@dataclass
class Served:
    """The app at an address of its own, which can be taken off the net."""

    bank: FakeBank
    server: BaseWSGIServer

    @property
    def url(self) -> str:
        """The app's address; a name, because fingers are asked for by name."""
        return f"http://localhost:{self.server.server_port}/ramznegar/"

    def die(self) -> None:
        """End the server: nobody listens any more."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve the app with a bank behind it, and its modules one by one for tests of their own."""
    app, bank = Flask("phone's bank"), FakeBank()
    names = {"bank_name_fa": "بانک نمونه", "bank_name_en": "Sample Bank"}
    settings = SimpleNamespace(mode="sandbox", public_url="http://localhost", **names)
    app.extensions["bank"] = SimpleNamespace(settings=settings)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(api_of(bank))
    app.add_url_rule("/modules/<name>.js", "module", lambda name: Response(modules()[name], mimetype="text/javascript"))
    server = make_server("localhost", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found = Served(bank, server)
    yield found
    if thread.is_alive():
        found.die()
    thread.join()


@dataclass
class Holder:
    """Somebody with a phone."""

    served: Served
    context: BrowserContext
    page: Page
    language: str = "fa"
    name: str = ""
    _pictures: int = 0

    @property
    def device(self) -> Device:
        """The phone as the bank knows it; there is one."""
        return next(iter(self.served.bank.devices.values()))

    @property
    def card_ref(self) -> str:
        """The first card."""
        return str(self.device.cards[0]["card_ref"])

    def words(self, key: str, **values: object) -> str:
        """Return what the app says for a key."""
        return str(getattr(WORDS[key], self.language)).format(**values)

    def open(self, screen: str = "") -> None:
        """Open the app."""
        self.page.goto(f"{self.served.url}?lang={self.language}{screen}")
        expect(self.page.locator("h1")).to_be_visible()

    def type_parts(self, activation_id: str, slip: str, sms: str) -> None:
        """Fill in an activation."""
        for field, text in (("activation_id", activation_id), ("slip", slip), ("sms", sms)):
            self.page.fill(f"#{field}", text)

    def activate(self, pin: str = PIN, *, finger: bool = False) -> None:
        """Activate from a slip, choose a PIN, and arrive at the cards."""
        self.open()
        self.press("activate")
        self.type_parts(*self.served.bank.issue())
        self.press("continue")
        self.page.fill("#pin", pin)
        self.page.fill("#again", pin)
        self.press("pin.set")
        expect(self.page.locator("h1")).to_have_text(self.words("ready.title"))
        self.press("finger.on" if finger else "ready.go")
        expect(self.page.locator("h1")).to_have_text(self.words("home.title"))

    def press(self, key: str) -> None:
        """Press what is named so."""
        name = self.words(key)
        button = self.page.get_by_role("button", name=name, exact=True)
        self.page.get_by_role("link", name=name, exact=True).or_(button).first.click()

    def unlock(self, pin: str = PIN) -> None:
        """Type the PIN."""
        self.page.fill("#unlock-pin", pin)
        self.press("unlock")

    def to_card(self) -> None:
        """Open the first card."""
        self.page.locator("a.card").first.click()

    def code(self, purpose: str = "second") -> str:
        """Read the code of a purpose, once the screen shows one as long: the last screen's may stand there still."""
        shown = self.page.locator("[data-part=code]")
        expect(shown).to_have_text(GROUPS[purpose])
        return str(shown.text_content()).replace(" ", "")

    def is_of_now(self, code: str, purpose: str, question: str = "") -> bool:
        """Tell whether this is the bank's code of this minute or of the one that just ended."""
        step, root = self.served.bank.step(), self.device.code_root
        return code in {code_of(root, purpose, self.card_ref, at, question) for at in (step, step - 1)}

    def offline_ready(self) -> None:
        """Wait until the app's files are kept."""
        expect(self.page.locator("html")).to_have_attribute("data-offline", "ready")

    def look(self, what: str, *, colours: bool = True) -> None:
        """Check the page as it stands, and keep a picture if pictures are wanted.

        Over a dialog's veil axe cannot decide about colours; the dialog has those of every other sheet.
        """
        if SHOTS:
            self._pictures += 1
            self.page.screenshot(path=Path(SHOTS) / f"{self.name}-{self._pictures:02}-{what}.png", full_page=True)
        found = findings(self.page, colours=colours)
        if any(DRAWN_ANEW in each for each in found):
            found = findings(self.page, colours=colours)
        assert found == []


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the consoles complained about; there must be nothing."""
    found: list[str] = []
    yield found
    assert not found


@pytest.fixture
def holder(
    served: Served, browser: Browser, complaints: list[str], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Holder]]:
    """Give a maker of holders: ``holder(language=…, **browser options)``."""
    with ExitStack() as stack:

        def make(language: str = "fa", **options: Any) -> Holder:
            context = stack.enter_context(visiting(browser, complaints, **({"viewport": PHONE} | options)))
            name = request.node.name.removeprefix("test_").replace("[", "-").rstrip("]")
            return Holder(served, context, context.new_page(), language, name)

        yield make


def put_finger(page: Page, *, prf: bool = True) -> tuple[Any, str]:
    """Give the phone a fingerprint sensor; return its session and name."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        "hasPrf": prf,
    }
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
