"""A shopper without JavaScript: plain HTTP, cookies, links and forms, nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

import requests

from sandbox.running import RunningWorld, wait_for

SECONDS = 30.0


class Unexpected(AssertionError):
    """A page is not the one that a shopper would see here."""


class _Browser(requests.Session):
    """A session that gives up on a silent server."""

    def request(self, *words: Any, **values: Any) -> requests.Response:
        return super().request(*words, **{"timeout": SECONDS, **values})


class Forms(HTMLParser):
    """Collects the forms of a page: where each goes, the values it already holds, and the boxes to tick."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notice forms, hidden values and links."""
        values = dict(attrs)
        if tag == "form":
            self.forms.append({"action": values.get("action") or "", "fields": {}, "boxes": {}})
        elif values.get("type") == "checkbox" and "checked" not in values and self.forms:
            self.forms[-1]["boxes"][values["name"]] = values.get("value") or "on"
        elif tag == "input" and values.get("name") and self.forms:
            self.forms[-1]["fields"][values["name"]] = values.get("value") or ""
        elif tag == "a" and values.get("href"):
            self.links.append(values["href"] or "")


class Shopper:
    """Buys in the demo shop with one card."""

    def __init__(self, world: RunningWorld, card: dict[str, Any]) -> None:
        self.world = world
        self.card = card
        self.browser: requests.Session = _Browser()
        self.page = requests.Response()

    def check_out(self, *products: str) -> None:
        """Put products into the basket and go to the payment page."""
        shop = self.world.info["shop"]
        for product in products or ("soap",):
            self.browser.post(f"{shop}/basket/{product}").raise_for_status()
        self.page = self.browser.get(f"{shop}/checkout")
        self.submit({"name": "نگار آزمون"})
        if not self.page.url.startswith(f"{self.world.info['gateway']}/pay/"):
            raise Unexpected(self.page.text)

    def go_to(self, payment_page: str) -> None:
        """Open a payment page that some merchant linked to."""
        self.page = self.browser.get(payment_page)

    def submit(self, values: dict[str, str], form: int = -1) -> None:
        """Send a form of the current page with these values typed in."""
        found = Forms(self.page.text).forms[form]
        self.page = self.browser.post(
            urljoin(self.page.url, found["action"] or self.page.url), data={**found["fields"], **values}
        )

    def press(self, action: str, **typed: str) -> requests.Response:
        """Press a button of the payment page with the card typed in."""
        names = ("pan", "cvv2", "exp_month", "exp_year")
        self.submit({**{name: self.card[name] for name in names}, **typed, "action": action}, self._card_form()[0])
        return self.page

    def _card_form(self) -> tuple[int, dict[str, Any]]:
        forms = Forms(self.page.text).forms
        number = next((at for at, form in enumerate(forms) if "pan" in form["fields"]), None)
        if number is None:
            raise Unexpected(self.page.text)
        return number, forms[number]

    def messages(self) -> list[dict[str, Any]]:
        """Return the texts on this card's phone, newest first."""
        bank = self.world.info["banks"][0]["url"]
        found: list[dict[str, Any]] = requests.get(
            f"{bank}/sandbox/phone/{self.card['mobile']}/messages.json", timeout=10
        ).json()
        return found

    def request_pin(self) -> str:
        """Press «درخواست رمز پویا» and return the code that arrives."""
        before = len(self.messages())
        answer = self.press("request_pin")
        if answer.status_code != HTTPStatus.OK:
            raise Unexpected(answer.text)
        texts = wait_for(lambda: self._more_messages_than(before), "the code to arrive")
        return str(texts[0]["code"])

    def _more_messages_than(self, before: int) -> list[dict[str, Any]]:
        texts = self.messages()
        return texts if len(texts) > before else []

    def pay(self, pin: str) -> requests.Response:
        """Tick what the page wants ticked, and press «پرداخت» with this code."""
        return self.press("pay", pin=pin, **self._card_form()[1]["boxes"])

    def return_to_shop(self) -> requests.Response:
        """Follow the result page's link back to the shop."""
        shop = self.world.info["shop"]
        link = next(link for link in Forms(self.page.text).links if link.startswith(shop))
        self.page = self.browser.get(link)
        return self.page

    @property
    def page_token(self) -> str:
        """The token in the payment page's address, or where it came as another page's answer, in its forms'."""
        addresses = (self.page.url, *(form["action"] for form in Forms(self.page.text).forms))
        found = next(filter(None, (re.search(r"/pay/([^/?]+)", address) for address in addresses)), None)
        if not found:
            raise Unexpected(self.page.url)
        return found[1]
