"""Cards for the operators' page: those that are kept out, and what happened to one. Masked; no code, no mobile."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation import audit
from foundation.audit import Kept
from foundation.keys import Keyring
from foundation.pan import Pan
from otp.domain.operators import Operator
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.services.cards import card_tokens, open_pan
from otp.store import console
from otp.store.console import ROWS_MOST, AuthorisationRow, CardRow, ChallengeRow


@dataclass(frozen=True, slots=True)
class WaitingUnlock:
    """An unlock that a second person may approve."""

    unlock_id: int
    maker: str
    reason: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as an operator may see it.

    Args:
        can_unlock: kept out by wrong codes alone, and nobody has asked yet.
    """

    card_id: int
    masked_pan: str
    mobile_last_two: str | None
    blocked: bool
    held_by_bank: bool
    pin_failures: int
    locked_until: dt.datetime | None
    paused_until: dt.datetime | None
    waiting: WaitingUnlock | None

    @property
    def can_unlock(self) -> bool:
        """Tell whether an unlock may be asked for."""
        kept_out = self.blocked or self.locked_until is not None
        return kept_out and not self.held_by_bank and self.waiting is None


@dataclass(frozen=True, slots=True)
class History:
    """A card and what happened to it, newest first."""

    card: ShownCard
    challenges: list[ChallengeRow]
    authorisations: list[AuthorisationRow]
    acts: list[Kept]


def locked_cards(bank: Bank) -> list[ShownCard]:
    """Return the cards that are blocked, wait or pause; those with a request first."""
    with bank.database.single() as connection:
        rows = console.locked(connection)
    return [_shown(bank.keys, row) for row in rows]


def find_card(bank: Bank, wanted: Pan | int) -> int | None:
    """Return a card's number at the bank, by its PAN or by that number."""
    with bank.database.single() as connection:
        if isinstance(wanted, Pan):
            return console.find(connection, card_tokens(bank.keys, wanted))
        return console.exists(connection, wanted)


def card_history(bank: Bank, who: Operator, card_id: int) -> History | None:
    """Return what happened to a card, and note in the trail who looked at it."""
    with bank.database.begin() as connection:
        row = console.card(connection, card_id)
        if row is None:
            return None
        subject = f"card:{card_id}"
        history = History(
            _shown(bank.keys, row),
            console.challenges(connection, card_id),
            console.authorisations(connection, card_id),
            audit.newest(connection, subject=subject, most=ROWS_MOST),
        )
        note(connection, bank.keys, By(f"operator:{who.name}"), "card.shown", subject)
    return history


def _shown(keys: Keyring, row: CardRow) -> ShownCard:
    waiting = None
    if row.unlock_id is not None and row.unlock_expires_at is not None:
        waiting = WaitingUnlock(row.unlock_id, row.maker or "", row.unlock_reason or "", row.unlock_expires_at)
    return ShownCard(
        row.card_id,
        open_pan(keys, row.card_name, row.pan_sealed).masked,
        row.mobile_last_two,
        row.blocked,
        row.held_by_bank,
        row.pin_failures,
        row.locked_until,
        row.paused_until,
        waiting,
    )
