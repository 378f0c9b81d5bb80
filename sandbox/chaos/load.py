"""Shoppers who buy while everything breaks, as people do: they look again, they click twice, some walk away."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

import requests

from sandbox.banks import BANKS
from sandbox.bills import new_bill
from sandbox.cards import APPROVE
from sandbox.merchant import Merchant
from sandbox.running import InVain, RunningWorld, wait_for
from sandbox.shopper import Shopper, Unexpected
from sandbox.simulator.chance import dice

SHOPPERS = 4
PAUSE_SECONDS = 0.5
PATIENCE_SECONDS = 25.0
LOOK_AGAIN_SECONDS = 1.0
TRIES = 4
T = TypeVar("T")
CODES_PER_CARD = 9
"""One less than a card may ask for in an hour, so that limits stay out of the way of faults."""

INTENTIONS = {
    "buys": 40,
    "clicks twice": 15,
    "cancels": 8,
    "walks away": 8,
    "is never confirmed": 9,
    "gets it back": 10,
    "is refunded": 8,
    "sends money": 14,
    "pays bills": 12,
}
OWN = frozenset({"is never confirmed", "gets it back", "is refunded"})
"""Intentions of people who pay a merchant without a shop."""

NAMES = tuple(bank.name_en for bank in BANKS)

PRICE_RIAL = 150_000
SENT_RIAL = 1_000_000

FAULT_CARDS = ("bank_slow", "bank_hangs", "answer_lost", "duplicate_answer", "late_answer", "sms_late")
FAULT_CARD_CHANCE = 0.1
PASSING = (requests.RequestException, Unexpected, IndexError)
"""What a person sees as a page that did not work, or has no form, and tries again."""

BROKEN = (*PASSING, InVain, StopIteration)

SEEN = {
    "پرداخت انجام شد": "paid",
    "پول منتقل شد": "paid",
    "قبض پرداخت شد": "paid",
    "پرداخت را لغو کردید": "cancelled",
    "زمان این پرداخت تمام شد": "expired",
    "برمی‌گردد": "going back",
    "به کارت شما برگشت": "given back",
}
"""Headings of the payment page, and what whoever reads them was told."""

_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


@dataclass
class Purchase:
    """One purchase as its shopper remembers it; ``told`` is the last thing that a page of the gateway said.

    Args:
        broke_off: why the shopper gave up, if so.
    """

    intention: str
    page_token: str = ""
    payment_id: str = ""
    told: str = "nothing"
    broke_off: str = ""


@dataclass
class Load:
    """Everybody who buys."""

    world: RunningWorld
    seed: int
    violation: Callable[[str], None]
    purchases: list[Purchase] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _used: Counter[str] = field(default_factory=Counter)

    def run(self, seconds: float) -> None:
        """Buy for so long."""
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(SHOPPERS, thread_name_prefix="shopper") as pool:
            for done in [pool.submit(self._shop, number, until) for number in range(SHOPPERS)]:
                done.result()

    def _shop(self, number: int, until: float) -> None:
        luck = dice(self.seed, f"shopper {number}")
        while time.monotonic() < until:
            intention = luck.choices(list(INTENTIONS), list(INTENTIONS.values()))[0]
            behaviour = luck.choice(FAULT_CARDS) if luck.random() < FAULT_CARD_CHANCE else APPROVE
            purchase = Purchase(intention)
            try:
                shopper = Watched(self.world, self._card(behaviour, luck.choice(NAMES)), self.violation)
                self._buy(shopper, purchase)
            except BROKEN as error:
                purchase.broke_off = f" ({type(error).__name__})"
            with self._lock:
                self.purchases.append(purchase)
            time.sleep(luck.uniform(0, PAUSE_SECONDS * 2))

    def _buy(self, shopper: Watched, purchase: Purchase) -> None:
        merchant = Merchant(self.world.info)
        own, ask = purchase.intention in OWN, _ASK.get(purchase.intention)
        if own:
            payment = merchant.open(PRICE_RIAL)
            purchase.payment_id = str(payment["id"])
            shopper.go_to(payment["page_url"])
        elif ask:
            shopper.patiently(lambda: ask(self, shopper))
        else:
            shopper.patiently(lambda: shopper.check_out("soap"))
        purchase.page_token, purchase.told = shopper.page_token, "to pay"
        if purchase.intention == "walks away":
            return
        if purchase.intention == "cancels":
            shopper.patiently(lambda: shopper.press("cancel"))
            purchase.told = shopper.told()
            return
        self._pay(shopper, purchase)
        if purchase.told == "paid" and own:
            self._deal(merchant, purchase)
        elif purchase.told == "paid" and not ask:
            shopper.patiently(shopper.return_to_shop)

    def _pay(self, shopper: Watched, purchase: Purchase) -> None:
        code, address, typed = shopper.ask_for_code(), shopper.page.url, shopper.page
        clicks = 2 if purchase.intention == "clicks twice" else 1
        with ThreadPoolExecutor(clicks) as pool:
            for done in [pool.submit(_click, shopper.twin(typed), code) for _ in range(clicks)]:
                done.result()
        purchase.told = shopper.wait_until_told(address)

    def _deal(self, merchant: Merchant, purchase: Purchase) -> None:
        if purchase.intention == "is never confirmed":
            return
        merchant.confirm(purchase.payment_id, PRICE_RIAL)
        if purchase.intention == "gets it back":
            merchant.reverse(purchase.payment_id)
            purchase.told = "going back"
        else:
            merchant.refund(purchase.payment_id, PRICE_RIAL)
            purchase.told = "refunded"

    def _send(self, sender: Watched) -> None:
        """Name a card of the other bank; a card is sent money three times a day at most, so they take turns."""
        others = [card for card in self.world.info["cards"] if card["bank"] in set(NAMES) - {sender.card["bank"]}]
        good = [card for card in others if card["behaviour"] == APPROVE]
        with self._lock:
            self._used["sent"] += 1
            destination = good[self._used["sent"] % len(good)]["pan"]
        sender.go_to(f"{self.world.info['gateway']}/transfer")
        named = {"pan": sender.card["pan"], "destination_pan": destination, "amount": str(SENT_RIAL)}
        sender.submit({**named, "action": "continue"})
        if not sender.page_token:
            raise Unexpected(sender.page.text)

    def _bring_bills(self, payer: Watched) -> None:
        """Bring two bills that nobody has paid, of two companies."""
        payer.go_to(f"{self.world.info['gateway']}/bill")
        payer.submit({"barcode": new_bill().barcode, "action": "add"})
        payer.submit({"barcode": new_bill("041", "2").barcode, "action": "continue"})
        if not payer.page_token:
            raise Unexpected(payer.page.text)

    def _card(self, behaviour: str, bank: str) -> dict[str, Any]:
        """Return the card of this kind that was used least, so that nobody reads another's code; else a good one.

        Of this bank, where it has such a card.
        """
        wanted = {behaviour, APPROVE}
        cards = [card for card in self.world.info["cards"] if card["behaviour"] in wanted and card["bank"] in NAMES]

        def least(card: dict[str, Any]) -> tuple[bool, bool, int]:
            return card["behaviour"] != behaviour, card["bank"] != bank, self._used[card["pan"]]

        with self._lock:
            chosen: dict[str, Any] = min((it for it in cards if self._used[it["pan"]] < CODES_PER_CARD), key=least)
            self._used[chosen["pan"]] += 1
            return chosen


_ASK: dict[str, Callable[[Load, Watched], None]] = {
    "sends money": Load._send,  # noqa: SLF001 - its own table
    "pays bills": Load._bring_bills,  # noqa: SLF001 - its own table
}
"""How those begin who pay the gateway itself, on a page of its own."""


class Watched(Shopper):
    """A shopper who also notes what a gateway may never answer."""

    def __init__(self, world: RunningWorld, card: dict[str, Any], violation: Callable[[str], None]) -> None:
        super().__init__(world, card)
        self._violation = violation
        self.browser.hooks["response"].append(self._check)

    def twin(self, page: requests.Response) -> Watched:
        """Return the same person at the same page in another tab."""
        other = Watched(self.world, self.card, self._violation)
        other.browser.cookies.update(self.browser.cookies)
        other.page = page
        return other

    def told(self) -> str:
        """Say what the page says."""
        heading = _HEADING.search(self.page.text)
        text = heading[1] if heading else ""
        return next(
            (word for shown, word in SEEN.items() if shown in text),
            "not taken" if 'name="pan"' in self.page.text else "wait",
        )

    def wait_until_told(self, address: str) -> str:
        """Look at the payment page until it says how it ended, or patience does."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(requests.RequestException):
                self.page = self.browser.get(address)
                if self.page.status_code == HTTPStatus.OK and (told := self.told()) != "wait":
                    return told
            time.sleep(LOOK_AGAIN_SECONDS)
        return "wait"

    def ask_for_code(self) -> str:
        """Ask for a PIN until the page says that it was sent, and read it on the phone."""
        before = len(self.patiently(self.messages))
        self.patiently(self._ask)
        texts = wait_for(lambda: self.patiently(lambda: self._more_messages_than(before)), "the code to arrive")
        return str(texts[0]["code"])

    def _ask(self) -> None:
        if self.press("request_pin").status_code != HTTPStatus.OK:
            raise Unexpected(self.page.text)

    def patiently(self, step: Callable[[], T]) -> T:
        """Do one step as people do: when a page is broken, wait a moment and try again from where one was."""
        page = self.page
        for _ in range(TRIES - 1):
            try:
                return step()
            except PASSING:
                time.sleep(LOOK_AGAIN_SECONDS)
                self.page = page
        return step()

    def _check(self, answer: requests.Response, *_: object, **__: object) -> None:
        if not answer.url.startswith(self.world.info["gateway"]):
            return
        unready = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        if unready and "Retry-After" not in answer.headers:
            self._violation(f"503 without Retry-After at {answer.url}")
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and not unready:
            self._violation(f"{answer.status_code} at {answer.url}")


def _click(shopper: Shopper, code: str) -> None:
    try:
        shopper.pay(code)
    except BROKEN:
        return
