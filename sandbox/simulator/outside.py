"""What else lies outside the organisations: the wire of Harim, phones, and Redis."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import redis

from foundation.database import guard_no_transaction
from foundation.wake import Wake
from gateway.domain.issuers import Issuer
from gateway.harim.v1 import ACCEPTED, REFUSALS
from gateway.ports import (
    Delivery,
    PinAnswer,
    PinRefusal,
    PinRefused,
    PinRequest,
    PinSent,
    PinUnanswered,
)
from otp.domain.binding import Binding, TransactionType
from otp.ports import SmsAccepted, SmsMessage, SmsRefused, SmsUnanswered
from otp.services.bank import Bank
from otp.services.issue_code import CodeRequest, Told, issue_code
from sandbox.simulator.network import Network, NotSent, Question

CODE = re.compile(r"رمز پویا: ([0-9]+)")
SECONDS = 1000
SMS_FATES = {
    "sms arrived": 73,
    "sms lost": 5,
    "sms late": 6,
    "sms twice": 5,
    "sms refused": 2,
    "sms not answered": 5,
    "sms slow": 4,
}


@dataclass
class SimulatedHarim:
    """Implements :class:`gateway.ports.Harim` by calling each bank's own use case."""

    network: Network
    banks: dict[str, Bank] = field(default_factory=dict)

    def request_pin(self, issuer: Issuer, request: PinRequest) -> PinAnswer:
        """Ask the bank to send a code."""
        guard_no_transaction()
        bank, answers = self.banks[issuer.issuer_id], list[Told]()
        code_request = _code_request(request)

        def at_bank(whole: bool) -> bytes | None:  # noqa: FBT001 - the only argument
            if not whole:
                return None  # a signature that is not ours is not served
            psps = bank.psps.now().by_id
            answers.append(issue_code(bank, next(iter(psps.values())), code_request))
            return b"ok"

        try:
            heard = self.network.carry(Question(issuer.issuer_id, at_bank, issuer.harim_timeout_ms / SECONDS))
        except NotSent:
            return PinUnanswered("unreachable")
        if heard != b"ok":
            return PinUnanswered("silent")
        self.network.point("gateway.after_pin_request")
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
    """Implements :class:`otp.ports.SmsProvider` of one bank: codes by mobile number, the newest last.

    Args:
        judge: is shown each message as the provider takes it (I12).
        codes: what all phones show, whichever bank sent it.
    """

    network: Network
    judge: Callable[[SmsMessage], None]
    codes: dict[str, list[str]]

    def send(self, message: SmsMessage) -> SmsAccepted | SmsRefused | SmsUnanswered:
        """Take one message over."""
        guard_no_transaction()
        self.judge(message)
        fate = self._fate()
        if fate == "sms slow":
            self.network.wait()
        elif fate == "sms refused":
            return SmsRefused("no such number")
        found = CODE.search(message.text.reveal())
        if found is not None and fate != "sms lost":
            self._arrive(message.mobile.reveal(), found[1], fate)
        self.network.point("worker.after_sms_before_mark")
        return SmsUnanswered("silent") if fate == "sms not answered" else SmsAccepted(message.reference)

    def _fate(self) -> str:
        network = self.network
        fate = network.dice.choices(list(SMS_FATES), list(SMS_FATES.values()))[0] if network.faulty else "sms arrived"
        if fate != "sms arrived":
            network.saw(fate)
        return fate

    def _arrive(self, mobile: str, code: str, fate: str) -> None:
        arrive = self.codes.setdefault(mobile, []).append
        if fate == "sms late":
            self.network.transit.append(lambda: arrive(code))
            return
        arrive(code)
        if fate == "sms twice":
            arrive(code)


class Bell(Wake):
    """The real bell over a Redis of paper, which is away at times (I17)."""

    def __init__(self, network: Network) -> None:
        super().__init__("redis://127.0.0.1:1", "simulated")
        self._redis = _Paper(self)  # type: ignore[assignment]  # only what the bell asks for
        self._network = network
        self.away = False
        self.rung = False

    def _failed(self) -> None:
        self._network.saw("bell not heard")


@dataclass
class _Paper:
    """As much of Redis as a bell needs."""

    bell: Bell

    def lpush(self, *_: object) -> int:
        """Ring; one token lies there then."""
        if self.bell.away:
            raise redis.ConnectionError("no Redis")
        self.bell.rung = True
        return 1
