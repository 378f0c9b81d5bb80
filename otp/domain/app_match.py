"""Is an entry a code of the app? Every minute that could be meant is computed, and each serves once (D14).

With the code of Harim and the one by text message the minutes that are good (:func:`otp.domain.app_code.good_steps`)
make five values of seven digits, and four of eight.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from foundation.sensitive import Sensitive
from otp.domain.app_code import BOUND_CODE_DIGITS, SECOND_PIN_DIGITS, Purpose, bound_code, code_key, good_steps
from otp.domain.device import Clockwork, matched


@dataclass(frozen=True, slots=True)
class AppMatch:
    """A code of the app that was entered.

    Args:
        bound: to this very purchase.
        step: the minute it was made for.
        drift: minutes that the device was ahead of the bank's clock; second PINs tell, bound codes leave it.
        repeated: this minute or a later one was taken before.
    """

    bound: bool
    step: int
    drift: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class AppKeys:
    """What the bank knows of a card on a device.

    Args:
        last_bound_step: the last minute whose bound code was taken.
    """

    code_root: Sensitive[bytes]
    card_ref: str
    clock: Clockwork
    last_bound_step: int


def can_be_of_app(entry: Sensitive[str]) -> bool:
    """Tell by its length whether an entry can be meant for a code of the app."""
    return len(entry.reveal()) in {SECOND_PIN_DIGITS, BOUND_CODE_DIGITS}


def match_entry(keys: AppKeys, entry: Sensitive[str], now_step: int, questions: Sequence[str]) -> AppMatch | None:
    """Look for an entry among the codes that are good now.

    Args:
        keys: of the card on its device.
        entry: as typed; only seven or eight digits can be a code of the app.
        now_step: whole minutes since 1970 by the bank's clock.
        questions: the texts that may name this purchase (D24).
    """
    length = len(entry.reveal())
    if length == SECOND_PIN_DIGITS:
        return _second(keys, entry, now_step)
    if length == BOUND_CODE_DIGITS:
        return _bound(keys, entry, now_step, questions)
    return None


def _second(keys: AppKeys, entry: Sensitive[str], now_step: int) -> AppMatch | None:
    key = code_key(keys.code_root, Purpose.SECOND, keys.card_ref)
    found = matched(key, entry, now_step, keys.clock)
    if found is None:
        return None
    return AppMatch(bound=False, step=found.last_step, drift=found.drift, repeated=found == keys.clock)


def _bound(keys: AppKeys, entry: Sensitive[str], now_step: int, questions: Sequence[str]) -> AppMatch | None:
    key = code_key(keys.code_root, Purpose.BOUND, keys.card_ref)
    typed = entry.reveal().encode()
    hits = [
        step
        for step in good_steps(Purpose.BOUND, now_step, keys.clock.drift)
        for question in questions
        if hmac.compare_digest(bound_code(key, question, step).reveal().encode(), typed)
    ]
    if not hits:
        return None
    return AppMatch(bound=True, step=hits[-1], drift=keys.clock.drift, repeated=hits[-1] <= keys.last_bound_step)
