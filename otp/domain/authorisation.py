"""The decision about one purchase: card, code, limits, funds, in the order of D4; and about a code alone (D13).

Pure: the facts were read under the card's lock, with the database's own time (D33), and the decision is written by the
next statement. Nothing here is looked up, counted or stored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from foundation.rial import Rial
from otp.domain.action_codes import CODES, ActionCode, Reason
from otp.domain.challenge import ChallengeState
from otp.domain.verdict import (
    AppChange,
    AppFacts,
    ChallengeChange,
    ChallengeFacts,
    Channel,
    Entry,
    Taken,
    Verdict,
    judge,
)

NOTHING = Rial(0)
PAUSE_AFTER_FAILURES = 10
PAUSE = dt.timedelta(minutes=15)
FAILURES_COUNT_FOR = dt.timedelta(hours=1)

PIN_LOCKS: tuple[tuple[int, dt.timedelta], ...] = (
    (5, dt.timedelta(minutes=15)),
    (10, dt.timedelta(hours=1)),
    (14, dt.timedelta(hours=24)),
)
"""After so many wrong codes in a row the card waits so long (D17)."""

BLOCK_AFTER_FAILURES = 15
_LAST_TRIES = frozenset({BLOCK_AFTER_FAILURES - 1, *(failures - 1 for failures, _ in PIN_LOCKS)})


@dataclass(frozen=True, slots=True)
class CardFacts:
    """The card's row under its lock, and whether this request's card data are right."""

    active: bool
    second_pin_active: bool
    expired: bool
    data_right: bool
    pin_failures: int
    pin_locked_until: dt.datetime | None
    pin_lock_level: int
    data_failures: int
    data_failed_since: dt.datetime | None
    paused_until: dt.datetime | None
    balance: Rial


@dataclass(frozen=True, slots=True)
class Limits:
    """The most one purchase and one card's day (Asia/Tehran) may take by dynamic PIN, fees included.

    Args:
        unbound_code_max: what one unbound code may take at most, whatever its own ceiling is (D14).
        unbound_day_max: what all unbound codes of a card may take together in a day; they count as others do besides.
        low_ceiling: of an unbound code, for a day after its holder's mobile was changed (D27).
        static_day_max: what the static second PIN of a card may take in a day, where its holder allowed one.
    """

    purchase_max: Rial
    day_max: Rial
    unbound_code_max: Rial = NOTHING
    unbound_day_max: Rial = NOTHING
    low_ceiling: Rial = NOTHING
    static_day_max: Rial = NOTHING


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision depends on.

    Args:
        by_proof: a proof is shown instead of a code.
        app: the app that makes this card's codes, where it has one.
        static_right: the entry is the card's static second PIN, and this message may use one.
        gift: a gift card's PIN is static and has no ceiling of its own.
        unbound_today: what unbound codes of this card took since midnight in Tehran; ``static_today`` its static PIN.
        lowered: its holder's mobile was changed within a day, which keeps what is bound to nothing low (D27).
    """

    now: dt.datetime
    total: Rial
    fee: Rial
    fee_max: Rial
    limits: Limits
    spent_today: Rial
    card: CardFacts | None
    challenges: Sequence[ChallengeFacts] = ()
    refused: Reason | None = None
    by_proof: bool = False
    unbound_today: Rial = NOTHING
    app: AppFacts | None = None
    static_right: bool = False
    gift: bool = False
    static_today: Rial = NOTHING
    lowered: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is answered and what is written, in one statement.

    Args:
        card: the card's row as it shall be; ``None`` leaves it alone.
        debit: what is taken from the card; zero unless approved.
        app: the device as it shall be, and the minute that was taken.
        channel: of the code that was taken.
        unbound: the debit counts on the card's day of unbound codes (D14).
        warn_holder: one wrong try is left before the card waits (D18: told to the holder by SMS, to nobody else).
    """

    reason: Reason
    card: CardFacts | None = None
    challenge: ChallengeChange | None = None
    debit: Rial = NOTHING
    warn_holder: bool = False
    app: AppChange | None = None
    channel: Channel | None = None
    unbound: bool = False

    @property
    def action_code(self) -> ActionCode:
        """What the outside is told."""
        return CODES[self.reason]


_Then = Callable[[Facts, CardFacts, Taken], Decision]
"""What follows once card and code are right: which code it was."""


def decide(facts: Facts) -> Decision:
    """Decide one purchase: message, card, code, limits, funds; a matched code is consumed whatever follows (D4)."""
    return _judge(facts, _decide_money)


def verify(facts: Facts) -> Decision:
    """Decide about a code alone: message, card, code, as in a purchase; no limits, no funds, no debit (D13)."""
    if facts.refused is None and facts.fee > facts.fee_max:
        return Decision(Reason.FEE_TOO_HIGH)
    return _judge(facts, _prove)


def _judge(facts: Facts, then: _Then) -> Decision:
    if facts.refused is not None:
        return Decision(facts.refused)
    if not facts.fee.amount < facts.total.amount:
        return Decision(Reason.AMOUNT_NOT_POSSIBLE)
    if facts.card is None:
        return Decision(Reason.CARD_UNKNOWN)
    return _decide_card(facts, facts.card, then)


def _decide_card(facts: Facts, card: CardFacts, then: _Then) -> Decision:
    """Judge the card; its data first, so that nothing about it is told to somebody who does not hold it (D18)."""
    if card.paused_until is not None and card.paused_until > facts.now:
        return Decision(Reason.CARD_PAUSED)
    if not card.data_right:
        return Decision(Reason.CARD_DATA_WRONG, card=count_data_failure(card, facts.now))
    refusals = (
        (not card.active, Reason.CARD_BLOCKED),
        (not card.second_pin_active, Reason.SECOND_PIN_INACTIVE),
        (card.expired, Reason.CARD_EXPIRED),
        (card.pin_locked_until is not None and card.pin_locked_until > facts.now, Reason.PIN_LOCKED),
    )
    for refused, reason in refusals:
        if refused:
            return Decision(reason)
    return _decide_code(facts, card, then)


def _decide_code(facts: Facts, card: CardFacts, then: _Then) -> Decision:
    verdict = judge(
        Entry(
            facts.now,
            facts.challenges,
            app=facts.app,
            static_right=facts.static_right,
            by_proof=facts.by_proof,
        )
    )
    if verdict.guess:
        return _count_wrong_code(facts, card, verdict)
    if verdict.taken is None:
        return Decision(verdict.reason, challenge=verdict.challenge)
    return then(facts, card, verdict.taken)


def _decide_money(facts: Facts, card: CardFacts, code: Taken) -> Decision:
    """Judge limits and funds after the code was used up for good (D4).

    A static PIN of an ordinary card forgives nothing: it can be shown again and again, and would buy as many guesses at
    dynamic ones.
    """
    limits, static = facts.limits, code.channel is Channel.STATIC and not facts.gift
    refusals = (
        (facts.fee > facts.fee_max, Reason.FEE_TOO_HIGH),
        (facts.total > limits.purchase_max, Reason.PURCHASE_LIMIT),
        (facts.spent_today + facts.total > limits.day_max, Reason.DAY_LIMIT),
        (code.ceiling is not None and _above_ceiling(facts, code.ceiling), Reason.UNBOUND_LIMIT),
        (static and facts.static_today + facts.total > _static_max(facts), Reason.STATIC_LIMIT),
        (facts.total > card.balance, Reason.FUNDS),
    )
    refused = next((reason for holds, reason in refusals if holds), None)
    return Decision(
        refused or Reason.APPROVED,
        card=card if static else _forgiven(card),
        challenge=code.challenge,
        debit=NOTHING if refused else facts.total,
        app=code.app,
        channel=code.channel,
        unbound=code.ceiling is not None,
    )


def _static_max(facts: Facts) -> Rial:
    limits = facts.limits
    return min(limits.static_day_max, limits.low_ceiling) if facts.lowered else limits.static_day_max


def _above_ceiling(facts: Facts, ceiling: Rial) -> bool:
    """Tell whether this is too much for an unbound code: for itself, or for its card's day (D14)."""
    of_code = min(ceiling, facts.limits.unbound_code_max)
    return facts.total > of_code or facts.unbound_today + facts.total > facts.limits.unbound_day_max


