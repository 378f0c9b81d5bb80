"""The merchant gives the money back before settlement."""

from __future__ import annotations

from foundation.rial import Rial
from gateway.domain.errors import (
    AmountMismatch,
    NotPossible,
    PaymentNotFound,
    RequestInProgress,
    ReversalWindowOver,
)
from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.domain.refund_errors import RefundsExist
from gateway.ports import Kind
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Idempotency, first_answer, keep_answer, kept_under
from gateway.store import payments
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken
from gateway.store.payments import PaymentRecord

GOING_BACK = frozenset({PaymentState.REVERSING, PaymentState.DISPUTED, PaymentState.REVERSED})


def reverse(
    gateway: Gateway,
    caller: Caller,
    payment_id: str,
    idempotency: Idempotency | None,
    *,
    amount: Rial | None = None,
) -> PaymentRecord:
    """Commit the decision to reverse; the worker repeats it to the issuer until it is accepted (D2, D8).

    Reversing again returns the payment as it stands; the same key returns the first answer. ``amount`` is the whole
    payment's, for a caller that wants it checked; a part cannot be reversed.

    Raises:
        PaymentNotFound: the caller's terminal has none with this id.
        AmountMismatch: ``amount`` is not the payment's; nothing was changed.
        IdempotencyMismatch: the key was used for another request.
        RequestInProgress: a request with this key, or about this payment, is being carried out.
        RefundsExist: a part of it was refunded.
        ReversalWindowOver: it was confirmed too long ago.
        NotPossible: nothing was taken, it is settled, or it is no purchase.
    """
    values = {
        "payment_id": payment_id,
        "terminal_id": caller.terminal_id,
        "amount_rial": None if amount is None else amount.amount,
        "reverse_window_seconds": gateway.settings.reverse_window_seconds,
        **kept_under(idempotency),
    }
    try:
        with gateway.database.single() as connection:
            record = payments.reverse(connection, values)
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except KeyTaken:
        record = None
    if record is not None:
        gateway.ring()
        return record
    return _again(gateway, caller, payment_id, amount, idempotency)


def _again(
    gateway: Gateway, caller: Caller, payment_id: str, amount: Rial | None, idempotency: Idempotency | None
) -> PaymentRecord:
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return PaymentRecord.of(answer)
        record = payments.get(connection, caller.terminal_id, payment_id)
        if record is None:
            raise PaymentNotFound("your terminal has no payment with this id")
        if amount is not None and record.amount_rial != amount.amount:
            raise AmountMismatch("amount is not the payment's, and a part cannot be reversed; nothing was changed")
        if record.state in GOING_BACK:
            keep_answer(connection, caller, idempotency, record.json())
            return record
    if record.kind is not Kind.PURCHASE:
        raise NotPossible(OUTSIDE[record.state])
    if record.state is PaymentState.CONFIRMED and record.refunded_rial:
        raise RefundsExist(OUTSIDE[record.state])
    if record.state is PaymentState.CONFIRMED:
        raise ReversalWindowOver(OUTSIDE[record.state])
    raise NotPossible(OUTSIDE[record.state])
