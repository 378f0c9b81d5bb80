"""What a decision depends on, from what somebody shows and what the bank has: alike for a purchase and for a check.

There is one way to judge a code; it is :mod:`otp.domain.authorisation`, and this is the one way to it.
"""

from __future__ import annotations

import datetime as dt
import hmac

from foundation.persian import TEHRAN
from foundation.rial import Rial
from otp.domain.action_codes import Reason
from otp.domain.authorisation import CardFacts, Facts
from otp.domain.binding import TransactionType
from otp.domain.challenge import ChallengeState
from otp.domain.expiry import is_past
from otp.domain.fees import fee_ceiling
from otp.domain.spending import BalanceQuestion, Limits, Transfer
from otp.domain.verdict import ChallengeFacts, Channel
from otp.services.app_judging import app_facts
from otp.services.cards import cvv2_matches
from otp.services.desk import Desk
from otp.services.shown import Shown
from otp.store.accounts import Account, NearChallenge
from otp.store.ceilings import Ceilings


def facts_of(desk: Desk, shown: Shown, account: Account) -> Facts:
    """Put together what is shown and what was read under the card's lock."""
    today = account.now.astimezone(TEHRAN).date()
    ceiling = fee_ceiling(shown.type_word, today, _amount(shown))
    app = app_facts(desk, shown, account)
    return Facts(
        now=account.now,
        total=shown.total,
        fee=shown.fee,
        fee_max=Rial(0) if ceiling is None else ceiling,
        limits=desk.limits,
        spent_today=Rial(account.spent_rial),
        card=_card(desk, shown, account, today),
        challenges=tuple(_challenge(row, shown, account) for row in account.challenges),
        refused=Reason.NOT_SUPPORTED if ceiling is None else shown.refused or _held_back(account),
        by_proof=shown.by_proof,
        unbound_today=Rial(account.unbound_rial),
        app=app,
        static_right=shown.static_allowed and _static_right(desk, shown, account),
        gift=account.card is not None and account.card.kind == "gift",
        static_today=Rial(account.static_rial),
        lowered=account.card is not None and account.card.lowered,
        transfer=_transfer(shown, account),
        question=_question(shown, account),
    )


def _held_back(account: Account) -> Reason | None:
    """Hear nothing more of a terminal or PSP with too many wrong tries: no code is looked at, none is used up (D20)."""
    return None if account.retry_after is None else Reason.TOO_MANY_WRONG


def _amount(shown: Shown) -> Rial:
    return shown.total - shown.fee if shown.fee < shown.total else Rial(0)


def _transfer(shown: Shown, account: Account) -> Transfer | None:
    if shown.type_word != TransactionType.CARD_TRANSFER:
        return None
    return Transfer(Rial(account.sent_rial), inside=shown.inside, destination=shown.destination)


def _question(shown: Shown, account: Account) -> BalanceQuestion | None:
    return BalanceQuestion(account.told_today) if shown.type_word == TransactionType.BALANCE_INQUIRY else None


def ceilings_of(limits: Limits) -> Ceilings:
    """Return what the bank allows unbound codes at most."""
    return Ceilings(most=limits.unbound_code_max.amount, low=limits.low_ceiling.amount)


def _static_right(desk: Desk, shown: Shown, account: Account) -> bool:
    if shown.pin is None:
        return False
    kept = None if account.card is None else account.card.static_second_pin_mac
    macs = desk.pin_macs(shown.card_name, shown.pin)  # has the card one or not: the same work (D18)
    return kept is not None and any(hmac.compare_digest(kept, mac) for mac in macs)


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
        second_pin_active=row.second_pin_active and (shown.static_allowed or row.kind != "gift"),
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


def _challenge(row: NearChallenge, shown: Shown, account: Account) -> ChallengeFacts:
    kept = row.proof_mac if shown.by_proof else row.code_mac
    aspect = shown.aspects.get(row.bound)
    by_sms = row.channel == Channel.SMS  # bound to nothing: it fits whatever it is shown for, under its ceiling (D26)
    return ChallengeFacts(
        challenge_id=row.challenge_id,
        state=ChallengeState(row.state),
        of_this_payment=aspect is not None
        and (row.acquirer_id, row.transaction_ref) == (shown.acquirer_id, aspect.transaction_ref),
        matches=kept is not None and any(hmac.compare_digest(kept, mac) for mac in shown.macs),
        binding_matches=by_sms or (aspect is not None and hmac.compare_digest(row.binding_digest, aspect.digest())),
        wrong_tries=row.wrong_tries,
        tries_max=row.tries_max,
        expires_at=row.expires_at,
        proof_expires_at=row.proof_expires_at,
        ceiling=_code_ceiling(row, account),
        channel=Channel(row.channel),
    )


def _code_ceiling(row: NearChallenge, account: Account) -> Rial | None:
    """Return what a code may take; one by SMS obeys what its holder wishes now, not when it was asked for (D14)."""
    if row.code_ceiling_rial is None:
        return None
    now = account.card.ceiling_rial if account.card is not None and row.channel == Channel.SMS else None
    return Rial(row.code_ceiling_rial if now is None else min(now, row.code_ceiling_rial))
