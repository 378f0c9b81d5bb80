"""The operators' page in a real browser: two people unlock a card; both languages, themes, narrow and wide; axe."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from foundation.sensitive import Sensitive
from otp.app import create_app
from otp.console.wording import say
from otp.domain.operators import Role
from otp.services.operators import add_operator
from tests.e2e.browser import findings, visiting
from tests.otp.conftest import BankWorld

pytestmark = pytest.mark.browser

PASSWORD = "a long password"
WHY = "دارندهٔ کارت در شعبه شناسایی شد"
SHOTS = os.environ.get("POOYA_SHOTS")
LOOKS: list[tuple[Any, dict[str, Any]]] = [
    ("fa", {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}),
    ("en", {"viewport": {"width": 1180, "height": 820}, "color_scheme": "light"}),
]


class Desk:
    """Somebody at a browser."""

    def __init__(self, page: Page, url: str, language: Any) -> None:
        self.page, self.url, self.language = page, url, language

    def open(self, path: str) -> None:
        """Open a page in this person's language, and look at it."""
        self.page.goto(f"{self.url}{path}?lang={self.language}")
        self.look(path.strip("/").replace("/", "-") or "overview")

    def press(self, key: str) -> None:
        """Press the button that is named so."""
        self.page.get_by_role("button", name=say(key, self.language), exact=True).click()

    def log_in(self, name: str) -> None:
        """Log in, after a slip."""
        self.open("/log-in")
        for password in ("a wrong password", PASSWORD):
            self.page.fill("#name", name)
            self.page.fill("#password", password)
            self.press("log_in")
            self.look("after-password")
        expect(self.page.locator("h1")).to_have_text(say("overview", self.language))

    def look(self, what: str) -> None:
        """Ask axe about the page as it stands."""
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"console-{self.language}-{what}.png", full_page=True)
        assert findings(self.page) == [], what


@pytest.fixture
def bank_world(make_bank: Callable[..., BankWorld]) -> BankWorld:
    """Give a bank with two operators, a card that wrong codes blocked, a wrong code and a message."""
    here = make_bank(console=True, mode="sandbox")
    for name in ("sara", "reza"):
        add_operator(here.bank, name, Sensitive(PASSWORD), Role.OPERATOR)
    here.card()
    here.ask(here.card(pin_failures=15))
    here.sql("UPDATE card SET status = 'blocked' WHERE pin_failures = 15")
    here.sql(
        "INSERT INTO authorisation (acquirer_id, terminal_id, stan, rrn, local_time, kind, card_id, amount_rial,"
        " fee_rial, action_code, reason, state, decided_at) SELECT '581672', '00012345', '000001', gen_random_uuid(),"
        " '051201120000', 'purchase', card_id, 250000, 0, '117', 'code_wrong', 'declined', house_now()"
        " FROM card, generate_series(1, CASE pin_failures WHEN 15 THEN 3 ELSE 50 END)"
    )
    here.sql(
        "UPDATE challenge SET delivery = 'delivered', provider_message_id = 'one:1',"
        " accepted_at = house_now(), delivery_at = house_now()"
    )
    return here


@pytest.fixture
def url(bank_world: BankWorld) -> Iterator[str]:
    """Serve the bank."""
    server = make_server("localhost", 0, create_app(bank=bank_world.bank), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}/console"
    server.shutdown()
    server.server_close()
    thread.join()


def _desk(context: BrowserContext, url: str, language: Any) -> Desk:
    return Desk(context.new_page(), url, language)


@pytest.mark.parametrize(("language", "options"), LOOKS)
def test_two_people_unlock_a_card(
    bank_world: BankWorld, url: str, browser: Browser, language: Any, options: dict[str, Any]
) -> None:
    """One asks with a reason, the other approves; every page is accessible and nothing scrolls sideways."""
    complaints: list[str] = []
    with (
        visiting(browser, complaints, **options) as first,
        visiting(browser, complaints, **options) as second,
    ):
        sara, reza = _desk(first, url, language), _desk(second, url, language)
        sara.log_in("sara")
        reza.log_in("reza")
        card_id = bank_world.sql("SELECT card_id FROM card WHERE status = 'blocked'")[0]["card_id"]
        for path in ("/wrong-codes", "/cards", f"/cards/{card_id}", "/cards/4711"):
            sara.open(path)
        sara.open(f"/cards/{card_id}")
        sara.page.fill("#reason", WHY)
        sara.press("unlock.ask")
        expect(sara.page.locator("h1")).to_have_text(say("outcome.asked", language))
        sara.look("asked")
        sara.open("/cards")
        expect(sara.page.get_by_text(say("unlock.own", language))).to_be_visible()
        reza.open("/cards")
        reza.press("unlock.approve")
        expect(reza.page.locator("h1")).to_have_text(say("outcome.approved", language))
        reza.open(f"/cards/{card_id}")
        reza.press("log_out")
        expect(reza.page.locator("h1")).to_have_text(say("log_in", language))

    refused = [line for line in complaints if not any(status in line for status in ("403", "404"))]
    assert refused == []
    assert bank_world.sql("SELECT DISTINCT status, pin_failures FROM card") == [{"status": "active", "pin_failures": 0}]
