"""What merchants are told by webhook, how often it is tried, and what an endpoint may be."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from gateway.domain.errors import InvalidEndpoint
from gateway.domain.payment import TELLS
from gateway.domain.references import ID_LENGTH, READABLE, Chance
from gateway.domain.refund import TELLS as REFUND_TELLS

UNDELIVERED = "webhook.undelivered"
ENDPOINT_DISABLED = "webhook_endpoint.disabled"
NOTICES = (UNDELIVERED, ENDPOINT_DISABLED)
"""Told in the feed alone: a word about an endpoint that does not hear is not sent to endpoints."""

IBAN_ADDED, IBAN_REMOVED = "settlement_iban.added", "settlement_iban.removed"
IBANS_CHANGED = (IBAN_ADDED, IBAN_REMOVED)
"""Where a merchant's money goes has changed: told to endpoints as well, so that somebody can object in time (D11)."""

BILL_PAID = "bill.paid"
BILL_REFUNDED, BILL_REFUND_REFUSED = "bill.refunded", "bill.refund_refused"
BILL_REFUNDS = (BILL_REFUNDED, BILL_REFUND_REFUSED)
"""How the refund of a bill ended that its biller said no to."""
BILLERS_TOLD = (BILL_PAID, *BILL_REFUNDS)
"""Told to whoever sent a bill; whoever opened the payment hears of the payment and its refunds."""

EVENT_TYPES = tuple(sorted({*TELLS.values(), *REFUND_TELLS.values(), *BILLERS_TOLD, *IBANS_CHANGED}))
"""What an endpoint may ask for."""

BACKOFF_SECONDS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800)
"""Waits after the first, second, … failure; the last one repeats until :data:`GIVE_UP_SECONDS` are over."""
JITTER_PERCENT = 20
GIVE_UP_SECONDS = 3 * 86_400
SLOW_SECONDS = 2.0
"""An endpoint whose last answer failed or took longer is served by threads of its own kind (F23)."""
OUTAGE_FAILURES = 5
"""So many failures in a row make an outage; what waited for its end is sent soon after it."""
ENDPOINTS_MAX = 16
URL_MAX = 500
OVERLAP_SECONDS = 86_400
OVERLAP_SECONDS_MAX = 7 * 86_400
SECRET_BYTES = 32
REDELIVER_MAX = 10_000
"""Events that one call sends again; the answer says where the next call goes on."""

ENDPOINT_ID_PATTERN = "^whe_[0-9A-Za-z]{1,60}$"
EVENT_ID_PATTERN = "^evt_[0-9A-Za-z]{1,60}$"

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins


def wait_after(tries: int, chance: Chance = secrets.randbelow) -> int:
    """Return seconds to wait after the ``tries``-th failure: the table's, up to a fifth more or less."""
    wait = BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS)) - 1]
    percent = 100 - JITTER_PERCENT + chance(2 * JITTER_PERCENT + 1)
    return -(-wait * percent // 100)


def check_url(url: str, *, https_only: bool) -> str:
    """Return the address of an endpoint.

    Raises:
        InvalidEndpoint: it is no absolute http(s) address of printable ASCII, or names a user or a fragment.
    """
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise InvalidEndpoint("url is not an address") from None
    schemes = ("https",) if https_only else ("https", "http")
    if not named or parts.scheme not in schemes:
        raise InvalidEndpoint(f"url is an address of {' or '.join(schemes)}")
    if len(url) > URL_MAX or not _PRINTABLE.fullmatch(url):
        raise InvalidEndpoint(f"url has at most {URL_MAX} printable ASCII characters")
    if parts.username is not None or parts.fragment:
        raise InvalidEndpoint("url names no user and no fragment")
    return url


def check_event_types(types: tuple[str, ...]) -> tuple[str, ...]:
    """Return the types in order, each once; none means all, those of later versions too.

    Raises:
        InvalidEndpoint: there is no such type.
    """
    if not set(types) <= set(EVENT_TYPES):
        raise InvalidEndpoint(f"event_types has one that there is not; there are {', '.join(EVENT_TYPES)}")
    return tuple(sorted(set(types)))


def check_overlap(seconds: int) -> int:
    """Return how long the old secret signs beside the new one; 0 ends it at once.

    Raises:
        InvalidEndpoint: it is negative or longer than a week.
    """
    if not 0 <= seconds <= OVERLAP_SECONDS_MAX:
        raise InvalidEndpoint(f"overlap_seconds is 0 to {OVERLAP_SECONDS_MAX}")
    return seconds


def check_secret(secret: str) -> str:
    """Return a secret that an operator brings along.

    Raises:
        InvalidEndpoint: it does not begin as the secrets of Standard Webhooks do.
    """
    if not secret.startswith(_SECRET_PREFIX) or len(secret) == len(_SECRET_PREFIX):
        raise InvalidEndpoint(f"a webhook secret begins with {_SECRET_PREFIX}")
    return secret


def new_endpoint_id(chance: Chance = secrets.randbelow) -> str:
    """Make an endpoint id: ``whe_`` and twenty characters."""
    return "whe_" + "".join(READABLE[chance(len(READABLE))] for _ in range(ID_LENGTH))
