"""The company that sends bills: now and then it says no to one that was paid (D12)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from foundation.sensitive import Sensitive
from gateway.domain.bill_errors import RefusalNotSigned
from gateway.domain.bill_refusal import refusal_text, signature_of
from gateway.domain.bills import Bill
from gateway.services.gateway import Gateway
from gateway.services.open_payment import Idempotency
from gateway.services.refuse_bill import BillRefusal, refuse_bill
from gateway.store.directory import Caller
from sandbox.simulator.bills import BILLER_HOOK_SECRET, BILLER_ID, BILLER_TERMINAL_ID
from sandbox.simulator.check import Violated, require
from sandbox.simulator.mirror import Mirror
from sandbox.simulator.network import Network
from sandbox.simulator.sale import Sale

PAID = ("confirmed", "settled", "refunded")
FORGED, COIN = 0.1, 0.5
FORGER_SECRET = "whsec_Zm9yZ2Vy"  # noqa: S105 - nobody's
CALLER = Caller("key", "test", frozenset(), BILLER_TERMINAL_ID, BILLER_ID, "http://localhost:8200")


@dataclass
class Billers:
    """Whoever refuses bills.

    Args:
        refused: by payment and bill, the number of the refund that its refusal became.
    """

    dice: random.Random
    network: Network
    gateway: Gateway
    mirror: Mirror
    refused: dict[tuple[str, Bill], int] = field(default_factory=dict)

    def refuse(self, sales: list[Sale]) -> str:
        """Refuse a paid bill, or one that was refused before; a signature that is not the company's gives nothing."""
        paid = [(sale, bill) for sale in sales if self.mirror.state(sale.payment_id) in PAID for bill in sale.bills]
        if not paid:
            return "no bill is paid"
        sale, bill = self.dice.choice(paid)
        if self.dice.random() < FORGED:
            return self._forge(sale, bill)
        key = Idempotency(f"no-{sale.payment_id}-{bill.bill_id}", bytes(32)) if self.dice.random() < COIN else None
        record = refuse_bill(self.gateway, CALLER, self._refusal(sale, bill, BILLER_HOOK_SECRET), key)
        known = self.refused.setdefault((sale.payment_id, bill), record.number)
        require(known == record.number, f"D12: bill {bill.bill_id} of {sale.number} is two refunds")
        self.network.saw("bill refused by its biller")
        return f"{sale.number} {bill.bill_id} {record.state}"

    def _forge(self, sale: Sale, bill: Bill) -> str:
        try:
            refuse_bill(self.gateway, CALLER, self._refusal(sale, bill, FORGER_SECRET), None)
        except RefusalNotSigned:
            return f"{sale.number} {bill.bill_id} not signed"
        raise Violated("D12: a bill was refused under nobody's signature")

    def _refusal(self, sale: Sale, bill: Bill, secret: str) -> BillRefusal:
        code = self.mirror.payments[sale.payment_id]["tracking_code"]
        return BillRefusal(code, bill, signature_of(Sensitive(secret), refusal_text(code, bill)))
