"""Several providers as one: the heaviest first, and the next one while the message has time left.

The same code may so arrive twice, which harms nobody: it is one code, with one life and one count of tries. It is never
sent after its life: whoever calls gives no more time than the code has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from foundation.database import guard_no_transaction
from otp.ports import (
    Fault,
    ProviderReceipts,
    Receipt,
    SmsAccepted,
    SmsAnswer,
    SmsListener,
    SmsMessage,
    SmsProvider,
    SmsRefused,
    SmsSession,
)
from otp.ports import SmsUnanswered as Unanswered
from otp.sms.health import Health

log = structlog.get_logger(__name__)

LEAST_SECONDS = 0.2
"""With less than this left nobody is asked any more."""

OUTCOMES: Mapping[Fault, str] = {
    Fault.PROVIDER: "unanswered",
    Fault.MESSAGE: "unsuited",
    Fault.ACCOUNT: "trouble",
}

Watcher = Callable[[str, str, float], None]
"""Is told of every call: provider, outcome (accepted, refused or of the table above), seconds."""


@dataclass(frozen=True, slots=True)
class Member:
    """One provider of several.

    Args:
        name: goes before its message ids.
        receipts: where it can be asked what became of messages.
        session: where it has a connection to keep, and tells by itself.
    """

    name: str
    provider: SmsProvider
    timeout_seconds: float
    health: Health
    receipts: ProviderReceipts | None = None
    session: SmsSession | None = None

    @property
    def tells(self) -> bool:
        """Whether it says what became of messages."""
        return self.receipts is not None or self.session is not None


class Failover:
    """Implements :class:`otp.ports.SmsProvider` and :class:`otp.ports.SmsLines` over several.

    Args:
        members: in the order of the file, which decides between equal weights.
        watcher: counts.
        clock: seconds that only grow.
    """

    def __init__(
        self, members: Sequence[Member], watcher: Watcher, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._members = tuple(members)
        self.tells = any(member.tells for member in self._members)
        self._watcher = watcher
        self._clock = clock

    def send(self, message: SmsMessage) -> SmsAnswer:
        """Hand one message over to the first that takes it."""
        guard_no_transaction()
        begun = self._clock()
        answers: list[Unanswered] = []
        for member in self._in_turn():
            gone = self._clock() - begun
            left = message.timeout_seconds - gone
            if left < LEAST_SECONDS:
                break
            life = None if message.life_seconds is None else message.life_seconds - gone
            now = replace(message, timeout_seconds=min(left, member.timeout_seconds), life_seconds=life)
            answer = self._ask(member, now)
            if not isinstance(answer, Unanswered):
                return answer
            answers.append(answer)
        return self._given_up(answers)

    def receipts(self, message_ids: Sequence[str], timeout_seconds: float) -> Mapping[str, Receipt]:
        """Ask each provider about its own messages; all of them together take no longer than this."""
        guard_no_transaction()
        until, found = self._clock() + timeout_seconds, dict[str, Receipt]()
        for member in self._members:
            own = [name.removeprefix(f"{member.name}:") for name in message_ids if name.startswith(f"{member.name}:")]
            left = min(until - self._clock(), member.timeout_seconds)
            if own and member.receipts is not None and left >= LEAST_SECONDS:
                told = member.receipts.receipts(own, left)
                self._trust(member, told.values())
                found |= {f"{member.name}:{name}": receipt for name, receipt in told.items()}
        return found

    def reported(self, message_id: str) -> None:
        """Trust the provider of this message more."""
        self._note(message_id, came=True)

    def missing(self, message_id: str) -> bool:
        """Trust the provider of this message less; tells whether it is one that tells what became of messages."""
        return self._note(message_id, came=False)

    def start(self, listener: SmsListener) -> None:
        """Connect whoever has a connection to keep."""
        for member in self._members:
            if member.session is not None:
                member.session.start(listener)

    def stop(self) -> None:
        """Take leave of them."""
        for member in self._members:
            if member.session is not None:
                member.session.stop()

    def _note(self, message_id: str, *, came: bool) -> bool:
        own = [each for each in self._members if each.tells and message_id.startswith(f"{each.name}:")]
        for member in own:
            member.health.receipt(self._clock(), came=came)
        return bool(own)

    def _in_turn(self) -> Iterator[Member]:
        now = self._clock()
        ranked = sorted(self._members, key=lambda member: -member.health.weight(now))
        turns = [(member, member.health.admits(now)) for member in ranked]
        yield from (member for member, admitted in turns if admitted)
        yield from (member for member, admitted in turns if not admitted)

    def _ask(self, member: Member, message: SmsMessage) -> SmsAnswer:
        begun = self._clock()
        answer = member.provider.send(message)
        now = self._clock()
        match answer:
            case SmsAccepted(message_id):
                member.health.worked()
                self._watcher(member.name, "accepted", now - begun)
                return SmsAccepted(f"{member.name}:{message_id}")
            case SmsRefused():
                member.health.worked()
                self._watcher(member.name, "refused", now - begun)
            case Unanswered(why, fault):
                self._blame(member, fault, now)
                self._watcher(member.name, OUTCOMES[fault], now - begun)
                says = log.error if fault is Fault.ACCOUNT else log.warning
                says(f"sms_{OUTCOMES[fault]}", provider=member.name, why=why, reference=message.reference)
        return answer

    def _trust(self, member: Member, told: Iterable[Receipt]) -> None:
        for receipt in told:
            if receipt is not Receipt.WAITING:
                member.health.receipt(self._clock(), came=True)

    def _blame(self, member: Member, fault: Fault, now: float) -> None:
        match fault:
            case Fault.PROVIDER:
                member.health.failed(now)
            case Fault.ACCOUNT:
                member.health.in_trouble(now)
            case Fault.MESSAGE:
                member.health.worked()

    def _given_up(self, answers: Sequence[Unanswered]) -> SmsAnswer:
        why = "; ".join(answer.why for answer in answers) or "no time left"
        if len(answers) == len(self._members) and all(answer.fault is Fault.MESSAGE for answer in answers):
            return SmsRefused(why)
        return Unanswered(why, answers[-1].fault if answers else Fault.PROVIDER)
