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
    ``KEPT``: new values are made under the new key, and the old one stays for as long as there is anything to verify.
    ``FOUND_BY``: rows are found by it, or it is printed on cards, or others hold its other half; no command changes it.
    """

    WRITES = "writes"
    SEALS = "seals"
    KEPT = "kept"
    FOUND_BY = "found_by"


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
        purposes.CARD_TOKEN: Rotation.FOUND_BY,
        purposes.MOBILE_TOKEN: Rotation.FOUND_BY,
        purposes.CUSTOMER_TOKEN: Rotation.FOUND_BY,
        purposes.PIN_VERIFICATION: Rotation.FOUND_BY,
        purposes.CARD_VERIFICATION: Rotation.FOUND_BY,
        purposes.HARIM_SIGNING: Rotation.FOUND_BY,
        purposes.HARIM_SOAP_SIGNING: Rotation.FOUND_BY,
    }
)

OUTLIVES_HOURS = 25
"""What is made under a code or activation key is of no use to anybody a day later (activation codes live 24 h)."""


def next_id(purpose: str, taken: frozenset[str]) -> str:
    """Name a new key.

    >>> next_id("code-mac", frozenset({"code-mac-1", "bank-code-mac-2"}))
    'code-mac-2'
    """
    number = 1
    while f"{purpose}-{number}" in taken:
        number += 1
    return f"{purpose}-{number}"
