"""A biller says no to a bill that was paid: its money alone goes back to the card, once (D12)."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.rial import Rial
from gateway.domain.bill_errors import BillNotFound, RefusalNotSigned
from gateway.domain.bill_refusal import SECRET_HOLD_HOURS, is_signed, refund_id_of, refusal_text
from gateway.domain.bills import Bill
from gateway.domain.payment import PaymentState
from gateway.domain.refund import check_reason
from gateway.ports import Kind
from gateway.services.endpoints import refusing_secrets
from gateway.services.gateway import Gateway
from gateway.services.idempotency import Idempotency, first_answer, keep_answer, kept_under
from gateway.services.refund import limits_of, reserve, why_nothing
from gateway.store import bills, refunds
from gateway.store.bills import PaidLine
from gateway.store.directory import Caller
from gateway.store.refunds import RefundRecord


@dataclass(frozen=True, slots=True)
class BillRefusal:
    """A biller's no; ``signature`` is over :func:`gateway.domain.bill_refusal.refusal_text`."""

    tracking_code: str
    bill: Bill
    signature: str
    reason: str | None = None


def refuse_bill(
    gateway: Gateway, caller: Caller, refusal: BillRefusal, idempotency: Idempotency | None
) -> RefundRecord:
    """Give a bill's money back to the card that paid, out of what its biller is owed; the worker sends it.

    The same no again, whoever of the biller says it, returns that one refund as it stands. Of the cardholder's fee
    goes back what a refund of so much takes along; large ones wait for a second person.

    Raises:
        InvalidText: the reason is outside its rules.
        BillNotFound: no bill of the caller's merchant was paid under this tracking code.
        RefusalNotSigned: no secret of the caller's merchant made the signature, or one that is not two days old.
        IdempotencyMismatch: the key was used for another request.
        NotPossible, RefundWindowOver, PayableTooLow, RequestInProgress: as for any refund.
    """
    reason = check_reason(refusal.reason)
    with gateway.database.single() as connection:
        line = bills.paid_line(connection, caller.merchant_id, refusal.tracking_code, refusal.bill)
    if line is None:
        raise BillNotFound("no bill of yours was paid under this tracking code")
    text = refusal_text(refusal.tracking_code, refusal.bill)
    if not is_signed(refusing_secrets(gateway, caller.merchant_id), text, refusal.signature):
        raise RefusalNotSigned(f"sign with a secret of your webhook endpoints that is {SECRET_HOLD_HOURS} hours old")
    values = _values(gateway, caller, line) | {"reason": reason, "signed": refusal.signature}
    record = reserve(gateway, caller, values | kept_under(idempotency))
    return record or _again(gateway, caller, values, line, idempotency)


def _again(
    gateway: Gateway, caller: Caller, values: dict[str, object], line: PaidLine, idempotency: Idempotency | None
) -> RefundRecord:
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return RefundRecord.of(answer)
        known = refunds.get(connection, line.terminal_id, refund_id_of(line.payment_id, line.number))
        if known is None:
            rest = refunds.rest(connection, values)
            raise why_nothing(PaymentState(rest.state), Kind.BILL_PAYMENT, Rial(line.amount_rial), rest)
        keep_answer(connection, caller, idempotency, known.json())
        return known


def _values(gateway: Gateway, caller: Caller, line: PaidLine) -> dict[str, object]:
    return limits_of(gateway) | {
        "kind": Kind.BILL_PAYMENT,
        "payment_id": line.payment_id,
        "terminal_id": line.terminal_id,
        "merchant_id": caller.merchant_id,
        "key_of": caller.terminal_id,
        "bill": line.number,
        "refund_id": refund_id_of(line.payment_id, line.number),
        "amount_rial": line.amount_rial,
        "asked_by": f"key {caller.key_id}",
    }
