"""Somebody asks what is left on a card: a payment of nothing but a fee, on the gateway's own page."""

from __future__ import annotations

from foundation.rial import Rial
from gateway.domain.fees import balance_fee
from gateway.domain.references import new_order_id
from gateway.services.bills import terminal_caller
from gateway.services.gateway import Gateway
from gateway.services.open_payment import PaymentRecord, drawn
from gateway.store import balance_inquiries as store
from gateway.store.directory import Caller

PAGE = "/balance"
"""Where people ask for balances, below the gateway's own address."""


def open_own(gateway: Gateway) -> PaymentRecord:
    """Open a question for a balance; whose card it is about is typed on its page.

    Raises:
        LookupError: this gateway tells no balances.
    """
    caller = own_terminal(gateway)
    if caller is None:
        raise LookupError("set GATEWAY_BALANCE_TERMINAL_ID to a terminal that may work")
    values = drawn(gateway, caller) | {
        "order_id": new_order_id("balance"),
        "fee_rial": fee_today(gateway).amount,
        "callback_url": gateway.settings.public_url + PAGE,
    }
    with gateway.database.single() as connection:
        return store.open_inquiry(connection, values)


def fee_today(gateway: Gateway) -> Rial:
    """Return what a balance costs its cardholder today."""
    return balance_fee(gateway.directory.today())


def own_terminal(gateway: Gateway) -> Caller | None:
    """Return the gateway's own terminal for balances, if there is one."""
    return terminal_caller(gateway, gateway.settings.balance_terminal_id)
