"""The payment: one intent to move one amount once, as a table of what may follow what.

While a payment is ``paying`` or ``unknown`` it can be neither cancelled nor extended, does not expire and takes no new
attempt (D8). ``disputed`` is the honest place for money whose return takes longer than promised; the reversal
goes on and leads out. Where nobody has to confirm (a bill, a transfer within one bank), an approval completes the
payment at once; a transfer between two banks and a top-up are ``authorised`` while their second leg is under way. A
balance is told by the answer itself or not at all: an approval that only an inquiry finds goes back. An approval of an
attempt that did not win (``late_approval``) changes no payment: that attempt is voided.
"""

from __future__ import annotations

from enum import StrEnum

from foundation.machine import Machine, Transition


class PaymentState(StrEnum):
    """Where a payment stands, in our own words."""

    OPEN = "open"
    PAYING = "paying"
    UNKNOWN = "unknown"
    AUTHORISED = "authorised"
    CONFIRMED = "confirmed"
    SETTLED = "settled"
    REVERSING = "reversing"
    REVERSED = "reversed"
    DISPUTED = "disputed"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PaymentEvent(StrEnum):
    """What can happen to a payment."""

    OPENED = "opened"
    ATTEMPT_SUBMITTED = "attempt_submitted"
    ATTEMPT_APPROVED = "attempt_approved"
    ATTEMPT_COMPLETED = "attempt_completed"
    DEBIT_APPROVED = "debit_approved"
    TRANSFER_MOVED = "transfer_moved"
    TRANSFER_STOOD = "transfer_stood"
    CREDIT_GIVEN = "credit_given"
    TOP_UP_DELIVERED = "top_up_delivered"
    BALANCE_TOLD = "balance_told"
    CREDIT_REFUSED = "credit_refused"
    ATTEMPT_DECLINED = "attempt_declined"
    ATTEMPT_UNANSWERED = "attempt_unanswered"
    APPROVED_TOO_LATE = "approved_too_late"
    ATTEMPT_VOIDED = "attempt_voided"
    LATE_APPROVAL = "late_approval"
    CUSTOMER_CANCELLED = "customer_cancelled"
    WINDOW_ELAPSED = "window_elapsed"
    PAYEE_CONFIRMED = "payee_confirmed"
    PAYEE_REVERSED = "payee_reversed"
    CONFIRM_WINDOW_ELAPSED = "confirm_window_elapsed"
    REVERSAL_ACCEPTED = "reversal_accepted"
    REVERSAL_OVERDUE = "reversal_overdue"
    SETTLED_IN_BATCH = "settled_in_batch"
    REFUND_REQUESTED = "refund_requested"
    REFUND_DONE = "refund_done"
    REFUND_REFUSED = "refund_refused"
    REFUNDED_WHOLE = "refunded_whole"


_S, _E = PaymentState, PaymentEvent

TRANSITIONS: tuple[Transition[PaymentState, PaymentEvent], ...] = (
    Transition(None, _E.OPENED, _S.OPEN),
    Transition(_S.OPEN, _E.ATTEMPT_SUBMITTED, _S.PAYING),
    Transition(_S.OPEN, _E.CUSTOMER_CANCELLED, _S.CANCELLED),
    Transition(_S.OPEN, _E.WINDOW_ELAPSED, _S.EXPIRED),
    Transition(_S.PAYING, _E.ATTEMPT_APPROVED, _S.AUTHORISED),
    Transition(_S.PAYING, _E.ATTEMPT_COMPLETED, _S.CONFIRMED),
    Transition(_S.PAYING, _E.DEBIT_APPROVED, _S.AUTHORISED),
    Transition(_S.PAYING, _E.TRANSFER_MOVED, _S.CONFIRMED),
    Transition(_S.PAYING, _E.BALANCE_TOLD, _S.CONFIRMED),
    Transition(_S.PAYING, _E.ATTEMPT_DECLINED, _S.OPEN),
    Transition(_S.PAYING, _E.ATTEMPT_UNANSWERED, _S.UNKNOWN),
    Transition(_S.UNKNOWN, _E.ATTEMPT_APPROVED, _S.AUTHORISED),
    Transition(_S.UNKNOWN, _E.ATTEMPT_COMPLETED, _S.CONFIRMED),
    Transition(_S.UNKNOWN, _E.DEBIT_APPROVED, _S.AUTHORISED),
    Transition(_S.UNKNOWN, _E.TRANSFER_MOVED, _S.CONFIRMED),
    Transition(_S.UNKNOWN, _E.TRANSFER_STOOD, _S.CONFIRMED),
    Transition(_S.UNKNOWN, _E.BALANCE_TOLD, _S.CONFIRMED),
    Transition(_S.UNKNOWN, _E.APPROVED_TOO_LATE, _S.REVERSING),
    Transition(_S.UNKNOWN, _E.ATTEMPT_DECLINED, _S.OPEN),
    Transition(_S.UNKNOWN, _E.ATTEMPT_VOIDED, _S.OPEN),
    Transition(_S.AUTHORISED, _E.PAYEE_CONFIRMED, _S.CONFIRMED),
    Transition(_S.AUTHORISED, _E.CREDIT_GIVEN, _S.CONFIRMED),
    Transition(_S.AUTHORISED, _E.TOP_UP_DELIVERED, _S.CONFIRMED),
    Transition(_S.AUTHORISED, _E.CREDIT_REFUSED, _S.REVERSING),
    Transition(_S.AUTHORISED, _E.PAYEE_REVERSED, _S.REVERSING),
    Transition(_S.AUTHORISED, _E.CONFIRM_WINDOW_ELAPSED, _S.REVERSING),
    Transition(_S.CONFIRMED, _E.PAYEE_REVERSED, _S.REVERSING),
    Transition(_S.CONFIRMED, _E.SETTLED_IN_BATCH, _S.SETTLED),
    Transition(_S.REVERSING, _E.REVERSAL_ACCEPTED, _S.REVERSED),
    Transition(_S.REVERSING, _E.REVERSAL_OVERDUE, _S.DISPUTED),
    Transition(_S.DISPUTED, _E.REVERSAL_ACCEPTED, _S.REVERSED),
    *(
        Transition(state, event, state)
        for event in (_E.REFUND_REQUESTED, _E.REFUND_DONE, _E.REFUND_REFUSED)
        for state in (_S.CONFIRMED, _S.SETTLED)
    ),
    Transition(_S.CONFIRMED, _E.REFUNDED_WHOLE, _S.REFUNDED),
    Transition(_S.SETTLED, _E.REFUNDED_WHOLE, _S.REFUNDED),
    *(Transition(state, _E.LATE_APPROVAL, state) for state in PaymentState),
)

