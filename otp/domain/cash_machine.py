"""The services of the cash machine: which a card may have, and what a new PIN must be like (D26, D27).

A service is opened by the first PIN, checked on the same visit; the check itself is the key to it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from foundation.digits import to_ascii_digits
from foundation.sensitive import Sensitive

VISIT_SECONDS = 300
"""How long a right first PIN opens the services of its card."""
MOBILE_CODE_SECONDS = 600
MOBILE_TRIES_MAX = 3
LOW_CEILING_HOURS = 24
"""How long codes that are bound to nothing keep a low ceiling after a change of mobile (D27)."""
STATIC_PIN_DAY_RIAL = 1_000_000
"""What the liability text names: the most of a card and day that the Central Bank leaves to static second PINs."""

_FIRST_PIN = re.compile(r"[0-9]{4}")
_STATIC_PIN = re.compile(r"[0-9]{5,6}|[0-9]{9,12}")
"""Not seven or eight: those are codes of the app, and one more value would be good beside D14's five."""


class Service(StrEnum):
    """What a holder can have done."""

    ACTIVATE_APP = "activate_app"
    ACTIVATE_SMS = "activate_sms"
    END_APP = "end_app"
    END_SMS = "end_sms"
    CHANGE_MOBILE = "change_mobile"
    SET_STATIC_PIN = "set_static_pin"
    END_STATIC_PIN = "end_static_pin"
    CHANGE_FIRST_PIN = "change_first_pin"


class Refusal(StrEnum):
    """Why a service was not done."""

    VISIT_OVER = "visit_over"
    GIFT_CARD = "gift_card"
    HOLDER_UNKNOWN = "holder_unknown"
    NO_MOBILE = "no_mobile"
    NO_APP = "no_app"
    NO_SMS = "no_sms"
    SMS_ALREADY = "sms_already"
    NO_STATIC_PIN = "no_static_pin"
    PIN_SHAPE = "pin_shape"
    PIN_WEAK = "pin_weak"
    PINS_DIFFER = "pins_differ"
    MOBILE_SHAPE = "mobile_shape"
    MOBILE_SAME = "mobile_same"
    CODE_WRONG = "code_wrong"
    CODE_OVER = "code_over"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a card has, as its holder sees it on the menu.

    Args:
        mobile: masked; ``None`` where none is registered.
        holder_known: the bank knows whose card it is.
    """

    gift: bool
    mobile: str | None
    holder_known: bool
    app_active: bool
    sms_active: bool
    static_pin: bool


_MISSING: Mapping[Refusal, str] = MappingProxyType(
    {
        Refusal.HOLDER_UNKNOWN: "holder_known",
        Refusal.NO_MOBILE: "mobile",
        Refusal.NO_APP: "app_active",
        Refusal.NO_SMS: "sms_active",
        Refusal.NO_STATIC_PIN: "static_pin",
    }
)
NEEDS: Mapping[Service, tuple[Refusal, ...]] = MappingProxyType(
    {
        Service.ACTIVATE_APP: (Refusal.HOLDER_UNKNOWN, Refusal.NO_MOBILE),
        Service.ACTIVATE_SMS: (Refusal.NO_MOBILE,),
        Service.END_APP: (Refusal.NO_APP,),
        Service.END_SMS: (Refusal.NO_SMS,),
        Service.CHANGE_MOBILE: (),
        Service.SET_STATIC_PIN: (),
        Service.END_STATIC_PIN: (Refusal.NO_STATIC_PIN,),
        Service.CHANGE_FIRST_PIN: (),
    }
)
"""What each service is refused for where the card lacks it; a gift card has none of them."""


def refusal_of(service: Service, standing: Standing) -> Refusal | None:
    """Say why this card cannot have this service; ``None`` when it can."""
    if standing.gift:
        return Refusal.GIFT_CARD
    if service is Service.ACTIVATE_SMS and standing.sms_active:
        return Refusal.SMS_ALREADY
    return next((need for need in NEEDS[service] if not getattr(standing, _MISSING[need])), None)


def check_first_pin(typed: Sensitive[str], again: Sensitive[str]) -> Sensitive[str] | Refusal:
    """Return a new first PIN in ASCII digits: four of them, typed twice alike, and not the first that a thief tries."""
    return _checked(_FIRST_PIN, typed, again)


def check_static_pin(typed: Sensitive[str], again: Sensitive[str]) -> Sensitive[str] | Refusal:
    """Return a new static second PIN in ASCII digits: 5, 6 or 9 to 12 of them, twice alike, and no row of digits."""
    return _checked(_STATIC_PIN, typed, again)


def _checked(shape: re.Pattern[str], typed: Sensitive[str], again: Sensitive[str]) -> Sensitive[str] | Refusal:
    first, second = to_ascii_digits(typed.reveal()), to_ascii_digits(again.reveal())
    if shape.fullmatch(first) is None:
        return Refusal.PIN_SHAPE
    if first != second:
        return Refusal.PINS_DIFFER
    return Refusal.PIN_WEAK if _is_row(first) else Sensitive(first)


def _is_row(pin: str) -> bool:
    """Tell whether each digit is as far from the one before: 1111, 1234, 8642."""
    return len({(int(here) - int(before)) % 10 for before, here in itertools.pairwise(pin)}) == 1
