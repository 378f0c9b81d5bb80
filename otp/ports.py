"""What is really outside, as the services see it: the SMS provider.

Every implementation calls :func:`foundation.database.guard_no_transaction` first and never raises for a partner's
behaviour: it answers with a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from foundation.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """One message to one phone.

    Args:
        reference: the same for every try at one message, so that a provider can refuse to send it twice.
        sender: the bank's number.
        mobile: ``09`` and nine digits.
        text: what the holder reads; it may carry a code.
        timeout_seconds: the longest the provider may take.
    """

    reference: str
    sender: str
    mobile: Sensitive[str]
    text: Sensitive[str]
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class SmsAccepted:
    """The provider took the message over; ``message_id`` is its own name for it."""

    message_id: str


@dataclass(frozen=True, slots=True)
class SmsRefused:
    """The provider said no, and will say no again; ``why`` is for the log."""

    why: str


@dataclass(frozen=True, slots=True)
class SmsUnanswered:
    """No clear answer in time; the message may or may not have gone out. ``why`` is for the log."""

    why: str


class SmsProvider(Protocol):
    """Somebody who delivers text messages."""

    def send(self, message: SmsMessage) -> SmsAccepted | SmsRefused | SmsUnanswered:
        """Hand one message over, within its time-out."""
        ...
