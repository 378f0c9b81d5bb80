"""What a dynamic PIN is bound to and what an authorisation asks for, with the DE 3 that goes with it (D5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foundation.rial import Rial


class Kind(StrEnum):
    """The type of a transaction, as Harim v1 and DE 48.02 write it."""

    PURCHASE = "PURCHASE"
    BILL_PAYMENT = "BILL_PAYMENT"


PROCESSING_CODES = {Kind.PURCHASE: "000000", Kind.BILL_PAYMENT: "500000"}
"""DE 3 of each type."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a dynamic PIN is bound to and what an authorisation asks for: the same nine facts (D5).

    Args:
        amount: the principal, without the fee.
        fee: what the cardholder pays on top.
        payee_key: destination card token or bill digest; empty for a purchase.
        transaction_ref: the payment's reference, 16 characters A–Z 2–7.
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
