"""The challenge machine: what may become of one dynamic PIN at the bank."""

from __future__ import annotations

from enum import StrEnum

from foundation.machine import Machine, Transition


class ChallengeState(StrEnum):
    """Where a challenge stands: ``issued``, its code can be met; ``verified``, it was, and its proof can be spent."""

    ISSUED = "issued"
    VERIFIED = "verified"
    CONSUMED = "consumed"
    LOCKED = "locked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class ChallengeEvent(StrEnum):
    """What can happen to a challenge."""

    ISSUED = "issued"
    RESENT = "resent"
    CODE_MATCHED = "code_matched"
    CODE_VERIFIED = "code_verified"
    PROOF_SPENT = "proof_spent"
    CODE_MISMATCHED = "code_mismatched"
    LAST_TRY_MISMATCHED = "last_try_mismatched"
    LIFETIME_ELAPSED = "lifetime_elapsed"
    NEWER_ISSUED = "newer_issued"


CHALLENGE = Machine(
    (
        Transition(None, ChallengeEvent.ISSUED, ChallengeState.ISSUED),
        Transition(ChallengeState.ISSUED, ChallengeEvent.RESENT, ChallengeState.ISSUED),
        Transition(ChallengeState.ISSUED, ChallengeEvent.CODE_MATCHED, ChallengeState.CONSUMED),
        Transition(ChallengeState.ISSUED, ChallengeEvent.CODE_VERIFIED, ChallengeState.VERIFIED),
        Transition(ChallengeState.VERIFIED, ChallengeEvent.PROOF_SPENT, ChallengeState.CONSUMED),
        Transition(ChallengeState.VERIFIED, ChallengeEvent.LIFETIME_ELAPSED, ChallengeState.EXPIRED),
        Transition(ChallengeState.ISSUED, ChallengeEvent.CODE_MISMATCHED, ChallengeState.ISSUED),
        Transition(ChallengeState.ISSUED, ChallengeEvent.LAST_TRY_MISMATCHED, ChallengeState.LOCKED),
        Transition(ChallengeState.ISSUED, ChallengeEvent.LIFETIME_ELAPSED, ChallengeState.EXPIRED),
        Transition(ChallengeState.ISSUED, ChallengeEvent.NEWER_ISSUED, ChallengeState.SUPERSEDED),
    )
)
"""A consumed code stays consumed, whatever becomes of the money (D4)."""

BY_CLOCK = frozenset({ChallengeEvent.LIFETIME_ELAPSED})
"""Events that the sweeper can produce: the way out of every state that is not final."""
