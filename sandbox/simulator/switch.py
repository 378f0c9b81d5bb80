"""The gateway's own switch client over wires of paper: breaker, messages, MACs and outcomes are the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foundation.keys import Keyring
from gateway.bulkhead import Gate, Gates, NotAdmitted
from gateway.domain.breaker import Pass
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import (
    APPROVED_CODE,
    NO_PLACE,
    AuthorisationAnswer,
    InquiryAnswer,
    ReversalAnswer,
    ReversalUnknown,
)
from gateway.ports import (
    AuthorisationRequest,
    CreditRequest,
    InquiryRequest,
    RefundRequest,
    ReversalRequest,
    Trace,
    Unmatched,
    UnmatchedAnswer,
)
from gateway.services.gateway import Gateway
from gateway.services.hear_unmatched import APPROVAL_TYPE, hear_unmatched
from gateway.switch import iso8583
from gateway.switch.client import PURCHASES_AT_ONCE, RECOVERIES_AT_ONCE, SwitchClient
from gateway.switch.iso8583 import Message
from gateway.switch.keys import LinkKeys
from gateway.switch.unmatched import unmatched_of
from gateway.switch.wire import NoAnswer, NothingSent
from otp.domain.credit import PROCESSING_CODES
from otp.host.respond import Responder
from sandbox.simulator.memory import Key
from sandbox.simulator.network import FATES, GIVING_FATES, Network, NotSent, Question
from sandbox.world import ACQUIRER_ID

MS = 1000
LOST_MOST = 200
GIVING_POINT = 0.15
GIVING = frozenset(PROCESSING_CODES)
"""DE 3 of what gives money to a card."""

Told = Callable[[Trace, object], None]
States = Callable[[Key], tuple[str, str]]
"""Gives the states of the attempt with a message key and of its payment."""


class SimulatedGate(Gate):
    """A gate on the run's clock that counts whom its breaker sends away."""

    def __init__(self, name: str, network: Network, *, room: int, breaks: bool) -> None:
        super().__init__(name, room=room, breaks=breaks, now=network.now)
        self._network = network

    def _enter(self) -> Pass:
        try:
            return super()._enter()
        except NotAdmitted as error:
            self._network.saw("no place" if error.why == NO_PLACE else "breaker open")
            raise


class SimulatedGates(Gates):
    """Gates of this kind."""

    def __init__(self, wire: str, network: Network, *, room: int, breaks: bool = True) -> None:
        super().__init__(wire, room=room, breaks=breaks)
        self._network = network

    def of(self, issuer_id: str) -> Gate:
        """Return the issuer's gate."""
        if issuer_id not in self._gates:
            name = f"{self._wire} {issuer_id}"
            self._gates[issuer_id] = SimulatedGate(name, self._network, room=self._room, breaks=self._breaks)
        return self._gates[issuer_id]


@dataclass
class SimulatedLink:
    """One issuer's link, as :class:`gateway.switch.link.IssuerLink` is asked."""

    network: Network
    issuer: Issuer
    keys: LinkKeys
    host: Responder
    states: States
    lost_and_found: Callable[[UnmatchedAnswer], bool]

    def ask(self, question: Message, ends_at: float) -> Message:  # noqa: ARG002 - the machine's clock; ours is the run's
        """Send a message and return its genuine answer.

        Raises:
            NothingSent: the issuer cannot be reached.
            NoAnswer: the answer was lost, unreadable or not genuine.
        """
        frame = iso8583.encode(question, self.keys.signer(question.text(53)))

        def at_bank(whole: bool) -> bytes:  # noqa: FBT001 - the only argument
            answer = self.host.respond(frame if whole else bytes([*frame[:-1], frame[-1] ^ 1]), None).frame
            if question.mti in {"1200", "1201"}:
                self.network.point("bank.after_debit_before_answer")
            return answer

        gives = question.text(3) in GIVING
        taking = question.mti == "1200" and not gives
        asked = Question(
            self.issuer.issuer_id,
            at_bank,
            self.issuer.switch_timeout_ms / MS,
            GIVING_FATES if gives else FATES,
            (lambda: self.states(_key(question))) if taking else None,
            self._unheard,
        )
        try:
            heard = self.network.carry(asked)
        except NotSent:
            raise NothingSent("unreachable") from None
        answer = None if heard is None else self._read(heard)
        if answer is None:
            raise NoAnswer("silent")
        return answer

    def _unheard(self, frame: bytes, again: bool) -> None:  # noqa: FBT001 - one of two things said of an answer
        answer = self._read(frame)
        if answer is not None:
            self._hand_over(answer, Unmatched.DUPLICATE if again else Unmatched.LATE)

    def _read(self, frame: bytes) -> Message | None:
        """Return a genuine answer, as the real link does."""
        try:
            answer = iso8583.decode(frame)
        except iso8583.Malformed:
            return None
        if self.keys.genuine(answer.text(53), *iso8583.signed_part(frame)):
            return answer
        self._hand_over(answer, Unmatched.MAC)
        return None

    def _hand_over(self, answer: Message, why: Unmatched) -> None:
        self.lost_and_found(unmatched_of(answer, self.issuer.issuer_id, why))


