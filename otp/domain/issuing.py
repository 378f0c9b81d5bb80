"""The decision about one request for a dynamic PIN: issue, send the same code again, or send nothing; and what is told.

Pure: the facts were read under the card's lock, with the database's own time (D33), and the next statement writes what
is decided here. Limits are counted by that statement itself (D20).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from otp.domain.answers import Code
from otp.domain.authorisation import CardFacts


class Proof(StrEnum):
    """Whether the request shows the card's CVV2 and expiry (D19)."""

    NONE = "none"
    RIGHT = "right"
    WRONG = "wrong"


class Step(StrEnum):
    """What is sent."""

    ISSUE = "issue"
    RESEND = "resend"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Rules:
    """Times and counts of D9b and D17.

    Args:
        life_least_seconds: with less life than this a code is not sent again, a new one is.
        live_max: live codes of one card, proven or not.
        unproven_live_max: of these, how many strangers may hold, so that they never shut the holder out.
    """

    life_seconds: int = 120
    wait_seconds: int = 60
    life_least_seconds: int = 45
    resends_max: int = 2
    live_max: int = 3
    unproven_live_max: int = 2


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """A challenge of this card in state ``issued``, its life perhaps over."""

    challenge_id: int
    of_this_payment: bool
    binding_matches: bool
    proven: bool
    sent_at: dt.datetime
    expires_at: dt.datetime
    resends: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision depends on.

    Args:
        refused: a reason that has nothing to do with the card (fee, type, order of requests).
        open_disclosure: the PSP's profile may be told about the card without proof (D19).
        card: ``None`` when the bank has no such card.
    """

    now: dt.datetime
    rules: Rules
    refused: Code | None
    open_disclosure: bool
    proof: Proof
    card: CardFacts | None
    has_mobile: bool
    challenges: Sequence[OpenChallenge]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is sent, what is ended, what is told.

    Args:
        challenge_id: the challenge whose code is sent again.
        superseded: challenges that a newer code of the same payment ends.
        expired: challenges found past their life.
        charged: whether the request counts on the limits.
        proven: on which limits.
        detailed: whether code length, times and the mobile's last two digits may be told.
        good_seconds: how long the code sent or already sent is good.
        wait_seconds: when to ask again.
        mistyped: wrong card data were shown and count on the card (D17).
    """

    code: Code
    step: Step = Step.NOTHING
    challenge_id: int | None = None
    superseded: tuple[int, ...] = ()
    expired: tuple[int, ...] = ()
    charged: bool = False
    proven: bool = False
    detailed: bool = False
    good_seconds: int | None = None
    wait_seconds: int | None = None
    mistyped: bool = False


@dataclass(frozen=True, slots=True)
class _Refusal:
    code: Code
    until: dt.datetime | None = None


def decide(facts: Facts) -> Decision:
    """Decide one request: message, card, then D9b; an unproven request always looks and counts the same (D19)."""
    if facts.refused is not None:
        return Decision(facts.refused)
    mistyped = facts.proof is Proof.WRONG and facts.card is not None and not _paused(facts)
    return replace(_decide_card(facts), mistyped=mistyped)


def _decide_card(facts: Facts) -> Decision:
    proven = facts.proof is Proof.RIGHT and not _paused(facts)
    told = proven or facts.open_disclosure
    refusal = _card_refusal(facts)
    if refusal is None:
        decision = _decide_sending(facts, proven=proven)
        return decision if told else _uniform(decision)
    if told:
        return Decision(
            refusal.code,
            charged=not proven,
            proven=proven,
            wait_seconds=None if refusal.until is None else _seconds(refusal.until - facts.now),
        )
    return Decision(Code.ACCEPTED, charged=True)


def _uniform(decision: Decision) -> Decision:
    """Do what was decided and say what would be said about any sixteen digits."""
    return Decision(
        Code.ACCEPTED,
        decision.step,
        decision.challenge_id,
        decision.superseded,
        decision.expired,
        charged=True,
    )