def _prove(_facts: Facts, card: CardFacts, code: Taken) -> Decision:
    """Let a proof stand for the code; the code itself is used up.

    A proof is bound to a whole transaction and kept with its challenge (D13): only a complete code of Harim earns one.
    """
    if code.channel is not Channel.HARIM or code.ceiling is not None or code.challenge is None:
        return Decision(Reason.CODE_FOREIGN, challenge=code.challenge, app=code.app, channel=code.channel)
    proven = replace(code.challenge, state=ChallengeState.VERIFIED)
    return Decision(Reason.APPROVED, card=_forgiven(card), challenge=proven, channel=code.channel)


def _forgiven(card: CardFacts) -> CardFacts:
    """Forget failures: who has the phone and the card's data is its holder."""
    return replace(
        card, pin_failures=0, pin_locked_until=None, pin_lock_level=0, data_failures=0, data_failed_since=None
    )


def count_data_failure(card: CardFacts, now: dt.datetime) -> CardFacts:
    """Count wrong card data; after ten within an hour the card pauses, which never grows into a lock (D17)."""
    since = card.data_failed_since
    if since is None or since <= now - FAILURES_COUNT_FOR:
        return replace(card, data_failures=1, data_failed_since=now)
    failures = card.data_failures + 1
    if failures >= PAUSE_AFTER_FAILURES:
        return replace(card, data_failures=0, data_failed_since=None, paused_until=now + PAUSE)
    return replace(card, data_failures=failures)


def _count_wrong_code(facts: Facts, card: CardFacts, verdict: Verdict) -> Decision:
    """Count one wrong try on the card, besides what it counts on (D17)."""
    failures = card.pin_failures + 1
    locks = dict(PIN_LOCKS)
    counted = replace(card, pin_failures=failures, active=card.active and failures < BLOCK_AFTER_FAILURES)
    if failures in locks:
        counted = replace(counted, pin_locked_until=facts.now + locks[failures], pin_lock_level=card.pin_lock_level + 1)
    return Decision(
        verdict.reason,
        card=counted,
        challenge=verdict.challenge,
        warn_holder=failures in _LAST_TRIES,
        app=verdict.app,
    )
