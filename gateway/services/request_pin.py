"""The shopper asks the issuer, through Harim, for a dynamic PIN."""

from __future__ import annotations

import uuid

from gateway.domain.card import CardEntry
from gateway.domain.errors import LimitReached
from gateway.domain.issuers import Issuer
from gateway.domain.limits import (
    DELIVERY_CHECK_SECONDS,
    PIN_REQUESTS_MAX,
    PROVEN_PIN_REQUESTS,
    UNPROVEN_PIN_REQUESTS,
    CardShare,
)
from gateway.domain.pin_errors import TooManyPinRequests, TooManyPinRequestsOfCard, TooManyUnprovenPinRequests
from gateway.ports import Delivery, PinAnswer, PinRefused, PinRequest, PinSent, PinUnanswered
from gateway.services.gateway import Gateway
from gateway.services.order import order_of
from gateway.services.pause_issuer import unless_paused
from gateway.services.show_page import why_not
from gateway.services.take_card import issuer_of, pan_hash
from gateway.services.transfers import unless_other_card
from gateway.store import pins
from gateway.store.pins import Asked

_SHARES: dict[bool, tuple[CardShare, type[LimitReached]]] = {
    True: (PROVEN_PIN_REQUESTS, TooManyPinRequestsOfCard),
    False: (UNPROVEN_PIN_REQUESTS, TooManyUnprovenPinRequests),
}
"""By whether the request shows CVV2 and expiry."""


def request_pin(gateway: Gateway, page_token: str, card: CardEntry) -> PinAnswer:
    """Record the request, ask the card's issuer to send a code, record the answer and return it.

    ``card`` needs the PAN only; CVV2 and expiry make the request a proven one (D19). A page that would end before the
    code gets its first extension by itself.

    Raises:
        PaymentNotFound: no payment has this token.
        NotPossible: the payment is not open, or its time is over.
        AttemptInProgress: an attempt of this payment is being authorised.
        UnknownIssuer, RealCardInSandbox: this card is not taken here.
        OtherSourceCard: a transfer was begun with another card.
        TooManyPinRequests: five for this payment (D20).
        TooManyPinRequestsOfCard: the card's hourly or daily share, over all payments (D20).
        TooManyUnprovenPinRequests: the same of requests without card proof, a share of their own (D19).
        IssuerPaused: an operator stopped new business with this issuer; nothing was sent or counted.
    """
    issuer = issuer_of(gateway, card.pan)
    request_id = str(uuid.uuid4())
    asked = _record(gateway, page_token, card, issuer=issuer, request_id=request_id)
    answer = gateway.harim.request_pin(issuer, _message(asked, card, request_id))
    facts = _facts(answer, issuer) | {
        "request_id": request_id,
        "disproved": _proven(card) and _disproved(answer),
        "extension_seconds": gateway.settings.extension_seconds,
    }
    with gateway.database.single() as connection:
        pins.answer(connection, facts)
    return answer


def _record(gateway: Gateway, page_token: str, card: CardEntry, *, issuer: Issuer, request_id: str) -> Asked:
    hashed = pan_hash(gateway, card.pan)
    values = {
        "page_token": page_token,
        "requests_max": PIN_REQUESTS_MAX,
        "card": hashed.hex(),
        "pan_hash": hashed,
        "request_id": request_id,
        "issuer_id": issuer.issuer_id,
        "proven": _proven(card),
    }
    with gateway.database.begin() as connection:
        asked = pins.ask(connection, values)
        if asked is not None and (limit := _above_share(asked, proven=_proven(card))) is not None:
            raise limit  # rolls the count back
    if asked is None:
        of_payment = unless_paused(gateway, issuer, TooManyPinRequests)
        raise why_not(gateway, page_token, unless_other_card(gateway, page_token, hashed, of_payment))
    return asked


def _proven(card: CardEntry) -> bool:
    return card.cvv2 is not None and card.expiry is not None


def _disproved(answer: PinAnswer) -> bool:
    """Tell whether the issuer's answer leaves it open that the card data were right.

    Where it refuses, no code goes out that the holder's share could guard against; so whoever makes card data up uses
    nothing of it, however the issuer words that.
    """
    return isinstance(answer, PinRefused) or (isinstance(answer, PinSent) and answer.proof_passed_over)


def _above_share(asked: Asked, *, proven: bool) -> LimitReached | None:
    share, error = _SHARES[proven]
    return error() if asked.hour_used > share.hour or asked.day_used > share.day else None


def _message(asked: Asked, card: CardEntry, request_id: str) -> PinRequest:
    return PinRequest(request_id, asked.pin_requests, order_of(asked), card.pan, card.cvv2, card.expiry)


def _facts(answer: PinAnswer, issuer: Issuer) -> dict[str, object]:
    facts: dict[str, object] = {
        "reason": None,
        "code_length": None,
        "mobile_last_two": None,
        "resend_in_seconds": 0,
        "expires_in_seconds": 0,
        "correlation_id": None,
        "delivery": None,
        "check_seconds": DELIVERY_CHECK_SECONDS,
    }
    match answer:
        case PinSent():
            return facts | {
                "state": "sent",
                "code_length": answer.code_length,
                "mobile_last_two": answer.mobile_last_two,
                "resend_in_seconds": answer.resend_in_seconds or issuer.resend_wait_seconds,
                "expires_in_seconds": answer.expires_in_seconds or issuer.code_life_seconds,
                "correlation_id": answer.followed_as,
                "delivery": Delivery.QUEUED if answer.followed_as and not answer.already_sent else None,
            }
        case PinRefused(reason, retry_after):
            return facts | {"state": "refused", "reason": reason, "resend_in_seconds": retry_after or 0}
        case PinUnanswered(why):
            return facts | {"state": "unanswered", "reason": why}
