"""A visit at the cash machine: the card whose first PIN the host found right on it, and whether it may have a service.

The cash machine names the check (:class:`otp.domain.financial.MessageKey`); the bank believes its own row of it, for
five minutes.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from otp.domain.card import mask_mobile
from otp.domain.cash_machine import Refusal, Service, Standing, refusal_of
from otp.domain.financial import MessageKey
from otp.domain.quotas import Holder, service_charges
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.services.cards import open_mobile
from otp.store import visits
from otp.store.visits import VisitedCard

log = structlog.get_logger()


def standing(bank: Bank, check: MessageKey) -> Standing | Refusal:
    """Say what the card has, for the menu."""
    with bank.database.single() as connection:
        card = visits.read(connection, check)
    return Refusal.VISIT_OVER if card is None else standing_of(bank, card)


def standing_of(bank: Bank, card: VisitedCard) -> Standing:
    """Return what its holder sees of a card; the mobile masked."""
    sealed = card.mobile_sealed
    return Standing(
        gift=card.gift,
        mobile=None if sealed is None else mask_mobile(open_mobile(bank.keys, card.card_name, sealed)),
        holder_known=card.holder_known,
        app_active=card.app_active,
        sms_active=card.sms_active,
        static_pin=card.static_pin,
    )


def serve(
    bank: Bank, check: MessageKey, service: Service, do: Callable[[Connection, VisitedCard], Refusal | None]
) -> Refusal | None:
    """Do one service of a visit: the card's lock, its limits, the deed, one commit; ``None`` says that it is done."""
    with bank.database.begin() as connection:
        card = visits.lock(connection, check)
        refusal = Refusal.VISIT_OVER if card is None else refusal_of(service, standing_of(bank, card))
        if card is not None and refusal is None:
            refusal = do(connection, card) if _counted(bank, connection, card) else Refusal.TOO_MANY
        if card is not None and refusal is None:
            note(
                connection, bank.keys, By(f"atm:{check.terminal_id.rstrip()}"), f"atm.{service}", f"card:{card.card_id}"
            )
    log.info("service_asked", service=str(service), refusal=refusal and str(refusal))
    bank.ring()
    return refusal


def _counted(bank: Bank, connection: Connection, card: VisitedCard) -> bool:
    names = {Holder.CARD: card.card_name.hex()}
    budget = bank.settings.sms_per_day
    return visits.count(connection, service_charges(names, texting=False, sms_per_day=budget, shard=card.card_name[0]))
