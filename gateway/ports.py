"""What is really outside, as the services see it: Harim, the switch, the operators, and the merchants' webhooks.

Every implementation calls :func:`foundation.database.guard_no_transaction` first and never raises for a partner's
behaviour: it answers with a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from foundation.pan import Pan
from foundation.sensitive import Sensitive
from gateway.domain.deliveries import Delivered as Delivered
from gateway.domain.deliveries import NotDelivered as NotDelivered
from gateway.domain.deliveries import Webhook as Webhook
from gateway.domain.issuers import Issuer
from gateway.domain.order import PROCESSING_CODES as PROCESSING_CODES
from gateway.domain.order import Kind as Kind
from gateway.domain.order import Order as Order
from gateway.domain.order import Route as Route
from gateway.domain.outcome import AuthorisationAnswer, HolderAnswer, InquiryAnswer, ReversalAnswer
from gateway.domain.top_up import TopUpRequest as TopUpRequest


@dataclass(frozen=True, slots=True)
class PinRequest:
    """Ask the issuer to send a dynamic PIN; ``cvv2`` and ``expiry`` (``YYMM``) make it a proven request (D19).

    Args:
        request_id: UUID, unique for ever (D21).
        sequence: counts the requests of one payment from 1.
    """

    request_id: str
    sequence: int
    order: Order
    pan: Pan
    cvv2: Sensitive[str] | None = None
    expiry: Sensitive[str] | None = None


@dataclass(frozen=True, slots=True)
class PinSent:
    """The issuer accepted the request. What it discloses depends on the card proof (D19).

    Args:
        correlation_id: the issuer's name for the code, by which it tells what became of the message.
    """

    already_sent: bool = False
    code_length: int | None = None
    expires_in_seconds: int | None = None
    resend_in_seconds: int | None = None
    mobile_last_two: str | None = None
    correlation_id: str | None = None

    @property
    def followed_as(self) -> str | None:
        """By which id the message can be followed; none where the issuer disclosed nothing about the card."""
        return None if self.expires_in_seconds is None else self.correlation_id

    @property
    def proof_passed_over(self) -> bool:
        """Tell whether an issuer that names its codes disclosed nothing, as it does where card data are not right."""
        return self.expires_in_seconds is None and self.correlation_id is not None


class PinRefusal(StrEnum):
    """Why an issuer sends no PIN; the page has a sentence for each."""

    CARD_NOT_FOUND = "card_not_found"
    CARD_BLOCKED = "card_blocked"
    CARD_DATA_MISMATCH = "card_data_mismatch"
    NO_MOBILE = "no_mobile"
    DYNAMIC_PIN_NOT_ACTIVE = "dynamic_pin_not_active"
    TOO_SOON = "too_soon"
    TOO_MANY_REQUESTS = "too_many_requests"
    TOO_MANY_LIVE_CODES = "too_many_live_codes"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    NOT_ACCEPTED = "not_accepted"


@dataclass(frozen=True, slots=True)
class PinRefused:
    """The issuer said no."""

    reason: PinRefusal
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class PinUnanswered:
    """The issuer did not answer, or not according to the contract; ``why`` is for the log."""

    why: str


PinAnswer = PinSent | PinRefused | PinUnanswered


class Delivery(StrEnum):
    """What an issuer tells of a code's last message, in the words of Harim v1."""

    QUEUED = "queued"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DROPPED = "dropped"
    UNDISCLOSED = "undisclosed"


class Harim(Protocol):
    """The issuers' dynamic-PIN services."""

    def request_pin(self, issuer: Issuer, request: PinRequest) -> PinAnswer:
        """Ask ``issuer`` to send a code for this transaction to the card's holder."""
        ...

    def delivery(self, issuer: Issuer, correlation_id: str) -> Delivery | None:
        """Ask ``issuer`` what became of a code's message; ``None`` when it did not say."""
        ...

    def ping(self, issuer: Issuer) -> bool:
        """Tell whether the issuer's Harim service answers now."""
        ...

    def speaks(self, dialect: str) -> bool:
        """Tell whether this wire is known."""
        ...


@dataclass(frozen=True, slots=True)
class Trace:
    """The key of one financial message: DE 11, 37, 12 (``YYMMDDhhmmss``, Asia/Tehran), with terminal and acquirer."""

    acquirer_id: str
    terminal_id: str
    stan: str
    rrn: str
    local_time: str


@dataclass(frozen=True, slots=True)
class AuthorisationRequest:
    """A 1200: take ``amount + fee`` from the card. It carries a PIN, so it is sent at most once (D1).

    ``destination`` is the card that a transfer sends the amount to, of this bank or of another.
    """

    order: Order
    trace: Trace
    pan: Pan
    expiry: Sensitive[str]
    cvv2: Sensitive[str]
    pin: Sensitive[str]
    destination: Pan | None = None


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """A 1200, or as a repeat a 1201: give the order's amount to the card, under one key for ever (D7)."""

    order: Order
    trace: Trace
    pan: Pan
    repeat: bool


