"""Operators of the bank: who may look, who may act, how long a log-in lasts and how often it may be tried (D20)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from otp.domain.errors import InvalidOperator
from otp.domain.quotas import Charge, Span

IDLE_SECONDS = 900
"""A log-in ends after so long without a request (PCI DSS 4.0, 8.2.8: 15 minutes)."""
LONGEST_SECONDS = 43_200
"""And after twelve hours whatever happens (NIST SP 800-63B-4, AAL2: 24 hours at most)."""
PASSWORD_LEAST = 12
"""Characters (PCI DSS 4.0, 8.3.6)."""
PASSWORD_MOST = 200
_NAME = re.compile(r"[a-z][a-z0-9.-]{1,31}")

PAIR_PER_HOUR = 10
"""Tries of one name from one address (PCI DSS 4.0, 8.3.4: no more than ten)."""
ADDRESS_PER_HOUR = 60
NAME_PER_HOUR = 100
"""From all addresses together: high, so that a stranger cannot keep an operator out with a few tries (D17)."""


class Role(StrEnum):
    """What somebody may do on the page."""

    VIEWER = "viewer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who works at the bank."""

    name: str
    role: Role
    active: bool = True

    @property
    def may_act(self) -> bool:
        """Tell whether this person may ask for unlocks and approve them."""
        return self.active and self.role is Role.OPERATOR


def is_name(text: str) -> bool:
    """Tell whether this can be an operator's name: Latin small letters, digits, dots, dashes; 2 to 32."""
    return _NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """Return the name.

    Raises:
        InvalidOperator: when it can be none.
    """
    if not is_name(text):
        raise InvalidOperator(
            "a name is 2 to 32 small Latin letters, digits, dots and dashes, and begins with a letter"
        )
    return text


def check_password(length: int) -> None:
    """Refuse a password of this length, characters.

    Raises:
        InvalidOperator: when it is too short or too long.
    """
    if not PASSWORD_LEAST <= length <= PASSWORD_MOST:
        raise InvalidOperator(f"a password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters")


def log_in_charges(name: str, address: str) -> tuple[Charge, ...]:
    """Name the rows that one try to log in is counted on, in the order in which they are locked."""
    rows = (
        ("address", address, ADDRESS_PER_HOUR),
        ("name", name, NAME_PER_HOUR),
        ("pair", f"{name}|{address}", PAIR_PER_HOUR),
    )
    return tuple(Charge(f"log-in|{kind}|{whom}", Span.HOUR, most, silent=False) for kind, whom, most in rows)
