"""Issue an activation: a slip and an SMS from the cash machine, or an SMS alone for an app that asks (D23).

Two statements and one commit: the card's lock, which is the look as well, and the write. Neither part is
stored: what is shown here is derived, and the worker derives the SMS part as it sends it.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.activation import ID_DIGITS, LIFE_SECONDS, NONCE_BYTES, Channel, slip_part
from otp.domain.app_answers import AppCode, Refused
from otp.domain.quotas import Holder, activation_charges
from otp.services.bank import Bank
from otp.store import activations
from otp.store.activations import CardFacts, NewActivation

CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """For which card, and by which way.

    Args:
        device_id: which app asks; none at the cash machine.
        ceiling_rial: what the code shall raise the card's ceiling to, where it adds no card.
    """

    card_id: int
    channel: Channel
    device_id: str | None = None
    ceiling_rial: int | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """An activation that waits for its proof.

    Args:
        activation_id: eight digits, public.
        slip: what the cash machine prints beside it; the channel ``sms`` has none.
        mobile_last_two: of the phone that gets the SMS part.
    """

    activation_id: str
    slip: Sensitive[str] | None
    mobile_last_two: str
    expires_at: dt.datetime


def issue_activation(bank: Bank, wanted: Wanted) -> Issued | Refused:
    """Issue one, end the card's earlier one of this channel, and queue the SMS part.

    Refused with ``CARD_NOT_ELIGIBLE`` for a card that is blocked, a gift, or whose holder or mobile the bank does not
    know, and with ``TOO_MANY_REQUESTS`` when the card, its mobile or the bank's budget had enough today (D20).
    """
    nonce, key_id = secrets.token_bytes(NONCE_BYTES), bank.keys.active_id(purposes.ACTIVATION_DERIVE)
    new = NewActivation(
        card_id=wanted.card_id,
        channel=wanted.channel,
        candidates=[f"{secrets.randbelow(10**ID_DIGITS):0{ID_DIGITS}}" for _ in range(CANDIDATES)],
        device_id=wanted.device_id,
        nonce=nonce,
        key_id=key_id,
        ceiling_rial=wanted.ceiling_rial,
        life_seconds=LIFE_SECONDS,
    )
    with bank.database.begin() as connection:
        card = activations.hold_card(connection, wanted.card_id)
        if card.mobile_token is None or card.mobile_last_two is None or not _eligible(card):
            return Refused(AppCode.CARD_NOT_ELIGIBLE)
        names = {Holder.CARD: card.card_name.hex(), Holder.MOBILE: card.mobile_token.hex()}
        budget = bank.settings.sms_per_day
        charges = activation_charges(wanted.channel, names, sms_per_day=budget, shard=card.card_name[0])
        row = activations.issue(connection, new, charges)
    if row.activation_id is None or row.expires_at is None:
        return Refused(AppCode.TOO_MANY_REQUESTS, row.retry_after)
    bank.ring()
    slip = slip_part(bank.keys.material(key_id), nonce) if wanted.channel is Channel.ATM else None
    return Issued(row.activation_id, slip, card.mobile_last_two, row.expires_at)


def _eligible(card: CardFacts) -> bool:
    return card.status == "active" and card.kind == "debit" and card.customer_id is not None
