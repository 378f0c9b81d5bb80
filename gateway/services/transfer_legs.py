"""The second leg of a transfer between two banks: a credit to the destination's card (D7)."""

from __future__ import annotations

from dataclasses import replace

from foundation.rial import Rial
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import Approved, AuthorisationAnswer, NotReversed, ReversalAnswer
from gateway.domain.transfer import Credit
from gateway.ports import CreditRequest, Order, ReversalRequest, Route, Trace
from gateway.services.gateway import Gateway
from gateway.services.order import order_of
from gateway.services.payee import open_destination
from gateway.services.recover import Again, NotYet, turn
from gateway.services.second_leg import Leg, step
from gateway.store import transfer_legs as store
from gateway.store.transfer_legs import CreditRow


def credit(gateway: Gateway, attempt_id: str, *, tries: int) -> Again | NotYet | None:
    """Bring the credit that an attempt owes one step on; ``tries`` counts from 1, and every repeat is a 1201.

    The first message is what its debit is for, and waits for nobody; repeats go out at the issuer's pace (F19).
    """
    with gateway.database.single() as connection:
        row = store.read_credit(connection, attempt_id)
    if row is None:
        return None
    issuer = gateway.directory.issuer(row.destination_issuer_id)
    if issuer is None:
        return Again("issuer not known here yet")
    if tries > 1 and (wait := turn(gateway, issuer)):
        return wait
    return step(row, _leg(gateway, issuer, row, repeat=tries > 1))


def _leg(gateway: Gateway, issuer: Issuer, row: CreditRow, *, repeat: bool) -> Leg:
    pan = open_destination(gateway, row.payment_id, row.destination_sealed)

    def give() -> AuthorisationAnswer:
        return gateway.switch.credit(issuer, CreditRequest(_order(row), _trace(row), pan, repeat))

    def take_back() -> ReversalAnswer:
        return gateway.switch.reverse(
            issuer, ReversalRequest(_order(row), _trace(row), row.own_stan, row.own_local_time, pan)
        )

    def decide() -> bool:
        with gateway.database.single() as connection:
            return store.decide_reversal(connection, row.payment_id)

    def given(before: Credit, action_code: str, answer: Approved | NotReversed) -> None:
        day = answer.capture_date
        with gateway.database.single() as connection:
            store.given(connection, row.payment_id, before, action_code=action_code, capture_date=day)
        gateway.ring()

    def not_given(before: Credit, after: Credit, action_code: str) -> None:
        with gateway.database.single() as connection:
            store.not_given(connection, row.payment_id, before, after, action_code=action_code)
        gateway.ring()

    return Leg(give, take_back, decide, given, not_given)


def _order(row: CreditRow) -> Order:
    """Return what the credit says: the amount alone, for the sender paid the fee."""
    return replace(order_of(row), fee=Rial(0), route=Route.CREDIT)


def _trace(row: CreditRow) -> Trace:
    return Trace(row.acquirer_id, row.terminal_id, row.stan, row.rrn, row.local_time)
