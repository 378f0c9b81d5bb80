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
    answers: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SimulatedCard:
    """A card, what its holder knows of it, and whose it is."""

    pan: Pan
    cvv2: str
    mobile: str
    issuer_id: str
