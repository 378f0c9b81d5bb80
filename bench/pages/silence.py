"""What customers see while a bank is silent, and after: reached once, as it takes long, and seen in both languages."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from playwright.sync_api import expect

from bench.pages.kinds import AMOUNT, OWN_NUMBER, begin, elsewhere
from bench.pages.outcomes import UNKNOWN_SECONDS
from bench.pages.walker import LANGUAGES, Sight, Walker
from sandbox.running import wait_for

BACK_SECONDS = 90.0
"""Until money that could not go back has gone back."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A payment that waits for its code to be typed; ``part`` as a sight's."""

    part: str
    address: str
    code: str


def silence(walker: Walker) -> Iterator[Sight]:
    """The bank falls silent: a purchase without an answer, and money that cannot go back yet; then it speaks again.

    What takes long to reach is reached once, and looked at in both languages.
    """
    walker.language, card = "fa", walker.world.fresh_card()
    with walker.one_gateway():
        walker.open(walker.here(walker.ask("payments", amount=int(AMOUNT))["page_url"]))
        walker.pay(card, walker.code(card))
        expect(walker.page.locator("[data-kind=receipt]")).to_be_visible()
        returned = walker.payments()[0]
        walker.to_the_gateway()
        address = walker.here(walker.page.url)
        walker.open(address)
        code = walker.code(card)
        walker.wrong(bank="down")
        try:
            walker.pay(card, code)
            expect(walker.page.locator("[data-kind=unknown]")).to_be_visible(timeout=UNKNOWN_SECONDS * 1_000)
            unknown = walker.payments()[0]
            walker.give_back(returned)
            yield from in_both(
                walker, ("payment", "unknown", address), ("shop", "checking", walker.order_page(unknown))
            )
            yield from in_both(walker, *_about(walker, returned, "reversing"))
            walker.make_late("decided_by", address)
            yield from in_both(walker, ("payment", "overdue", address))
        finally:
            walker.wrong(reset=True)
        walker.until(returned, "reversed")
        yield from in_both(walker, *_about(walker, returned, "reversed"))
        walker.until(unknown, "open")
        yield from in_both(walker, ("payment", "undone", address))


def _fall_silent(walker: Walker, address: str) -> None:
    """Let the bank fall silent over a purchase that it was asked for a moment ago, and wait until that is noticed.

    A gateway without a link to it would notice before it asks, and ask for nothing.
    """
    with walker.beside():
        wait_for(partial(_shows, walker, address, "[data-kind=waiting]"), "the bank to be asked")
    walker.wrong(bank="down")
    expect(walker.page.locator("[data-kind=unknown]")).to_be_visible(timeout=UNKNOWN_SECONDS * 1_000)


def _about(walker: Walker, payment: dict[str, str], state: str) -> tuple[tuple[str, str, str], ...]:
    check = f"{walker.gateway}/receipt/{payment['tracking_code']}"
    return ("payment", state, payment["page_url"]), ("payment", f"receipt-check-{state}", check)


def in_both(walker: Walker, *pages: tuple[str, str, str]) -> Iterator[Sight]:
    """Look in both languages at pages that took long to reach: part, state and address of each."""
    for walker.language in LANGUAGES:
        for part, state, address in pages:
            sight = walker.at(part, state, address)
            with walker.staying(address):
                yield sight


def silent_kinds(walker: Walker) -> Iterator[Sight]:
    """The bank falls silent over a transfer, a top-up and a question for a balance; then each is found to be undone."""
    walker.language, card = "fa", walker.world.card("bank_hangs")
    with walker.one_gateway():
        for each in _begin_each(walker, card):
            _pay(walker, each, card)
            try:
                _fall_silent(walker, each.address)
                yield from in_both(walker, (each.part, "unknown", each.address))
                walker.make_late("decided_by", each.address)
                yield from in_both(walker, (each.part, "overdue", each.address))
            finally:
                walker.wrong(reset=True)
            wait_for(partial(_shows, walker, each.address, "#pan"), "the attempt to be undone", BACK_SECONDS)
            yield from in_both(walker, (each.part, "undone", each.address))


def kinds_taken_back(walker: Walker) -> Iterator[Sight]:
    """The bank says yes, its answer is lost and found too late: each kind waits, is on its way back, and is back.

    The worker is frozen where it is about to ask for the money, so that there is time to look.
    """
    walker.language, card = "fa", walker.world.card("answer_lost")
    with walker.one_gateway():
        for each in _begin_each(walker, card):
            walker.world.crash_at("worker.before_reversal:1:stop")
            try:
                _pay(walker, each, card)
                yield from _waiting(walker, each)
                walker.make_late("page_expires_at", each.address)
                on_its_way = partial(_shows, walker, each.address, "[data-kind=reversing]")
                wait_for(on_its_way, "the money to be on its way back", BACK_SECONDS)
                walker.world.wait_for_crash()
                yield from in_both(walker, (each.part, "reversing", each.address))
            finally:
                walker.world.disarm()
                walker.world.signal("gateway-worker", signal.SIGCONT)
            wait_for(
                partial(_shows, walker, each.address, "[data-kind=reversed]"), "the money to be back", BACK_SECONDS
            )
            yield from in_both(walker, (each.part, "reversed", each.address))


def _begin_each(walker: Walker, card: dict[str, Any]) -> list[Begun]:
    """Begin a transfer, a top-up and a question for a balance, and ask for a code for each."""
    transfer = {"pan": card["pan"], "destination_pan": elsewhere(walker, card), "amount": AMOUNT}
    return [
        Begun(part, begin(walker, path, typed), walker.code(card))
        for part, path, typed in (
            ("transfer", "/transfer", transfer),
            ("top-up", "/topup", {"mobile": OWN_NUMBER}),
            ("balance", "/balance", {}),
        )
    ]


def _pay(walker: Walker, begun: Begun, card: dict[str, Any]) -> None:
    """Type card and code, and press pay; returns before the answer."""
    walker.open(begun.address)
    walker.type(card)
    if walker.page.locator("#checked").count():
        walker.page.check("#checked")
    walker.pay(card, begun.code)


def _waiting(walker: Walker, begun: Begun) -> Iterator[Sight]:
    """Look at the page that waits for the bank: it waits for seconds only, so both windows are opened before."""
    sights = []
    with ExitStack() as windows:
        for walker.language in LANGUAGES:
            windows.enter_context(walker.beside())
            wait_for(partial(_shows, walker, begun.address, "[data-kind=waiting]"), "a second window to wait")
            windows.enter_context(walker.staying(begun.address))
            sights.append(walker.sight(begun.part, "waiting"))
        yield from sights


def _shows(walker: Walker, address: str, what: str) -> bool:
    walker.open(address)
    return walker.page.locator(what).count() == 1
