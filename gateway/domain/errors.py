"""Every error the gateway raises on purpose.

::

    GatewayError                  has a stable ``code`` for machines
    ├─ InvalidInput               the caller can fix it by sending something else
    │  ├─ InvalidCard             ``part`` says which: pan, cvv2, expiry, pin
    │  ├─ InvalidAmount · InvalidOrderId · InvalidCallback · InvalidText · InvalidEndpoint
    │  ├─ UnknownIssuer           no issuer row for this BIN
    │  ├─ RealCardInSandbox       a real bank's card where only test cards work
    │  ├─ RefusedRow              an operator's row (issuer, merchant, key) is wrong; the message says why
    │  ├─ MalformedMessage · UnsupportedMediaType
    │  └─ InvalidCursor           a page's cursor is damaged or belongs to other filters
    ├─ NotFound                   PaymentNotFound · OrderNotFound · EndpointNotFound · EventNotFound
    │                             SettlementNotFound
    ├─ NotAllowed                 Unauthenticated · ScopeMissing · KeyOfOtherMode (D10)
    ├─ Conflict                   NotPossible · AmountMismatch · DuplicateOrder · IdempotencyMismatch
    │  ├─ IssuerPaused            an operator stopped new business with the card's issuer
    │  ├─ AttemptInProgress       another submission of this payment is being authorised (D8)
    │  ├─ ReversalWindowOver      confirmed too long ago to be reversed
    │  ├─ RequestInProgress       the same key, or the same payment, is being worked on at this moment
    │  └─ DuplicateEndpoint · TooManyEndpoints · RotationRunning
    └─ LimitReached               TooManyAttempts · TooManyExtensions · TooManyCalls

Bills, requests for PINs, refunds and transfers have modules of their own. Declined, wrong PIN, not enough balance and
unknown are answers, not errors: :mod:`gateway.domain.outcome`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Which part of a request a flaw is in."""

    BODY = "pointer"
    QUERY = "parameter"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a request.

    Args:
        name: JSON pointer (``#/amount``) in the body, otherwise the name of the parameter or header.
        detail: what is expected there; never what was sent.
    """

    place: Place
    name: str
    detail: str


class GatewayError(Exception):
    """Something said no on purpose; ``code`` is stable and public."""

    code = "gateway_error"


class InvalidInput(GatewayError):
    """The caller can fix this by sending something else; ``field`` names what, where it is one field of a message."""

    code = "invalid_input"
    field: str | None = None


class InvalidCard(InvalidInput):
    """A part of the card entry is missing or has the wrong shape."""

    code = "invalid_card"

    def __init__(self, part: str) -> None:
        super().__init__(f"{part} is missing or malformed")
        self.part = part


class InvalidAmount(InvalidInput):
    """The amount is outside the limits of this kind of payment."""

    code = "invalid_amount"
    field = "amount"

    def __init__(self, least: int, most: int) -> None:
        super().__init__(f"amount must be between {least} and {most} rials")
        self.least = least
        self.most = most


class InvalidOrderId(InvalidInput):
    """The order id is empty, too long, or holds other than letters, digits and ``._-``."""

    code = "invalid_order_id"
    field = "order_id"


class InvalidCallback(InvalidInput):
    """The callback address is not one of this merchant's site."""

    code = "invalid_callback"
    field = "callback_url"


class InvalidText(InvalidInput):
    """A description, mobile number or name has the wrong shape; the message names it."""

    code = "invalid_text"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field} {rule}")
        self.field = field


class InvalidEndpoint(InvalidInput):
    """A webhook endpoint's address, event types or overlap are outside their rules; the message says which."""

    code = "invalid_endpoint"


class UnknownIssuer(InvalidInput):
    """No issuer is connected for this card's BIN."""

    code = "unknown_issuer"


class RealCardInSandbox(InvalidInput):
    """A card of a real bank was typed in the sandbox; nothing was stored or sent."""

    code = "real_card_in_sandbox"

    def __init__(self, name_fa: str, name_en: str) -> None:
        super().__init__(f"this is a card of {name_en}; the sandbox takes test cards only")
        self.name_fa = name_fa
        self.name_en = name_en


class RefusedRow(InvalidInput):
    """An operator's row is wrong; the message is a sentence that says how to correct it."""

    code = "refused_row"


