"""A merchant reads its own payments: one, by its id or its order, its history, and lists a page at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain.errors import OrderNotFound, PaymentNotFound
from gateway.domain.payment import TIMELINE
from gateway.services.gateway import Gateway
from gateway.store import lists, payments
from gateway.store.directory import Caller
from gateway.store.lists import Position as Position
from gateway.store.payments import EventRecord as EventRecord
from gateway.store.payments import PaymentRecord

EVENTS_MOST = 200
"""Beyond what five attempts can bring about."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some payments of a list, and where the next page begins; ``None`` at the end of the list."""

    records: list[PaymentRecord]
    next: Position | None


def get_payment(gateway: Gateway, caller: Caller, payment_id: str) -> PaymentRecord:
    """Return one payment of the caller's terminal.

    Raises:
        PaymentNotFound: it has none with this id.
    """
    with gateway.database.single() as connection:
        record = payments.get(connection, caller.terminal_id, payment_id)
    if record is None:
        raise PaymentNotFound("your terminal has no payment with this id")
    return record


def payment_of_order(gateway: Gateway, caller: Caller, order_id: str) -> PaymentRecord:
    """Return the payment that counts for an order: the live one, otherwise the latest (D42).

    Raises:
        OrderNotFound: none was ever opened.
    """
    with gateway.database.single() as connection:
        record = lists.of_order(connection, caller.terminal_id, order_id)
    if record is None:
        raise OrderNotFound("your terminal never opened a payment for this order")
    return record


def events_of(gateway: Gateway, caller: Caller, payment_id: str) -> list[EventRecord]:
    """Return what happened to a payment, oldest first.

    Raises:
        PaymentNotFound: the caller has none with this id.
    """
    named = [str(event) for event in TIMELINE]
    with gateway.database.single() as connection:
        events = payments.events(connection, caller.terminal_id, payment_id, named=named, most=EVENTS_MOST)
    if not events:
        raise PaymentNotFound("your terminal has no payment with this id")
    return events


def list_payments(
    gateway: Gateway, caller: Caller, filters: Mapping[str, Any], *, after: Position | None = None, most: int = 100
) -> Page:
    """Return the caller's payments that pass every filter (:data:`gateway.store.lists.FILTERS`), newest first."""
    with gateway.database.single() as connection:
        found = lists.newest_first(connection, caller.terminal_id, filters, after=after, most=most + 1)
    return page_of_records(found, most, lambda record: record.created_at)


def list_unconfirmed(gateway: Gateway, caller: Caller, *, after: Position | None = None, most: int = 100) -> Page:
    """Return what the caller must still confirm, the payment whose time is up first at the front."""
    with gateway.database.single() as connection:
        found = lists.unconfirmed(connection, caller.terminal_id, after=after, most=most + 1)
    return page_of_records(found, most, lambda record: record.authorised_at)


def page_of_records(found: list[PaymentRecord], most: int, when: Callable[[PaymentRecord], dt.datetime | None]) -> Page:
    """Cut what was read, one more than ``most``, to a page; ``when`` is the time that the list is ordered by."""
    last = found[most - 1] if len(found) > most else None
    at = None if last is None else when(last)
    return Page(found[:most], None if last is None or at is None else Position(at, last.payment_id))
