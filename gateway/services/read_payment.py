"""A merchant reads its own payments."""

from __future__ import annotations

from gateway.domain.errors import MalformedMessage, PaymentNotFound
from gateway.domain.payment import OUTSIDE, PUBLISHED
from gateway.services.gateway import Gateway
from gateway.store import payments
from gateway.store.directory import Caller
from gateway.store.payments import PaymentRecord

PAGE_MOST = 100


def get_payment(gateway: Gateway, caller: Caller, payment_id: str) -> PaymentRecord:
    """Return one payment of the caller's terminal.

    Raises:
        PaymentNotFound: it has none with this id.
    """
    with gateway.database.single() as connection:
        record = payments.get(connection, caller.terminal_id, payment_id)
    if record is None:
        raise PaymentNotFound
    return record


def list_payments(
    gateway: Gateway, caller: Caller, *, state: str, after: str | None = None
) -> tuple[list[PaymentRecord], bool]:
    """Return up to a hundred payments in an outside state, by id, and whether there are more after the last.

    Raises:
        MalformedMessage: there is no such state.
    """
    if state not in PUBLISHED:
        raise MalformedMessage((("state", "is one of " + ", ".join(sorted(PUBLISHED))),))
    states = [str(own) for own, outside in OUTSIDE.items() if outside == state]
    with gateway.database.single() as connection:
        found = payments.listed(connection, caller.terminal_id, states, after=after, most=PAGE_MOST + 1)
    return found[:PAGE_MOST], len(found) > PAGE_MOST
