"""The second leg of a transfer between two banks: given, or taken back and the first leg undone (D7).

An outbox job of the worker like inquiry and reversal: repeated until there is an explicit answer, each time from what
the books say then.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from foundation.rial import Rial
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import (
    APPROVED_CODE,
    NO_PLACE,
    Approved,
    Declined,
    NotReversed,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.domain.transfer import Credit
from gateway.ports import CreditRequest, Order, ReversalRequest, Route, Trace
from gateway.services.gateway import Gateway
from gateway.services.order import order_of
from gateway.services.payee import open_destination
from gateway.services.recover import Again, NotYet, no_place, turn
from gateway.store import transfer_legs as store
from gateway.store.transfer_legs import CreditRow

log = structlog.get_logger()

TAKEN_BACK_CODE, STANDS_CODE = "400", "480"
"""What is kept of a reversal's answer."""


def credit(gateway: Gateway, attempt_id: str, *, tries: int) -> Again | NotYet | None:
    """Bring the credit that an attempt owes one step on; ``tries`` counts from 1, and every repeat is a 1201."""
    with gateway.database.single() as connection:
        row = store.read_credit(connection, attempt_id)
    if row is None:
        return None
    issuer = gateway.directory.issuer(row.destination_issuer_id)
    if issuer is None:
        return Again("issuer not known here yet")
    if wait := turn(gateway, issuer):
        return wait
    if row.credit == Credit.OWED and not row.overdue:
        return _give(gateway, issuer, row, repeat=tries > 1)
    return _take_back(gateway, issuer, row)


def _give(gateway: Gateway, issuer: Issuer, row: CreditRow, *, repeat: bool) -> Again | NotYet | None:
    pan = open_destination(gateway, row.payment_id, row.destination_sealed)
    answer = gateway.switch.credit(issuer, CreditRequest(_order(row), _trace(row), pan, repeat))
    log.info("credit_answered", attempt_id=row.attempt_id, payment_id=row.payment_id, answer=type(answer).__name__)
    match answer:
        case Approved(capture_date=capture_date):
            _given(gateway, row, Credit.OWED, APPROVED_CODE, capture_date)
        case Declined(action_code):
            _not_given(gateway, row, Credit.OWED, Credit.REFUSED, action_code)
        case Unknown(why):
            return no_place() if why == NO_PLACE else Again(why)
    return None


def _take_back(gateway: Gateway, issuer: Issuer, row: CreditRow) -> Again | NotYet | None:
    """Ask for the credit to be taken back; the decision is committed before, and never flips (D2)."""
    if row.credit == Credit.OWED:
        with gateway.database.single() as connection:
            if not store.decide_reversal(connection, row.payment_id):
                return Again("raced")
        log.warning("credit_overdue", attempt_id=row.attempt_id, payment_id=row.payment_id)
    pan = open_destination(gateway, row.payment_id, row.destination_sealed)
    answer = gateway.switch.reverse(
        issuer, ReversalRequest(_order(row), _trace(row), row.own_stan, row.own_local_time, pan)
    )
    log.info("credit_reversed", attempt_id=row.attempt_id, payment_id=row.payment_id, answer=type(answer).__name__)
    match answer:
        case Reversed():
            _not_given(gateway, row, Credit.REVERSING, Credit.REVERSED, TAKEN_BACK_CODE)
        case NotReversed():
            _given(gateway, row, Credit.REVERSING, STANDS_CODE, None)
        case ReversalUnknown(why):
            return no_place() if why == NO_PLACE else Again(why)
    return None


def _given(gateway: Gateway, row: CreditRow, before: Credit, action_code: str, capture_date: str | None) -> None:
    with gateway.database.single() as connection:
        store.given(connection, row.payment_id, before, action_code=action_code, capture_date=capture_date)
    gateway.ring()


def _not_given(gateway: Gateway, row: CreditRow, before: Credit, after: Credit, action_code: str) -> None:
    with gateway.database.single() as connection:
        store.not_given(connection, row.payment_id, before, after, action_code=action_code)
    gateway.ring()


def _order(row: CreditRow) -> Order:
    """Return what the credit says: the amount alone, for the sender paid the fee."""
    return replace(order_of(row), fee=Rial(0), route=Route.CREDIT)


def _trace(row: CreditRow) -> Trace:
    return Trace(row.acquirer_id, row.terminal_id, row.stan, row.rrn, row.local_time)
