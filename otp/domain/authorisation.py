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
from otp.domain.challenge import CHALLENGE, ChallengeEvent, ChallengeState

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
class ChallengeFacts:
    """A challenge of this card that has this payment's reference, or this code or proof.

    Args:
        matches: what is shown, a code or a proof, is this challenge's.
        proof_expires_at: until when the proof can be spent, where the code was verified.
        ceiling: the most that a code may take which is not bound to every fact; ``None`` for one that is (D6, D14).
    """

    challenge_id: int
    state: ChallengeState
    of_this_payment: bool
    matches: bool
    binding_matches: bool
    wrong_tries: int
    tries_max: int
    expires_at: dt.datetime
    proof_expires_at: dt.datetime | None = None
    ceiling: Rial | None = None

    def live(self, now: dt.datetime) -> bool:
        """Tell whether this challenge's code can still be met."""
        return self.state is ChallengeState.ISSUED and self.expires_at > now and self.wrong_tries < self.tries_max


@dataclass(frozen=True, slots=True)
class Limits:
    """The most one purchase and one card's day (Asia/Tehran) may take by dynamic PIN, fees included.

    Args:
        unbound_code_max: what one unbound code may take at most, whatever its own ceiling is (D14).
        unbound_day_max: what all unbound codes of a card may take together in a day; they count as others do besides.
    """

    purchase_max: Rial
    day_max: Rial
    unbound_code_max: Rial = NOTHING
    unbound_day_max: Rial = NOTHING


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision depends on; ``by_proof`` when a proof is shown instead of a code."""

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


@dataclass(frozen=True, slots=True)
class ChallengeChange:
    """What becomes of one challenge."""

    challenge_id: int
    state: ChallengeState
    wrong_tries: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What is answered and what is written, in one statement.

    Args:
        card: the card's row as it shall be; ``None`` leaves it alone.
        debit: what is taken from the card; zero unless approved.
        warn_holder: one wrong try is left before the card waits (D18: told to the holder by SMS, to nobody else).
    """

    reason: Reason
    card: CardFacts | None = None
    challenge: ChallengeChange | None = None
    debit: Rial = NOTHING
    warn_holder: bool = False

    @property
    def action_code(self) -> ActionCode:
        """What the outside is told."""
        return CODES[self.reason]


_Then = Callable[[Facts, CardFacts, ChallengeFacts, ChallengeChange], Decision]
"""What follows once card and code are right: which code it was, and what becomes of it."""


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
    matched = sorted(
        (challenge for challenge in facts.challenges if challenge.matches),
        key=lambda challenge: (challenge.live(facts.now), challenge.binding_matches, challenge.challenge_id),
    )
    if not matched:
        # Nobody guesses 256 bits, so a proof that is none counts nothing.
        return Decision(Reason.CODE_WRONG) if facts.by_proof else _count_wrong_code(facts, card)
    challenge = matched[-1]
    reason, state = (_verdict_on_proof if facts.by_proof else _verdict)(challenge, facts.now)
    change = ChallengeChange(challenge.challenge_id, state, challenge.wrong_tries)
    if reason is not Reason.APPROVED:
        return Decision(reason, challenge=change if state != challenge.state else None)
    return then(facts, card, challenge, change)


def _verdict(challenge: ChallengeFacts, now: dt.datetime) -> tuple[Reason, ChallengeState]:
    """Say what an exactly matching code is worth and what becomes of its challenge; knowing it is no guess (D17)."""
    if challenge.live(now):
        reason = Reason.APPROVED if challenge.binding_matches else Reason.CODE_FOREIGN
        return reason, ChallengeState.CONSUMED
    if challenge.state is ChallengeState.ISSUED:
        over = challenge.expires_at <= now
        return (Reason.CODE_EXPIRED, ChallengeState.EXPIRED) if over else (Reason.CODE_LOCKED, ChallengeState.LOCKED)
    return _AFTERWARDS.get(challenge.state, Reason.CODE_EXPIRED), challenge.state


