"""The merchant gives the money back before settlement."""

from __future__ import annotations

from gateway.domain.errors import IdempotencyMismatch, NotPossible, PaymentNotFound
from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.services.gateway import Gateway
from gateway.services.open_payment import Idempotency, kept_under
from gateway.store import payments
from gateway.store.directory import Caller
from gateway.store.payments import KeyTaken, PaymentRecord

GOING_BACK = frozenset({PaymentState.REVERSING, PaymentState.DISPUTED, PaymentState.REVERSED})


def reverse(gateway: Gateway, caller: Caller, payment_id: str, idempotency: Idempotency | None) -> PaymentRecord:
    """Commit the decision to reverse; the worker repeats it to the issuer until it is accepted (D2, D8).

    Reversing again returns the payment as it stands; a repeat under the same key, the first answer.

    Raises:
        PaymentNotFound: the caller's terminal has none with this id.
        IdempotencyMismatch: the key was used for another request.
        NotPossible: nothing was taken, it is settled, or the reversal window after its confirmation is over.
    """
    values = {
        "payment_id": payment_id,
        "terminal_id": caller.terminal_id,
        "reverse_window_seconds": gateway.settings.reverse_window_seconds,
        **kept_under(idempotency),
    }
    try:
        with gateway.database.single() as connection:
            record = payments.reverse(connection, values)
    except KeyTaken:
        record = None
    if record is not None:
        gateway.ring()
        return record
    return _again(gateway, caller, payment_id, idempotency)


def _again(gateway: Gateway, caller: Caller, payment_id: str, idempotency: Idempotency | None) -> PaymentRecord:
    with gateway.database.begin() as connection:
        known = idempotency and payments.stored(connection, caller.terminal_id, idempotency.key)
        record = payments.get(connection, caller.terminal_id, payment_id)
        if idempotency and not known and record and record.state in GOING_BACK:
            known = payments.keep(connection, record, idempotency.key, idempotency.body_hash)
    if idempotency and known:
        if known.body_hash != idempotency.body_hash:
            raise IdempotencyMismatch
        return known.record
    if record is None:
        raise PaymentNotFound
    if record.state not in GOING_BACK:
        raise NotPossible(OUTSIDE[record.state])
    return record
