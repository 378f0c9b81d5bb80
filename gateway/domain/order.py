"""What a dynamic PIN is bound to and what an authorisation asks for, with the DE 3 that goes with it (D5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foundation.rial import Rial


class Kind(StrEnum):
    """The type of a transaction, as Harim v1 and DE 48.02 write it."""

    PURCHASE = "PURCHASE"
    BILL_PAYMENT = "BILL_PAYMENT"
    CARD_TRANSFER = "CARD_TRANSFER"
    TOP_UP = "TOP_UP"
    BALANCE_INQUIRY = "BALANCE_INQUIRY"


class Route(StrEnum):
    """DE 3 of the messages of a transfer (D7)."""

    INSIDE = "400000"
    OUT = "460000"
    CREDIT = "470000"


PROCESSING_CODES = {
    Kind.PURCHASE: "000000",
    Kind.BILL_PAYMENT: "500000",
    Kind.TOP_UP: "520000",
    Kind.BALANCE_INQUIRY: "310000",
}
"""DE 3 of each type; a transfer's depends on its :class:`Route`."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a dynamic PIN is bound to and what an authorisation asks for: the same nine facts (D5).

    Args:
        amount: the principal, without the fee; zero for a balance inquiry.
        fee: what the cardholder pays on top.
        payee_key: token of the destination card or of the number topped up, or bill digest; empty for a purchase and
            a balance inquiry.
        transaction_ref: the payment's reference, 16 characters A–Z 2–7.
        route: of a transfer: where the money goes.
    """

    kind: Kind
    amount: Rial
    fee: Rial
    acquirer_id: str
    merchant_id: str
    terminal_id: str
    payee_name: str
    payee_key: str
    transaction_ref: str
    route: Route | None = None

    @property
    def processing_code(self) -> str:
        """Return DE 3."""
        return PROCESSING_CODES[self.kind] if self.route is None else self.route

    def canonical(self) -> str:
        """Write the nine facts as one text, version 1, whose digest a code is bound to (contracts/harim/v1)."""
        facts = {
            "type": self.kind,
            "amount": self.amount.amount,
            "fee": self.fee.amount,
            "acquirer": self.acquirer_id,
            "merchant": self.merchant_id,
            "terminal": self.terminal_id,
            "payee": self.payee_name,
            "payee_key": self.payee_key,
            "ref": self.transaction_ref,
        }
        return "|".join(("v1", *(f"{name}={fact}" for name, fact in facts.items())))
