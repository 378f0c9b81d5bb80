"""The decision about one request for a code, without a database (D9b, D17, D19)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from foundation.rial import Rial
from otp.domain.answers import Code
from otp.domain.authorisation import CardFacts
from otp.domain.issuing import Decision, Facts, OpenChallenge, Proof, Rules, Step, decide

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
CARD = CardFacts(
    active=True,
    second_pin_active=True,
    expired=False,
    data_right=True,
    pin_failures=0,
    pin_locked_until=None,
    pin_lock_level=0,
    data_failures=0,
    data_failed_since=None,
    paused_until=None,
    balance=Rial(1),
)


def challenge(number: int = 1, *, age: float = 0, **changes: Any) -> OpenChallenge:
    """Make a proven challenge of this payment that was sent ``age`` seconds ago."""
    sent = NOW - dt.timedelta(seconds=age)
    values: dict[str, Any] = {
        "challenge_id": number,
        "of_this_payment": True,
        "binding_matches": True,
        "proven": True,
        "sent_at": sent,
        "expires_at": sent + dt.timedelta(seconds=120),
        "resends": 0,
    }
    return OpenChallenge(**{**values, **changes})


def facts(*challenges: OpenChallenge, **changes: Any) -> Facts:
    """Make a proven request for a good card."""
    values: dict[str, Any] = {
        "now": NOW,
        "rules": Rules(),
        "refused": None,
        "open_disclosure": False,
        "proof": Proof.RIGHT,
        "card": CARD,
        "has_mobile": True,
        "challenges": challenges,
    }
    return Facts(**{**values, **changes})


@pytest.mark.parametrize(
    ("age", "step", "code"),
    [
        (0, Step.NOTHING, Code.ALREADY_SENT),
        (59.5, Step.NOTHING, Code.ALREADY_SENT),
        (60, Step.RESEND, Code.ACCEPTED),
        (75, Step.RESEND, Code.ACCEPTED),
        (76, Step.ISSUE, Code.ACCEPTED),
        (120, Step.ISSUE, Code.ACCEPTED),
    ],
)
def test_d9b_the_age_of_the_last_code_decides(age: float, step: Step, code: Code) -> None:
    """Wait, same code, new code; nothing is charged while nothing is sent."""
    decision = decide(facts(challenge(age=age)))

    assert (decision.step, decision.code) == (step, code)
    assert decision.charged == (step is not Step.NOTHING)


def test_d9b_a_code_is_sent_again_twice_at_most() -> None:
    """With a longer life the third request waits until a new code is due."""
    rules = Rules(life_seconds=600)
    own = challenge(age=70, resends=2, expires_at=NOW + dt.timedelta(seconds=300))

    decision = decide(facts(own, rules=rules))

    assert (decision.code, decision.step, decision.wait_seconds) == (Code.ALREADY_SENT, Step.NOTHING, 256)


def test_d17_the_newer_supersedes_within_its_payment_only() -> None:
    """Own is ended by a changed binding, others are left."""
    decision = decide(facts(challenge(1, binding_matches=False), challenge(2, of_this_payment=False)))

    assert (decision.step, decision.superseded, decision.expired) == (Step.ISSUE, (1,), ())


def test_d17_expired_ones_take_no_place() -> None:
    """Three over and done are named for ending, and a new one is made."""
    old = [challenge(number, age=121, of_this_payment=False) for number in (1, 2, 3)]

    decision = decide(facts(*old))

    assert (decision.step, decision.expired) == (Step.ISSUE, (1, 2, 3))


@pytest.mark.parametrize(
    ("proof", "live", "step"),
    [
        (Proof.RIGHT, 2, Step.ISSUE),
        (Proof.RIGHT, 3, Step.NOTHING),
        (Proof.NONE, 1, Step.ISSUE),
        (Proof.NONE, 2, Step.NOTHING),
    ],
)
def test_d17_strangers_take_two_places_at_most(proof: Proof, live: int, step: Step) -> None:
    """One of three places is always the holder's."""
    others = [challenge(number, of_this_payment=False, proven=False) for number in range(live)]

    assert decide(facts(*others, proof=proof)).step is step


