"""The services of the cash machine that are done at once: app, codes by SMS, static and first PIN (D26, D27)."""

from __future__ import annotations

from sqlalchemy import Connection

from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.activation import Channel
from otp.domain.app_answers import AppCode, Refused
from otp.domain.cash_machine import Refusal, Service, check_first_pin, check_static_pin, refusal_of
from otp.domain.financial import MessageKey
from otp.services.bank import Bank
from otp.services.cards import pin_mac
from otp.services.issue_activation import Issued, Wanted, issue_activation
from otp.services.visit import serve, standing_of
from otp.store import visits
from otp.store.visits import VisitedCard

_OF_APP = {AppCode.TOO_MANY_REQUESTS: Refusal.TOO_MANY}


def activate_app_at_machine(bank: Bank, check: MessageKey) -> Issued | Refusal:
    """Issue an activation of the app: the slip's part is returned to be printed, the other one is texted (D23)."""
    with bank.database.single() as connection:
        card = visits.read(connection, check)
    if card is None:
        return Refusal.VISIT_OVER
    refusal = refusal_of(Service.ACTIVATE_APP, standing_of(bank, card))
    if refusal is not None:
        return refusal
    issued = issue_activation(bank, Wanted(card.card_id, Channel.ATM))
    return _OF_APP.get(issued.code, Refusal.VISIT_OVER) if isinstance(issued, Refused) else issued


def end_app(bank: Bank, check: MessageKey) -> Refusal | None:
    """End the card's app."""

    def do(connection: Connection, card: VisitedCard) -> None:
        visits.end_app(connection, card.card_id)

    return serve(bank, check, Service.END_APP, do)


def activate_sms(bank: Bank, check: MessageKey) -> Refusal | None:
    """Let the registered mobile ask for codes by text message; it is told how (D26)."""

    def do(connection: Connection, card: VisitedCard) -> None:
        visits.set_sms_codes(connection, card.card_id, active=True)

    return serve(bank, check, Service.ACTIVATE_SMS, do)


def end_sms(bank: Bank, check: MessageKey) -> Refusal | None:
    """End codes by text message."""

    def do(connection: Connection, card: VisitedCard) -> None:
        visits.set_sms_codes(connection, card.card_id, active=False)

    return serve(bank, check, Service.END_SMS, do)


def set_static_pin(bank: Bank, check: MessageKey, typed: Sensitive[str], again: Sensitive[str]) -> Refusal | None:
    """Allow a static second PIN for small sums; whoever asks has accepted the liability (D27)."""
    pin = check_static_pin(typed, again)
    if isinstance(pin, Refusal):
        return pin

    def do(connection: Connection, card: VisitedCard) -> None:
        key_id = bank.keys.active_id(purposes.PIN_VERIFICATION)
        visits.set_static_pin(connection, card.card_id, pin_mac(bank.keys, key_id, card.card_name, pin), key_id)

    return serve(bank, check, Service.SET_STATIC_PIN, do)


def end_static_pin(bank: Bank, check: MessageKey) -> Refusal | None:
    """End the static second PIN."""

    def do(connection: Connection, card: VisitedCard) -> None:
        visits.end_static_pin(connection, card.card_id)

    return serve(bank, check, Service.END_STATIC_PIN, do)


def change_first_pin(bank: Bank, check: MessageKey, typed: Sensitive[str], again: Sensitive[str]) -> Refusal | None:
    """Give the card another first PIN."""
    pin = check_first_pin(typed, again)
    if isinstance(pin, Refusal):
        return pin

    def do(connection: Connection, card: VisitedCard) -> None:
        key_id = bank.keys.active_id(purposes.PIN_VERIFICATION)
        visits.set_first_pin(connection, card.card_id, pin_mac(bank.keys, key_id, card.card_name, pin), key_id)

    return serve(bank, check, Service.CHANGE_FIRST_PIN, do)
