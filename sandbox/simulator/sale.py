"""What a merchant and a shopper remember of one purchase."""

from __future__ import annotations

from dataclasses import dataclass, field

from foundation.pan import Pan
from gateway.domain.bills import Bill


@dataclass
class Sale:
    """One purchase as merchant and shopper remember it."""

    number: int
    amount: int
    card: SimulatedCard
    key: str
    payment_id: str = ""
    page_token: str = ""
    first_by: str | None = None
    rrn: str | None = None
    guesses: bool = False
    gives_up: bool = False
    bills: tuple[Bill, ...] = ()
    destination: SimulatedCard | None = None
    answers: dict[str, object] = field(default_factory=dict)

    def anew(self, key: str) -> Sale:
        """Return the same order, not paid yet, under another idempotency key."""
        return Sale(self.number, self.amount, self.card, key, bills=self.bills, destination=self.destination)


@dataclass(frozen=True)
class SimulatedCard:
    """A card, what its holder knows of it, whose it is, and its number at that bank."""

    pan: Pan
    cvv2: str
    mobile: str
    issuer_id: str
    card_id: int
