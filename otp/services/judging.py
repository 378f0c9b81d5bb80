"""What a decision depends on, from what somebody shows and what the bank has: alike for a purchase and for a check.

There is one way to judge a code; it is :mod:`otp.domain.authorisation`, and this is the one way to it.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.action_codes import Reason
from otp.domain.authorisation import CardFacts, ChallengeFacts, Facts
from otp.domain.binding import COMPLETE, SHAPES, Binding
from otp.domain.challenge import ChallengeState
from otp.domain.expiry import is_past
from otp.domain.fees import fee_ceiling
from otp.services.cards import cvv2_matches
from otp.services.desk import Desk
from otp.store.accounts import Account, NearChallenge


@dataclass(frozen=True, slots=True)
class Shown:
    """A card, its data, and a code or a proof, for one transaction.

    Args:
        pan: ``None`` when the digits are no card number.
        macs: every MAC that the code or the proof may have been stored under.
        by_proof: whether a proof is shown instead of a code (D13).
        acquirer_id: the authenticated one.
        aspects: the transaction as this message has it (D5), by each set of facts that a code may be bound to (D6);
            nothing where the message is of no transaction.
        refused: what is wrong with the message itself.
    """

    pan: Pan | None
    expiry: Sensitive[str]
    cvv2: Sensitive[str]
    macs: Sequence[bytes]
    by_proof: bool
    acquirer_id: str
    type_word: str
    total: Rial
    fee: Rial
    aspects: Mapping[tuple[str, ...], Binding]
    refused: Reason | None = None

    @property
    def references(self) -> list[str]:
        """By which references a code of this transaction may be kept."""
        return [aspect.transaction_ref for aspect in self.aspects.values()]


def aspects_of(binding: Binding) -> Mapping[tuple[str, ...], Binding]:
    """Return a transaction whole, and as far as each weak dialect would have named it."""
    return {COMPLETE: binding, **{shape: binding.narrowed(shape) for shape in SHAPES.values()}}


def facts_of(desk: Desk, shown: Shown, account: Account) -> Facts:
    """Put together what is shown and what was read under the card's lock."""
    today = account.now.astimezone(TEHRAN).date()
    ceiling = fee_ceiling(shown.type_word, today)
    return Facts(
        now=account.now,
        total=shown.total,
        fee=shown.fee,
        fee_max=Rial(0) if ceiling is None else ceiling,
        limits=desk.limits,
        spent_today=Rial(account.spent_rial),
        card=_card(desk, shown, account, today),
        challenges=tuple(_challenge(row, shown) for row in account.challenges),
        refused=Reason.NOT_SUPPORTED if ceiling is None else shown.refused,
        by_proof=shown.by_proof,
        unbound_today=Rial(account.unbound_rial),
    )


def _card(desk: Desk, shown: Shown, account: Account, today: dt.date) -> CardFacts | None:
    row = account.card
    if shown.pan is None:
        return None
    on_card = shown.expiry.reveal() if row is None else row.expiry
    cvv2_right = cvv2_matches(desk.keys, shown.pan, on_card, shown.cvv2)  # known card or not: the same work (D18)
    if row is None:
        return None
    expiry_right = hmac.compare_digest(row.expiry, shown.expiry.reveal())
    return CardFacts(
        active=row.status == "active",
        second_pin_active=row.second_pin_active,
        expired=is_past(row.expiry, today),
        data_right=cvv2_right and expiry_right,
        pin_failures=row.pin_failures,
        pin_locked_until=row.pin_locked_until,
        pin_lock_level=row.pin_lock_level,
        data_failures=row.card_data_failures,
        data_failed_since=row.card_data_failed_since,
        paused_until=row.card_not_present_paused_until,
        balance=Rial(row.balance_rial),
    )


def _challenge(row: NearChallenge, shown: Shown) -> ChallengeFacts:
    kept = row.proof_mac if shown.by_proof else row.code_mac
    aspect = shown.aspects.get(row.bound)
    return ChallengeFacts(
        challenge_id=row.challenge_id,
        state=ChallengeState(row.state),
        of_this_payment=aspect is not None
        and (row.acquirer_id, row.transaction_ref) == (shown.acquirer_id, aspect.transaction_ref),
        matches=kept is not None and any(hmac.compare_digest(kept, mac) for mac in shown.macs),
        binding_matches=aspect is not None and hmac.compare_digest(row.binding_digest, aspect.digest()),
        wrong_tries=row.wrong_tries,
        tries_max=row.tries_max,
        expires_at=row.expires_at,
        proof_expires_at=row.proof_expires_at,
        ceiling=None if row.ceiling_rial is None else Rial(row.ceiling_rial),
    )
