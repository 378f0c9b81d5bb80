"""The second leg of what took money from a card: given, or taken back and the first leg undone (D7).

An outbox job of the worker like inquiry and reversal: repeated under one key until there is an explicit answer, each
time from what the books say then. Whom it is given to, a bank's card or an operator's number, is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from gateway.domain.outcome import (
    APPROVED_CODE,
    NO_PLACE,
    Approved,
    AuthorisationAnswer,
    Declined,
    NotReversed,
    ReversalAnswer,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.domain.transfer import Credit
from gateway.services.recover import Again, NotYet, no_place

log = structlog.get_logger()

TAKEN_BACK_CODE, STANDS_CODE = "400", "480"
"""What is kept of a reversal's answer."""


class OwedLeg(Protocol):
    """A row of a second leg that is owed or being taken back."""

    @property
    def attempt_id(self) -> str: ...  # noqa: D102 - a column
    @property
    def payment_id(self) -> str: ...  # noqa: D102 - a column
    @property
    def credit(self) -> str: ...  # noqa: D102 - a column
    @property
    def overdue(self) -> bool: ...  # noqa: D102 - a column


@dataclass(frozen=True, slots=True)
class Leg:
    """How one second leg is asked about and written down.

    Args:
        give: ask for it once more, under its one key.
        take_back: ask for it to be undone, or never to be done.
        decide: commit that it is taken back from now on; ``False`` when somebody was quicker.
        given: write that it is done, with the answer that said so.
        not_given: write that it is not done and never will be, from one state to another, and why.
    """

    give: Callable[[], AuthorisationAnswer]
    take_back: Callable[[], ReversalAnswer]
    decide: Callable[[], bool]
    given: Callable[[Credit, str, Approved | NotReversed], None]
    not_given: Callable[[Credit, Credit, str], None]


def step(row: OwedLeg, leg: Leg) -> Again | NotYet | None:
    """Bring a second leg one step on."""
    if row.credit == Credit.OWED and not row.overdue:
        return _give(row, leg)
    return _take_back(row, leg)


def _give(row: OwedLeg, leg: Leg) -> Again | NotYet | None:
    answer = leg.give()
    log.info("credit_answered", attempt_id=row.attempt_id, payment_id=row.payment_id, answer=type(answer).__name__)
    match answer:
        case Approved():
            leg.given(Credit.OWED, APPROVED_CODE, answer)
        case Declined(action_code):
            leg.not_given(Credit.OWED, Credit.REFUSED, action_code)
        case Unknown(why):
            return no_place() if why == NO_PLACE else Again(why)
    return None


def _take_back(row: OwedLeg, leg: Leg) -> Again | NotYet | None:
    """Ask for it to be taken back; the decision is committed before, and never flips (D2)."""
    if row.credit == Credit.OWED:
        if not leg.decide():
            return Again("raced")
        log.warning("credit_overdue", attempt_id=row.attempt_id, payment_id=row.payment_id)
    answer = leg.take_back()
    log.info("credit_reversed", attempt_id=row.attempt_id, payment_id=row.payment_id, answer=type(answer).__name__)
    match answer:
        case Reversed():
            leg.not_given(Credit.REVERSING, Credit.REVERSED, TAKEN_BACK_CODE)
        case NotReversed():
            leg.given(Credit.REVERSING, STANDS_CODE, answer)
        case ReversalUnknown(why):
            return no_place() if why == NO_PLACE else Again(why)
    return None
