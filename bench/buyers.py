"""Lean buyers: the steps of a purchase over plain HTTP, at a gateway of ours or at the floor's, counted per second.

A merchant's server keeps its connection; each shopper comes with a new one, as browsers do, so that a gateway's workers
share the shoppers evenly.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.places import CannotRun

AMOUNT = 250_000
SECONDS = 30.0
AT_ONCE = 12
"""Buyers at once: more than two cores can serve, few enough that none waits for a place anywhere."""

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
FIELDS = ("pan", "cvv2", "exp_month", "exp_year")
_PROOF = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')

Card = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seller:
    """A merchant's terminal: its secret key, and where its customers come back to."""

    secret_key: str
    callback_url: str


class Customer:
    """One purchase, step by step; a step that does not end well raises :class:`CannotRun`.

    Args:
        gateway: its address.
        server: the merchant's own connection to it, kept alive.
        address: what the shopper's browser speaks from; without one, as the machine likes.
    """

    def __init__(
        self, gateway: str, server: HTTPConnection, seller: Seller, card: Card, address: tuple[str, int] | None = None
    ) -> None:
        self.gateway = gateway
        self.server = server
        self.card = card
        self.amount = AMOUNT
        self.payment: dict[str, Any] = {}
        self.proof = ""
        self.seller = seller
        self._browser = HTTPConnection(urlsplit(gateway).netloc, timeout=SECONDS, source_address=address)
        self._elsewhere = False

    def open(self) -> None:
        """Let the merchant open the payment."""
        order = {"amount": self.amount, "order_id": secrets.token_hex(8), "callback_url": self.seller.callback_url}
        self.payment = self._call("payments", order, HTTPStatus.CREATED)

    def page(self) -> None:
        """Load the payment page."""
        self.read_proof(self._browse("GET"))

    def read_proof(self, page: str) -> None:
        """Keep what the page's form has to carry."""
        found = _PROOF.search(page)
        if not found:
            raise CannotRun("the payment page has no form")
        self.proof = found[1]

    def request_pin(self) -> None:
        """Press «درخواست رمز پویا»."""
        self._browse("POST", action="request_pin", pin="")

    def pay(self, code: str) -> None:
        """Press «پرداخت»; where that leads to another page, it is not loaded yet."""
        self._browse("POST", action="pay", pin=code)

    def result(self) -> None:
        """Load what became of it, where the answer to the press was not the result itself."""
        if self._elsewhere:
            self._browse("GET")

    def read(self) -> None:
        """Let the merchant read the payment."""
        self._call(f"payments/{self.payment['id']}", None, HTTPStatus.OK)

    def confirm(self) -> None:
        """Let the merchant confirm the payment."""
        confirmed = self._call(f"payments/{self.payment['id']}/confirm", {"amount": self.amount}, HTTPStatus.OK)
        if confirmed["state"] != "confirmed":
            raise CannotRun(f"not confirmed: {confirmed}")

    def buy(self, code_of: Callable[[Customer], str]) -> None:
        """Do all of it; ``code_of`` finds the dynamic PIN that was sent."""
        self.open()
        self.page()
        self.request_pin()
        self.pay(code_of(self))
        self.result()
        self.confirm()

    def close(self) -> None:
        """Leave."""
        self._browser.close()

    def _browse(self, method: str, **typed: str) -> str:
        form = {**{name: self.card[name] for name in FIELDS}, **typed, "csrf_token": self.proof}
        return self.fill_in(method, urlsplit(self.payment["page_url"]).path, form)

    def fill_in(self, method: str, path: str, form: dict[str, str]) -> str:
        """Load a page, or send a form to it; return what came."""
        body = urlencode(form) if method == "POST" else None
        self._browser.request(method, path, body, FORM)
        answer = self._browser.getresponse()
        text = answer.read().decode()
        self._elsewhere = answer.status == HTTPStatus.SEE_OTHER
        if answer.status not in {HTTPStatus.OK, HTTPStatus.SEE_OTHER}:
            raise CannotRun(f"{method} {form.get('action', 'page')}: {answer.status}")
        return text

    def _call(self, path: str, body: dict[str, Any] | None, expected: int) -> dict[str, Any]:
        method = "GET" if body is None else "POST"
        headers = {"Authorization": f"Bearer {self.seller.secret_key}", "Idempotency-Key": secrets.token_hex(8)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body)
        self.server.request(method, f"/api/v1/{path}", content, headers)
        answer = self.server.getresponse()
        document: dict[str, Any] = json.loads(answer.read())
        if answer.status != expected:
            raise CannotRun(f"{method} {path}: {answer.status} {document}")
        return document


@dataclass
class Shop:
    """Where buyers buy: a gateway, the terminals that sell, the cards that pay, and how a code reaches its owner.

    Args:
        sellers: they sell in turn; several, so that no limit of one terminal holds the others up.
        cards: each may ask for ten codes an hour.
        comes: makes somebody who pays.
    """

    gateway: str
    sellers: tuple[Seller, ...]
    cards: Iterator[Card]
    code_of: Callable[[Customer], str]
    comes: Callable[[str, HTTPConnection, Seller, Card], Customer] = Customer
    _taking: threading.Lock = field(default_factory=threading.Lock)
    _sold: Iterator[int] = field(default_factory=itertools.count)

    def buy(self, count: int) -> float:
        """Make so many purchases, several at once; returns how many a second that was.

        Raises:
            CannotRun: one did not go through, or the cards are used up.
        """
        left = iter(range(count))
        started = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(self._serve, left) for _ in range(AT_ONCE)]:
                done.result()
        return count / (time.monotonic() - started)

    def seller(self) -> Seller:
        """Return whose turn it is to sell."""
        with self._taking:
            return self.sellers[next(self._sold) % len(self.sellers)]

    def customer(self, server: HTTPConnection, seller: Seller) -> Customer:
        """Return somebody with the next card.

        Raises:
            CannotRun: when there is none.
        """
        with self._taking:
            card = next(self.cards, None)
        if card is None:
            raise CannotRun("the cards are used up; measure fewer rounds")
        return self.comes(self.gateway, server, seller, card)

    def _serve(self, left: Iterator[int]) -> None:
        with closing(HTTPConnection(urlsplit(self.gateway).netloc, timeout=SECONDS)) as server:
            while self._another(left):
                with closing(self.customer(server, self.seller())) as customer:
                    customer.buy(self.code_of)

    def _another(self, left: Iterator[int]) -> bool:
        with self._taking:
            return next(left, None) is not None
