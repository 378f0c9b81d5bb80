"""The nine facts a code is bound to, from whatever row of the gateway holds them (D5)."""

from __future__ import annotations

from typing import Protocol

from foundation.rial import Rial
from gateway.ports import Kind, Order, Route

_ROUTES = {True: Route.INSIDE, False: Route.OUT}


class HoldsOrder(Protocol):
    """A row with a payment's facts."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - a column
    @property
    def amount_rial(self) -> int: ...  # noqa: D102 - a column
    @property
    def fee_rial(self) -> int: ...  # noqa: D102 - a column
    @property
    def acquirer_id(self) -> str: ...  # noqa: D102 - a column
    @property
    def merchant_id(self) -> str: ...  # noqa: D102 - a column
    @property
    def terminal_id(self) -> str: ...  # noqa: D102 - a column
    @property
    def payee_name(self) -> str: ...  # noqa: D102 - a column
    @property
    def payee_key(self) -> str: ...  # noqa: D102 - a column
    @property
    def inside(self) -> bool: ...  # noqa: D102 - a column
    @property
    def reference(self) -> str: ...  # noqa: D102 - a column


def order_of(row: HoldsOrder) -> Order:
    """Return what a PIN request, an authorisation, an inquiry and a reversal of this payment say alike."""
    kind = Kind(row.kind)
    return Order(
        kind=kind,
        amount=Rial(row.amount_rial),
        fee=Rial(row.fee_rial),
        acquirer_id=row.acquirer_id,
        merchant_id=row.merchant_id,
        terminal_id=row.terminal_id,
        payee_name=row.payee_name,
        payee_key=row.payee_key,
        transaction_ref=row.reference,
        route=_ROUTES[row.inside] if kind is Kind.CARD_TRANSFER else None,
    )
