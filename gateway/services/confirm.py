"""The merchant says "I deliver": an authorised payment becomes final (wires call it verify)."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.rial import Rial
from gateway.domain.errors import AmountMismatch, NotPossible, PaymentNotFound, RequestInProgress
from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.ports import Kind
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Idempotency, first_answer, keep_answer, kept_under
from gateway.store import payments
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken
from gateway.store.payments import PaymentRecord

AGAIN = "again"
"""Mark of a kept answer whose call found the payment confirmed already (D30)."""

CONFIRMED = frozenset({PaymentState.CONFIRMED, PaymentState.SETTLED, PaymentState.REFUNDED})


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmed payment; ``first_time`` for the call that made it so and for replays of its own key alone (D30)."""

    record: PaymentRecord
    first_time: bool


def confirm(
    gateway: Gateway, caller: Caller, payment_id: str, amount: Rial, idempotency: Idempotency | None
) -> Confirmed:
    """Confirm an authorised payment within its window; once confirmed, the answer stays the same.

    Raises:
        PaymentNotFound: the caller's terminal has none with this id.
        AmountMismatch: ``amount`` is not the payment's; nothing was changed.
        IdempotencyMismatch: the key was used for another request.
        RequestInProgress: a request with this key, or about this payment, is being carried out.
        NotPossible: it is not authorised, its window is over and the money goes back, or it is nobody's to confirm.
    """
    values = {
        "payment_id": payment_id,
        "terminal_id": caller.terminal_id,
        "amount_rial": amount.amount,
        **kept_under(idempotency),
    }
    try:
        with gateway.database.single() as connection:
            record = payments.confirm(connection, values)
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except KeyTaken:
        record = None
    if record is not None:
        gateway.ring()
        return Confirmed(record, first_time=True)
    return _again(gateway, caller, payment_id, amount, idempotency)


def _again(
    gateway: Gateway, caller: Caller, payment_id: str, amount: Rial, idempotency: Idempotency | None
) -> Confirmed:
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return Confirmed(PaymentRecord.of(answer), first_time=not answer.get(AGAIN, False))
        record = payments.get(connection, caller.terminal_id, payment_id)
        if record is None:
            raise PaymentNotFound("your terminal has no payment with this id")
        if record.amount_rial != amount.amount:
            raise AmountMismatch("amount is not the payment's; nothing was changed")
        if record.state in CONFIRMED:
            keep_answer(connection, caller, idempotency, record.json(**{AGAIN: True}))
            return Confirmed(record, first_time=False)
    late = record.kind is Kind.PURCHASE and record.state is PaymentState.AUTHORISED
    raise NotPossible(OUTSIDE[PaymentState.REVERSING if late else record.state])
