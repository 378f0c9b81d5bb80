"""The merchant gives money of a kept payment back to the card, whole or in parts, before or after settlement (D11)."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.rial import Rial
from gateway.domain.errors import (
    GatewayError,
    InvalidAmount,
    NotPossible,
    PaymentNotFound,
    RequestInProgress,
)
from gateway.domain.limits import PURCHASE_MOST
from gateway.domain.payment import MACHINE, OUTSIDE, PaymentEvent
from gateway.domain.refund import REFUNDS_MAX, check_reason, check_refund_id
from gateway.domain.refund_errors import (
    PayableTooLow,
    RefundAboveRest,
    RefundIdTaken,
    RefundNotOffered,
    RefundWindowOver,
    TooManyRefunds,
)
from gateway.ports import Kind
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Idempotency, first_answer, keep_answer, kept_under
from gateway.store import balances, payments, refunds
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken, conflicts
from gateway.store.payments import PaymentRecord
from gateway.store.refunds import RefundRecord as RefundRecord
from gateway.store.refunds import RefundTaken, Rest


@dataclass(frozen=True, slots=True)
class AskedRefund:
    """What a merchant asks for; ``refund_id`` is its own name for this refund, once for ever."""

    refund_id: str
    amount: Rial
    reason: str | None = None


def refund(
    gateway: Gateway, caller: Caller, payment_id: str, asked: AskedRefund, idempotency: Idempotency | None
) -> RefundRecord:
    """Reserve money of a kept payment and queue its way back; the worker sends it until the issuer answers.

    The same refund id with the same payment and amount returns that refund as it stands; the same key returns the
    first answer. From :attr:`gateway.config.Settings.refund_four_eyes_rial` on, all refunds of a payment together, a
    second person decides first.

    Raises:
        InvalidText, InvalidAmount: a part of the request is outside its rules.
        PaymentNotFound: the caller's terminal has none with this id.
        IdempotencyMismatch: the key was used for another request.
        RefundIdTaken: the refund id was used for another payment or amount.
        RequestInProgress: a request with this key, or about this merchant's money, is being carried out.
        RefundNotOffered: it is no purchase.
        NotPossible: the payment is not kept.
        RefundWindowOver: it was paid too long ago.
        RefundAboveRest: more than what is left of it.
        TooManyRefunds: it has as many refunds as it may.
        PayableTooLow: the merchant is not owed so much.
    """
    values = _values(gateway, caller, payment_id, asked)
    try:
        with gateway.database.begin() as connection:
            with conflicts():
                balances.lock(connection, f"payable:{caller.merchant_id}")
            record = refunds.ask(connection, values | kept_under(idempotency))
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except (KeyTaken, RefundTaken):
        record = None
    if record is not None:
        gateway.ring()
        return record
    return _again(gateway, caller, payment_id, asked, idempotency)


def refunds_of(gateway: Gateway, caller: Caller, payment_id: str) -> list[RefundRecord]:
    """Return every refund of a payment, oldest first.

    Raises:
        PaymentNotFound: the caller's terminal has none with this id.
    """
    with gateway.database.begin() as connection:
        if payments.get(connection, caller.terminal_id, payment_id) is None:
            raise PaymentNotFound("your terminal has no payment with this id")
        return refunds.of_payment(connection, caller.terminal_id, payment_id)


def _values(gateway: Gateway, caller: Caller, payment_id: str, asked: AskedRefund) -> dict[str, object]:
    if not asked.amount:
        raise InvalidAmount(1, PURCHASE_MOST.amount)
    return {
        "payment_id": payment_id,
        "terminal_id": caller.terminal_id,
        "refund_id": check_refund_id(asked.refund_id),
        "amount_rial": asked.amount.amount,
        "reason": check_reason(asked.reason),
        "asked_by": f"key {caller.key_id}",
        "refund_window_days": gateway.settings.refund_window_days,
        "reverse_window_seconds": gateway.settings.reverse_window_seconds,
        "four_eyes_rial": gateway.settings.refund_four_eyes_rial,
    }


def _again(
    gateway: Gateway, caller: Caller, payment_id: str, asked: AskedRefund, idempotency: Idempotency | None
) -> RefundRecord:
    values = _values(gateway, caller, payment_id, asked)
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return RefundRecord.of(answer)
        record = payments.get(connection, caller.terminal_id, payment_id)
        if record is None:
            raise PaymentNotFound("your terminal has no payment with this id")
        known = refunds.get(connection, caller.terminal_id, asked.refund_id)
        if known is None:
            raise _refusal(record, asked, refunds.rest(connection, values))
        if (known.payment_id, known.amount_rial) != (payment_id, asked.amount.amount):
            raise RefundIdTaken(known.payment_id, known.amount_rial)
        keep_answer(connection, caller, idempotency, known.json())
        return known


def _refusal(record: PaymentRecord, asked: AskedRefund, rest: Rest) -> GatewayError:
    """Say why nothing was reserved: the first reason that holds; none means that it was so only a moment ago."""
    reasons: tuple[tuple[bool, GatewayError], ...] = (
        (rest.kind != Kind.PURCHASE, RefundNotOffered("only purchases are refunded here")),
        (record.state not in MACHINE.befores(PaymentEvent.REFUND_REQUESTED), NotPossible(OUTSIDE[record.state])),
        (not rest.in_window, RefundWindowOver(OUTSIDE[record.state])),
        (asked.amount.amount > rest.left_rial, RefundAboveRest(rest.left_rial)),
        (rest.refunds >= REFUNDS_MAX, TooManyRefunds(f"a payment takes at most {REFUNDS_MAX} refunds")),
        (asked.amount.amount > rest.available, PayableTooLow("you are not owed so much at this moment")),
    )
    return next((error for holds, error in reasons if holds), RequestInProgress(IN_PROGRESS))