_AFTERWARDS = {
    ChallengeState.VERIFIED: Reason.CODE_USED,
    ChallengeState.CONSUMED: Reason.CODE_USED,
    ChallengeState.LOCKED: Reason.CODE_LOCKED,
}
"""What a code, or a proof, is worth once its challenge is decided; it has expired in every other state."""


def _verdict_on_proof(challenge: ChallengeFacts, now: dt.datetime) -> tuple[Reason, ChallengeState]:
    """Say what a proof is worth; one that is shown for another transaction is spent as well (D4)."""
    if challenge.state is not ChallengeState.VERIFIED:
        return _AFTERWARDS.get(challenge.state, Reason.CODE_EXPIRED), challenge.state
    if challenge.proof_expires_at is None or challenge.proof_expires_at <= now:
        return Reason.CODE_EXPIRED, ChallengeState.EXPIRED
    return Reason.APPROVED if challenge.binding_matches else Reason.CODE_FOREIGN, ChallengeState.CONSUMED


def _decide_money(facts: Facts, card: CardFacts, code: ChallengeFacts, consumed: ChallengeChange) -> Decision:
    """Judge limits and funds after the code was consumed for good (D4)."""
    proven = _forgiven(card)
    refusals = (
        (facts.fee > facts.fee_max, Reason.FEE_TOO_HIGH),
        (facts.total > facts.limits.purchase_max, Reason.PURCHASE_LIMIT),
        (facts.spent_today + facts.total > facts.limits.day_max, Reason.DAY_LIMIT),
        (code.ceiling is not None and _above_ceiling(facts, code.ceiling), Reason.UNBOUND_LIMIT),
        (facts.total > card.balance, Reason.FUNDS),
    )
    for refused, reason in refusals:
        if refused:
            return Decision(reason, card=proven, challenge=consumed)
    return Decision(Reason.APPROVED, card=proven, challenge=consumed, debit=facts.total)


def _above_ceiling(facts: Facts, ceiling: Rial) -> bool:
    """Tell whether this is too much for an unbound code: for itself, or for its card's day (D14)."""
    of_code = min(ceiling, facts.limits.unbound_code_max)
    return facts.total > of_code or facts.unbound_today + facts.total > facts.limits.unbound_day_max


def _prove(_facts: Facts, card: CardFacts, code: ChallengeFacts, matched: ChallengeChange) -> Decision:
    """Let a proof stand for the code; the code itself is used up.

    A proof is bound to one whole transaction (D13), and what an unbound code is good for is none.
    """
    if code.ceiling is not None:
        return Decision(Reason.CODE_FOREIGN, challenge=matched)
    return Decision(Reason.APPROVED, card=_forgiven(card), challenge=replace(matched, state=ChallengeState.VERIFIED))


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


def _count_wrong_code(facts: Facts, card: CardFacts) -> Decision:
    """Count one wrong try: on this payment's challenge where it has a live one, and on the card (D17)."""
    failures = card.pin_failures + 1
    locks = dict(PIN_LOCKS)
    counted = replace(card, pin_failures=failures, active=card.active and failures < BLOCK_AFTER_FAILURES)
    if failures in locks:
        counted = replace(counted, pin_locked_until=facts.now + locks[failures], pin_lock_level=card.pin_lock_level + 1)
    own = [challenge for challenge in facts.challenges if challenge.of_this_payment and challenge.live(facts.now)]
    return Decision(
        Reason.CODE_WRONG,
        card=counted,
        challenge=_count_on(own[-1]) if own else None,
        warn_holder=failures in _LAST_TRIES,
    )


def _count_on(challenge: ChallengeFacts) -> ChallengeChange:
    tries = challenge.wrong_tries + 1
    event = ChallengeEvent.LAST_TRY_MISMATCHED if tries >= challenge.tries_max else ChallengeEvent.CODE_MISMATCHED
    return ChallengeChange(challenge.challenge_id, CHALLENGE.next(challenge.state, event), tries)
