"""A walk through every page and state of a running sandbox: each is reached once, then whoever walks along looks at it.

The walk yields a :class:`Sight`; the one who looks may change size and theme of its view, which the walk does not mind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
import requests
from playwright.sync_api import BrowserContext, Page, Route, expect

from sandbox.running import RunningWorld, wait_for

Language = Literal["fa", "en"]
LANGUAGES: tuple[Language, ...] = ("fa", "en")
UNKNOWN_SECONDS = 40.0
TWO_MINUTES_LEFT = (13 * 60 + 10) * 1000
"""Milliseconds of a page's 15 minutes after which the clock warns."""

_END = "UPDATE payment SET page_expires_at = house_now() - interval '1 second' WHERE page_token = %s"
_FIELDS = ("pan", "cvv2", "exp_month", "exp_year")


@dataclass(frozen=True, slots=True)
class Sight:
    """One page in one state.

    Args:
        part: whose page it is: ``shop``, ``payment``, ``sandbox`` or ``reference``.
        state: what it shows; a word that files and tables may use.
    """

    part: str
    state: str
    language: Language
    view: Page


@dataclass
class Walk:
    """One walk; the books are left as an honest shopper leaves them."""

    world: RunningWorld
    context: BrowserContext
    language: Language = "fa"
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.page = self.context.new_page()
        info = self.world.info
        self.shop, self.gateway, self.bank = info["shop"], info["gateway"], info["banks"][0]["url"]
        self._key = {"Authorization": f"Bearer {info['merchant']['secret_key']}"}

    def __iter__(self) -> Iterator[Sight]:
        """Go through everything in both languages; what takes long to reach is reached once for both."""
        for self.language in LANGUAGES:
            self.context.clear_cookies()
            for part in (self.shelf, self.purchase, self.refusals, self.cancelling, self.receipts):
                yield from part()
            for part in (self.endings, self.phones, self.controls, self.reference):
                yield from part()
        yield from self.unknown()

    # The shop.

    def shelf(self) -> Iterator[Sight]:
        """Shelf, basket, checkout and their mistakes."""
        yield self.at("shop", "basket-empty", f"{self.shop}/basket")
        yield self.at("shop", "shelf", f"{self.shop}/")
        self.page.locator("form[action$='/basket/teapot'] button").click()
        yield self.sight("shop", "added")
        yield self.at("shop", "basket", f"{self.shop}/basket")
        yield self.at("shop", "checkout", f"{self.shop}/checkout")
        self.page.click("#pay")
        yield self.sight("shop", "checkout-mistakes")
        yield self.at("shop", "missing", f"{self.shop}/nothing-here")

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

    # The payment page.

    def purchase(self) -> Iterator[Sight]:
        """From the empty card page over a wrong code to the receipt and the paid order."""
        self.check_out()
        yield self.sight("payment", "card")
        self.press("pay")
        expect(self.page.locator("#errors")).to_be_visible()
        yield self.sight("payment", "mistakes")
        self.open(self.page.url)
        card = self.world.fresh_card()
        code = self.code(card)
        expect(self.page.locator("#pin-answer")).to_be_visible()
        yield self.sight("payment", "code-sent")
        self.pay(card, "0" * len(code) if code[0] != "0" else "9" * len(code))
        expect(self.page.locator("#errors")).to_be_visible()
        yield self.sight("payment", "wrong-code")
        with self.staying(self.shop):
            self.pay(card, code)
            expect(self.page.locator("[data-print]").first).to_be_visible()
            yield self.sight("payment", "receipt")
        self.page.locator(f"a[href^='{self.shop}']").click()
        expect(self.page.locator("#state[data-state=paid]")).to_be_visible()
        yield self.sight("shop", "paid")

    def refusals(self) -> Iterator[Sight]:
        """A card without money, a card of a real bank, and a clock that runs out."""
        self.to_the_gateway("kilim")
        self.page.fill("#pan", "6219861034529007")
        self.page.locator("#pan").blur()
        yield self.sight("payment", "real-card")
        card = self.world.card("insufficient_funds")
        self.pay(card, self.code(card))
        expect(self.page.locator("#errors")).to_be_visible()
        yield self.sight("payment", "declined")
        address, walked = self.page.url, self.page
        self.page = self.context.new_page()
        self.page.clock.install()
        self.page.goto(address)
        self.page.clock.fast_forward(TWO_MINUTES_LEFT)
        yield self.sight("payment", "two-minutes-left")
        self.page.close()
        self.page = walked

    def cancelling(self) -> Iterator[Sight]:
        """Cancelled, and what the shop makes of it."""
        self.to_the_gateway()
        self.press("cancel")
        back = self.page.locator(f"a[href^='{self.shop}']")
        expect(back).to_be_visible()
        yield self.sight("payment", "cancelled")
        back.click()
        expect(self.page.locator("#state[data-state=failed]")).to_be_visible()
        yield self.sight("shop", "failed")
        order = self.page.url
        self.page.locator("form button.first").click()
        expect(self.page.locator("#pan")).to_be_visible()
        yield self.at("shop", "awaiting", order)

    def receipts(self) -> Iterator[Sight]:
        """What a stranger with a tracking code is told."""
        newest = next(payment for payment in self.payments() if payment["tracking_code"])
        yield self.at("payment", "receipt-check", f"{self.gateway}/receipt/{newest['tracking_code']}")
        yield self.at("payment", "receipt-unknown", f"{self.gateway}/receipt/00000000000000")

    def endings(self) -> Iterator[Sight]:
        """A page whose time is over, and one that never was."""
        self.to_the_gateway()
        token = urlsplit(self.page.url).path.rsplit("/", 1)[1]
        with psycopg.connect(self.world.world.database_url("gateway", "owner").replace("+psycopg", "")) as connection:
            connection.execute(_END, (token,))
        yield self.at("payment", "expired", f"{self.gateway}/pay/{token}")
        yield self.at("payment", "missing", f"{self.gateway}/pay/nothing")

    def unknown(self) -> Iterator[Sight]:
        """The bank falls silent during a purchase; the same payment is looked at in both languages."""
        self.language = "fa"
        self.to_the_gateway()
        card = self.world.fresh_card()
        code = self.code(card)
        self.wrong(bank="down")
        try:
            self.pay(card, code)
            expect(self.page.locator(".outcome")).to_be_visible(timeout=UNKNOWN_SECONDS * 1000)
            address = self.page.url
            order = self.order_page(self.payments()[0])
            for self.language in LANGUAGES:
                view = self.at("payment", "unknown", address)
                with self.staying(address):
                    yield view
                yield self.at("shop", "checking", order)
        finally:
            self.wrong(reset=True)

    # The sandbox's own pages and the reference.

    def phones(self) -> Iterator[Sight]:
        """The guide, every phone, an empty one and one with messages."""
        yield self.at("sandbox", "guide", f"{self.bank}/sandbox/")
        yield self.at("sandbox", "phones", f"{self.bank}/sandbox/phone/")
        yield self.at("sandbox", "phone-empty", f"{self.bank}/sandbox/phone/09990000000/")
        mobile = self.world.card("insufficient_funds")["mobile"]
        yield self.at("sandbox", "phone", f"{self.bank}/sandbox/phone/{mobile}/")

    def controls(self) -> Iterator[Sight]:
        """The control page: all right, something wrong, a mistake."""
        control = f"{self.bank}/sandbox/control/"
        yield self.at("sandbox", "control", control)
        self.page.fill("#clock_seconds", "soon")
        self.page.locator("#clock_seconds").press("Enter")
        yield self.sight("sandbox", "control-mistake")
        self.wrong(bank="slow", sms="delay")
        try:
            yield self.at("sandbox", "control-wrong", control)
        finally:
            self.wrong(reset=True)

    def reference(self) -> Iterator[Sight]:
        """The merchant API's reference and its problems."""
        yield self.at("reference", "reference", f"{self.gateway}/api/v1/docs")
        yield self.at("reference", "problems", f"{self.gateway}/api/v1/problems")

    # How it walks.

    def open(self, address: str) -> None:
        """Go to an address in the walk's language."""
        path = address.split("?", maxsplit=1)[0]
        self.page.goto(f"{path}?lang={self.language}")

    def at(self, part: str, state: str, address: str) -> Sight:
        """Go to an address and return what is to be seen there."""
        self.open(address)
        return self.sight(part, state)

    def sight(self, part: str, state: str) -> Sight:
        """Return what is to be seen once everything has arrived."""
        self.page.wait_for_load_state()
        return Sight(part, state, self.language, self.page)

    def press(self, action: str) -> None:
        """Press a button of the payment page."""
        self.page.locator(f"button[name=action][value={action}]:not([tabindex])").click()

    def code(self, card: dict[str, Any]) -> str:
        """Type the card, ask for a PIN and read the code on the phone."""
        messages = f"{self.bank}/sandbox/phone/{card['mobile']}/messages.json"
        before = len(self._json(messages))
        for name in _FIELDS:
            self.page.fill(f"#{name}", card[name])
        self.press("request_pin")
        wait_for(lambda: len(self._json(messages)) > before, "the SMS")
        return str(self._json(messages)[0]["code"])

    def pay(self, card: dict[str, Any], code: str) -> None:
        """Type what a page never keeps, and press pay; returns before the answer."""
        self.page.fill("#cvv2", card["cvv2"])
        self.page.fill("#pin", code)
        self.page.locator("#pay").click(no_wait_after=True)

    def payments(self) -> list[dict[str, Any]]:
        """Return the merchant's payments, newest first."""
        found: list[dict[str, Any]] = self._json(f"{self.gateway}/api/v1/payments?limit=100", self._key)["items"]
        return found

    def order_page(self, payment: dict[str, Any]) -> str:
        """Return the address of the order's own page in the shop."""
        return str(payment["callback_url"]).removesuffix("/return")

    def wrong(self, **faults: str | bool) -> None:
        """Make something wrong with the world, or right again with ``reset``."""
        requests.post(f"{self.bank}/sandbox/control", json=faults, timeout=30).raise_for_status()

    def staying(self, address: str) -> _Staying:
        """Keep the page from moving on to ``address`` by itself while it is looked at."""
        return _Staying(self.page, urlsplit(address)._replace(query="").geturl())

    def _json(self, address: str, headers: dict[str, str] | None = None) -> Any:
        return requests.get(address, headers=headers, timeout=30).json()


class _Staying:
    """Answers a page's wish to move on with nothing, which leaves it where it is."""

    def __init__(self, page: Page, prefix: str) -> None:
        self._page, self._prefix = page, prefix

    def __enter__(self) -> None:
        self._page.route(self._is_there, self._refuse)

    def __exit__(self, *_: object) -> None:
        self._page.unroute(self._is_there, self._refuse)

    def _is_there(self, url: str) -> bool:
        return url.startswith(self._prefix)

    def _refuse(self, route: Route) -> None:
        route.fulfill(status=204)
