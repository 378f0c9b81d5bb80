"""What the card page's script says, and whose card a number is: a file of its own, sent small and kept by browsers.

In the page it would come anew with every answer, and uncompressed (ADR 11). Its address carries a digest of it.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from foundation.persian import MONTHS, Language
from gateway.domain.issuers import Issuer
from gateway.services.gateway import Gateway
from gateway.web.wording import WORDS

_KEYS = {
    "length": "pan.length", "luhn": "pan.luhn", "real": "pan.real", "bank": "pan.bank", "hint": "pan.hint",
    "expiry": "expiry.hint", "echo": "expiry.echo", "swapped": "expiry.swapped", "swap": "expiry.swap",
    "resend": "resend", "resend_in": "resend_in", "requesting": "requesting", "left": "left.seconds",
    "read": "otp.read", "offline": "offline", "paying": "paying", "two_minutes": "left.two_minutes", "show": "show",
    "keypad": "keypad", "erase": "keypad.erase", "close": "keypad.close",
}  # fmt: skip


def script_words(gateway: Gateway, chosen: Language) -> bytes:
    """Return the file in one language: sentences with their ``{values}`` open, and bank names by prefix of the card."""
    return _written(chosen, tuple(sorted(banks_of(gateway, chosen).items())))


def version_of(content: bytes) -> str:
    """Return a short digest of a file, so that browsers fetch it again once it changed."""
    return hashlib.sha256(content).hexdigest()[:8]


def banks_of(gateway: Gateway, chosen: Language) -> dict[str, str]:
    """Return the name of each bank whose cards are taken, by the prefix of its cards."""
    return {prefix: named(issuer, chosen) for prefix, issuer in gateway.directory.issuer_bins()}


def named(issuer: Issuer, chosen: Language) -> str:
    """Return a bank's name in the customer's language."""
    return issuer.name_fa if chosen == "fa" else issuer.name_en


@lru_cache(maxsize=8)
def _written(chosen: Language, banks: tuple[tuple[str, str], ...]) -> bytes:
    words: dict[str, object] = {name: getattr(WORDS[key], chosen) for name, key in _KEYS.items()}
    said = {"words": words | {"months": MONTHS[chosen]}, "banks": dict(banks)}
    return f"globalThis.said = {json.dumps(said, ensure_ascii=False, separators=(',', ':'))};\n".encode()
