"""The page follows the SMS of a dynamic PIN: the issuer is asked seldom, few times, and never twice at once."""

from __future__ import annotations

from dataclasses import replace

from gateway.domain.limits import DELIVERY_CHECK_SECONDS, DELIVERY_CHECKS_MAX
from gateway.domain.payment import PaymentState
from gateway.ports import Delivery
from gateway.services.gateway import Gateway
from gateway.services.show_page import PageView, page_of
from gateway.store import pins

LAST = frozenset({Delivery.ACCEPTED, Delivery.REFUSED, Delivery.DROPPED, Delivery.UNDISCLOSED})
"""States after which nothing new is to be heard of a message."""


def page_with_delivery(gateway: Gateway, page_token: str) -> PageView:
    """Return what the page may show, with news of the SMS where it is time to ask for them.

    Most calls ask nobody: at most ten questions a code, each later than the one before, counted in the database, so
    that many tabs ask no more than one.

    Raises:
        PaymentNotFound: no payment has this token.
    """
    view = page_of(gateway, page_token)
    if view.state is not PaymentState.OPEN or view.pin.ask_in_seconds != 0:
        return view
    with gateway.database.single() as connection:
        due = pins.claim_check(connection, page_token, checks_max=DELIVERY_CHECKS_MAX, seconds=DELIVERY_CHECK_SECONDS)
    if due is None:
        return view
    issuer = gateway.directory.issuer(due.issuer_id)
    heard = None if issuer is None else gateway.harim.delivery(issuer, due.correlation_id)
    told = view.pin.delivery if heard in {None, Delivery.UNDISCLOSED} else heard
    done = heard in LAST
    if done or told != view.pin.delivery:
        with gateway.database.single() as connection:
            pins.note_delivery(connection, due.request_id, told, done=done)
    return replace(view, pin=replace(view.pin, delivery=told, ask_in_seconds=None if done else due.next_in_seconds))