@dataclass(frozen=True, slots=True)
class HolderInquiry:
    """A 1100: whose card is it? ``asker`` is our keyed token of the card that wants to send, 64 hex digits (D28)."""

    trace: Trace
    merchant_id: str
    pan: Pan
    asker: str


@dataclass(frozen=True, slots=True)
class ReversalRequest:
    """A 1420 for ``original``, under a STAN and time of its own, new in every repeat (DE 56 names the original)."""

    order: Order
    original: Trace
    stan: str
    local_time: str
    pan: Pan


@dataclass(frozen=True, slots=True)
class InquiryRequest:
    """A 1604 about ``original``; executes nothing (D9c)."""

    order: Order
    original: Trace
    stan: str
    local_time: str
    pan: Pan


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A credit of ``amount`` to the card that paid, without PIN or expiry (contracts/iso8583/v1, §9).

    Args:
        order: the payment's, with what goes back as its amount and no fee.
        trace: the refund's own, the same in every repeat.
        again: whether the issuer may have had it before: then it goes out as a repeat, which is done once at most.
    """

    order: Order
    trace: Trace
    pan: Pan
    again: bool


class Switch(Protocol):
    """The authorisation hosts of the issuers, one link each (D42)."""

    def authorise(self, issuer: Issuer, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Ask for the money, once."""
        ...

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Ask for the money to be given back, or never to be taken; a credit to be taken back, or never to be given."""
        ...

    def credit(self, issuer: Issuer, request: CreditRequest) -> AuthorisationAnswer:
        """Give money to a card; repeated until the answer is explicit."""
        ...

    def ask_holder(self, issuer: Issuer, request: HolderInquiry) -> HolderAnswer:
        """Ask whose card it is; moves nothing."""
        ...

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Ask what became of an original."""
        ...

    def refund(self, issuer: Issuer, request: RefundRequest) -> AuthorisationAnswer:
        """Ask for money to be given to the card, as often as needed; only what concludes it is not unknown."""
        ...

    def echo(self, issuer: Issuer) -> bool:
        """Tell whether the host answers now."""
        ...


class Unmatched(StrEnum):
    """Why nobody waits for an answer of an issuer's host; ``MAC`` means that it was not shown to be the host's."""

    LATE = "late"
    DUPLICATE = "duplicate"
    NOBODY = "nobody"
    MAC = "mac"


@dataclass(frozen=True, slots=True)
class UnmatchedAnswer:
    """An answer that nobody waits for, by its fields that are no secret; a missing one is the empty text."""

    issuer_id: str
    why: Unmatched
    message_type: str
    processing_code: str
    total: str
    stan: str
    local_time: str
    acquirer_id: str
    rrn: str
    action_code: str
    terminal_id: str
    approval_code: str
    capture_date: str


@dataclass(frozen=True, slots=True)
class WrappedKeys:
    """The three keys of one exchange, each wrapped under the key-exchange key ``kek_id``: never in clear (D22).

    Args:
        name: names the set on both sides; the ids of its keys in DE 53 are made of it.
        pin: protects PINs on their way to the issuer.
        request_mac: authenticates our messages.
        answer_mac: authenticates the host's.
    """

    name: str
    kek_id: str
    pin: bytes
    request_mac: bytes
    answer_mac: bytes


@dataclass(frozen=True, slots=True)
class ExchangedKeys:
    """A set of keys as this gateway keeps it.

    Args:
        number: counts the sets of one issuer from 1; 0 would be the key file's.
        active: whether the host is known to have it, so that we may write with it.
    """

    keys: WrappedKeys
    number: int
    active: bool


class KeyExchange(Protocol):
    """How keys are agreed anew with an issuer's host."""

    def new_keys(self, issuer: Issuer) -> WrappedKeys:
        """Draw a new set; raises :class:`foundation.keys.UnknownKey` without a key-exchange key for this issuer."""
        ...

    def check_values(self, issuer: Issuer, keys: WrappedKeys) -> tuple[str, str, str]:
        """Return what two custodians compare: check values of the PIN key, our MAC key and the host's."""
        ...

    def offer(self, issuer: Issuer, keys: WrappedKeys) -> AuthorisationAnswer:
        """Hand a set to the host, as often as needed: taken, refused and not kept, or not known."""
        ...


class Callbacks(Protocol):
    """The merchants' webhook addresses."""

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:
        """Send once."""
        ...


class TopUps(Protocol):
    """Whoever delivers top-ups for the operators; an answer is a value of the switch's kind (D7)."""

    def deliver(self, request: TopUpRequest) -> AuthorisationAnswer:
        """Ask for a delivery, as often as needed under one reference; its operator's own is the approval code."""
        ...

    def cancel(self, request: TopUpRequest) -> ReversalAnswer:
        """Ask that it be never delivered; "not reversed" means that it was."""
        ...
