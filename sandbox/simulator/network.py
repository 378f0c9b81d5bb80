"""The wires between the organisations: they lose, delay, repeat and garble; what they carry is the real messages."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from foundation.database import guard_no_transaction
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import (
    AuthorisationAnswer,
    Declined,
    InquiryAnswer,
    ReversalAnswer,
    ReversalUnknown,
    Unknown,
)
from gateway.harim.v1 import ACCEPTED, REFUSALS
from gateway.ports import (
    AuthorisationRequest,
    Delivered,
    Delivery,
    InquiryRequest,
    NotDelivered,
    PinAnswer,
    PinRefusal,
    PinRefused,
    PinRequest,
    PinSent,
    PinUnanswered,
    ReversalRequest,
    Webhook,
)
from gateway.switch import iso8583
from gateway.switch.iso8583 import Message
from gateway.switch.keys import LinkKeys
from gateway.switch.messages import inquiry_message, purchase_message, reversal_message, total_of
from gateway.switch.outcomes import inquiry_outcome_of, outcome_of, reversal_outcome_of
from otp.domain.binding import Binding, TransactionType
from otp.host.respond import Responder
from otp.ports import SmsAccepted, SmsMessage, SmsRefused, SmsUnanswered
from otp.services.bank import Bank
from otp.services.issue_code import CodeRequest, issue_code
from sandbox.simulator.faults import Clock, Crashed, Fuse

FATES = ("delivered", "lost", "answer lost", "delayed", "repeated", "answer late", "garbled", "not sent")
FATE_WEIGHTS = (70, 5, 6, 6, 4, 6, 2, 1)
BANK_DIES = 0.02
MS = 1000
TRANSIT_MOST = 200
UNREACHABLE = "912"
T = TypeVar("T")
CODE = re.compile(r"رمز پویا: ([0-9]+)")


@dataclass
class Network:
    """What all simulated wires share.

    Args:
        meanwhile: lets other actors act while a message is under way; set by the scheduler.
    """

    dice: random.Random
    clock: Clock
    fuses: dict[str, Fuse]
    faulty: bool = True
    meanwhile: Callable[[], None] = lambda: None
    note: Callable[[str], None] = lambda _: None
    transit: list[Callable[[], object]] = field(default_factory=list)

    def fate(self) -> str:
        """Draw what happens to one message."""
        fate = self.dice.choices(FATES, FATE_WEIGHTS)[0] if self.faulty else FATES[0]
        if fate != FATES[0]:
            self.note(f"message {fate}")
        return fate

    def carry(self, at_bank: Callable[[], bytes], timeout_ms: int) -> bytes | None:
        """Bring a message to the bank by one fate; ``None`` is silence. ``not sent`` is the caller's to draw first."""
        fate = self.fate()
        self.clock.seconds += 0.05
        if fate in {"delayed", "repeated"} and len(self.transit) < TRANSIT_MOST:
            self.transit.append(at_bank)
        answer = None if fate in {"lost", "delayed", "not sent"} else self.at_bank(at_bank)
        if fate == "answer late":
            self.clock.seconds += self.dice.choice((1, 5, 30))
            self.meanwhile()
        if answer is None or fate in {"lost", "delayed", "answer lost", "not sent"}:
            self.clock.seconds += timeout_ms / MS
            return None
        return bytes([answer[0], answer[1] ^ 1, *answer[2:-1], answer[-1] ^ 1]) if fate == "garbled" else answer

    def at_bank(self, work: Callable[[], T]) -> T | None:
        """Let the bank work; its process may die before, in or after its transaction, and then nobody answers."""
        fuse, before = self.fuses["bank"], self.fuses["bank"].left
        if self.faulty and self.dice.random() < BANK_DIES:
            fuse.left = self.dice.randrange(2)
        try:
            return work()
        except Crashed:
            self.note("bank died")
            return None
        finally:
            fuse.left = before

    def deliver(self) -> str:
        """Deliver one message that was under way for long; nobody waits for its answer."""
        self.at_bank(self.transit.pop(self.dice.randrange(len(self.transit))))
        return "delivered"


