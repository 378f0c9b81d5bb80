"""Change a card's mobile at the cash machine: the new number answers for itself, and the old one is told (D27)."""

from __future__ import annotations

import hmac
import secrets

from sqlalchemy import Connection

from foundation.digits import only_digits
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.card import mobile_place, normalise_mobile
from otp.domain.cash_machine import MOBILE_TRIES_MAX, Refusal, Service, refusal_of
from otp.domain.code import NONCE_BYTES
from otp.domain.errors import InvalidMobile
from otp.domain.financial import MessageKey
from otp.domain.quotas import Holder, service_charges
from otp.services.bank import Bank
from otp.services.cards import mobile_code, mobile_tokens
from otp.services.visit import serve, standing_of
from otp.store import mobile_changes, visits
from otp.store.mobile_changes import NewChange
from otp.store.visits import VisitedCard


def ask_mobile(bank: Bank, check: MessageKey, typed: str) -> Refusal | None:
    """Text a code to the new number; nothing else changes before it comes back."""
    try:
        mobile = normalise_mobile(typed)
    except InvalidMobile:
        return Refusal.MOBILE_SHAPE
    with bank.database.begin() as connection:
        card = visits.lock(connection, check)
        if card is None:
            return Refusal.VISIT_OVER
        refusal = _asked(bank, connection, card, mobile)
    bank.ring()
    return refusal


def confirm_mobile(bank: Bank, check: MessageKey, typed: Sensitive[str]) -> Refusal | None:
    """Give the card its new number, if the code is right; three wrong ones end the change."""

    def do(connection: Connection, card: VisitedCard) -> Refusal | None:
        waiting = mobile_changes.lock(connection, card.card_id)
        if waiting is None or waiting.over:
            return Refusal.CODE_OVER
        code = mobile_code(bank.keys, waiting.key_id, waiting.nonce, card.card_name, waiting.mobile_token)
        if hmac.compare_digest(code.reveal().encode(), only_digits(typed.reveal()).encode()):
            mobile_changes.make(connection, waiting.change_id, card.card_id)
            return None
        last = waiting.wrong_tries + 1 >= MOBILE_TRIES_MAX
        mobile_changes.count_wrong(connection, waiting.change_id, state="locked" if last else "issued")
        return Refusal.CODE_OVER if last else Refusal.CODE_WRONG

    return serve(bank, check, Service.CHANGE_MOBILE, do)


def _asked(bank: Bank, connection: Connection, card: VisitedCard, mobile: str) -> Refusal | None:
    refusal = refusal_of(Service.CHANGE_MOBILE, standing_of(bank, card))
    if refusal is not None:
        return refusal
    token_key = bank.keys.active_id(purposes.MOBILE_TOKEN)
    token, *others = mobile_tokens(bank.keys, mobile, writing=token_key)
    if card.mobile_token in (token, *others):
        return Refusal.MOBILE_SAME
    names = {Holder.CARD: card.card_name.hex(), Holder.MOBILE: token.hex()}
    budget = bank.settings.sms_per_day
    charges = service_charges(names, texting=True, sms_per_day=budget, shard=card.card_name[0])
    if not visits.count(connection, charges):
        return Refusal.TOO_MANY
    place = mobile_place(card.card_name)
    change = NewChange(
        card_id=card.card_id,
        mobile_sealed=bank.keys.seal(purposes.MOBILE_SEAL, mobile.encode(), bound_to=place),
        mobile_token=token,
        mobile_token_key=token_key,
        mobile_last_two=mobile[-2:],
        former_sealed=card.mobile_sealed,
        nonce=secrets.token_bytes(NONCE_BYTES),
        key_id=bank.keys.active_id(purposes.CODE_DERIVE),
    )
    mobile_changes.ask(connection, change)
    return None
