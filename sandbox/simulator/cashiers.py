"""Merchants and billers who give money back, and the two people who decide about large refunds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from foundation.rial import Rial
from gateway.domain.errors import GatewayError, RefusedRow
from gateway.domain.refund_errors import RefundIdTaken
from gateway.services.approve_refund import approve_refund, refuse_refund, waiting_refunds
from gateway.services.gateway import Gateway
from gateway.services.open_payment import Idempotency
from gateway.services.refund import AskedRefund, refund
from gateway.store.directory import Caller
from sandbox.simulator.billers import Billers
from sandbox.simulator.check import require
from sandbox.simulator.mirror import Mirror
from sandbox.simulator.network import Network
from sandbox.simulator.sale import Sale

REFUNDABLE = ("confirmed", "settled")
AGAIN, WHOLE, TOO_MUCH = 0.2, 0.4, 0.1
COIN = 0.5
SECOND = "ali"


@dataclass
class Cashiers:
    """Whoever gives money back.

    Args:
        known: by refund id, the payment, the sum asked for, and the refund's number once somebody was told it.
    """

    dice: random.Random
    network: Network
    gateway: Gateway
    caller: Caller
    mirror: Mirror
    known: dict[str, tuple[Sale, int, int | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.billers = Billers(self.dice, self.network, self.gateway, self.mirror)

    def actions(self, sales: list[Sale]) -> dict[str, tuple[int, Callable[[], object]]]:
        """Return every action with its weight."""
        return {
            "merchant refunds": (3, lambda: self.refund([sale for sale in sales if not sale.bills])),
            "biller refuses": (2, lambda: self.billers.refuse(sales)),
            "a second person decides": (1, self.decide),
        }

    def refund(self, sales: list[Sale]) -> str:
        """Give back a part, the whole or too much, now and then under an id that was used before (D11)."""
        if self.known and self.dice.random() < AGAIN:
            return self._again()
        kept = [sale for sale in sales if self.mirror.state(sale.payment_id) in REFUNDABLE and not sale.destination]
        if not kept:
            return "nothing kept"
        sale = self.dice.choice(kept)
        left = sale.amount - self.mirror.payments[sale.payment_id]["refunded_rial"]
        luck = self.dice.random()
        rial = left if luck < WHOLE else self.dice.randrange(1, left + 1) if left else 1
        if luck > 1 - TOO_MUCH:
            rial = left + 1
            self._refused(lambda: self._ask(sale, rial), "I4: more was refunded than was kept")
            return f"{sale.number} refused"
        return self._ask(sale, rial)

    def decide(self) -> str:
        """Decide about a refund that waits; whoever asked for it, and whoever read another sum, is refused (D35)."""
        waiting = waiting_refunds(self.gateway)
        if not waiting:
            return "nothing waits"
        one = self.dice.choice(waiting)
        rial, luck = Rial(one.amount_rial), self.dice.random()
        if luck < 0.2:  # noqa: PLR2004 - one in five
            self._refused(lambda: approve_refund(self.gateway, one.number, rial, by=one.asked_by), "D35: by one person")
            return f"{one.number}: not by the same person"
        if luck < 0.3:  # noqa: PLR2004 - one in ten
            other = Rial(one.amount_rial + 1)
            self._refused(lambda: approve_refund(self.gateway, one.number, other, by=SECOND), "D35: another sum")
            return f"{one.number}: not another sum"
        if luck < 0.5:  # noqa: PLR2004 - one in five
            refuse_refund(self.gateway, one.number, by=SECOND)
            return f"{one.number}: no"
        approve_refund(self.gateway, one.number, rial, by=SECOND)
        return f"{one.number}: yes"

    def _ask(self, sale: Sale, rial: int) -> str:
        name = f"refund-{len(self.known) + 1}"
        self.known[name] = (sale, rial, None)
        return self._call(name, sale, rial)

    def _again(self) -> str:
        name = self.dice.choice(list(self.known)[-12:])
        sale, rial, _ = self.known[name]
        if self.dice.random() < COIN:
            return self._call(name, sale, rial)
        try:
            self._call(name, sale, rial + 1, kept=False)
        except RefundIdTaken:
            return f"{name} refused"
        require(self.known[name][2] is None, f"D11: {name} was used for another sum")
        self.known[name] = (sale, rial + 1, None)
        return f"{name} with another sum"

    def _call(self, name: str, sale: Sale, rial: int, *, kept: bool = True) -> str:
        key = Idempotency(f"{name}-{rial}", bytes(32)) if self.dice.random() < COIN else None
        record = refund(self.gateway, self.caller, sale.payment_id, AskedRefund(name, Rial(rial)), key)
        number = self.known[name][2]
        require(number in {None, record.number}, f"D11: {name} is two refunds")
        if kept:
            self.known[name] = (sale, rial, record.number)
        return f"{sale.number} {name} {record.state}"

    def _refused(self, call: Callable[[], object], what: str) -> None:
        try:
            call()
        except RefusedRow:
            return
        except GatewayError as error:
            self.network.saw(type(error).__name__)
            return
        require(False, what)  # noqa: FBT003 - it was not refused
