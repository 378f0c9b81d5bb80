"""How each of the bank's keys is changed while everything runs, and when an old one may go (D41)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from otp.domain import purposes


class Rotation(StrEnum):
    """What a change of key takes.

    ``WRITES``: new values are made under the new key, what was made under the old one ends by itself.
    ``SEALS``: what is sealed under the old key is sealed anew.
    ``FINDS``: rows are found by it; they are found by both keys until each has a hash under the new one.
    ``PINS``: PINs are kept under it as hashes; each moves when the right one is shown, or another one is chosen.
    ``KEPT``: new values are made under the new key, and the old one stays for as long as there is anything to verify.
    ``HELD``: it is printed on cards, or others hold its other half; no command changes it.
    """

    WRITES = "writes"
    SEALS = "seals"
    FINDS = "finds"
    PINS = "pins"
    KEPT = "kept"
    HELD = "held"


ROTATIONS: Mapping[str, Rotation] = MappingProxyType(
    {
        purposes.PAN_SEAL: Rotation.SEALS,
        purposes.MOBILE_SEAL: Rotation.SEALS,
        purposes.DEVICE_SEAL: Rotation.SEALS,
        purposes.CODE_DERIVE: Rotation.WRITES,
        purposes.CODE_MAC: Rotation.WRITES,
        purposes.ACTIVATION_DERIVE: Rotation.WRITES,
        purposes.CONSOLE: Rotation.WRITES,
        purposes.AUDIT: Rotation.KEPT,
        purposes.AUDIT_HEAD: Rotation.KEPT,
        purposes.CARD_TOKEN: Rotation.FINDS,
        purposes.MOBILE_TOKEN: Rotation.FINDS,
        purposes.CUSTOMER_TOKEN: Rotation.FINDS,
        purposes.PIN_VERIFICATION: Rotation.PINS,
        purposes.CARD_VERIFICATION: Rotation.HELD,
        purposes.HARIM_SIGNING: Rotation.HELD,
        purposes.HARIM_SOAP_SIGNING: Rotation.HELD,
    }
)

ONE_AT_A_TIME = frozenset({Rotation.FINDS, Rotation.PINS})
"""Everything is looked for under each live key: another change waits until the old key of the last one is gone."""

OUTLIVES_HOURS = 25
"""What is made under a code or activation key is of no use to anybody a day later (activation codes live 24 h)."""

CARD_TOKEN_OUTLIVES_HOURS = 35 * 24 + 1
"""Repeated messages are known again by a hash of the card for 35 days (D9)."""


def outlives_hours(purpose: str) -> int:
    """Return for how many hours after its retirement something may still need a key.

    >>> outlives_hours("code-mac")
    25
    """
    return CARD_TOKEN_OUTLIVES_HOURS if purpose == purposes.CARD_TOKEN else OUTLIVES_HOURS


def next_id(purpose: str, taken: frozenset[str]) -> str:
    """Name a new key.

    >>> next_id("code-mac", frozenset({"code-mac-1", "bank-code-mac-2"}))
    'code-mac-2'
    """
    number = 1
    while f"{purpose}-{number}" in taken:
        number += 1
    return f"{purpose}-{number}"