def test_d19_without_proof_only_uniform_words_come_out() -> None:
    """Issued, already sent, full, unknown: one answer, always charged, never detailed."""
    full = [challenge(number, of_this_payment=False) for number in range(3)]
    situations = [
        facts(proof=Proof.NONE),
        facts(challenge(), proof=Proof.NONE),
        facts(*full, proof=Proof.NONE),
        facts(proof=Proof.NONE, card=None),
        facts(proof=Proof.WRONG, card=None),
        facts(proof=Proof.NONE, has_mobile=False),
        facts(proof=Proof.NONE, card=replace(CARD, active=False)),
        facts(proof=Proof.RIGHT, card=replace(CARD, paused_until=NOW + dt.timedelta(seconds=1))),
    ]

    for situation in situations:
        decision = decide(situation)
        told = (decision.code, decision.charged, decision.proven, decision.detailed)
        assert told == (Code.ACCEPTED, True, False, False)
        assert decision.good_seconds is None
        assert decision.wait_seconds is None


SOON = NOW + dt.timedelta(seconds=90)


@pytest.mark.parametrize(
    ("changes", "code", "wait"),
    [
        ({"card": None}, Code.CARD_NOT_FOUND, None),
        ({"proof": Proof.WRONG}, Code.CARD_DATA_MISMATCH, None),
        ({"card": replace(CARD, paused_until=SOON)}, Code.CARD_BLOCKED, 90),
        ({"card": replace(CARD, active=False)}, Code.CARD_BLOCKED, None),
        ({"card": replace(CARD, expired=True)}, Code.CARD_BLOCKED, None),
        ({"card": replace(CARD, pin_locked_until=SOON)}, Code.CARD_BLOCKED, 90),
        ({"card": replace(CARD, second_pin_active=False)}, Code.DYNAMIC_PIN_NOT_ACTIVE, None),
        ({"has_mobile": False}, Code.NO_MOBILE, None),
    ],
)
def test_d19_an_open_profile_hears_the_reason(changes: dict[str, Any], code: Code, wait: int | None) -> None:
    """Each reason has its code, and its end where it has one; without proof it is charged all the same."""
    decision = decide(facts(**{"open_disclosure": True, "proof": Proof.NONE, **changes}))

    assert (decision.code, decision.wait_seconds, decision.step) == (code, wait, Step.NOTHING)
    assert decision.charged


def test_d17_locks_and_pauses_that_are_over_do_not_count() -> None:
    """What ended a moment ago stops nobody."""
    past = NOW - dt.timedelta(seconds=1)

    assert decide(facts(card=replace(CARD, paused_until=past, pin_locked_until=past))).step is Step.ISSUE


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"proof": Proof.WRONG}, True),
        ({"proof": Proof.WRONG, "open_disclosure": True}, True),
        ({"proof": Proof.WRONG, "card": None}, False),
        ({"proof": Proof.WRONG, "card": replace(CARD, paused_until=SOON)}, False),
        ({"proof": Proof.WRONG, "refused": Code.STALE}, False),
        ({"proof": Proof.NONE}, False),
    ],
)
def test_d17_wrong_card_data_count_on_a_card_that_is_not_paused(changes: dict[str, Any], counts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Only a wrong proof of a known card that is open to proof is a failure."""
    assert decide(facts(**changes)).mistyped is counts


def test_what_is_refused_before_any_card_is_looked_at_changes_nothing() -> None:
    """A fee, a type or the order of requests has nothing to do with the card."""
    assert decide(facts(refused=Code.FEE_NOT_ALLOWED)) == Decision(Code.FEE_NOT_ALLOWED)
