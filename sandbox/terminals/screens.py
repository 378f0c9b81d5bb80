"""The screens of the cash machine as a table: what is asked on each, and which keys stand beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Field:
    """Something to be typed; a secret one is shown as dots."""

    name: str
    digits: int
    secret: bool = True


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen.

    Args:
        keys: what the keys beside it do, in the order in which Tab meets them; with fields the first one is Enter.
        asks: what is to be typed on it.
        warns: whether what is about to happen stands above in a box of its own.
        agrees: whether the holder must accept the text first.
    """

    keys: tuple[str, ...]
    asks: tuple[Field, ...] = ()
    warns: bool = False
    agrees: bool = False


_TWICE = (Field("pin", 12), Field("again", 12))
_BACK = ("back", "take")
SCREENS: Mapping[str, Screen] = MappingProxyType(
    {
        "pin": Screen(("enter", "take"), (Field("pin", 12),)),
        "menu": Screen(("services", "take")),
        "services": Screen(("app", "sms", "end", "mobile", "static", "first", *_BACK)),
        "app": Screen(("yes", *_BACK), warns=True),
        "slip": Screen(_BACK),
        "sms": Screen(("yes", *_BACK), warns=True),
        "end": Screen(("end_app", "end_sms", "end_static", *_BACK)),
        "mobile": Screen(("enter", *_BACK), (Field("mobile", 16, secret=False),), warns=True),
        "mobile_code": Screen(("enter", *_BACK), (Field("code", 6, secret=False),)),
        "static": Screen(("enter", *_BACK), _TWICE, warns=True, agrees=True),
        "first": Screen(("enter", *_BACK), (Field("pin", 4), Field("again", 4))),
        "done": Screen(_BACK),
    }
)
PLAIN = MappingProxyType(
    {
        ("menu", "services"): "services",
        **{("services", name): name for name in ("app", "sms", "end", "mobile", "static", "first")},
        ("services", "back"): "menu",
        **{(name, "back"): "services" for name in SCREENS if name not in ("pin", "menu", "services")},
    }
)
"""Where a key leads that does nothing else: by screen and key."""
