"""The keys an acquirer and this bank agreed on over the ISO 8583 link, as the bank keeps them: wrapped (D22)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeySet:
    """PIN key and both MAC keys of one exchange, each under the key-exchange key ``kek_id``.

    Args:
        name: names the set on both sides.
        replaces: the set that was in use when this one was offered; ``None`` for the key file's keys.
    """

    acquirer_id: str
    name: str
    kek_id: str
    pin: bytes
    request_mac: bytes
    answer_mac: bytes
    replaces: str | None
