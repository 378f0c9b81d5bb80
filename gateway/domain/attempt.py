"""The attempt: one try to authorise a payment with a card, as a table of what may follow what.

At most one attempt of a payment is submitted, unknown, voiding or disputed at a time (a partial unique index
holds it, D8).
Once ``voiding``, an attempt never becomes approved: a late approval is only recorded (D2). A transfer within one bank
whose money has left its destination cannot be reversed: it ``stood`` (D7).
"""

from __future__ import annotations

from enum import StrEnum

from foundation.machine import Machine, Transition


class AttemptState(StrEnum):
    """Where an attempt stands."""

    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    APPROVED = "approved"
    DECLINED = "declined"
    VOIDING = "voiding"
    DISPUTED = "disputed"
    VOIDED = "voided"
    STOOD = "stood"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    SUBMITTED = "submitted"
    SWITCH_APPROVED = "switch_approved"
    SWITCH_DECLINED = "switch_declined"
    NO_ANSWER = "no_answer"
    REVERSAL_DECIDED = "reversal_decided"
    REVERSAL_ACCEPTED = "reversal_accepted"
    REVERSAL_IMPOSSIBLE = "reversal_impossible"
    REVERSAL_OVERDUE = "reversal_overdue"


_S, _E = AttemptState, AttemptEvent

TRANSITIONS: tuple[Transition[AttemptState, AttemptEvent], ...] = (
    Transition(None, _E.SUBMITTED, _S.SUBMITTED),
    Transition(_S.SUBMITTED, _E.SWITCH_APPROVED, _S.APPROVED),
    Transition(_S.SUBMITTED, _E.SWITCH_DECLINED, _S.DECLINED),
    Transition(_S.SUBMITTED, _E.NO_ANSWER, _S.UNKNOWN),
    Transition(_S.UNKNOWN, _E.SWITCH_APPROVED, _S.APPROVED),
    Transition(_S.UNKNOWN, _E.SWITCH_DECLINED, _S.DECLINED),
    Transition(_S.UNKNOWN, _E.NO_ANSWER, _S.UNKNOWN),
    Transition(_S.UNKNOWN, _E.REVERSAL_DECIDED, _S.VOIDING),
    Transition(_S.APPROVED, _E.SWITCH_APPROVED, _S.APPROVED),
    Transition(_S.APPROVED, _E.REVERSAL_DECIDED, _S.VOIDING),
    Transition(_S.DECLINED, _E.SWITCH_APPROVED, _S.VOIDING),
    Transition(_S.VOIDING, _E.SWITCH_APPROVED, _S.VOIDING),
    Transition(_S.VOIDING, _E.REVERSAL_ACCEPTED, _S.VOIDED),
    Transition(_S.VOIDING, _E.REVERSAL_OVERDUE, _S.DISPUTED),
    Transition(_S.DISPUTED, _E.SWITCH_APPROVED, _S.DISPUTED),
    Transition(_S.DISPUTED, _E.REVERSAL_ACCEPTED, _S.VOIDED),
    Transition(_S.VOIDED, _E.SWITCH_APPROVED, _S.VOIDED),
    Transition(_S.VOIDING, _E.REVERSAL_IMPOSSIBLE, _S.STOOD),
    Transition(_S.DISPUTED, _E.REVERSAL_IMPOSSIBLE, _S.STOOD),
)

MACHINE = Machine(TRANSITIONS)

MOVED_BY_CLOCK_OR_SWEEPER = frozenset({_E.NO_ANSWER, _E.REVERSAL_DECIDED, _E.REVERSAL_ACCEPTED})
"""Events that the worker brings about without anybody at a keyboard."""

ENDS = frozenset({_S.APPROVED, _S.DECLINED, _S.VOIDED, _S.STOOD})
"""States in which nothing more has to happen by itself."""
