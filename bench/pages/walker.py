"""Whoever walks through a running sandbox: how pages are reached, so that others can look at them.

The modules beside this one hold the walks, by whose pages they show; :mod:`bench.pages.walk` has all of them.
A walk yields a :class:`Sight`; the one who looks may change size and theme of its view, which the walk does not mind.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
import requests
from playwright.sync_api import BrowserContext, Page, Route, expect

from otp.domain.device import WRONG_CODES_MAX
from sandbox.running import RunningWorld, free_ports, wait_for

Language = Literal["fa", "en"]
LANGUAGES: tuple[Language, ...] = ("fa", "en")
_FIELDS = ("pan", "cvv2", "exp_month", "exp_year")


@dataclass(frozen=True, slots=True)
class Sight:
    """One page in one state.

    Args:
        part: whose page it is, as :data:`bench.pages.sheet.TITLES` names them.
        state: what it shows; a word that files and tables may use.
        paper: width in pixels of the paper that it is printed on; 0 on a screen.
    """

    part: str
    state: str
    language: Language
    view: Page
    paper: int = 0


@dataclass
class Walker:
    """A shopper, a merchant and an operator in one; the books are left as honest people leave them."""

    world: RunningWorld
    context: BrowserContext
    language: Language = "fa"
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.page = self.context.new_page()
        info = self.world.info
        self.shop, self.gateway, self.bank = info["shop"], info["gateway"], info["banks"][0]["url"]
        self._key = {"Authorization": f"Bearer {info['merchant']['secret_key']}"}

    # Looking.

    def open(self, address: str) -> None:
        """Go to an address in the walk's language; a receipt's seal stays in it."""
        self.page.goto(f"{address}{'&' if '?' in address else '?'}lang={self.language}")

    def at(self, part: str, state: str, address: str) -> Sight:
        """Go to an address and return what is to be seen there."""
        self.open(address)
        return self.sight(part, state)

    def sight(self, part: str, state: str, paper: int = 0) -> Sight:
        """Return what is to be seen once everything has arrived."""
        self.page.wait_for_load_state()
        return Sight(part, state, self.language, self.page, paper)

    @contextmanager
    def beside(self, *, clock: bool = False, script: str = "") -> Iterator[Page]:
        """Walk in a second window: with a clock of its own, or where ``script`` was there before the page's own."""
        walked, self.page = self.page, self.context.new_page()
        if clock:
            self.page.clock.install()
        if script:
            self.page.add_init_script(script)
        try:
            yield self.page
        finally:
            if clock:  # the window's clock is that of all windows
                self.page.clock.set_system_time(dt.datetime.now(dt.UTC))
            self.page.close()
            self.page = walked

    @contextmanager
    def staying(self, address: str) -> Iterator[None]:
        """Keep the page from moving on to ``address``, or changing into it, while it is looked at."""
        page, prefix = self.page, urlsplit(address)._replace(query="").geturl()

        def is_there(url: str) -> bool:
            return url.startswith(prefix)

        def refuse(route: Route) -> None:
            route.fulfill(status=204)

        page.route(is_there, refuse)
        yield
        page.unroute(is_there, refuse)

    # Buying.

    def to_the_gateway(self, product: str = "soap") -> None:
        """Order something and arrive at the payment page."""
        self.open(f"{self.shop}/")
        self.page.locator(f"form[action$='/basket/{product}'] button").click()
        self.check_out()

    def check_out(self) -> None:
        """Order what is in the basket and arrive at the payment page."""
        self.page.goto(f"{self.shop}/checkout")
        self.page.fill("#name", {"fa": "نگار آزمون", "en": "Negar Azmoon"}[self.language])
        self.page.click("#pay")
        expect(self.page.locator("#pan")).to_be_visible()

    def press(self, action: str) -> None:
        """Press a button of the payment page."""
        self.page.locator(f"button[name=action][value={action}]:not([tabindex])").click()

    def type(self, card: dict[str, Any]) -> None:
        """Type what stands on a card."""
        for name in _FIELDS:
            self.page.fill(f"#{name}", card[name])

    def code(self, card: dict[str, Any]) -> str:
        """Type the card, ask for a PIN and read the code on the phone."""
        before = len(self.messages(card))
        self.type(card)
        self.press("request_pin")
        wait_for(lambda: len(self.messages(card)) > before, "the SMS")
        expect(self.page.locator("#pin-answer p").first).to_be_visible()
        return str(self.messages(card)[0]["code"])

    def messages(self, card: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what is on the phone of a card's holder, newest first."""
        found: list[dict[str, Any]] = self._json(f"{self.bank}/sandbox/phone/{card['mobile']}/messages.json")
        return found

    def pay(self, card: dict[str, Any], code: str) -> None:
        """Type what a page never keeps, and press pay; returns before the answer."""
        self.page.fill("#cvv2", card["cvv2"])
        self.page.fill("#pin", code)
        self.page.locator("#pay").click(no_wait_after=True)

    # Being the merchant, the operator, and the weather.

    def payments(self) -> list[dict[str, Any]]:
        """Return the merchant's payments, newest first."""
        found: list[dict[str, Any]] = self._json(f"{self.gateway}/api/v1/payments?limit=100", self._key)["items"]
        return found

    def order_page(self, payment: dict[str, Any]) -> str:
        """Return the address of the order's own page in the shop."""
        return str(payment["callback_url"]).removesuffix("/return")

    def ask(self, what: str, **fixed: Any) -> dict[str, Any]:
        """Let the merchant open a payment, ``what`` = ``payments``, or a transfer, ``transfers``."""
        order_id = f"W-{secrets.token_hex(4)}"
        opened = requests.post(
            f"{self.gateway}/api/v1/{what}",
            json={"order_id": order_id, "callback_url": f"{self.shop}/", **fixed},
            headers=self._key | {"Idempotency-Key": order_id},
            timeout=30,
        )
        opened.raise_for_status()
        found: dict[str, Any] = opened.json()
        return found

    def transfer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return a transfer of the merchant's as it stands."""
        found: dict[str, Any] = self._json(f"{self.gateway}/api/v1/transfers/{asked['id']}", self._key)
        return found

    def give_back(self, payment: dict[str, Any]) -> None:
        """Let the merchant reverse a payment."""
        headers = self._key | {"Idempotency-Key": f"back-{payment['id']}"}
        address = f"{self.gateway}/api/v1/payments/{payment['id']}/reverse"
        requests.post(address, headers=headers, timeout=30).raise_for_status()

    def until(self, payment: dict[str, Any], state: str) -> None:
        """Wait until a payment is in a state."""
        address = f"{self.gateway}/api/v1/payments/{payment['id']}"
        wait_for(lambda: self._json(address, self._key)["state"] == state, f"a payment to be {state}", seconds=90)

    def make_late(self, column: str, payment_page: str) -> None:
        """Let a time of a payment be over: ``page_expires_at`` or ``decided_by``."""
        self._change("gateway", _LATE[column], urlsplit(payment_page).path.rsplit("/", 1)[1])

    def suspend_devices(self) -> None:
        """Let wrong codes have been typed for every phone with Ramznegar as often as suspends it."""
        self._change("bank_two", _SUSPEND, WRONG_CODES_MAX)

    def _change(self, organisation: str, statement: str, value: object) -> None:
        owner = self.world.world.database_url(organisation, "owner").replace("+psycopg", "")
        with psycopg.connect(owner) as connection:
            connection.execute(statement, (value,))

    def wrong(self, **faults: str | bool) -> None:
        """Make something wrong with the world, or right again with ``reset``."""
        requests.post(f"{self.bank}/sandbox/control", json=faults, timeout=30).raise_for_status()

    @contextmanager
    def other_gateway(self, **settings: str) -> Iterator[str]:
        """Start one more process of this gateway that was set up otherwise; gives its address."""
        (port,) = free_ports(1)
        own = {f"GATEWAY_{name}": value for name, value in settings.items()}
        process = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-m", *_GATEWAY, "--bind", f"127.0.0.1:{port}"],
            env={**os.environ, **self.world.world.environment("gateway"), **own},
            stderr=subprocess.DEVNULL,
        )
        address = f"http://localhost:{port}"
        try:
            wait_for(lambda: _answers(f"{address}/healthz"), "another gateway", seconds=60)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)

    @contextmanager
    def one_gateway(self) -> Iterator[None]:
        """Take all pages from one process of the gateway alone, that has no link and has met no silent bank before."""
        shared = self.gateway
        with self.other_gateway() as alone:
            self.gateway = alone
            try:
                yield
            finally:
                self.gateway = shared

    def here(self, payment_page: str) -> str:
        """Return the address of a payment page at the gateway that pages are taken from."""
        return f"{self.gateway}{urlsplit(payment_page).path}"

    def _json(self, address: str, headers: dict[str, str] | None = None) -> Any:
        return requests.get(address, headers=headers, timeout=30).json()


_GATEWAY = ("gunicorn", "wsgi:gateway", "--worker-class", "gevent", "--log-level", "warning")
_LATE = {
    column: f"UPDATE payment SET {column} = house_now() - interval '1 second' WHERE page_token = %s"  # noqa: S608 - two names
    for column in ("page_expires_at", "decided_by")
}
_SUSPEND = "UPDATE device SET state = 'suspended', wrong_codes = %s WHERE state = 'active'"


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False
