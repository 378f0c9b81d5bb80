"""A walk through every page and state of a running sandbox: each is reached once, then somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.pages.around import controls, phones, reference
from bench.pages.bank import machine, ramznegar, till
from bench.pages.card import challenge, purchase, refusals, time_passing, troubles, typing
from bench.pages.console import console, delivered, unlocking
from bench.pages.kinds import asked_transfers, balances, bills, refused_bill, top_ups, transfers
from bench.pages.outcomes import cancelling, endings, failures, receipts, waiting
from bench.pages.shop import shelf, shopkeeping
from bench.pages.silence import kinds_taken_back, silence, silent_kinds
from bench.pages.walker import LANGUAGES, Language, Sight, Walker

Part = Callable[[Walker], Iterator[Sight]]
CARD: tuple[Part, ...] = (purchase, typing, refusals, time_passing, troubles, challenge)
OUTCOMES: tuple[Part, ...] = (cancelling, receipts, endings, failures, waiting)
KINDS: tuple[Part, ...] = (bills, refused_bill, transfers, asked_transfers, top_ups, balances)
AROUND: tuple[Part, ...] = (phones, controls, reference)
BANK: tuple[Part, ...] = (machine, ramznegar, till, console, delivered, unlocking)


def walk(walker: Walker) -> Iterator[Sight]:
    """Go through everything in both languages."""
    for language in LANGUAGES:
        yield from in_one(walker, language)
        yield from kinds_in(walker, language)
        yield from bank_in(walker, language)
    yield from silence(walker)
    yield from silent_kinds(walker)
    yield from kinds_taken_back(walker)


def in_one(walker: Walker, language: Language) -> Iterator[Sight]:
    """Go through all around a purchase in one language but the long silence of a bank, which is one for both."""
    yield from _parts(walker, language, (shelf, *CARD, *OUTCOMES, shopkeeping, *AROUND))


def kinds_in(walker: Walker, language: Language) -> Iterator[Sight]:
    """Go through everything in one language that is not a purchase."""
    yield from _parts(walker, language, KINDS)


def bank_in(walker: Walker, language: Language) -> Iterator[Sight]:
    """Go through the bank's own pages in one language."""
    yield from _parts(walker, language, BANK)


def _parts(walker: Walker, language: Language, parts: tuple[Part, ...]) -> Iterator[Sight]:
    walker.language = language
    walker.context.clear_cookies()
    for part in parts:
        yield from part(walker)
