"""The merchant says "I deliver": an authorised payment becomes final (wires call it verify)."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.rial import Rial
from gateway.domain.errors import AmountMismatch, IdempotencyMismatch, NotPossible, PaymentNotFound
from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.services.gateway import Gateway
from gateway.services.open_payment import Idempotency, kept_under
from gateway.store import payments
from gateway.store.directory import Caller
from gateway.store.payments import KeyTaken, PaymentRecord

CONFIRMED = frozenset({PaymentState.CONFIRMED, PaymentState.SETTLED})


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
        NotPossible: it is not authorised, or its window is over and the money goes back.
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
        known = idempotency and payments.stored(connection, caller.terminal_id, idempotency.key)
        record = payments.get(connection, caller.terminal_id, payment_id)
        repeated = record is not None and record.amount_rial == amount.amount and record.state in CONFIRMED
        if idempotency and not known and record and repeated:
            known = payments.keep(connection, record, idempotency.key, idempotency.body_hash)
    if idempotency and known:
        if known.body_hash != idempotency.body_hash:
            raise IdempotencyMismatch
        return Confirmed(known.record, first_time=known.changed)
    if record is None:
        raise PaymentNotFound
    if record.amount_rial != amount.amount:
        raise AmountMismatch
    if repeated:
        return Confirmed(record, first_time=False)
    late = record.state is PaymentState.AUTHORISED
    raise NotPossible(OUTSIDE[PaymentState.REVERSING if late else record.state])
