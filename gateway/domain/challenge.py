"""Challenges to a browser: proof of work that costs a person nothing, and five digits in a picture where that fails.

They slow down machines that ask for codes in bulk, and are never the only limit (D19).
"""

from __future__ import annotations

import hashlib

WORK_BITS = 15
"""Zero bits that the hash of a proof begins with: 32 768 hashes on average, about a second in a browser at leisure."""

PICTURE_DIGITS = 5
"""As on the pages of the larger PSPs."""

_HASH_BITS = 256
_COUNTER_DIGITS_MAX = 12


def proves_work(challenge: str, counter: str) -> bool:
    """Tell whether SHA-256 of ``challenge.counter`` begins with :data:`WORK_BITS` zero bits."""
    if not (counter.isascii() and counter.isdigit() and len(counter) <= _COUNTER_DIGITS_MAX):
        return False
    digest = hashlib.sha256(f"{challenge}.{counter}".encode()).digest()
    return int.from_bytes(digest) >> (_HASH_BITS - WORK_BITS) == 0


def digits_of(mac: bytes) -> str:
    """Return the digits that a picture shows for this MAC."""
    return f"{int.from_bytes(mac) % 10**PICTURE_DIGITS:0{PICTURE_DIGITS}}"
