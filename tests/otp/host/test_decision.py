"""The pure decision, without a database: every reason, and what may never be."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.rial import Rial
from otp.domain.action_codes import CODES, ActionCode, Reason
from otp.domain.authorisation import BLOCK_AFTER_FAILURES, PIN_LOCKS, CardFacts, Facts, decide
from otp.domain.challenge import ChallengeState
from otp.domain.expiry import is_past
from otp.domain.spending import Limits
from otp.domain.verdict import ChallengeFacts, Channel

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
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
    balance=Rial(1000),
)
CHALLENGE = ChallengeFacts(
    challenge_id=7,
    state=ChallengeState.ISSUED,
    of_this_payment=True,
    matches=True,
    binding_matches=True,
    wrong_tries=0,
    tries_max=3,
    expires_at=NOW + dt.timedelta(seconds=1),
)
FACTS = Facts(
    now=NOW,
    total=Rial(100),
    fee=Rial(0),
    fee_max=Rial(10),
    limits=Limits(Rial(500), Rial(600)),
    spent_today=Rial(0),
    card=CARD,
    challenges=(CHALLENGE,),
)


def test_every_reason_has_a_code_of_the_table() -> None:
    """No reason is left without an answer, and only an approval says 000 (D3)."""
    assert set(CODES) == set(Reason)
    assert [reason for reason, code in CODES.items() if code is ActionCode.APPROVED] == [Reason.APPROVED]


def test_d18_reasons_that_must_look_alike_share_a_code() -> None:
    """Unknown card, wrong data and wrong code are one code."""
    assert {CODES[Reason.CARD_UNKNOWN], CODES[Reason.CARD_DATA_WRONG], CODES[Reason.CODE_WRONG]} == {
        ActionCode.CARD_OR_CODE_WRONG
    }


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (FACTS, Reason.APPROVED),
        (replace(FACTS, refused=Reason.NOT_SUPPORTED), Reason.NOT_SUPPORTED),
        (replace(FACTS, total=Rial(0)), Reason.AMOUNT_NOT_POSSIBLE),
        (replace(FACTS, card=None), Reason.CARD_UNKNOWN),
        (replace(FACTS, card=replace(CARD, paused_until=NOW + dt.timedelta(1))), Reason.CARD_PAUSED),
        (replace(FACTS, card=replace(CARD, data_right=False)), Reason.CARD_DATA_WRONG),
        (replace(FACTS, card=replace(CARD, active=False)), Reason.CARD_BLOCKED),
        (replace(FACTS, card=replace(CARD, second_pin_active=False)), Reason.SECOND_PIN_INACTIVE),
        (replace(FACTS, card=replace(CARD, expired=True)), Reason.CARD_EXPIRED),
        (replace(FACTS, card=replace(CARD, pin_locked_until=NOW + dt.timedelta(1))), Reason.PIN_LOCKED),
        (replace(FACTS, card=replace(CARD, pin_locked_until=NOW, paused_until=NOW)), Reason.APPROVED),
        (replace(FACTS, challenges=()), Reason.CODE_WRONG),
        (replace(FACTS, fee=Rial(11)), Reason.FEE_TOO_HIGH),
        (replace(FACTS, limits=Limits(Rial(99), Rial(600))), Reason.PURCHASE_LIMIT),
        (replace(FACTS, spent_today=Rial(501)), Reason.DAY_LIMIT),
        (replace(FACTS, card=replace(CARD, balance=Rial(99))), Reason.FUNDS),
    ],
)
def test_d4_the_order_of_the_decision(facts: Facts, reason: Reason) -> None:
    """Message, card, code, limits, funds: each refusal has its place."""
    assert decide(facts).reason is reason


@pytest.mark.parametrize(
    ("change", "reason", "after"),
    [
        ({"state": ChallengeState.CONSUMED}, Reason.CODE_USED, None),
        ({"state": ChallengeState.EXPIRED}, Reason.CODE_EXPIRED, None),
        ({"state": ChallengeState.SUPERSEDED}, Reason.CODE_EXPIRED, None),
        ({"state": ChallengeState.LOCKED}, Reason.CODE_LOCKED, None),
        ({"expires_at": NOW}, Reason.CODE_EXPIRED, ChallengeState.EXPIRED),
        ({"wrong_tries": 3}, Reason.CODE_LOCKED, ChallengeState.LOCKED),
        ({"binding_matches": False}, Reason.CODE_FOREIGN, ChallengeState.CONSUMED),
    ],
)
def test_d5_a_matching_code_that_cannot_pay_is_no_guess(
    change: dict[str, object], reason: Reason, after: ChallengeState | None
) -> None:
    """Used, expired, locked and foreign are told apart and count no failure (D17)."""
    decision = decide(replace(FACTS, challenges=(replace(CHALLENGE, **change),)))  # type: ignore[arg-type]  # fields by name

    assert decision.reason is reason
    assert decision.card is None
    assert (decision.challenge.state if decision.challenge else None) is after


def test_d5_a_live_challenge_goes_before_dead_ones_with_the_same_code() -> None:
    """Codes are short: an old challenge may carry the same digits, and the live one of this payment counts."""
    old = replace(CHALLENGE, challenge_id=8, state=ChallengeState.CONSUMED)
    foreign = replace(CHALLENGE, challenge_id=9, binding_matches=False)

    decision = decide(replace(FACTS, challenges=(CHALLENGE, old, foreign)))

    assert decision.reason is Reason.APPROVED
    assert decision.challenge is not None
    assert decision.challenge.challenge_id == 7


def test_d26_of_two_codes_with_the_same_digits_the_bound_one_is_taken() -> None:
    """Whichever came later: what has a ceiling never stands before what has none."""
    for number in (6, 8):
        by_sms = replace(CHALLENGE, challenge_id=number, channel=Channel.SMS, ceiling=Rial(10), of_this_payment=False)

        decision = decide(replace(FACTS, challenges=(CHALLENGE, by_sms)))

        assert (decision.reason, decision.channel, decision.unbound) == (Reason.APPROVED, Channel.HARIM, False)


def test_d17_the_ladder_of_locks() -> None:
    """Five wrong codes in a row wait a quarter, ten an hour, fourteen a day, fifteen block; a warning goes before."""
    card, waits, warned = CARD, {}, []
    for failures in range(1, BLOCK_AFTER_FAILURES + 1):
        decision = decide(replace(FACTS, card=card, challenges=()))
        assert decision.card is not None
        card = replace(decision.card, pin_locked_until=None)
        if decision.card.pin_locked_until is not None:
            waits[failures] = decision.card.pin_locked_until - NOW
        if decision.warn_holder:
            warned.append(failures)

    assert waits == dict(PIN_LOCKS)
    assert warned == [4, 9, 13, 14]
    assert (card.active, card.pin_lock_level) == (False, 3)


def test_d17_card_data_failures_are_forgotten_after_an_hour() -> None:
    """Nine old failures and one new are one failure, not a pause."""
    card = replace(CARD, data_right=False, data_failures=9, data_failed_since=NOW - dt.timedelta(hours=1))

    counted = decide(replace(FACTS, card=card)).card

    assert counted is not None
    assert (counted.data_failures, counted.paused_until) == (1, None)


def test_d17_the_tenth_card_data_failure_pauses_and_starts_anew() -> None:
    """Within the hour failures add up; the tenth pauses for a quarter and sets the count back."""
    card = replace(CARD, data_right=False, data_failures=8, data_failed_since=NOW - dt.timedelta(minutes=59))

    ninth = decide(replace(FACTS, card=card)).card
    assert ninth is not None
    tenth = decide(replace(FACTS, card=ninth)).card

    assert tenth is not None
    assert (ninth.data_failures, ninth.paused_until) == (9, None)
    assert (tenth.data_failures, tenth.paused_until) == (0, NOW + dt.timedelta(minutes=15))


@pytest.mark.parametrize(
    ("today", "past"),
    [
        (dt.date(2026, 11, 21), False),
        (dt.date(2026, 11, 22), True),
        (dt.date(2030, 1, 1), True),
    ],
)
def test_a_card_is_good_until_the_end_of_its_jalali_month(today: dt.date, past: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Expiry 05/08 is Aban 1405, whose last day is 21 November 2026."""
    assert is_past("0508", today) is past
    assert is_past("9912", today) is True