@dataclass
class SimulatedSwitch:
    """Implements :class:`gateway.ports.Switch`: the real messages of both ends, over a network of paper."""

    network: Network
    keys: LinkKeys
    host: Responder | None = None

    def authorise(self, issuer: Issuer, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Ask for the money, once."""
        question = purchase_message(request, self.keys)
        if self.network.faulty and self.network.dice.random() < 1 / 100:
            return Declined(UNREACHABLE)
        answer = self._ask(issuer, question)
        return Unknown("silent") if answer is None else outcome_of(question, answer)

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Ask for the money back."""
        question = reversal_message(request, self.keys)
        answer = self._ask(issuer, question)
        if answer is None:
            return ReversalUnknown("silent")
        return reversal_outcome_of(question, answer, keeps_tombstones=issuer.keeps_tombstones)

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Ask what became of an original."""
        question = inquiry_message(request, self.keys)
        answer = self._ask(issuer, question)
        return (
            Unknown("silent") if answer is None else inquiry_outcome_of(question, answer, total=total_of(request.order))
        )

    def echo(self, issuer: Issuer) -> bool:
        """Answer always."""
        return bool(issuer.active)

    def _ask(self, issuer: Issuer, question: Message) -> Message | None:
        guard_no_transaction()
        host, frame = self.host, iso8583.encode(question, self.keys.signer(question.text(53)))
        if host is None:
            raise LookupError("no host is wired")
        heard = self.network.carry(lambda: host.respond(frame, None).frame, issuer.switch_timeout_ms)
        if heard is None:
            return None
        try:
            answer = iso8583.decode(heard)
        except iso8583.Malformed:
            return None
        return answer if self.keys.genuine(answer.text(53), *iso8583.signed_part(heard)) else None


@dataclass
class SimulatedHarim:
    """Implements :class:`gateway.ports.Harim` by calling the bank's own use case."""

    network: Network
    bank: Bank | None = None

    def request_pin(self, issuer: Issuer, request: PinRequest) -> PinAnswer:
        """Ask the bank to send a code."""
        guard_no_transaction()
        bank, answers = self.bank, []
        if bank is None:
            raise LookupError("no bank is wired")
        code_request = _code_request(request)

        def work() -> bytes:
            psps = bank.psps.now().by_id
            answers.append(issue_code(bank, next(iter(psps.values())), code_request))
            return b"ok"

        heard = self.network.carry(work, issuer.harim_timeout_ms)
        if heard != b"ok":
            return PinUnanswered("silent")
        told = answers[0].body
        if told["code"] in ACCEPTED:
            return PinSent(already_sent=ACCEPTED[told["code"]], code_length=told.get("code_length"))
        return PinRefused(REFUSALS.get(told["code"], PinRefusal.NOT_ACCEPTED))

    def delivery(self, issuer: Issuer, correlation_id: str) -> Delivery | None:
        """Say nothing: simulated customers look at their phones."""
        del issuer, correlation_id
        return None

    def ping(self, issuer: Issuer) -> bool:
        """Answer always."""
        return bool(issuer.active)

    def speaks(self, dialect: str) -> bool:
        """Speak everything."""
        return bool(dialect)


def _code_request(request: PinRequest) -> CodeRequest:
    order = request.order
    binding = Binding(
        type=TransactionType(str(order.kind)),
        amount=order.amount,
        fee=order.fee,
        acquirer_id=order.acquirer_id,
        merchant_id=order.merchant_id,
        terminal_id=order.terminal_id,
        payee_name=order.payee_name,
        payee_key=order.payee_key,
        transaction_ref=order.transaction_ref,
    )
    body_hash = hashlib.sha256(binding.digest() + request.pan.reveal().encode()).digest()
    return CodeRequest(
        request.request_id, request.sequence, body_hash, binding, request.pan, request.cvv2, request.expiry
    )


@dataclass
class Phones:
    """Implements :class:`otp.ports.SmsProvider`: codes by mobile number, the newest last; some are lost or late."""

    network: Network
    codes: dict[str, list[str]] = field(default_factory=dict)

    def send(self, message: SmsMessage) -> SmsAccepted | SmsRefused | SmsUnanswered:
        """Take one message over."""
        guard_no_transaction()
        found = CODE.search(message.text.reveal())
        fate = self.network.dice.random() if self.network.faulty else 1.0
        arrive = self.codes.setdefault(message.mobile.reveal(), []).append
        if found is not None and fate > 0.05:  # noqa: PLR2004 - one in twenty is lost
            if fate < 0.1:  # noqa: PLR2004 - one in twenty is late
                self.network.transit.append(lambda: arrive(found[1]) or b"")
            else:
                arrive(found[1])
        return SmsUnanswered("silent") if fate > 0.97 and self.network.faulty else SmsAccepted(message.reference)  # noqa: PLR2004


@dataclass
class Merchants:
    """Implements :class:`gateway.ports.Callbacks`: a server that is down now and then."""

    network: Network

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:  # noqa: ARG002 - the port asks for it
        """Receive one event."""
        guard_no_transaction()
        down = self.network.faulty and self.network.dice.random() < 0.1  # noqa: PLR2004 - one in ten
        return NotDelivered("down") if down else Delivered()
