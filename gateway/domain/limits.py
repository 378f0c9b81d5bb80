"""Limits as data: how much, how often, how long. A value with a date is the one in force when the row was written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from foundation.rial import Rial
from gateway.domain.errors import InvalidAmount, InvalidCallback, InvalidText

PURCHASE_LEAST = Rial(1_000)
PURCHASE_MOST = Rial(1_000_000_000)
"""Ceiling of purchases per card and day as last announced by the central bank; nothing above it could be approved."""

ATTEMPTS_MAX = 5
PIN_REQUESTS_MAX = 5
"""Per payment, as on the pages of the larger PSPs."""


@dataclass(frozen=True, slots=True)
class CardShare:
    """How many PIN requests a card has in an hour and in a Tehran day, over all payments."""

    hour: int
    day: int


PROVEN_PIN_REQUESTS = CardShare(hour=10, day=20)
UNPROVEN_PIN_REQUESTS = CardShare(hour=3, day=5)
"""Of whoever shows CVV2 and expiry, and of whoever knows the number alone: strangers use up the second only (D19)."""

UNCHALLENGED_PIN_REQUESTS = 2 * PIN_REQUESTS_MAX
CHALLENGE_WINDOW_SECONDS = 600
CHALLENGE_LIFE_SECONDS = 1_800
"""PIN requests of one address in ten minutes before its browser is challenged: all that two payments may make, so that
a household never meets one. Nobody publishes a figure; the PSPs challenge every request. A challenge is remembered
as spent for longer than its page lasts with both extensions (25 min).
"""


@dataclass(frozen=True, slots=True)
class HolderShare:
    """How many names of holders one card may ask for in a Tehran day, and how often one card's may be asked for."""

    of_asker: int
    of_card: int


HOLDER_QUESTIONS = HolderShare(of_asker=30, of_card=100)
CHALLENGED_HOLDER_QUESTIONS = HolderShare(of_asker=300, of_card=1_000)
"""Our own choice, above what anybody sends: 20 transfers a day (D28). Both cards are only typed, so that strangers use
the first share up as well; what is above it costs each asker an answered challenge and shuts nobody out (D17).
"""

DELIVERY_CHECKS_MAX = 10
DELIVERY_CHECK_SECONDS = 2
"""How often an issuer is asked about one SMS: after 2 s, 4 s more, 6 s more …: ten times in a code's two minutes."""

EXTENSIONS_MAX = 2
LOOK_ALIKE_SECONDS = 600
"""How long a payment of the same card, amount and terminal makes the page ask whether it is meant twice: ten minutes,
as card-to-card pages warn of a repeat to the same destination."""

INQUIRIES_MAX = 5
INQUIRY_WAITS_SECONDS = (2, 4, 15, 30)
"""Waits after the first, second, … inquiry nobody answered: at most three early ones, then patience (F19).

UPI's operator asks for no more than three early status checks; the first of ours comes two seconds after the
answer's time-out. After the last silence the reversal is decided (D2).
"""
DESCRIPTION_MAX = 120
CALLBACK_MAX = 1024
PAYEE_NAME_MAX = 20

HALF_SPACE = "\u200c"
"""Zero-width non-joiner, which Persian words need."""

_MOBILE = re.compile(r"09[0-9]{9}")
_DIGITS_APART = re.compile("[0-9](?: [0-9]){3}")
_PAYEE_FORBIDDEN = re.compile(r"[^\w \u200c]|_|[0-9۰-۹٠-٩]{2}")


def check_amount(amount: Rial) -> Rial:
    """Return a purchase's amount, or raise :class:`InvalidAmount` when it is outside the limits."""
    if not PURCHASE_LEAST <= amount <= PURCHASE_MOST:
        raise InvalidAmount(PURCHASE_LEAST.amount, PURCHASE_MOST.amount)
    return amount


def check_description(text: str | None) -> str | None:
    """Return the description, or raise :class:`InvalidText`: at most 120 characters, no control characters."""
    if text is not None and (len(text) > DESCRIPTION_MAX or not text.replace(HALF_SPACE, "").isprintable()):
        raise InvalidText("description", f"takes at most {DESCRIPTION_MAX} printable characters")
    return text


def check_mobile(text: str | None) -> str | None:
    """Return the customer's mobile number, or raise :class:`InvalidText` unless it is ``09`` and nine digits."""
    if text is not None and not _MOBILE.fullmatch(text):
        raise InvalidText("mobile", "is 09 and nine digits")
    return text


def check_payee_name(text: str) -> str:
    """Return a payee name fit for an SMS, or raise :class:`InvalidText`.

    Letters, spaces and single digits, at most 20 UTF-16 units, nothing that could pass for a code or a link (D25).
    """
    units = len(text.encode("utf-16-le")) // 2
    if not text.strip() or units > PAYEE_NAME_MAX or _PAYEE_FORBIDDEN.search(text):
        raise InvalidText("payee_name", "has letters, spaces and single digits, at most 20")
    return text


def with_digits_together(payee_name: str) -> str:
    """Return a payee as a message shows it: a binding has last digits apart (D25), and right-to-left turns those round.

    >>> with_digits_together("کارت 0 2 6 6")
    'کارت 0266'
    """
    return _DIGITS_APART.sub(lambda digits: digits[0].replace(" ", ""), payee_name)


def check_callback(url: str, *, site: str, https_only: bool) -> str:
    """Return a callback address of the merchant's own site, or raise :class:`InvalidCallback`.

    The host is the registered one or below it; no user, no fragment; plain http only where the mode allows it.
    """
    if len(url) > CALLBACK_MAX or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidCallback(f"callback_url takes at most {CALLBACK_MAX} characters, percent-encoded")
    try:
        parts = urlsplit(url)
        host, user, port = parts.hostname or "", parts.username, parts.port
    except ValueError:
        raise InvalidCallback("callback_url is not an address") from None
    if parts.scheme not in ({"https"} if https_only else {"https", "http"}) or user is not None or port == 0:
        raise InvalidCallback("callback_url must be an https address without a user")
    own = host_of(site)
    if parts.fragment or not own or not (host == own or host.endswith("." + own)):
        raise InvalidCallback(f"callback_url must be on {own}")
    return url


def host_of(site: str) -> str:
    """Return the host of a registered site, written as an address or as a bare host."""
    return urlsplit(site if "//" in site else f"//{site}").hostname or ""