@dataclass
class LostAndFound:
    """Answers that nobody waits for, each heard in a turn of its own as the real gateway hears them on a thread."""

    network: Network
    states: States
    gateway: Gateway | None = None

    def put(self, answer: UnmatchedAnswer) -> bool:
        """Keep an answer to be heard."""
        if len(self.network.lost) >= LOST_MOST:
            return False
        self.network.lost.append(lambda: self._hear(answer))
        return True

    def _hear(self, answer: UnmatchedAnswer) -> None:
        if self.gateway is None:
            raise LookupError("no gateway is wired")
        key = (answer.acquirer_id, answer.terminal_id, answer.stan, answer.rrn, answer.local_time)
        if (answer.message_type, answer.action_code) == (APPROVAL_TYPE, APPROVED_CODE):
            self.network.saw(f"{answer.why} approval of an attempt {self.states(key)[0]}")
        hear_unmatched(self.gateway, answer)


class SimulatedSwitch(SwitchClient):
    """Implements :class:`gateway.ports.Switch`; places of death lie before and after each question.

    Args:
        told: hears each answer before the use case does.
        states: says where an attempt stands.
    """

    def __init__(self, network: Network, keyring: Keyring, told: Told, states: States) -> None:
        self.found = LostAndFound(network, states)
        super().__init__(keyring, ACQUIRER_ID, lost_and_found=self.found.put)
        self.hosts: dict[str, Responder] = {}
        self._network = network
        self._told = told
        self._states = states
        self.gates = SimulatedGates("switch", network, room=PURCHASES_AT_ONCE)
        self._recoveries = SimulatedGates("recovery", network, room=RECOVERIES_AT_ONCE, breaks=False)

    def authorise(self, issuer: Issuer, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Ask for the money, once."""
        self._network.point("gateway.before_issuer_call")
        answer = super().authorise(issuer, request)
        self._network.point("gateway.after_issuer_call")
        self._told(request.trace, answer)
        return answer

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Ask what became of an original."""
        answer = super().inquire(issuer, request)
        self._network.point("worker.after_inquiry_before_record")
        self._told(request.original, answer)
        return answer

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Ask for the money back."""
        self._network.point("worker.before_reversal")
        answer = super().reverse(issuer, request)
        if isinstance(answer, ReversalUnknown):
            self._network.saw("reversal not answered")
        self._network.point("worker.after_reversal_before_record")
        return answer

    def credit(self, issuer: Issuer, request: CreditRequest) -> AuthorisationAnswer:
        """Give a transfer's money to its destination."""
        self._network.point("worker.before_credit", GIVING_POINT)
        answer = super().credit(issuer, request)
        self._network.point("worker.after_credit_before_record", GIVING_POINT)
        return answer

    def refund(self, issuer: Issuer, request: RefundRequest) -> AuthorisationAnswer:
        """Give money back to the card that paid."""
        answer = super().refund(issuer, request)
        self._network.point("worker.after_refund_before_record", GIVING_POINT)
        return answer

    def _link(self, issuer: Issuer) -> SimulatedLink:  # type: ignore[override]  # asked in the same way
        host = self.hosts[issuer.issuer_id]
        return SimulatedLink(self._network, issuer, self._keys(issuer), host, self._states, self._lost_and_found)


def _key(question: Message) -> Key:
    return tuple(question.text(number) for number in (32, 41, 11, 37, 12))
