"""What became of the attempts nobody answered, and the way back for money that must not stay.

Both run as outbox jobs of the worker: they are repeated until there is an explicit answer (D2), and every repeat reads
the attempt again, so that a job whose work was done meanwhile does nothing. A question goes out only in its turn: an
issuer with many unknown outcomes is asked at its own pace, whatever the number of workers (F19).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import structlog

from foundation.pan import Pan
from gateway.domain.attempt import AttemptState
from gateway.domain.issuers import Issuer
from gateway.domain.limits import INQUIRIES_MAX
from gateway.domain.outcome import (
    NO_PLACE,
    Approved,
    Declined,
    InquiryAnswer,
    NotFound,
    NotReversed,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.ports import InquiryRequest, Kind, ReversalRequest, Trace, UnmatchedAnswer
from gateway.services.gateway import Gateway
from gateway.services.order import order_of
from gateway.services.record_outcome import approved, pan_place, stood
from gateway.store import approvals, attempts, pace
from gateway.store.lookups import AttemptRow, by_trace, for_switch

log = structlog.get_logger()

NO_PLACE_SECONDS = 1.0
"""How soon a full process looks again, and up to a second more, so that not all look at once."""


@dataclass(frozen=True, slots=True)
class Again:
    """No explicit answer yet; ask again later."""

    why: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nothing was asked: no turn, or no place in this process. Counts as no try."""

    why: str
    after_seconds: float


def inquire(gateway: Gateway, attempt_id: str, *, tries: int) -> Again | NotYet | None:
    """Ask the issuer what became of an unknown attempt and record its answer; ``tries`` counts from 1.

    After the fifth silence, or once the host says it has no such original, the decision to reverse is committed (D2).
    """
    row = _read(gateway, attempt_id)
    if row is None or row.state != AttemptState.UNKNOWN:
        return None
    issuer = gateway.directory.issuer(row.issuer_id)
    if issuer is None:
        return Again("issuer not known here yet")
    if wait := turn(gateway, issuer):
        return wait
    pan = _pan(gateway, row)
    request = InquiryRequest(order_of(row), _trace(row), row.own_stan, row.own_local_time, pan)
    answer = gateway.switch.inquire(issuer, request)
    if answer == Unknown(NO_PLACE):
        return no_place()
    log.info("inquiry_answered", attempt_id=attempt_id, payment_id=row.payment_id, answer=type(answer).__name__)
    if isinstance(answer, Unknown) and tries < INQUIRIES_MAX:
        return Again(answer.why)
    return _record(gateway, row, pan, answer)


def reverse(gateway: Gateway, attempt_id: str) -> Again | NotYet | None:
    """Ask the issuer to undo an attempt whose reversal was decided, until it accepts; never gives up (D8)."""
    row = _read(gateway, attempt_id)
    if row is None or row.state not in {AttemptState.VOIDING, AttemptState.DISPUTED}:
        return None
    issuer = gateway.directory.issuer(row.issuer_id)
    if issuer is None:
        return Again("issuer not known here yet")
    if wait := turn(gateway, issuer):
        return wait
    pan = _pan(gateway, row)
    request = ReversalRequest(order_of(row), _trace(row), row.own_stan, row.own_local_time, pan)
    answer = gateway.switch.reverse(issuer, request)
    if answer == ReversalUnknown(NO_PLACE):
        return no_place()
    log.info("reversal_answered", attempt_id=attempt_id, payment_id=row.payment_id, answer=type(answer).__name__)
    if isinstance(answer, Reversed):
        with gateway.database.single() as connection:
            attempts.reversed_(connection, attempt_id)
        gateway.ring()
        return None
    return _not_reversed(gateway, row, pan, answer)


def _not_reversed(gateway: Gateway, row: AttemptRow, pan: Pan, answer: NotReversed | ReversalUnknown) -> Again | None:
    """Ask again; of a transfer within one bank, and of nothing else, an impossible reversal is the end (D7)."""
    if isinstance(answer, ReversalUnknown):
        return Again(answer.why)
    if not row.inside:
        return Again("cannot be reversed, says its bank")
    stood(gateway, row, pan=pan, capture_date=answer.capture_date)
    return None


def heard_late(gateway: Gateway, heard: UnmatchedAnswer, answer: Approved) -> None:
    """Record a genuine approval that nobody waited for any more.

    An attempt without a result is authorised, or given back once the page's time is over, exactly as by an inquiry
    (D8); one whose reversal is decided stays so and notes it (D2). After a decline there is no card number left to
    reverse with: that is the bank's error, and alarms a person.
    """
    with gateway.database.single() as connection:
        row = by_trace(connection, heard)
    if row is None or order_of(row).processing_code != heard.processing_code:
        return
    names = {"attempt_id": row.attempt_id, "payment_id": row.payment_id, "state": row.state}
    if row.state in {AttemptState.SUBMITTED, AttemptState.UNKNOWN}:
        log.info("approval_heard_late", **names)
        _record(gateway, row, _pan(gateway, row), answer)
    elif row.state in {AttemptState.VOIDING, AttemptState.DISPUTED, AttemptState.VOIDED}:
        log.warning("approval_heard_late", **names)
        with gateway.database.single() as connection:
            approvals.late_approval(connection, {**_approval(row.attempt_id, answer), "pan_sealed": None})
    elif row.state == AttemptState.DECLINED:
        log.error("approval_after_decline", **names)


def turn(gateway: Gateway, issuer: Issuer) -> NotYet | None:
    """Take the issuer's next turn; otherwise say when to ask for one again (F19)."""
    with gateway.database.single() as connection:
        wait = pace.take_turn(
            connection, issuer.issuer_id, per_second=issuer.recovery_per_second, burst=issuer.recovery_burst
        )
    return NotYet("not its turn", wait) if wait else None


def no_place() -> NotYet:
    """Say when a process whose places were all taken looks again."""
    return NotYet(NO_PLACE, NO_PLACE_SECONDS + secrets.randbelow(1_000) / 1_000)


def _record(gateway: Gateway, row: AttemptRow, pan: Pan, answer: InquiryAnswer) -> Again | None:
    match answer:
        case Approved():
            told = row.kind != Kind.BALANCE_INQUIRY  # an inquiry tells no balance: what it cost goes back
            recorded = told and approved(gateway, row, answer, pan=pan, in_time=row.inside)  # moved inside is moved
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
    with gateway.database.single() as connection:
        recorded = approvals.approved_too_late(connection, _approval(attempt_id, answer))
    gateway.ring()
    return recorded


def _approval(attempt_id: str, answer: Approved) -> dict[str, str | None]:
    return {"attempt_id": attempt_id, "approval_code": answer.approval_code, "capture_date": answer.capture_date}


def _read(gateway: Gateway, attempt_id: str) -> AttemptRow | None:
    with gateway.database.single() as connection:
        return for_switch(connection, attempt_id)


def _pan(gateway: Gateway, row: AttemptRow) -> Pan:
    if row.pan_sealed is None:
        raise LookupError("an attempt in flight keeps its PAN (a constraint holds it)")
    return Pan(gateway.keyring.open(row.pan_sealed, bound_to=pan_place(row.attempt_id)).decode())


def _trace(row: AttemptRow) -> Trace:
    return Trace(row.acquirer_id, row.terminal_id, row.stan, row.rrn, row.local_time)
