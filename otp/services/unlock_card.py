"""Unlock a card: one operator asks, another approves, and the card opens in the transaction that approves it (D35)."""

from __future__ import annotations

from sqlalchemy import Connection

from otp.domain.operators import Operator
from otp.domain.unlocking import REASON_LEAST, REASON_MOST, Asked, CardLock, Unlock, may_approve, may_ask
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.store import unlocks


def ask_unlock(bank: Bank, who: Operator, card_id: int, reason: str) -> Unlock:
    """Ask for a card to be unlocked, with the reason in a person's words."""
    said = " ".join(reason.split())
    if not who.may_act:
        return Unlock.NOT_ALLOWED
    if not REASON_LEAST <= len(said) <= REASON_MOST:
        return Unlock.REASON_SHAPE
    with bank.database.begin() as connection:
        if not unlocks.hold_card(connection, card_id):
            return Unlock.NO_SUCH
        lock, now = unlocks.lock_of(connection, card_id)
        waiting = unlocks.waiting(connection, card_id)
        outcome = may_ask(lock, now, waiting)
        if outcome is Unlock.ASKED:
            if waiting is not None:
                unlocks.lapse(connection, waiting.unlock_id)
            unlock_id = unlocks.ask(connection, card_id, who.name, said, lock.as_kept())
            by, details = By(f"operator:{who.name}", said), {"unlock": unlock_id}
            note(connection, bank.keys, by, "card.unlock_asked", f"card:{card_id}", details)
    return outcome


def approve_unlock(bank: Bank, who: Operator, unlock_id: int) -> Unlock:
    """Approve somebody else's request and open the card; a second approval does nothing."""
    if not who.may_act:
        return Unlock.NOT_ALLOWED
    with bank.database.begin() as connection:
        card_id = unlocks.card_of(connection, unlock_id)
        if card_id is None:
            return Unlock.NO_SUCH
        unlocks.hold_card(connection, card_id)
        request = unlocks.one(connection, unlock_id)
        lock, now = unlocks.lock_of(connection, card_id)
        outcome = Unlock.NO_SUCH if request is None else may_approve(request, lock, now, who.name)
        if request is not None and outcome is Unlock.APPROVED:
            _open(connection, bank, who, request, lock)
    return outcome


def _open(connection: Connection, bank: Bank, who: Operator, request: Asked, lock: CardLock) -> None:
    """Open the card, and let the trail name both: who wanted it and why, and who agreed."""
    unlocks.approve(connection, request.unlock_id, who.name, lock.opened().as_kept())
    subject = f"card:{request.card_id}"
    before = {"unlock": request.unlock_id, "failures": lock.pin_failures, "was_blocked": lock.blocked}
    maker = By(f"operator:{request.maker}", request.reason)
    note(connection, bank.keys, maker, "card.unlocked", subject, {**before, "approved_by": who.name})
    checker = By(f"operator:{who.name}")
    note(connection, bank.keys, checker, "card.unlock_approved", subject, {**before, "asked_by": request.maker})
