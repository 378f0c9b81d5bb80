"""A payment like one the same card made minutes ago is probably a second one by mistake."""

from __future__ import annotations

from foundation.pan import Pan
from gateway.domain.limits import LOOK_ALIKE_SECONDS
from gateway.ports import Kind
from gateway.services.gateway import Gateway
from gateway.services.show_page import PageView
from gateway.services.take_card import card_token
from gateway.store import payments


def minutes_since_alike(gateway: Gateway, view: PageView, pan: Pan) -> int | None:
    """Return how many minutes ago, rounded up, this card paid the same amount to the same; else ``None``.

    That is the terminal, and where money goes on from there, the destination card or the number that is topped up.

    Money that went back does not count, and a balance is asked for as often as one likes. Only for whom the issuer told
    something of the card (D19): what a card paid is its holder's to know.
    """
    if view.kind is Kind.BALANCE_INQUIRY:
        return None
    token = card_token(gateway, pan, view.merchant_id)
    with gateway.database.single() as connection:
        return payments.minutes_since_alike(connection, view.page_token, token, within_seconds=LOOK_ALIKE_SECONDS)
