"""People who send money from card to card: to whom, how much, and what their banks do to the cards meanwhile."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, field

from foundation.rial import Rial
from gateway.domain.errors import AttemptInProgress, NotPossible
from gateway.domain.transfer_errors import PayeeFixed
from gateway.services.gateway import Gateway
from gateway.services.open_payment import Idempotency, PaymentRecord
from gateway.services.transfer_requests import AskTransfer, Naming, ask_transfer, name_payee
from gateway.store.directory import Caller
from otp.services.bank import Bank
from otp.services.open_card import block_card
from sandbox.simulator.mirror import Mirror
from sandbox.simulator.network import Network
from sandbox.simulator.sale import Sale, SimulatedCard

AMOUNTS = (10_000, 10_000_000, 10_000_001, 20_000_000, 50_000_000)
NEAREST = 6
ABROAD = 0.6
UNDER_WAY = ("open", "paying", "unknown", "authorised")


@dataclass
class Senders:
    """Whoever sends money, and what cards got lately.

    Args:
        got: by card number at its bank, the last sum that somebody wanted to send there.
    """

    dice: random.Random
    network: Network
    gateway: Gateway
    caller: Caller
    banks: dict[str, Bank]
    mirror: Mirror
    got: dict[int, int] = field(default_factory=dict)

    def choose(self, source: SimulatedCard, cards: list[SimulatedCard]) -> tuple[SimulatedCard, int] | None:
        """Choose whom to send how much; ``None`` where nobody else has a card yet."""
        others = [card for card in cards[-NEAREST:] if card is not source]
        if not others:
            return None
        abroad = [card for card in others if card.issuer_id != source.issuer_id]
        destination = self.dice.choice(abroad if abroad and self.dice.random() < ABROAD else others)
        amount = self.dice.choice((*AMOUNTS, self.dice.randrange(10_000, 20_000_000)))
        self.got[destination.card_id] = amount
        return destination, amount

    def open(self, sale: Sale, amount: int, order: str, callback: str, idempotency: Idempotency) -> PaymentRecord:
        """Ask for the transfer and name on its page whom it is for, unless that came about already."""
        if sale.destination is None:
            raise LookupError("a transfer goes somewhere")
        wanted = AskTransfer(order, callback, Rial(amount))
        record = ask_transfer(self.gateway, self.caller, wanted, idempotency).payment
        self.mirror.destinations[record.payment_id] = sale.destination.card_id
        if record.payment_id not in self.mirror.transfers:
            with contextlib.suppress(AttemptInProgress, NotPossible, PayeeFixed):  # somebody else, or time, was faster
                name_payee(self.gateway, record.page_token, Naming(sale.card.pan, sale.destination.pan))
        return record

    def bank_closes(self, sales: list[Sale]) -> str:
        """Let a bank close a card that money is on its way to: the credit will be refused."""
        meant = [each for each in sales if each.destination and self.mirror.state(each.payment_id) in UNDER_WAY]
        if not meant:
            return "none"
        card = self.dice.choice(meant).destination
        if card is None:
            raise LookupError("chosen because money goes there")
        self.network.fuses[card.issuer_id].left = None  # what a bank does to a card is no part of the play
        block_card(self.banks[card.issuer_id], card.pan)
        return f"card {card.card_id} closed"
