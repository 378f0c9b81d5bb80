"""What the network said about money: an answer is a value, and "no answer" is one of the answers.

Only an explicit answer ever ends :class:`Unknown` (D2); "not found" is not a no.
"""

from __future__ import annotations

from dataclasses import dataclass

from foundation.rial import Rial
from foundation.sensitive import Sensitive

APPROVED_CODE = "000"


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left on a card, or how far it is overdrawn: shown once, kept nowhere."""

    amount: Rial
    overdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Approved:
    """The issuer took the money: exactly action code 000 in a message whose MAC and echoed fields agree (D3).

    Args:
        approval_code: DE 38, six characters, where the issuer gives one; of a top-up its operator's reference.
        capture_date: DE 17 ``MMDD``, stamped by the issuer's host (D7).
        balance: DE 54, what is left on the card; only where just that was asked for.
    """

    approval_code: str | None = None
    capture_date: str | None = None
    balance: Sensitive[Balance] | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The issuer said no; ``action_code`` is DE 39, listed in :mod:`gateway.domain.declines`."""

    action_code: str


NO_PLACE = "full"
"""Why of a question that was not asked: all of the issuer's places in this process were taken. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody said yes or no. ``why`` is for the log: ``silent``, ``unreachable``, ``incoherent`` or an action code."""

    why: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The host has no such original now. It may still arrive, so this is not a no (D2)."""


@dataclass(frozen=True, slots=True)
class Reversed:
    """The issuer accepted the reversal, or (as an inquiry's answer) says that the original was reversed."""


@dataclass(frozen=True, slots=True)
class ReversalUnknown:
    """No explicit acceptance of the reversal; it is repeated until there is one."""

    why: str


@dataclass(frozen=True, slots=True)
class NotReversed:
    """The issuer says that it cannot take the money back, now or ever: what was to be reversed is complete (D7).

    Args:
        capture_date: DE 17 ``MMDD`` of what stands, as the issuer's host stamped it.
    """

    capture_date: str | None = None


@dataclass(frozen=True, slots=True)
class HolderNamed:
    """Whose card it is, as its bank shows it to strangers: the first letters of the name, and stars (D28)."""

    name: str


@dataclass(frozen=True, slots=True)
class HolderRefused:
    """The bank tells no name: no such card, one that takes no money, or too many questions (``action_code``)."""

    action_code: str


AuthorisationAnswer = Approved | Declined | Unknown
ReversalAnswer = Reversed | NotReversed | ReversalUnknown
HolderAnswer = HolderNamed | HolderRefused | Unknown
InquiryAnswer = Approved | Declined | Reversed | NotFound | Unknown