cards = st.builds(
    replace,
    st.just(CARD),
    active=st.booleans(),
    data_right=st.booleans(),
    expired=st.booleans(),
    pin_failures=st.integers(0, 15),
    balance=st.integers(0, 300).map(Rial),
)
challenges = st.builds(
    replace,
    st.just(CHALLENGE),
    challenge_id=st.integers(1, 9),
    state=st.sampled_from(ChallengeState),
    of_this_payment=st.booleans(),
    matches=st.booleans(),
    binding_matches=st.booleans(),
    wrong_tries=st.integers(0, 3),
    expires_at=st.sampled_from([NOW, NOW + dt.timedelta(1)]),
)


@settings(deadline=None)
@given(card=st.none() | cards, near=st.lists(challenges, max_size=4), total=st.integers(0, 700), fee=st.integers(0, 20))
def test_d4_money_moves_only_for_a_live_bound_matching_code(
    card: CardFacts | None, near: list[ChallengeFacts], total: int, fee: int
) -> None:
    """Whatever the facts, a debit needs right card data, a live challenge with this code and binding, and funds."""
    decision = decide(replace(FACTS, card=card, challenges=tuple(near), total=Rial(total), fee=Rial(fee)))

    assert bool(decision.debit) == (decision.reason is Reason.APPROVED)
    if decision.debit:
        assert card is not None
        assert card.data_right
        assert decision.debit == Rial(total)
        assert total <= card.balance.amount
        assert decision.challenge is not None
        met = [each for each in near if each.challenge_id == decision.challenge.challenge_id]
        assert any(each.live(NOW) and each.matches and each.binding_matches for each in met)
