"""The outside with a watch beside it: the same ports, and each question is counted and timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType

from prometheus_client import Histogram

from gateway.domain.breaker import BreakerState
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import (
    Approved,
    AuthorisationAnswer,
    Declined,
    HolderAnswer,
    HolderNamed,
    HolderRefused,
    InquiryAnswer,
    NotFound,
    NotReversed,
    ReversalAnswer,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.meters import BREAKER_NUMBERS, Meters
from gateway.ports import (
    AuthorisationRequest,
    Callbacks,
    CreditRequest,
    Delivered,
    Delivery,
    Harim,
    HolderInquiry,
    InquiryRequest,
    NotDelivered,
    PinAnswer,
    PinRefused,
    PinRequest,
    PinSent,
    RefundRequest,
    ReversalRequest,
    Switch,
    TopUpRequest,
    TopUps,
    Webhook,
)

BreakerOf = Callable[[str], BreakerState]

ANSWERS = MappingProxyType(
    {
        Approved: "approved",
        Declined: "declined",
        Unknown: "unknown",
        Reversed: "reversed",
        ReversalUnknown: "unknown",
        NotFound: "not_found",
        NotReversed: "not_reversed",
        HolderNamed: "named",
        HolderRefused: "refused",
    }
)
"""How the answers of a switch are called in labels."""


class MeteredSwitch:
    """Implements :class:`gateway.ports.Switch` around another one."""

    def __init__(self, switch: Switch, meters: Meters, breaker_of: BreakerOf) -> None:
        self._switch = switch
        self._meters = meters
        self._breaker_of = breaker_of

    def authorise(self, issuer: Issuer, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Ask for the money, once."""
        with self._timed("purchase", issuer):
            answer = self._switch.authorise(issuer, request)
        self._meters.purchases.labels(issuer.issuer_id, ANSWERS[type(answer)]).inc()
        return answer

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Ask for the money to be given back, or never to be taken."""
        with self._timed("reversal", issuer):
            answer = self._switch.reverse(issuer, request)
        self._meters.recoveries.labels(issuer.issuer_id, "reversal", ANSWERS[type(answer)]).inc()
        return answer

    def credit(self, issuer: Issuer, request: CreditRequest) -> AuthorisationAnswer:
        """Give money to a card."""
        with self._timed("credit", issuer):
            answer = self._switch.credit(issuer, request)
        self._meters.recoveries.labels(issuer.issuer_id, "credit", ANSWERS[type(answer)]).inc()
        return answer

    def ask_holder(self, issuer: Issuer, request: HolderInquiry) -> HolderAnswer:
        """Ask whose card it is."""
        with self._timed("holder", issuer):
            answer = self._switch.ask_holder(issuer, request)
        self._meters.recoveries.labels(issuer.issuer_id, "holder", ANSWERS[type(answer)]).inc()
        return answer

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Ask what became of an original."""
        with self._timed("inquiry", issuer):
            answer = self._switch.inquire(issuer, request)
        self._meters.recoveries.labels(issuer.issuer_id, "inquiry", ANSWERS[type(answer)]).inc()
        return answer

    def refund(self, issuer: Issuer, request: RefundRequest) -> AuthorisationAnswer:
        """Ask for money to be given to the card."""
        with self._timed("refund", issuer):
            answer = self._switch.refund(issuer, request)
        self._meters.recoveries.labels(issuer.issuer_id, "refund", ANSWERS[type(answer)]).inc()
        return answer

    def echo(self, issuer: Issuer) -> bool:
        """Tell whether the host answers now."""
        with self._timed("echo", issuer):
            return self._switch.echo(issuer)

    @contextmanager
    def _timed(self, message: str, issuer: Issuer) -> Iterator[None]:
        seconds = self._meters.switch_seconds.labels(issuer.issuer_id, message)
        with _timed(self._meters, "switch", issuer, seconds, self._breaker_of):
            yield


class MeteredHarim:
    """Implements :class:`gateway.ports.Harim` around another one."""

    def __init__(self, harim: Harim, meters: Meters, breaker_of: BreakerOf) -> None:
        self._harim = harim
        self._meters = meters
        self._breaker_of = breaker_of

    def request_pin(self, issuer: Issuer, request: PinRequest) -> PinAnswer:
        """Ask ``issuer`` to send a code for this transaction to the card's holder."""
        seconds = self._meters.harim_seconds.labels(issuer.issuer_id)
        with _timed(self._meters, "harim", issuer, seconds, self._breaker_of):
            answer = self._harim.request_pin(issuer, request)
        self._meters.pin_requests.labels(issuer.issuer_id, _pin_answer(answer)).inc()
        return answer

    def delivery(self, issuer: Issuer, correlation_id: str) -> Delivery | None:
        """Ask ``issuer`` what became of a code's message."""
        told = self._harim.delivery(issuer, correlation_id)
        self._meters.deliveries.labels(issuer.issuer_id, "unanswered" if told is None else str(told)).inc()
        return told

    def ping(self, issuer: Issuer) -> bool:
        """Tell whether the issuer's Harim service answers now."""
        return self._harim.ping(issuer)

    def speaks(self, dialect: str) -> bool:
        """Tell whether this wire is known."""
        return self._harim.speaks(dialect)


class MeteredTopUps:
    """Implements :class:`gateway.ports.TopUps` around another one."""

    def __init__(self, top_ups: TopUps, meters: Meters) -> None:
        self._top_ups = top_ups
        self._meters = meters

    def deliver(self, request: TopUpRequest) -> AuthorisationAnswer:
        """Ask for a delivery."""
        answer = self._top_ups.deliver(request)
        self._meters.top_ups.labels("delivery", ANSWERS[type(answer)]).inc()
        return answer

    def cancel(self, request: TopUpRequest) -> ReversalAnswer:
        """Ask for a cancellation."""
        answer = self._top_ups.cancel(request)
        self._meters.top_ups.labels("cancellation", ANSWERS[type(answer)]).inc()
        return answer


class MeteredCallbacks:
    """Implements :class:`gateway.ports.Callbacks` around another one."""

    def __init__(self, callbacks: Callbacks, meters: Meters) -> None:
        self._callbacks = callbacks
        self._meters = meters

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:
        """Send once."""
        answer = self._callbacks.send(webhook)
        gone = isinstance(answer, NotDelivered) and answer.gone
        outcome = "delivered" if isinstance(answer, Delivered) else "gone" if gone else "not_delivered"
        self._meters.webhooks.labels(outcome).inc()
        return answer


@contextmanager
def _timed(meters: Meters, wire: str, issuer: Issuer, seconds: Histogram, breaker_of: BreakerOf) -> Iterator[None]:
    in_flight = meters.in_flight.labels(wire, issuer.issuer_id)
    began = time.perf_counter()
    in_flight.inc()
    try:
        yield
    finally:
        in_flight.dec()
        seconds.observe(time.perf_counter() - began)
        meters.breakers.labels(wire, issuer.issuer_id).set(BREAKER_NUMBERS[breaker_of(issuer.issuer_id)])


def _pin_answer(answer: PinAnswer) -> str:
    if isinstance(answer, PinSent):
        return "already_sent" if answer.already_sent else "sent"
    return str(answer.reason) if isinstance(answer, PinRefused) else "unanswered"