def _paused(facts: Facts) -> bool:
    return facts.card is not None and facts.card.paused_until is not None and facts.card.paused_until > facts.now


def _card_refusal(facts: Facts) -> _Refusal | None:
    card = facts.card
    if card is None:
        return _Refusal(Code.CARD_NOT_FOUND)
    locked = card.pin_locked_until is not None and card.pin_locked_until > facts.now
    rows = (
        (_paused(facts), _Refusal(Code.CARD_BLOCKED, card.paused_until)),
        (facts.proof is Proof.WRONG and facts.open_disclosure, _Refusal(Code.CARD_DATA_MISMATCH)),
        (not card.active or card.expired, _Refusal(Code.CARD_BLOCKED)),
        (locked, _Refusal(Code.CARD_BLOCKED, card.pin_locked_until)),
        (not card.second_pin_active, _Refusal(Code.DYNAMIC_PIN_NOT_ACTIVE)),
        (not facts.has_mobile, _Refusal(Code.NO_MOBILE)),
    )
    return next((refusal for refused, refusal in rows if refused), None)


def _decide_sending(facts: Facts, *, proven: bool) -> Decision:
    """Apply D9b: within the wait nothing is sent; then the same code; a new one when little life is left."""
    live = [challenge for challenge in facts.challenges if challenge.expires_at > facts.now]
    ended = tuple(challenge.challenge_id for challenge in facts.challenges if challenge not in live)
    own = next((challenge for challenge in live if challenge.of_this_payment), None)
    if own is None or not own.binding_matches:
        return _issue(facts, live, own, ended, proven=proven)
    good = _seconds(own.expires_at - facts.now)
    waited = facts.now - own.sent_at
    wait_left = _seconds(dt.timedelta(seconds=facts.rules.wait_seconds) - waited)
    if wait_left > 0:
        return _already_sent(ended, good, wait_left, proven=proven)
    if good < facts.rules.life_least_seconds:
        return _issue(facts, live, own, ended, proven=proven)
    if own.resends >= facts.rules.resends_max:
        return _already_sent(ended, good, good - facts.rules.life_least_seconds + 1, proven=proven)
    return Decision(
        Code.ACCEPTED,
        Step.RESEND,
        challenge_id=own.challenge_id,
        expired=ended,
        charged=True,
        proven=proven,
        detailed=True,
        good_seconds=good,
        wait_seconds=facts.rules.wait_seconds,
    )


def _already_sent(expired: tuple[int, ...], good: int, wait: int, *, proven: bool) -> Decision:
    return Decision(
        Code.ALREADY_SENT,
        expired=expired,
        charged=not proven,
        proven=proven,
        detailed=True,
        good_seconds=good,
        wait_seconds=wait,
    )


def _issue(
    facts: Facts,
    live: Sequence[OpenChallenge],
    own: OpenChallenge | None,
    expired: tuple[int, ...],
    *,
    proven: bool,
) -> Decision:
    """Make a new code, unless the card has as many as it may have (D17)."""
    others = [challenge for challenge in live if challenge is not own]
    strangers = sum(not challenge.proven for challenge in others)
    full = len(others) >= facts.rules.live_max or (not proven and strangers >= facts.rules.unproven_live_max)
    if full:
        first_end = min(challenge.expires_at for challenge in others)
        wait = _seconds(first_end - facts.now)
        return Decision(Code.TOO_MANY_LIVE_CODES, expired=expired, charged=not proven, proven=proven, wait_seconds=wait)
    return Decision(
        Code.ACCEPTED,
        Step.ISSUE,
        superseded=() if own is None else (own.challenge_id,),
        expired=expired,
        charged=True,
        proven=proven,
        detailed=True,
        good_seconds=facts.rules.life_seconds,
        wait_seconds=facts.rules.wait_seconds,
    )


def _seconds(span: dt.timedelta) -> int:
    return math.ceil(span.total_seconds())
