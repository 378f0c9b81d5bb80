"""The shopper needs more time."""

from __future__ import annotations

from gateway.domain.errors import TooManyExtensions
from gateway.domain.limits import EXTENSIONS_MAX
from gateway.services.gateway import Gateway
from gateway.services.show_page import why_not
from gateway.store import payments


def extend(gateway: Gateway, page_token: str) -> int:
    """Add five minutes to an open page and return the seconds now left.

    Raises:
        PaymentNotFound: no payment has this token.
        AttemptInProgress: an attempt is being authorised (D8).
        NotPossible: the payment is not open, or its time is already over.
        TooManyExtensions: it was extended twice (D29).
    """
    seconds = gateway.settings.extension_seconds
    with gateway.database.single() as connection:
        left = payments.extend(connection, page_token, extension_seconds=seconds, extensions_max=EXTENSIONS_MAX)
    if left is None:
        raise why_not(gateway, page_token, TooManyExtensions)
    return left
