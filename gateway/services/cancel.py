"""The shopper gives up."""

from __future__ import annotations

from gateway.domain.errors import AttemptInProgress, NotPossible
from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.services.gateway import Gateway
from gateway.services.show_page import page_of
from gateway.store import payments


def cancel(gateway: Gateway, page_token: str) -> None:
    """Cancel an open payment; cancelling a cancelled one again changes nothing.

    Raises:
        PaymentNotFound: no payment has this token.
        AttemptInProgress: an attempt is being authorised; cancelling waits for its answer (D8).
        NotPossible: the payment is neither open nor cancelled.
    """
    with gateway.database.single() as connection:
        done = payments.cancel(connection, page_token)
    if done:
        gateway.ring()
        return
    page = page_of(gateway, page_token)
    if page.in_flight:
        raise AttemptInProgress(OUTSIDE[page.state])
    if page.state is not PaymentState.CANCELLED:
        raise NotPossible(OUTSIDE[page.state])
