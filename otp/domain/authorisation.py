"""The decision about money or a balance: card, code, limits, funds, in the order of D4; or a code alone (D13).

Pure: the facts were read under the card's lock, with the database's own time (D33), and the decision is written by the
next statement. Nothing here is looked up, counted or stored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.action_codes import CODES, ActionCode, Reason
from otp.domain.challenge import ChallengeState
from otp.domain.spending import NOTHING, TOLD_MAX, BalanceQuestion, Limits, Transfer
from otp.domain.spraying import WRONG_TRIES
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
_OF_NO_TYPE = frozenset({Channel.SMS, Channel.APP})
"""Ways of codes that are bound to nothing at all, not even to a type (D14)."""

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
class Facts:
    """All that a decision depends on.

    Args:
        by_proof: a proof is shown instead of a code.
        app: the app that makes this card's codes, where it has one.
        static_right: the entry is the card's static second PIN, and this message may use one.
        gift: a gift card's PIN is static and has no ceiling of its own.
        transfer: what a transfer depends on besides; ``None`` for anything else.
        question: what a question for a balance depends on besides; its total is its fee.
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
    transfer: Transfer | None = None
    question: BalanceQuestion | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is answered and what is written, in one statement.

    Args:
        card: the card's row as it shall be; ``None`` leaves it alone.
        debit: what is taken from the card; zero unless approved, and where only a balance is told free of charge.
        credit: what of it goes to the card ``credited_id`` of this bank; the rest is owed to the acquirer.
        app: the device as it shall be, and the minute that was taken.
        balance: what is left on the card, for its holder who asked.
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
    credit: Rial = NOTHING
    credited_id: int | None = None
    balance: Sensitive[Rial] | None = None

    @property
    def approved(self) -> bool:
        """Tell whether what was asked for is done."""
        return self.reason is Reason.APPROVED

    @property
    def wrong(self) -> bool:
        """Tell whether it may have been a guess, which counts where it came from (D20)."""
        return self.reason in WRONG_TRIES

    @property
    def action_code(self) -> ActionCode:
        """What the outside is told."""
        return CODES[self.reason]


_Then = Callable[[Facts, CardFacts, Taken], Decision]
"""What follows once card and code are right: which code it was."""


def decide(facts: Facts) -> Decision:
    """Decide about money or a balance: message, card, code, limits, funds; a right code is used up in any case (D4)."""
    return _judge(facts, _decide_money)


def verify(facts: Facts) -> Decision:
    """Decide about a code alone: message, card, code, as in a purchase; no limits, no funds, no debit (D13)."""
    if facts.refused is None and facts.fee > facts.fee_max:
        return Decision(Reason.FEE_TOO_HIGH)
    return _judge(facts, _prove)


def _judge(facts: Facts, then: _Then) -> Decision:
    if facts.refused is not None:
        return Decision(facts.refused)
    if not _amount_possible(facts):
        return Decision(Reason.AMOUNT_NOT_POSSIBLE)
    if facts.card is None:
        return Decision(Reason.CARD_UNKNOWN)
    return _decide_card(facts, facts.card, then)


def _amount_possible(facts: Facts) -> bool:
    """Tell whether more than a fee is asked for; of a question for a balance, nothing but its fee."""
    return facts.total == facts.fee if facts.question else facts.fee < facts.total


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
        *_of_kind(facts, card, code),
        (facts.spent_today + facts.total > limits.day_max, Reason.DAY_LIMIT),
        (code.ceiling is not None and _above_ceiling(facts, code.ceiling), Reason.UNBOUND_LIMIT),
        (static and facts.static_today + facts.total > _static_max(facts), Reason.STATIC_LIMIT),
        (facts.total > card.balance, Reason.FUNDS),
    )
    refused = next((reason for holds, reason in refusals if holds), None)
    inside = None if refused or facts.transfer is None else facts.transfer.destination
    told = None if refused or facts.question is None else Sensitive(card.balance - facts.total)
    return Decision(
        refused or Reason.APPROVED,
        card=card if static else _forgiven(card),
        challenge=code.challenge,
        debit=NOTHING if refused else facts.total,
        app=code.app,
        channel=code.channel,
        unbound=code.ceiling is not None,
        credit=NOTHING if inside is None else facts.total - facts.fee,
        credited_id=None if inside is None else inside.card_id,
        balance=told,
    )


def _of_kind(facts: Facts, card: CardFacts, code: Taken) -> tuple[tuple[bool, Reason], ...]:
    """Say what a purchase, a transfer or a question for a balance may be refused for (D7, D14).

    A transfer's limits leave its fee out. A code that its holder asked for to buy something tells no balance, nor does
    a static PIN beside dynamic ones; and no fee is taken for a balance that the answer has no room for.
    """
    limits, transfer = facts.limits, facts.transfer
    if facts.question is not None:
        return (
            (code.channel in _OF_NO_TYPE, Reason.UNBOUND_LIMIT),
            (code.channel is Channel.STATIC and not facts.gift, Reason.STATIC_LIMIT),
            (facts.question.told_today >= limits.balances_per_day, Reason.BALANCE_LIMIT),
            (card.balance > TOLD_MAX + facts.total, Reason.BALANCE_TOO_LONG),
        )
    if transfer is None:
        return ((facts.total > limits.purchase_max, Reason.PURCHASE_LIMIT),)
    amount = facts.total - facts.fee
    able = transfer.destination is not None and transfer.destination.able
    return (
        (code.ceiling is not None and not limits.unbound_transfers, Reason.UNBOUND_LIMIT),
        (transfer.inside and not able, Reason.CANNOT_RECEIVE),
        (amount > limits.transfer_max, Reason.TRANSFER_LIMIT),
        (transfer.sent_today + amount > limits.transfer_day_max, Reason.TRANSFER_DAY_LIMIT),
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
