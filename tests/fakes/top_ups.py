"""A provider of top-ups that keeps a book of its own and can be told how to behave."""

from __future__ import annotations

from collections import deque

from foundation.database import guard_no_transaction
from gateway.domain.outcome import (
    Approved,
    AuthorisationAnswer,
    Declined,
    NotReversed,
    ReversalAnswer,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.ports import TopUpRequest


class FakeTopUps:
    """Implements ``gateway.ports.TopUps``: one reference is delivered once, whatever is told of it."""

    def __init__(self) -> None:
        self.book: dict[str, str] = {}
        self.asked: list[TopUpRequest] = []
        self.cancelled: list[TopUpRequest] = []
        self.behaviours: deque[str] = deque()
        self.silent_cancellations = 0

    def will(self, *behaviours: str) -> None:
        """Say what the next questions meet: refuse, lost, silent, dies_before or dies_after; else a delivery."""
        self.behaviours.extend(behaviours)

    @property
    def delivered(self) -> int:
        """Add up what was delivered, in rials."""
        amounts = {request.reference: request.amount.amount for request in self.asked}
        return sum(amounts[reference] for reference, state in self.book.items() if state == "delivered")

    def deliver(self, request: TopUpRequest) -> AuthorisationAnswer:
        """Deliver once, or as told."""
        guard_no_transaction()
        assert {(known.operator, known.mobile, known.amount) for known in self.asked} <= {
            (request.operator, request.mobile, request.amount)
        } or request.reference not in {known.reference for known in self.asked}, "a repeat says the same"
        self.asked.append(request)
        behaviour = self.behaviours.popleft() if self.behaviours else "deliver"
        if behaviour == "dies_before":
            raise SystemExit(137)
        if behaviour == "lost":
            return Unknown("silent")
        state = self.book.setdefault(request.reference, "refused" if behaviour == "refuse" else "delivered")
        if behaviour == "dies_after":
            raise SystemExit(137)
        if behaviour == "silent":
            return Unknown("silent")
        return Approved(f"OP-{request.reference[-6:]}") if state == "delivered" else Declined("number_unknown")

    def cancel(self, request: TopUpRequest) -> ReversalAnswer:
        """Cancel what was not delivered, for ever."""
        guard_no_transaction()
        self.cancelled.append(request)
        if self.silent_cancellations:
            self.silent_cancellations -= 1
            return ReversalUnknown("silent")
        return NotReversed() if self.book.setdefault(request.reference, "cancelled") == "delivered" else Reversed()
