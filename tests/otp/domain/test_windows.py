"""Which minutes' codes of an app are good now, whatever its clock does (D14)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from foundation.sensitive import Sensitive
from otp.domain.app_code import WINDOWS, Purpose, bound_code, code_key, good_steps, second_pin
from otp.domain.app_match import AppKeys, match_entry
from otp.domain.device import Clockwork, matched

NOW = 29_000_000
ROOT, CARD_REF = Sensitive(bytes(range(32))), "8a7b6c5d-4e3f-4a2b-8c1d-0e9f8a7b6c5d"
SECOND, BOUND = (code_key(ROOT, purpose, CARD_REF) for purpose in (Purpose.SECOND, Purpose.BOUND))
QUESTION = "typed-v1|total=9000000|terminal=10000001"

purposes = st.sampled_from(Purpose)
drifts = st.integers(-2, 2)


@given(purpose=purposes, drift=drifts)
def test_d14_the_banks_own_minute_is_always_good(purpose: Purpose, drift: int) -> None:
    """As many minutes as the window has, all within two of the bank's clock, and its own among them."""
    steps = good_steps(purpose, NOW, drift)
    window = WINDOWS[purpose]

    assert len(steps) == 1 + window.earlier + window.later
    assert NOW in steps
    assert all(abs(step - NOW) <= 2 for step in steps)


@given(purpose=purposes, drift=st.integers(-1, 1))
def test_d14_a_device_that_is_a_minute_off_is_followed(purpose: Purpose, drift: int) -> None:
    """The minute that was taken last, seen from the bank's clock, is good again."""
    assert NOW + drift in good_steps(purpose, NOW, drift)


def test_d14_no_entry_meets_more_than_five_good_values() -> None:
    """Of seven digits the app has three, beside Harim's and the one by text message; of eight two ways of two."""
    sizes = {purpose: len(good_steps(purpose, NOW, 0)) for purpose in Purpose}

    assert 2 + sizes[Purpose.SECOND] == 5
    assert 2 * sizes[Purpose.BOUND] == 4


@given(offsets=st.lists(st.integers(-4, 4), max_size=12))
def test_d14_whatever_a_clock_did_before_the_code_of_now_is_taken(offsets: list[int]) -> None:
    """Ten minutes apart, early, late or wrong: what is learnt stays within two minutes and shuts nobody out."""
    clock, now = Clockwork(0, 0), NOW
    for offset in offsets:
        now += 10
        good = now + offset in good_steps(Purpose.SECOND, now, clock.drift)
        after = matched(SECOND, second_pin(SECOND, now + offset), now, clock)
        assert (after is not None) is good
        clock = after or clock
        assert abs(clock.drift) <= 2

    now += 10
    keys = AppKeys(ROOT, CARD_REF, clock, last_bound_step=0)
    assert matched(SECOND, second_pin(SECOND, now), now, clock) == Clockwork(now, 0)
    assert match_entry(keys, bound_code(BOUND, QUESTION, now), now, [QUESTION]) is not None


@given(offset=st.integers(-6, 6), last=st.integers(-6, 6), drift=drifts)
def test_d14_a_minute_that_is_over_is_a_repeat_and_no_guess(offset: int, last: int, drift: int) -> None:
    """Good and later than the last one: taken; good and not later: a repeat; anything else: wrong."""
    keys = AppKeys(ROOT, CARD_REF, Clockwork(NOW + last, drift), last_bound_step=NOW + last)
    entries = {
        Purpose.SECOND: second_pin(SECOND, NOW + offset),
        Purpose.BOUND: bound_code(BOUND, QUESTION, NOW + offset),
    }
    for purpose, entry in entries.items():
        match = match_entry(keys, entry, NOW, [QUESTION])
        assert (match is not None) is (NOW + offset in good_steps(purpose, NOW, drift))
        if match is not None:
            assert match.repeated is (offset <= last)
            assert match.repeated or match.step == NOW + offset
