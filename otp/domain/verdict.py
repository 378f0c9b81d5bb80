"""What an entry is worth: a code of Harim or by text message, one of the app, a static PIN, or a wrong try (D4, D14).

Every kind that could be meant is a candidate at once, and a wrong entry is one wrong try whatever it was meant to be
(D5, D17). A right code is used up for good, whatever follows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundation.rial import Rial
from otp.domain.action_codes import Reason
from otp.domain.app_match import AppMatch
from otp.domain.challenge import CHALLENGE, ChallengeEvent, ChallengeState
from otp.domain.device import DeviceState, wrong_code


class Channel(StrEnum):
    """By which way a code came to its holder."""

    HARIM = "harim"
    SMS = "sms"
    APP = "app"
    APP_BOUND = "app_bound"
    STATIC = "static"


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
    channel: Channel = Channel.HARIM

    def live(self, now: dt.datetime) -> bool:
        """Tell whether this challenge's code can still be met."""
        return self.state is ChallengeState.ISSUED and self.expires_at > now and self.wrong_tries < self.tries_max


@dataclass(frozen=True, slots=True)
class AppFacts:
    """The app that makes this card's codes, and whether the entry is one of them.

    Args:
        wrong_codes: of the device, since its last right one.
        ceiling: the most that an unbound code of this card may take now: the holder's wish, never above the bank's.
        match: ``None`` when the entry is no code of the app.
        meant: whether it could have been one.
    """

    card_ref: str
    device_id: str
    wrong_codes: int
    ceiling: Rial
    match: AppMatch | None = None
    meant: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """What was entered, as far as it can be judged.

    Args:
        by_proof: a proof is shown instead of a code.
        static_right: it is the card's static second PIN, and this message may use one.
    """

    now: dt.datetime
    challenges: Sequence[ChallengeFacts] = ()
    app: AppFacts | None = None
    static_right: bool = False
    by_proof: bool = False


@dataclass(frozen=True, slots=True)
class ChallengeChange:
    """What becomes of one challenge."""

    challenge_id: int
    state: ChallengeState
    wrong_tries: int


@dataclass(frozen=True, slots=True)
class AppChange:
    """What becomes of a device, and of the card on it whose code was taken.

    Args:
        match: the code that was taken; ``None`` where a wrong entry counts on the device.
    """

    card_ref: str
    device_id: str
    wrong_codes: int
    state: DeviceState = DeviceState.ACTIVE
    match: AppMatch | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A right code or proof, used up.

    Args:
        ceiling: the most it may take; ``None`` for what is bound to the whole transaction, and for a static PIN.
    """

    channel: Channel
    ceiling: Rial | None = None
    challenge: ChallengeChange | None = None
    app: AppChange | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an entry is worth.

    Args:
        taken: the right code; ``None`` for everything else.
        guess: a wrong try, which counts on the card.
        challenge: what becomes of a challenge whose code is not taken.
        app: what becomes of the device.
    """

    reason: Reason
    taken: Taken | None = None
    guess: bool = False
    challenge: ChallengeChange | None = None
    app: AppChange | None = None


def judge(entry: Entry) -> Verdict:
    """Judge an entry: a live challenge first, then app, static PIN and a challenge that is over; else a wrong try.

    Of two challenges with the same digits the one that is bound is taken (D26).
    """
    matched = max(
        (challenge for challenge in entry.challenges if challenge.matches),
        key=lambda one: (one.live(entry.now), one.binding_matches, one.ceiling is None, one.challenge_id),
        default=None,
    )
    if entry.by_proof:
        # Nobody guesses 256 bits, so a proof that is none counts nothing.
        return Verdict(Reason.CODE_WRONG) if matched is None else _of_challenge(entry, matched)
    if matched is not None and matched.live(entry.now):
        return _of_challenge(entry, matched)
    if entry.app is not None and entry.app.match is not None:
        return _of_app(entry.app, entry.app.match)
    if entry.static_right:
        return Verdict(Reason.APPROVED, Taken(Channel.STATIC))
    return _wrong(entry) if matched is None else _of_challenge(entry, matched)


def _of_challenge(entry: Entry, challenge: ChallengeFacts) -> Verdict:
    reason, state = (_worth_of_proof if entry.by_proof else _worth)(challenge, entry.now)
    change = ChallengeChange(challenge.challenge_id, state, challenge.wrong_tries)
    if reason is not Reason.APPROVED:
        return Verdict(reason, challenge=change if state != challenge.state else None)
    return Verdict(reason, Taken(challenge.channel, challenge.ceiling, challenge=change))


def _worth(challenge: ChallengeFacts, now: dt.datetime) -> tuple[Reason, ChallengeState]:
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


def _worth_of_proof(challenge: ChallengeFacts, now: dt.datetime) -> tuple[Reason, ChallengeState]:
    """Say what a proof is worth; one that is shown for another transaction is spent as well (D4)."""
    if challenge.state is not ChallengeState.VERIFIED:
        return _AFTERWARDS.get(challenge.state, Reason.CODE_EXPIRED), challenge.state
    if challenge.proof_expires_at is None or challenge.proof_expires_at <= now:
        return Reason.CODE_EXPIRED, ChallengeState.EXPIRED
    return Reason.APPROVED if challenge.binding_matches else Reason.CODE_FOREIGN, ChallengeState.CONSUMED


def _of_app(app: AppFacts, match: AppMatch) -> Verdict:
    """Take a code of the app; one whose minute was taken already is a repeat, and no guess (RFC 6238 §5.2)."""
    if match.repeated:
        return Verdict(Reason.CODE_USED)
    change = AppChange(app.card_ref, app.device_id, wrong_codes=0, match=match)
    if match.bound:
        return Verdict(Reason.APPROVED, Taken(Channel.APP_BOUND, app=change))
    return Verdict(Reason.APPROVED, Taken(Channel.APP, app.ceiling, app=change))


def _wrong(entry: Entry) -> Verdict:
    """Count one wrong try: on this payment's own challenge where it has a live one, else on the app it may be of."""
    own = [challenge for challenge in entry.challenges if challenge.of_this_payment and challenge.live(entry.now)]
    if own:
        return Verdict(Reason.CODE_WRONG, guess=True, challenge=_count_on(own[-1]))
    if entry.app is None or not entry.app.meant:
        return Verdict(Reason.CODE_WRONG, guess=True)
    app = entry.app
    state = wrong_code(DeviceState.ACTIVE, app.wrong_codes)
    change = AppChange(app.card_ref, app.device_id, app.wrong_codes + 1, state)
    return Verdict(Reason.CODE_WRONG, guess=True, app=change)


def _count_on(challenge: ChallengeFacts) -> ChallengeChange:
    tries = challenge.wrong_tries + 1
    event = ChallengeEvent.LAST_TRY_MISMATCHED if tries >= challenge.tries_max else ChallengeEvent.CODE_MISMATCHED
    return ChallengeChange(challenge.challenge_id, CHALLENGE.next(challenge.state, event), tries)
