"""A refund on its way to the issuer: sent, and sent again under the same key, until the answer is explicit (D2, D11).

Runs as an outbox job of the worker, at the issuer's own pace (F19). That it goes out is committed before it does, so
that a process that dies in between sends it the next time as what it may be: a repeat.
"""

from __future__ import annotations

import structlog

from foundation.pan import Pan
from foundation.rial import Rial
from gateway.domain.outcome import NO_PLACE, Approved, AuthorisationAnswer, Declined, Unknown
from gateway.domain.refund import RefundState
from gateway.ports import Kind, Order, RefundRequest, Trace
from gateway.services.gateway import Gateway
from gateway.services.record_outcome import pan_place
from gateway.services.recover import Again, NotYet, no_place, turn
from gateway.store import refunds
from gateway.store.refunds import RefundRow

log = structlog.get_logger()

UNDER_WAY = frozenset({RefundState.REQUESTED, RefundState.SENT, RefundState.UNKNOWN})


def send_refund(gateway: Gateway, number: int) -> Again | NotYet | None:
    """Ask the issuer to credit the card and record what it says; never gives up, and does nothing once it is over."""
    with gateway.database.single() as connection:
        row = refunds.for_switch(connection, number)
    if row is None or row.state not in UNDER_WAY:
        return None
    issuer = gateway.directory.issuer(row.issuer_id)
    if issuer is None:
        return Again("issuer not known here yet")
    if wait := turn(gateway, issuer):
        return wait
    with gateway.database.single() as connection:
        first = refunds.sent(connection, number)
    answer = gateway.switch.refund(issuer, _request(gateway, row, again=not first))
    if answer == Unknown(NO_PLACE):
        return no_place()
    log.info("refund_answered", refund=number, payment_id=row.payment_id, answer=type(answer).__name__, first=first)
    return _record(gateway, number, answer)


def _record(gateway: Gateway, number: int, answer: AuthorisationAnswer) -> Again | None:
    with gateway.database.single() as connection:
        match answer:
            case Approved(approval_code, capture_date):
                refunds.done(connection, number, approval_code, capture_date)
            case Declined(action_code):
                refunds.refuse(connection, number, action_code)
            case Unknown(why):
                refunds.unanswered(connection, number)
                return Again(why)
    gateway.ring()
    return None


def _request(gateway: Gateway, row: RefundRow, *, again: bool) -> RefundRequest:
    order = Order(
        kind=Kind.PURCHASE,
        amount=Rial(row.amount_rial + row.fee_rial),
        fee=Rial(0),
        acquirer_id=row.acquirer_id,
        merchant_id=row.merchant_id,
        terminal_id=row.terminal_id,
        payee_name=row.payee_name,
        payee_key="",
        transaction_ref=row.reference,
    )
    trace = Trace(row.acquirer_id, row.terminal_id, row.stan, row.rrn, row.local_time)
    pan = Pan(gateway.keyring.open(row.pan_sealed, bound_to=pan_place(row.attempt_id)).decode())
    return RefundRequest(order, trace, pan, again)
