"""What became of the attempts nobody answered, and the way back for money that must not stay.

Both run as outbox jobs of the worker: they are repeated until there is an explicit answer (D2), and every
repeat reads the
attempt again, so that a job whose work was done meanwhile does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from foundation.pan import Pan
from gateway.domain.attempt import AttemptState
from gateway.domain.limits import INQUIRIES_MAX
from gateway.domain.outcome import Approved, Declined, InquiryAnswer, NotFound, Reversed, Unknown
from gateway.ports import InquiryRequest, ReversalRequest, Trace
from gateway.services.gateway import Gateway
from gateway.services.order import order_of
from gateway.services.record_outcome import approved, pan_place
from gateway.store import attempts
from gateway.store.lookups import AttemptRow, for_switch

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Again:
    """No explicit answer yet; ask again later."""

    why: str


def inquire(gateway: Gateway, attempt_id: str, *, tries: int) -> Again | None:
    """Ask the issuer what became of an unknown attempt and record its answer; ``tries`` counts from 1.

    After the fifth silence, or once the host says it has no such original, the decision to reverse is committed (D2).
    """
    row = _read(gateway, attempt_id)
    if row is None or row.state != AttemptState.UNKNOWN:
        return None
    issuer = gateway.directory.issuer(row.issuer_id)
    if issuer is None:
        return Again("issuer not known here yet")
    pan = _pan(gateway, row)
    request = InquiryRequest(order_of(row), _trace(row), row.own_stan, row.own_local_time, pan)
    answer = gateway.switch.inquire(issuer, request)
    log.info("inquiry_answered", attempt_id=attempt_id, payment_id=row.payment_id, answer=type(answer).__name__)
    if isinstance(answer, Unknown) and tries < INQUIRIES_MAX:
        return Again(answer.why)
    return _record(gateway, row, pan, answer)


def reverse(gateway: Gateway, attempt_id: str) -> Again | None:
    """Ask the issuer to undo an attempt whose reversal was decided, until it accepts; never gives up (D8)."""
    row = _read(gateway, attempt_id)
    if row is None or row.state not in {AttemptState.VOIDING, AttemptState.DISPUTED}:
        return None
    issuer = gateway.directory.issuer(row.issuer_id)
    if issuer is None:
        return Again("issuer not known here yet")
    request = ReversalRequest(order_of(row), _trace(row), row.own_stan, row.own_local_time, _pan(gateway, row))
    answer = gateway.switch.reverse(issuer, request)
    log.info("reversal_answered", attempt_id=attempt_id, payment_id=row.payment_id, answer=type(answer).__name__)
    if isinstance(answer, Reversed):
        with gateway.database.single() as connection:
            attempts.reversed_(connection, attempt_id)
        gateway.ring()
        return None
    return Again(answer.why)


def _record(gateway: Gateway, row: AttemptRow, pan: Pan, answer: InquiryAnswer) -> Again | None:
    match answer:
        case Approved():
            merchant_id = row.merchant_id
            recorded = approved(gateway, row.attempt_id, answer, pan=pan, merchant_id=merchant_id, in_time=False)
            return None if recorded or _given_back_late(gateway, row.attempt_id, answer) else Again("raced")
        case Declined(action_code):
            with gateway.database.single() as connection:
                attempts.decline(connection, row.attempt_id, action_code)
        case Reversed() | NotFound() | Unknown():
            with gateway.database.single() as connection:
                attempts.decide_reversal(connection, row.attempt_id)
            gateway.ring()
    return None


def _given_back_late(gateway: Gateway, attempt_id: str, answer: Approved) -> bool:
    values = {
        "attempt_id": attempt_id,
        "approval_code": answer.approval_code,
        "capture_date": answer.capture_date,
    }
    with gateway.database.single() as connection:
        recorded = attempts.approved_too_late(connection, values)
    gateway.ring()
    return recorded


def _read(gateway: Gateway, attempt_id: str) -> AttemptRow | None:
    with gateway.database.single() as connection:
        return for_switch(connection, attempt_id)


def _pan(gateway: Gateway, row: AttemptRow) -> Pan:
    if row.pan_sealed is None:
        raise LookupError("an attempt in flight keeps its PAN (a constraint holds it)")
    return Pan(gateway.keyring.open(row.pan_sealed, bound_to=pan_place(row.attempt_id)).decode())


def _trace(row: AttemptRow) -> Trace:
    return Trace(row.acquirer_id, row.terminal_id, row.stan, row.rrn, row.local_time)
