"""How much, how often and to whom: what a decision about money or a balance depends on beside card and code."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.rial import Rial

NOTHING = Rial(0)
TOLD_MAX = Rial(999_999_999_999)
"""The highest balance that can be told: DE 54 has twelve digits for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most one purchase and one card's day (Asia/Tehran) may take by dynamic PIN, fees included.

    Args:
        unbound_code_max: what one unbound code may take at most, whatever its own ceiling is (D14).
        unbound_day_max: what all unbound codes of a card may take together in a day; they count as others do besides.
        low_ceiling: of an unbound code, for a day after its holder's mobile was changed (D27).
        static_day_max: what the static second PIN of a card may take in a day, where its holder allowed one.
        transfer_max: what one transfer may send, and ``transfer_day_max`` all of a card's day, without their fees.
        holder_questions_per_hour: questions for holders' names of one acquirer (D28).
        unbound_transfers: whether a code that is not bound to the transfer may pay one (D14).
        balances_per_day: how often a card's balance is told in a day.
        terminal_wrong_per_hour: wrong tries, of codes or card data, at one terminal until it is heard no more, and
            ``psp_wrong_per_hour`` those in one PSP's checks of codes (D20).
    """

    purchase_max: Rial
    day_max: Rial
    unbound_code_max: Rial = NOTHING
    unbound_day_max: Rial = NOTHING
    low_ceiling: Rial = NOTHING
    static_day_max: Rial = NOTHING
    transfer_max: Rial = NOTHING
    transfer_day_max: Rial = NOTHING
    unbound_transfers: bool = False
    holder_questions_per_hour: int = 20_000
    balances_per_day: int = 20
    terminal_wrong_per_hour: int = 1_000
    psp_wrong_per_hour: int = 20_000


@dataclass(frozen=True, slots=True)
class Destination:
    """The card of this bank that a transfer moves the money to, under its lock.

    Args:
        able: it may be sent money: no gift card, none that the bank itself has closed, and not the source.
    """

    card_id: int
    able: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a transfer depends on beside what a purchase does.

    Args:
        sent_today: what the card sent to others since midnight in Tehran, without fees.
        inside: the money stays in this bank.
        destination: ``None`` when this bank has no such card, or the money leaves the bank.
    """

    sent_today: Rial
    inside: bool = False
    destination: Destination | None = None


@dataclass(frozen=True, slots=True)
class BalanceQuestion:
    """What a question for a balance depends on beside what a purchase does.

    Args:
        told_today: how often the card's balance was told since midnight in Tehran.
    """

    told_today: int
