"""What the customer is shown for each answer of the services: tables from results to words, places and statuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from gateway.domain import bill_errors, errors, pin_errors
from gateway.domain.declines import DECLINES, Decline
from gateway.domain.payment import PaymentState
from gateway.domain.transfer_errors import HolderNameOld, OtherPayee, OtherSourceCard, PayeeUnchecked, TransferLimit
from gateway.ports import Delivery, PinAnswer, PinRefused, PinSent, PinUnanswered
from gateway.ports import Kind as PaymentKind
from gateway.services.show_page import PageView, PinStatus

Tone = Literal["good", "warn", "bad"]
Kind = Literal[
    "card", "payee", "waiting", "unknown", "overdue", "receipt", "cancelled", "expired", "reversing", "disputed",
    "reversed",
]  # fmt: skip

SECONDS_UNTIL_RETURN = 20
"""Before a receipt leads back to the shop by itself: as long as a person may need to stop it (WCAG 2.2.1)."""

SECONDS_UNTIL_NEWS = 4
"""Before a waiting page's script asks for the first time; it asks more and more seldom."""


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence for the customer: its key in the wording, its values, and the field it belongs to, if any."""

    key: str
    tone: Tone = "bad"
    values: dict[str, object] = field(default_factory=dict)
    place: str | None = None


_KINDS: dict[PaymentState, Kind] = {
    PaymentState.OPEN: "card",
    PaymentState.PAYING: "waiting",
    PaymentState.UNKNOWN: "unknown",
    PaymentState.AUTHORISED: "receipt",
    PaymentState.CONFIRMED: "receipt",
    PaymentState.SETTLED: "receipt",
    PaymentState.REVERSING: "reversing",
    PaymentState.DISPUTED: "disputed",
    PaymentState.REVERSED: "reversed",
    PaymentState.REFUNDED: "reversed",
    PaymentState.CANCELLED: "cancelled",
    PaymentState.EXPIRED: "expired",
}

_WITH_SECOND_LEG = frozenset({PaymentKind.CARD_TRANSFER, PaymentKind.TOP_UP})


def kind_of(view: PageView) -> Kind:
    """Return which page a payment has now; an open one whose time is over has expired for its customer."""
    if view.kind in _WITH_SECOND_LEG and view.state is PaymentState.AUTHORISED:
        return "waiting"  # taken from one card, on its way to another or to a number
    if view.kind is PaymentKind.CARD_TRANSFER and view.state is PaymentState.OPEN and view.transfer is None:
        return "payee" if view.seconds_left else "expired"  # nobody has said who gets the money
    if view.in_flight and view.promise_broken:
        return "overdue"
    if view.state is PaymentState.OPEN and not view.seconds_left:
        return "expired"
    return _KINDS[view.state]


ERRORS: dict[type[errors.GatewayError], tuple[Message, HTTPStatus]] = {
    errors.InvalidCard: (Message("pan.length", place="pan"), HTTPStatus.UNPROCESSABLE_ENTITY),
    errors.UnknownIssuer: (Message("pan.unknown_issuer", place="pan"), HTTPStatus.UNPROCESSABLE_ENTITY),
    errors.RealCardInSandbox: (Message("pan.real", place="pan"), HTTPStatus.UNPROCESSABLE_ENTITY),
    errors.IssuerPaused: (Message("issuer.paused", "warn", place="pan"), HTTPStatus.CONFLICT),
    bill_errors.BillAlreadyPaid: (Message("bill.stale"), HTTPStatus.CONFLICT),
    OtherSourceCard: (Message("transfer.other_card", place="pan"), HTTPStatus.CONFLICT),
    OtherPayee: (Message("transfer.renamed", "warn"), HTTPStatus.CONFLICT),
    PayeeUnchecked: (Message("transfer.unchecked", place="checked"), HTTPStatus.UNPROCESSABLE_ENTITY),
    HolderNameOld: (Message("transfer.stale", "warn"), HTTPStatus.CONFLICT),
    TransferLimit: (Message("transfer.limit.now", "warn"), HTTPStatus.CONFLICT),
    pin_errors.TooManyPinRequests: (Message("pin.too_many_for_payment", "warn"), HTTPStatus.TOO_MANY_REQUESTS),
    pin_errors.TooManyPinRequestsOfCard: (Message("pin.too_many_requests", "warn"), HTTPStatus.TOO_MANY_REQUESTS),
    pin_errors.TooManyUnprovenPinRequests: (
        Message("pin.too_many_unproven", "warn", place="cvv2"),
        HTTPStatus.TOO_MANY_REQUESTS,
    ),
    errors.TooManyAttempts: (Message("tries.none"), HTTPStatus.TOO_MANY_REQUESTS),
    errors.TooManyExtensions: (Message("extend.none", "warn"), HTTPStatus.CONFLICT),
}
"""Errors after which the card page is shown again; their sentence says what to do."""

WAITS: frozenset[Kind] = frozenset({"waiting", "unknown", "overdue"})
"""Pages that offer nothing to press but themselves."""

WATCHED: frozenset[Kind] = WAITS | {"reversing", "disputed"}
"""Pages that will be another one by and by; their script asks, and shows the other in its place."""

_PIN_TONES: dict[str, Tone] = {"card_not_found": "bad", "card_blocked": "bad", "card_data_mismatch": "bad"}


def pin_message(answer: PinAnswer) -> Message:
    """Return what the customer reads after asking for a dynamic PIN; says no more than the issuer disclosed (D19)."""
    match answer:
        case PinSent(already_sent=True):
            return Message("pin.already_sent", "good")
        case PinSent(mobile_last_two=str(tail), expires_in_seconds=int(seconds)):
            return Message("pin.sent.proven", "good", {"tail": tail, "seconds": seconds})
        case PinSent(expires_in_seconds=int()):
            return Message("pin.sent", "good")
        case PinSent():
            return Message("pin.accepted", "good")
        case PinRefused(reason=reason, retry_after_seconds=seconds):
            return Message(f"pin.{reason}", _PIN_TONES.get(reason, "warn"), {"seconds": seconds or 60})
        case PinUnanswered():
            return Message("pin.temporarily_unavailable", "warn")


_DELIVERIES: dict[Delivery, Message] = {
    Delivery.QUEUED: Message("pin.delivery.queued", "good"),
    Delivery.ACCEPTED: Message("pin.delivery.accepted", "good"),
    Delivery.REFUSED: Message("pin.delivery.not_sent", "warn"),
    Delivery.DROPPED: Message("pin.delivery.not_sent", "warn"),
}


def delivery_message(pin: PinStatus) -> Message | None:
    """Return what the customer reads of the SMS while its code is good; nothing where its issuer tells nothing."""
    if not (pin.code_good and pin.delivery):
        return None
    return _DELIVERIES[pin.delivery]


def last_attempt_messages(view: PageView) -> tuple[Message, ...]:
    """Return what the card page says of the latest attempt: why it was refused, or that it took nothing after all."""
    if view.last_decline:
        return refusal_messages(DECLINES[view.last_decline], view.attempts_left)
    if view.last_voided:
        return (Message("attempt.voided", "warn"), _tries(view.attempts_left))
    return ()


def refusal_messages(decline: Decline, attempts_left: int) -> tuple[Message, ...]:
    """Return why the issuer said no and how many tries this payment has left (its own, D18)."""
    return (Message(f"decline.{decline.reason}", place=_PLACES.get(decline.reason)), _tries(attempts_left))


def _tries(attempts_left: int) -> Message:
    return Message("tries.left", values={"count": attempts_left}) if attempts_left else Message("tries.none")


_PLACES = {
    "card_or_code_wrong": "pin",
    "code_expired": "pin",
    "code_used": "pin",
    "code_of_other_payment": "pin",
    "pin_required": "pin",
    "above_static_ceiling": "pin",
}
