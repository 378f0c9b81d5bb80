"""Money that comes in: who may bring it, and which card may get it (D7)."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.rial import Rial
from otp.domain.action_codes import Reason
from otp.domain.binding import TransactionType

PROCESSING_CODES = {"470000": TransactionType.CARD_TRANSFER, "200000": TransactionType.PURCHASE}
"""DE 3 of credits, with the type word that each must come with."""

REFUND = "200000"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A card that money is meant for, under its lock."""

    card_id: int
    gift: bool
    held_by_bank: bool

    @property
    def may_be_sent_money(self) -> bool:
        """Tell whether others may send it money: not to a gift card, nor to one that the bank itself has closed."""
        return not self.gift and not self.held_by_bank


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """All that a credit is refused for before its sums are looked at.

    Args:
        day_max: what its acquirer may give in a day; zero where it may give nothing.
        receiver: ``None`` when this bank has no such card.
    """

    processing_code: str
    type_word: str
    total: Rial
    fee: Rial
    day_max: Rial
    receiver: Receiver | None


def refusal_of(facts: CreditFacts) -> Reason | None:
    """Say why a credit is refused: by its acquirer, its message, its card; a refund goes to any card that once paid."""
    receiver, refund = facts.receiver, facts.processing_code == REFUND
    able = receiver is not None and (refund or receiver.may_be_sent_money)
    refusals = (
        (not facts.day_max, Reason.NOT_SUPPORTED),
        (PROCESSING_CODES[facts.processing_code] != facts.type_word, Reason.NOT_SUPPORTED),
        (not facts.total or bool(facts.fee), Reason.AMOUNT_NOT_POSSIBLE),
        (not able, Reason.CANNOT_RECEIVE),
    )
    return next((reason for refused, reason in refusals if refused), None)
