"""Who asks for many codes from one address shows that it is a browser with a person (D19, D20).

A challenge is stateless: a random name and its MAC, bound to one page, whose time bounds its life. It is spent once.
"""

from __future__ import annotations

import hmac
import secrets

from gateway.domain import purposes
from gateway.domain.challenge import digits_of, proves_work
from gateway.domain.limits import CHALLENGE_LIFE_SECONDS, CHALLENGE_WINDOW_SECONDS
from gateway.services.gateway import Gateway

NAME_BYTES = 12
MAC_BYTES = 12


def challenge_due(gateway: Gateway, address: str) -> bool:
    """Count a PIN request of this address and tell whether it needs an answered challenge."""
    most = gateway.settings.unchallenged_pin_requests
    return not gateway.flood.allow(f"pin {address}", most, per_seconds=CHALLENGE_WINDOW_SECONDS)


def new_challenge(gateway: Gateway, page_token: str) -> str:
    """Return a challenge for one request on this page."""
    name = secrets.token_hex(NAME_BYTES)
    return name + _mac(gateway, "challenge", page_token, name)[:MAC_BYTES].hex()


def is_met(gateway: Gateway, page_token: str, challenge: str, *, work: str, digits: str) -> bool:
    """Tell whether a challenge of this page is answered, by work or by the picture's digits; it is good for one try."""
    shown = picture_digits(gateway, page_token, challenge)
    if shown is None or not _spend(gateway, challenge):
        return False
    return proves_work(challenge, work) or hmac.compare_digest(shown.encode(), digits.encode())


def picture_digits(gateway: Gateway, page_token: str, challenge: str) -> str | None:
    """Return what the picture of this page's challenge shows; ``None`` when it is not one of this page."""
    name = challenge[: 2 * NAME_BYTES]
    genuine = name + _mac(gateway, "challenge", page_token, name)[:MAC_BYTES].hex()
    if not hmac.compare_digest(genuine.encode(), challenge.encode()):
        return None
    return digits_of(_mac(gateway, "picture", page_token, name))


def _spend(gateway: Gateway, challenge: str) -> bool:
    return gateway.flood.allow(f"challenge {challenge}", 1, per_seconds=CHALLENGE_LIFE_SECONDS)


def _mac(gateway: Gateway, use: str, page_token: str, name: str) -> bytes:
    return gateway.keyring.mac(purposes.PAGE_FORM, f"{use}|{page_token}|{name}".encode())