class MalformedMessage(InvalidInput):
    """The request does not follow the contract; ``flaws`` say where and what."""

    code = "malformed"

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("the request does not follow the contract")
        self.flaws = flaws


class UnsupportedMediaType(InvalidInput):
    """The body is of another type than the contract's."""

    code = "unsupported_media_type"


class InvalidCursor(InvalidInput):
    """The cursor is not one that this list gave, or its filters were changed on the way."""

    code = "invalid_cursor"


class NotFound(GatewayError):
    """There is no such thing, or it is not the caller's."""

    code = "not_found"


class PaymentNotFound(NotFound):
    """No payment of this caller has this id or page token."""

    code = "payment_not_found"


class OrderNotFound(NotFound):
    """No payment of this caller was ever opened for this order."""

    code = "order_not_found"


class EndpointNotFound(NotFound):
    """The caller's merchant has no webhook endpoint with this id."""

    code = "endpoint_not_found"


class EventNotFound(NotFound):
    """The caller's merchant has no event with this id, or it is older than events are kept."""

    code = "event_not_found"


class SettlementNotFound(NotFound):
    """The caller's merchant has no part in a closed batch of this id."""

    code = "settlement_not_found"


class NotAllowed(GatewayError):
    """The caller may not do this."""

    code = "not_allowed"


class Unauthenticated(NotAllowed):
    """The key is missing, unknown, expired or revoked."""

    code = "unauthenticated"


class KeyOfOtherMode(Unauthenticated):
    """A test key at a live gateway or the reverse; told by its prefix, without looking it up (D10)."""

    code = "key_of_other_mode"


class ScopeMissing(NotAllowed):
    """The key is genuine but may not do this; ``scope`` names what it lacks."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"this key lacks the scope {scope}")
        self.scope = scope


class Conflict(GatewayError):
    """The thing exists but its state, or another request, forbids this."""

    code = "conflict"


class NotPossible(Conflict):
    """The payment's state does not allow this; ``state`` is what outsiders may see."""

    code = "not_possible"

    def __init__(self, state: str) -> None:
        super().__init__(f"not possible while the payment is {state}")
        self.state = state


class AttemptInProgress(NotPossible):
    """Another submission of this payment is being authorised; look again instead of paying again (D8)."""

    code = "attempt_in_progress"


class IssuerPaused(Conflict):
    """An operator stopped new business with this card's issuer; nothing was sent, no attempt and no code used."""

    code = "issuer_paused"


class AmountMismatch(Conflict):
    """The amount confirmed is not the amount of the payment; nothing was changed."""

    code = "amount_mismatch"


class DuplicateOrder(Conflict):
    """The terminal has a live payment for this order id (D42); ``payment_id`` names it."""

    code = "duplicate_order"

    def __init__(self, payment_id: str) -> None:
        super().__init__(f"this order id belongs to {payment_id}")
        self.payment_id = payment_id


class IdempotencyMismatch(Conflict):
    """The idempotency key was used for another request."""

    code = "idempotency_mismatch"


class ReversalWindowOver(NotPossible):
    """The payment was confirmed too long ago to be reversed."""

    code = "reversal_window_over"


class RequestInProgress(Conflict):
    """Another request with this key, or about this payment, is being carried out; repeat it soon."""

    code = "request_in_progress"
    retry_after_seconds = 2


class DuplicateEndpoint(Conflict):
    """The merchant has an endpoint with this address."""

    code = "duplicate_endpoint"


class TooManyEndpoints(Conflict):
    """The merchant has as many endpoints as it may."""

    code = "too_many_endpoints"


class RotationRunning(Conflict):
    """The endpoint has two live secrets already; end that overlap first, or rotate without one."""

    code = "rotation_running"


class LimitReached(GatewayError):
    """A limit that guards people or money was reached."""

    code = "limit_reached"


class TooManyAttempts(LimitReached):
    """The payment has no attempt left."""

    code = "too_many_attempts"


class TooManyExtensions(LimitReached):
    """The page was extended as often as it may be."""

    code = "too_many_extensions"


class TooManyCalls(LimitReached):
    """Flood control; try again after ``retry_after_seconds``."""

    code = "too_many_calls"

    def __init__(self, retry_after_seconds: int = 60) -> None:
        super().__init__("too many calls")
        self.retry_after_seconds = retry_after_seconds