MACHINE = Machine(TRANSITIONS)

MOVED_BY_CLOCK_OR_SWEEPER = frozenset(
    {
        _E.WINDOW_ELAPSED,
        _E.ATTEMPT_UNANSWERED,
        _E.ATTEMPT_VOIDED,
        _E.CONFIRM_WINDOW_ELAPSED,
        _E.REVERSAL_ACCEPTED,
        _E.SETTLED_IN_BATCH,
    }
)
"""Events that need nobody at a keyboard; every state that is not an end has a row with one of them."""

ENDS = frozenset({_S.SETTLED, _S.REFUNDED, _S.REVERSED, _S.CANCELLED, _S.EXPIRED})
"""States that nothing leads out of by itself: only a merchant's refund out of ``settled``."""

OUTSIDE: dict[PaymentState, str] = {
    _S.OPEN: "open",
    _S.PAYING: "open",
    _S.UNKNOWN: "unknown",
    _S.AUTHORISED: "authorised",
    _S.CONFIRMED: "confirmed",
    _S.SETTLED: "settled",
    _S.REVERSING: "reversing",
    _S.REVERSED: "reversed",
    _S.DISPUTED: "reversing",
    _S.REFUNDED: "refunded",
    _S.CANCELLED: "cancelled",
    _S.EXPIRED: "expired",
}
"""The second vocabulary: what merchants see for each of our states."""

PUBLISHED = frozenset(OUTSIDE.values())
"""Every word of the merchant API."""

TELLS: dict[PaymentEvent, str] = {
    _E.ATTEMPT_APPROVED: "payment.authorised",
    _E.ATTEMPT_COMPLETED: "payment.confirmed",
    _E.CUSTOMER_CANCELLED: "payment.cancelled",
    _E.WINDOW_ELAPSED: "payment.expired",
    _E.TRANSFER_MOVED: "payment.confirmed",
    _E.TRANSFER_STOOD: "payment.confirmed",
    _E.CREDIT_GIVEN: "payment.confirmed",
    _E.TOP_UP_DELIVERED: "payment.confirmed",
    _E.PAYEE_CONFIRMED: "payment.confirmed",
    _E.SETTLED_IN_BATCH: "payment.settled",
    _E.REVERSAL_ACCEPTED: "payment.reversed",
    _E.ATTEMPT_UNANSWERED: "payment.unknown",
    _E.APPROVED_TOO_LATE: "payment.reversing",
    _E.ATTEMPT_DECLINED: "payment.open",
    _E.ATTEMPT_VOIDED: "payment.open",
}
"""Events of which the merchant's webhook is told, and under which name."""

TOLD_AFTER_UNKNOWN = frozenset({_E.ATTEMPT_DECLINED, _E.ATTEMPT_VOIDED})
"""Told only where the merchant was told ``payment.unknown`` before; otherwise the payment was open all along."""

TOLD_PER_ATTEMPT = frozenset({_E.ATTEMPT_UNANSWERED, _E.APPROVED_TOO_LATE}) | TOLD_AFTER_UNKNOWN
"""Told once per attempt; everything else once per payment."""

TIMELINE: dict[PaymentEvent, str] = {
    _E.OPENED: "opened",
    _E.ATTEMPT_SUBMITTED: "submitted",
    _E.ATTEMPT_APPROVED: "authorised",
    _E.ATTEMPT_COMPLETED: "confirmed",
    _E.DEBIT_APPROVED: "authorised",
    _E.TRANSFER_MOVED: "confirmed",
    _E.TRANSFER_STOOD: "confirmed",
    _E.CREDIT_GIVEN: "confirmed",
    _E.TOP_UP_DELIVERED: "confirmed",
    _E.BALANCE_TOLD: "confirmed",
    _E.ATTEMPT_DECLINED: "declined",
    _E.ATTEMPT_UNANSWERED: "unanswered",
    _E.APPROVED_TOO_LATE: "approved_too_late",
    _E.ATTEMPT_VOIDED: "attempt_reversed",
    _E.CUSTOMER_CANCELLED: "cancelled",
    _E.WINDOW_ELAPSED: "expired",
    _E.PAYEE_CONFIRMED: "confirmed",
    _E.PAYEE_REVERSED: "reversal_asked",
    _E.CONFIRM_WINDOW_ELAPSED: "not_confirmed_in_time",
    _E.REVERSAL_ACCEPTED: "reversed",
    _E.SETTLED_IN_BATCH: "settled",
    _E.REFUND_REQUESTED: "refund_requested",
    _E.REFUND_DONE: "refund_done",
    _E.REFUND_REFUSED: "refund_refused",
    _E.REFUNDED_WHOLE: "refunded",
}
"""What a merchant reads in a payment's history, and under which word; other events are ours alone."""
