"""The decision about a card in a machine: the first PIN, then limits and funds where money is asked for.

Four digits are the card's own PIN, six a dynamic one of the holder's app. First PINs have counters of their own:
whoever guesses at a machine closes machines, never purchases on the net, and the other way round (D17). Pure, as
:mod:`otp.domain.authorisation` is; the order is that of D4.
"""

from __future__ import annotations

import datetime as dt
import hmac
from dataclasses import dataclass

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.action_codes import CODES, ActionCode, Reason
from otp.domain.app_code import FIRST_PIN_DIGITS, Purpose, first_pin, good_steps
from otp.domain.device import Clockwork
from otp.domain.spending import NOTHING, Limits
from otp.domain.spraying import WRONG_TRIES

STATIC_DIGITS = 4
TRIES_IN_A_ROW = 3
WAITS = (dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(hours=24))
"""How long first PINs of a card wait after 3, 6, 9 and more wrong ones in a row. Ours; no rule was found."""


@dataclass(frozen=True, slots=True)
class PresentCard:
    """The card's row under its lock."""

    active: bool
    expired: bool
    failures: int
    locked_until: dt.datetime | None
    balance: Rial


@dataclass(frozen=True, slots=True)
class Match:
    """What a typed first PIN is.

    Args:
        right: it is the card's own, or one of its app's now.
        step: of the app's code; ``None`` for the card's own PIN.
        used: it was right, and was taken before.
    """

    right: bool
    step: int | None = None
    used: bool = False


WRONG = Match(right=False)


@dataclass(frozen=True, slots=True)
class PresentFacts:
    """All that a decision depends on; ``money`` whether any is asked for."""

    now: dt.datetime
    money: bool
    total: Rial
    fee: Rial
    limits: Limits
    spent_today: Rial
    card: PresentCard | None
    match: Match = WRONG
    refused: Reason | None = None


@dataclass(frozen=True, slots=True)
class PresentDecision:
    """What is answered and what is written, in one statement.

    Args:
        counted: whether the next two are written.
        failures: wrong first PINs in a row, from now on.
        locked_until: until when first PINs wait.
        step: of the app's code that is used up now.
        debit: what is taken from the card.
    """

    reason: Reason
    counted: bool = False
    failures: int = 0
    locked_until: dt.datetime | None = None
    step: int | None = None
    debit: Rial = NOTHING

    @property
    def wrong(self) -> bool:
        """Tell whether it may have been a guess, which counts at its terminal (D20)."""
        return self.reason in WRONG_TRIES

    @property
    def action_code(self) -> ActionCode:
        """What the outside is told."""
        return CODES[self.reason]


def match_code(key: Sensitive[bytes], typed: Sensitive[str], now_step: int, clock: Clockwork) -> Match:
    """Compare a typed PIN with the app's codes of now; the device's clock is followed by second PINs alone.

    Every step that could be meant is computed, whichever matches, so that the time taken tells nothing.
    """
    digits = typed.reveal().encode()
    steps = good_steps(Purpose.FIRST, now_step, clock.drift)
    hits = [step for step in steps if hmac.compare_digest(first_pin(key, step).reveal().encode(), digits)]
    if not hits:
        return WRONG
    new = [step for step in hits if step > clock.last_step]
    return Match(right=True, step=new[-1]) if new else Match(right=False, used=True)


def is_dynamic(typed: Sensitive[str]) -> bool:
    """Tell by its length whether an entry can be a code of the app."""
    return len(typed.reveal()) == FIRST_PIN_DIGITS


def decide_present(facts: PresentFacts) -> PresentDecision:
    """Decide: message, card, wait, PIN, then the card's state, limits and funds; a right code is used up (D4).

    That a card is blocked or has expired is told only to somebody with its PIN (D18).
    """
    if facts.refused is not None:
        return PresentDecision(facts.refused)
    if facts.money and not facts.fee.amount < facts.total.amount:
        return PresentDecision(Reason.AMOUNT_NOT_POSSIBLE)
    return _decide_pin(facts, facts.card)


def _decide_pin(facts: PresentFacts, card: PresentCard | None) -> PresentDecision:
    if card is None:
        return PresentDecision(Reason.CARD_UNKNOWN)
    if card.locked_until is not None and card.locked_until > facts.now:
        return PresentDecision(Reason.PIN_LOCKED)
    if facts.match.used:
        return PresentDecision(Reason.CODE_USED)  # whoever shows it has seen it: no guess (D14)
    return _decide_money(facts, card) if facts.match.right else _count_wrong(card, facts.now)


def _count_wrong(card: PresentCard, now: dt.datetime) -> PresentDecision:
    failures = card.failures + 1
    rounds, left = divmod(failures, TRIES_IN_A_ROW)
    wait = WAITS[min(rounds, len(WAITS)) - 1] if rounds and not left else None
    return PresentDecision(
        Reason.CODE_WRONG, counted=True, failures=failures, locked_until=None if wait is None else now + wait
    )


def _decide_money(facts: PresentFacts, card: PresentCard) -> PresentDecision:
    refusals = (
        (not card.active, Reason.CARD_BLOCKED),
        (card.expired, Reason.CARD_EXPIRED),
        (facts.fee > NOTHING, Reason.FEE_TOO_HIGH),
        (facts.total > facts.limits.purchase_max, Reason.PURCHASE_LIMIT),
        (facts.spent_today + facts.total > facts.limits.day_max, Reason.DAY_LIMIT),
        (facts.total > card.balance, Reason.FUNDS),
    )
    reason = next((reason for refused, reason in refusals if refused), Reason.APPROVED)
    paid = facts.total if reason is Reason.APPROVED else NOTHING
    return PresentDecision(reason, counted=True, step=facts.match.step, debit=paid)
