"""The state tables: complete, reachable, without dead ends."""

from __future__ import annotations

import pytest

from foundation.machine import IllegalTransition, Machine
from gateway.domain import attempt, payment
from gateway.domain.attempt import AttemptEvent, AttemptState
from gateway.domain.payment import (
    OUTSIDE,
    PUBLISHED,
    TELLS,
    TOLD_AFTER_UNKNOWN,
    TOLD_PER_ATTEMPT,
    PaymentEvent,
    PaymentState,
)

BOTH = [
    (payment.MACHINE, PaymentState, PaymentEvent, payment.MOVED_BY_CLOCK_OR_SWEEPER, payment.ENDS),
    (attempt.MACHINE, AttemptState, AttemptEvent, attempt.MOVED_BY_CLOCK_OR_SWEEPER, attempt.ENDS),
]
OUTSIDE_STATES = {
    "open",
    "authorised",
    "confirmed",
    "settled",
    "reversing",
    "reversed",
    "refunded",
    "cancelled",
    "expired",
    "unknown",
}


@pytest.mark.parametrize(("machine", "states", "events", "by_itself", "ends"), BOTH, ids=["payment", "attempt"])
def test_every_state_is_reachable_and_every_event_used(
    machine: Machine[PaymentState, PaymentEvent], states: type, events: type, by_itself: object, ends: object
) -> None:
    """Nothing is in the enumeration that is not in the table."""
    assert machine.states() == machine.reachable() == frozenset(states)
    assert {row.event for row in machine.transitions} == set(events)
    assert by_itself
    assert ends


@pytest.mark.parametrize(("machine", "states", "events", "by_itself", "ends"), BOTH, ids=["payment", "attempt"])
def test_i18_every_state_that_is_no_end_has_a_way_out_that_needs_nobody(
    machine: Machine[PaymentState, PaymentEvent],
    states: type,
    events: type,
    by_itself: frozenset[PaymentEvent],
    ends: frozenset[PaymentState],
) -> None:
    """I18: a clock or the worker leads out of every state; ends are left only by the record of a late approval."""
    assert events
    for state in states:
        ways = {row.event for row in machine.transitions if row.before == state and row.after != state}
        if state in ends:
            assert not ways & by_itself or state == AttemptState.APPROVED
        else:
            assert ways & by_itself, state


def test_d8_a_late_approval_is_answered_in_every_state_of_a_payment() -> None:
    """D8: an approval that did not win changes no payment."""
    for state in PaymentState:
        assert payment.MACHINE.next(state, PaymentEvent.LATE_APPROVAL) is state


def test_d8_while_paying_or_unknown_nobody_cancels_or_expires() -> None:
    """D8: no row, so no statement can."""
    for state in (PaymentState.PAYING, PaymentState.UNKNOWN):
        for event in (
            PaymentEvent.CUSTOMER_CANCELLED,
            PaymentEvent.WINDOW_ELAPSED,
            PaymentEvent.ATTEMPT_SUBMITTED,
        ):
            with pytest.raises(IllegalTransition):
                payment.MACHINE.next(state, event)


def test_d2_a_voiding_attempt_is_never_approved() -> None:
    """D2: whatever comes after the decision, the way is back."""
    found, frontier = set(), {AttemptState.VOIDING}
    while frontier:
        found |= frontier
        frontier = {row.after for row in attempt.MACHINE.transitions if row.before in found} - found
    assert AttemptState.APPROVED not in found


def test_every_state_has_an_outside_name_and_every_told_event_a_row() -> None:
    """The second vocabulary covers the first and speaks only the published words."""
    assert set(OUTSIDE) == set(PaymentState)
    assert set(OUTSIDE.values()) <= PUBLISHED == OUTSIDE_STATES
    assert set(TELLS) <= set(PaymentEvent)
    once = [name for event, name in TELLS.items() if event not in TOLD_PER_ATTEMPT]
    for event in (  # payments that nobody confirms are complete by one of these
        PaymentEvent.ATTEMPT_COMPLETED,
        PaymentEvent.TRANSFER_MOVED,
        PaymentEvent.TRANSFER_STOOD,
        PaymentEvent.CREDIT_GIVEN,
        PaymentEvent.TOP_UP_DELIVERED,
    ):
        once.remove(TELLS[event])
    assert len(set(once)) == len(once), "a webhook told once per payment has one cause"
    assert TOLD_AFTER_UNKNOWN < TOLD_PER_ATTEMPT <= set(TELLS)
