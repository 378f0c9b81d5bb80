"""The cards of simulated people: new ones all the time, and a few that are used again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from otp.services.bank import Bank
from sandbox.simulator.network import Network
from sandbox.simulator.sale import SimulatedCard
from sandbox.simulator.stage import ISSUERS, open_simulated_card

NEW_CARDS = 0.6
CARDS_AT_ONCE = 6
POOR = 5
"""Of so many cards one has next to nothing."""


@dataclass
class Wallets:
    """Every card so far, the newest last."""

    dice: random.Random
    network: Network
    banks: dict[str, Bank]
    cards: list[SimulatedCard] = field(default_factory=list)

    def card(self) -> SimulatedCard:
        """Return a card to pay with: a new one, or one of the last."""
        if len(self.cards) >= CARDS_AT_ONCE and self.dice.random() > NEW_CARDS:
            return self.dice.choice(self.cards[-CARDS_AT_ONCE:])
        number = len(self.cards) + 1
        issuer_id, prefix = ISSUERS[number // 2 % len(ISSUERS)]
        self.network.fuses[issuer_id].left = None  # that a card is there is no part of the play
        balance = 500_000 if number % POOR == 0 else 1_500_000_000
        self.cards.append(open_simulated_card(self.banks[issuer_id], number, prefix, balance))
        return self.cards[-1]
