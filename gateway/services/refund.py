"""The merchant gives money of a kept payment back to the card, whole or in parts, before or after settlement (D11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from foundation.audit import Details
from foundation.rial import Rial
from gateway.domain.errors import (
    GatewayError,
    InvalidAmount,
    NotPossible,
    PaymentNotFound,
    RequestInProgress,
)
from gateway.domain.limits import PURCHASE_MOST
from gateway.domain.payment import MACHINE, OUTSIDE, PaymentEvent, PaymentState
from gateway.domain.refund import REFUNDS_MAX, RefundState, check_reason, check_refund_id
from gateway.domain.refund_errors import (
    PayableTooLow,
    RefundAboveRest,
    RefundIdTaken,
    RefundNotOffered,
    RefundWindowOver,
    TooManyRefunds,
)
from gateway.ports import Kind
from gateway.services.audit_trail import By, note
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Idempotency, first_answer, keep_answer, kept_under
from gateway.store import balances, payments, refunds
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken, conflicts
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
    record = reserve(gateway, caller, values | kept_under(idempotency))
    return record or _again(gateway, caller, payment_id, asked, idempotency)


def refunds_of(gateway: Gateway, caller: Caller, payment_id: str) -> list[RefundRecord]:
    """Return every refund of a payment, oldest first.

    Raises:
        PaymentNotFound: the caller's terminal has none with this id.
    """
    with gateway.database.begin() as connection:
        if payments.get(connection, caller.terminal_id, payment_id) is None:
            raise PaymentNotFound("your terminal has no payment with this id")
        return refunds.of_payment(connection, caller.terminal_id, payment_id)


def reserve(gateway: Gateway, caller: Caller, values: Mapping[str, object]) -> RefundRecord | None:
    """Reserve a refund's money out of what its merchant is owed, under that account's lock, and queue its sending.

    ``None`` when something forbids it, or when refund or key were there before; nothing was changed then.

    Raises:
        RequestInProgress: a request with this key, or about this merchant's money, is being carried out.
    """
    try:
        with gateway.database.begin() as connection:
            with conflicts():
                balances.lock(connection, f"payable:{caller.merchant_id}")
            record = refunds.ask(connection, values)
            if record is not None and record.state is RefundState.WAITING:
                _note_large(gateway, connection, caller, record)
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except (KeyTaken, RefundTaken):
        return None
    if record is not None:
        gateway.ring()
    return record


def limits_of(gateway: Gateway) -> dict[str, object]:
    """Return what bounds every refund here."""
    settings = gateway.settings
    return {
        "refund_window_days": settings.refund_window_days,
        "reverse_window_seconds": settings.reverse_window_seconds,
        "four_eyes_rial": settings.refund_four_eyes_rial,
    }


def _note_large(gateway: Gateway, connection: Connection, caller: Caller, record: RefundRecord) -> None:
    by = By(f"key:{caller.key_id}", record.reason or "")
    details: Details = {"merchant": caller.merchant_id, "payment": record.payment_id, "rial": record.amount_rial}
    note(connection, gateway.keyring, by, "refund.asked", f"refund:{record.number}", details)


def _values(gateway: Gateway, caller: Caller, payment_id: str, asked: AskedRefund) -> dict[str, object]:
    if not asked.amount:
        raise InvalidAmount(1, PURCHASE_MOST.amount)
    return limits_of(gateway) | {
        "kind": Kind.PURCHASE,
        "payment_id": payment_id,
        "terminal_id": caller.terminal_id,
        "merchant_id": caller.merchant_id,
        "key_of": caller.terminal_id,
        "bill": None,
        "signed": None,
        "refund_id": check_refund_id(asked.refund_id),
        "amount_rial": asked.amount.amount,
        "reason": check_reason(asked.reason),
        "asked_by": f"key {caller.key_id}",
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
            raise why_nothing(record.state, Kind.PURCHASE, asked.amount, refunds.rest(connection, values))
        if (known.payment_id, known.amount_rial) != (payment_id, asked.amount.amount):
            raise RefundIdTaken(known.payment_id, known.amount_rial)
        keep_answer(connection, caller, idempotency, known.json())
        return known


def why_nothing(state: PaymentState, kind: Kind, amount: Rial, rest: Rest) -> GatewayError:
    """Say why nothing was reserved of a payment of this kind: the first reason that holds; none: it was so just now."""
    reasons: tuple[tuple[bool, GatewayError], ...] = (
        (rest.kind != kind, RefundNotOffered("this kind of payment is not refunded here")),
        (state not in MACHINE.befores(PaymentEvent.REFUND_REQUESTED), NotPossible(OUTSIDE[state])),
        (not rest.in_window, RefundWindowOver(OUTSIDE[state])),
        (amount.amount > rest.left_rial, RefundAboveRest(rest.left_rial)),
        (rest.refunds >= REFUNDS_MAX, TooManyRefunds(f"a payment takes at most {REFUNDS_MAX} refunds")),
        (amount.amount > rest.available, PayableTooLow("you are not owed so much at this moment")),
    )
    return next((error for holds, error in reasons if holds), RequestInProgress(IN_PROGRESS))
