"""What is really outside, as the services see it: the SMS providers.

Every implementation calls :func:`foundation.database.guard_no_transaction` first and never raises for a partner's
behaviour: it answers with a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from foundation.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class SmsTemplate:
    """The same words once more, for providers that send codes by a template agreed with them before.

    Args:
        name: ours: ``code`` for a payment's code, ``sms_code`` for the answer to a holder's message.
        values: what the template leaves open, by our names (:mod:`otp.domain.message`).
    """

    name: str
    values: Mapping[str, Sensitive[str]]


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """One message to one phone.

    Args:
        reference: the same for every try at one message, so that a provider can refuse to send it twice.
        sender: the bank's number.
        mobile: ``09`` and nine digits.
        text: what the holder reads; it may carry a code.
        timeout_seconds: the longest that all providers together may take.
        template: where the message is a code.
        life_seconds: how long it is of any use, where that is not for ever.
    """

    reference: str
    sender: str
    mobile: Sensitive[str]
    text: Sensitive[str]
    timeout_seconds: float
    template: SmsTemplate | None = None
    life_seconds: float | None = None


class Fault(StrEnum):
    """Whose fault it is that a message was not taken over; it says what becomes of the provider."""

    PROVIDER = "provider"
    """Silent, busy or broken: counts against its health."""
    MESSAGE = "message"
    """Its words, its template, or a person who wants nothing of this line: the provider itself is well."""
    ACCOUNT = "account"
    """No credit, wrong credentials, an address not allowed: an operator has to act."""


@dataclass(frozen=True, slots=True)
class SmsAccepted:
    """The provider took the message over; ``message_id`` is its own name for it, after ``provider:`` if several."""

    message_id: str


@dataclass(frozen=True, slots=True)
class SmsRefused:
    """The provider said no, and so will every other; ``why`` is for the log."""

    why: str


@dataclass(frozen=True, slots=True)
class SmsUnanswered:
    """Not taken over as far as we know; the message may or may not have gone out. ``why`` is for the log."""

    why: str
    fault: Fault = Fault.PROVIDER


SmsAnswer = SmsAccepted | SmsRefused | SmsUnanswered


class Receipt(StrEnum):
    """What a provider says became of a message that it had accepted."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class SmsProvider(Protocol):
    """Somebody who delivers text messages."""

    def send(self, message: SmsMessage) -> SmsAnswer:
        """Hand one message over, within its time-out."""
        ...


@runtime_checkable
class ProviderReceipts(Protocol):
    """A provider that tells what became of its messages."""

    def receipts(self, message_ids: Sequence[str], timeout_seconds: float) -> Mapping[str, Receipt]:
        """Ask about messages by the ids of :class:`SmsAccepted`; who is not in the answer, nothing is known of."""
        ...


class SmsListener(Protocol):
    """Who hears what a centre says by itself; it keeps what it hears before it returns, and raises if it cannot."""

    def reported(self, message_id: str, receipt: Receipt) -> None:
        """Hear what became of a message, by the id of :class:`SmsAccepted`."""
        ...

    def received(self, provider: str, sender: Sensitive[str], text: Sensitive[str]) -> None:
        """Hear what a person texted to the bank's number.

        A text in several parts is heard once and without its words: they may come in any order and to any process, and
        what the bank understands is never as long.
        """
        ...


class SmsSession(Protocol):
    """A provider with a connection that has to be kept, and that speaks by itself."""

    def start(self, listener: SmsListener) -> None:
        """Connect, and stay connected."""
        ...

    def stop(self) -> None:
        """Take leave."""
        ...


class SmsLines(ProviderReceipts, SmsSession, Protocol):
    """All providers as one, beside sending.

    Attributes:
        tells: whether any of them says what became of messages.
    """

    tells: bool

    def reported(self, message_id: str) -> None:
        """Hear that a message's receipt came: its provider is trusted again."""
        ...

    def missing(self, message_id: str) -> bool:
        """Hear that a message's life ended without a receipt: its provider is trusted less, if it is one that tells."""
        ...
