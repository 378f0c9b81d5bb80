"""The client of every issuer's Harim service: the issuer's row says which dialect it speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from foundation.conversation import NoAnswer
from foundation.signatures import Signer
from foundation.xml_signatures import EnvelopeSigner
from gateway.bulkhead import Gates, NotAdmitted
from gateway.domain.breaker import BreakerState, Heard
from gateway.domain.issuers import X509_DIALECTS, Issuer
from gateway.harim import rest_v1, sadad, soap_v1, yaghut
from gateway.harim.transport import Transport
from gateway.ports import Delivery, PinAnswer, PinRefusal, PinRefused, PinRequest, PinUnanswered

REQUESTS_AT_ONCE = 16
"""PIN requests to one issuer at once, in one process."""

DELIVERIES_AT_ONCE = 4
DELIVERY_MS_MAX = 1_500
"""A page waits for news of an SMS; it is complete without, so it waits neither long nor often at the same bank."""

SILENCES = frozenset({"silent", "unreachable"})
"""Reasons of an unanswered request that the breaker counts; an incoherent answer is an answer."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire: the same functions in every dialect module."""

    request_pin: Callable[[Transport, Issuer, PinRequest], PinAnswer]
    delivery: Callable[[Transport, Issuer, str], Delivery | None]
    ping: Callable[[Transport, Issuer], bool]


DIALECTS: dict[str, Dialect] = {
    "harim-v1-rest": Dialect(rest_v1.request_pin, rest_v1.delivery, rest_v1.ping),
    "harim-v1-soap": Dialect(soap_v1.request_pin, soap_v1.delivery, soap_v1.ping),
    "tosan-yaghut": Dialect(yaghut.request_pin, yaghut.delivery, yaghut.ping),
    "sadad-adaptor": Dialect(sadad.request_pin, sadad.delivery, sadad.ping),
}


class HarimClient:
    """Implements :class:`gateway.ports.Harim`; ``gates`` are the ways to the issuers, to read their health from."""

    def __init__(self, signer: Signer, envelope_signer: EnvelopeSigner | None = None) -> None:
        self._transport = Transport(signer, envelope_signer)
        self.gates = Gates("harim", room=REQUESTS_AT_ONCE)
        self._delivery_gates = Gates("harim-delivery", room=DELIVERIES_AT_ONCE)

    def request_pin(self, issuer: Issuer, request: PinRequest) -> PinAnswer:
        """Ask the issuer, in its own dialect, to send a code; one that is full or held back is unavailable at once."""
        try:
            with self.gates.of(issuer.issuer_id).admitted() as visit:
                answer = DIALECTS[issuer.harim_dialect].request_pin(self._transport, issuer, request)
                silent = isinstance(answer, PinUnanswered) and answer.why in SILENCES
                visit.heard = Heard.SILENCE if silent else Heard.ANSWER
                return answer
        except NotAdmitted as error:
            log.warning("pin_request_not_sent", issuer_id=issuer.issuer_id, why=error.why)
            return PinRefused(PinRefusal.TEMPORARILY_UNAVAILABLE)

    def delivery(self, issuer: Issuer, correlation_id: str) -> Delivery | None:
        """Ask what became of a message, by a gate of its own: news of messages never keep a PIN request waiting."""
        quick = replace(issuer, harim_timeout_ms=min(issuer.harim_timeout_ms, DELIVERY_MS_MAX))
        try:
            with self._delivery_gates.of(issuer.issuer_id).admitted() as visit:
                try:
                    state = DIALECTS[issuer.harim_dialect].delivery(self._transport, quick, correlation_id)
                except NoAnswer as error:
                    visit.heard = Heard.SILENCE if str(error) in SILENCES else Heard.ANSWER
                    log.warning("delivery_unanswered", issuer_id=issuer.issuer_id, why=str(error))
                    return None
                visit.heard = Heard.ANSWER
                return state
        except NotAdmitted as error:
            log.info("delivery_not_asked", issuer_id=issuer.issuer_id, why=error.why)
            return None

    def breaker_state(self, issuer_id: str) -> BreakerState:
        """Tell whether this process holds PIN requests to this issuer back."""
        return self.gates.of(issuer_id).state

    def ping(self, issuer: Issuer) -> bool:
        """Tell whether the issuer's Harim service answers now."""
        return DIALECTS[issuer.harim_dialect].ping(self._transport, issuer)

    def speaks(self, dialect: str) -> bool:
        """Tell whether this wire is known, and we have the key that it needs."""
        return dialect in DIALECTS and (dialect not in X509_DIALECTS or self._transport.envelope_signer is not None)
