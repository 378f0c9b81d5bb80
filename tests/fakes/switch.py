"""A switch with a bank behind it: it keeps its own ledger, has rules, and can be told how to behave."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from foundation.database import guard_no_transaction
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import (
    Approved,
    AuthorisationAnswer,
    Balance,
    Declined,
    HolderAnswer,
    HolderNamed,
    InquiryAnswer,
    NotFound,
    NotReversed,
    ReversalAnswer,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.ports import (
    AuthorisationRequest,
    CreditRequest,
    HolderInquiry,
    InquiryRequest,
    Kind,
    RefundRequest,
    ReversalRequest,
    Trace,
)

BALANCE = Rial(87_654_321)
"""What this bank tells whoever asks."""

Giving = Callable[["FakeSwitch", RefundRequest], AuthorisationAnswer]
Behaviour = Callable[["FakeSwitch", AuthorisationRequest], AuthorisationAnswer]


class FakeSwitch:
    """Implements ``gateway.ports.Switch``; refuses calls inside a transaction and a second 1200 with one trace."""

    def __init__(self) -> None:
        self.behaviours: deque[Behaviour] = deque()
        self.authorised: list[AuthorisationRequest] = []
        self.reversals: list[ReversalRequest] = []
        self.inquiries: list[InquiryRequest] = []
        self.refunds: list[RefundRequest] = []
        self.givings: deque[Giving] = deque()
        self.debits: dict[Trace, int] = {}
        self.returned: dict[Trace, int] = {}
        self.undone: set[Trace] = set()
        self.declined: dict[Trace, str] = {}
        self.silent_inquiries = 0
        self.silent_reversals = 0
        self.dies_after_reversal = False
        self.credits: list[CreditRequest] = []
        self.credit_answers: deque[AuthorisationAnswer] = deque()
        self.questions: list[HolderInquiry] = []
        self.holder: HolderAnswer = HolderNamed("م*** ر***")
        self.stands: set[str] = set()
        self.given: dict[Trace, int] = {}
        self._lock = threading.Lock()

    def will(self, *behaviours: Behaviour) -> None:
        """Say what the next 1200s meet; without a word they are approved."""
        self.behaviours.extend(behaviours)

    def authorise(self, issuer: Issuer, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Answer a 1200."""
        guard_no_transaction()
        assert issuer.active
        with self._lock:
            assert request.trace not in {known.trace for known in self.authorised}, "a PIN is sent at most once (D1)"
            self.authorised.append(request)
            behaviour = self.behaviours.popleft() if self.behaviours else approve
        return behaviour(self, request)

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Answer a 1420: undo, or leave a tombstone (D2)."""
        guard_no_transaction()
        assert issuer.issuer_id
        self.reversals.append(request)
        if self.silent_reversals:
            self.silent_reversals -= 1
            return ReversalUnknown("silent")
        if request.order.processing_code in self.stands:
            return NotReversed("0903")
        with self._lock:
            self.undone.add(request.original)
            self.given.pop(request.original, None)
            self.debits.pop(request.original, None)
        if self.dies_after_reversal:
            raise SystemExit(137)
        return Reversed()

    def credit(self, issuer: Issuer, request: CreditRequest) -> AuthorisationAnswer:
        """Answer a 1200 or 1201 that gives money: as told, otherwise once and with the first answer ever after."""
        guard_no_transaction()
        assert issuer.active
        assert request.repeat == any(known.trace == request.trace for known in self.credits)
        self.credits.append(request)
        answer = self.credit_answers.popleft() if self.credit_answers else Approved("C00001", "0903")
        if request.trace in self.undone:
            return Declined("184")
        if isinstance(answer, Approved):
            self.given[request.trace] = request.order.amount.amount
        return answer

    def ask_holder(self, issuer: Issuer, request: HolderInquiry) -> HolderAnswer:
        """Name the holder, or answer as told."""
        guard_no_transaction()
        assert issuer.active
        self.questions.append(request)
        return self.holder

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Answer a 1604 from the ledger."""
        guard_no_transaction()
        assert issuer.issuer_id
        self.inquiries.append(request)
        if self.silent_inquiries:
            self.silent_inquiries -= 1
            return Unknown("silent")
        if request.original in self.undone:
            return Reversed()
        if request.original in self.debits:
            return Approved("A00001", "0903")
        if request.original in self.declined:
            return Declined(self.declined[request.original])
        return NotFound()

    def refund(self, issuer: Issuer, request: RefundRequest) -> AuthorisationAnswer:
        """Answer a 1200 that gives, or a 1201; without a word the money is given, once per key."""
        guard_no_transaction()
        assert issuer.issuer_id
        with self._lock:
            known = {(known.trace, known.order, known.pan.reveal()) for known in self.refunds}
            assert request.again or request.trace not in {trace for trace, *_ in known}, "a first one is sent once"
            assert all(
                trace != request.trace or (order, pan) == (request.order, request.pan.reveal())
                for trace, order, pan in known
            ), "a repeat says the same"
            self.refunds.append(request)
            behaviour = self.givings.popleft() if self.givings else give
        return behaviour(self, request)

    def echo(self, issuer: Issuer) -> bool:
        """Answer always."""
        return bool(issuer.issuer_id)

    def debit(self, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Take the money unless a tombstone lies there."""
        with self._lock:
            if request.trace in self.undone:
                return Declined("913")
            self.debits[request.trace] = (request.order.amount + request.order.fee).amount
        told = Sensitive(Balance(BALANCE)) if request.order.kind is Kind.BALANCE_INQUIRY else None
        return Approved("A00001", "0903", told)


def approve(switch: FakeSwitch, request: AuthorisationRequest) -> AuthorisationAnswer:
    """Debit and say so."""
    return switch.debit(request)


def give(switch: FakeSwitch, request: RefundRequest) -> AuthorisationAnswer:
    """Credit the card, once per key, and say so."""
    switch.returned[request.trace] = request.order.amount.amount
    return Approved("C00001", "0903")


def give_but_silent(switch: FakeSwitch, request: RefundRequest) -> AuthorisationAnswer:
    """Credit the card; the 1210 is lost."""
    give(switch, request)
    return Unknown("silent")


def never_given(_switch: FakeSwitch, _request: RefundRequest) -> AuthorisationAnswer:
    """The message never arrives."""
    return Unknown("silent")


def give_no(action_code: str) -> Giving:
    """Say no to a credit."""
    return lambda _switch, _request: Declined(action_code)


def die_giving(_switch: FakeSwitch, _request: RefundRequest) -> AuthorisationAnswer:
    """The worker's process ends after it noted the sending, before anything left."""
    raise SystemExit(137)


def die_after_giving(switch: FakeSwitch, request: RefundRequest) -> AuthorisationAnswer:
    """The worker's process ends after the card was credited, before anything is recorded."""
    give(switch, request)
    raise SystemExit(137)


def decline(action_code: str) -> Behaviour:
    """Say no."""

    def behave(switch: FakeSwitch, request: AuthorisationRequest) -> AuthorisationAnswer:
        switch.declined[request.trace] = action_code
        return Declined(action_code)

    return behave


def lost(_switch: FakeSwitch, _request: AuthorisationRequest) -> AuthorisationAnswer:
    """The 1200 never arrives."""
    return Unknown("silent")


def debit_but_silent(switch: FakeSwitch, request: AuthorisationRequest) -> AuthorisationAnswer:
    """Debit; the 1210 is lost."""
    switch.debit(request)
    return Unknown("silent")


def decline_but_silent(switch: FakeSwitch, request: AuthorisationRequest) -> AuthorisationAnswer:
    """Decline; the 1210 is lost."""
    switch.declined[request.trace] = "116"
    return Unknown("silent")


def garbage(switch: FakeSwitch, request: AuthorisationRequest) -> AuthorisationAnswer:
    """Debit and answer with a broken MAC."""
    switch.debit(request)
    return Unknown("incoherent")


def die_before(_switch: FakeSwitch, _request: AuthorisationRequest) -> AuthorisationAnswer:
    """The gateway's process ends before the 1200 leaves."""
    raise SystemExit(137)


def die_after(switch: FakeSwitch, request: AuthorisationRequest) -> AuthorisationAnswer:
    """The gateway's process ends after the debit, before anything is recorded."""
    switch.debit(request)
    raise SystemExit(137)


def meanwhile(action: Callable[[], object], then: Behaviour = approve) -> Behaviour:
    """Do something while the 1200 is under way, then behave."""

    def behave(switch: FakeSwitch, request: AuthorisationRequest) -> AuthorisationAnswer:
        answer = then(switch, request)
        action()
        return answer

    return behave
