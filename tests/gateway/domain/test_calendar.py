"""Business days, merchants' fees, IBANs and shares: pure rules with known answers."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.persian import TEHRAN
from foundation.rial import Rial
from gateway.domain.calendar import Calendar, is_fixed_holiday
from gateway.domain.errors import RefusedRow
from gateway.domain.fees import ACQUIRING_FEES, AcquiringRow, acquiring_fee
from gateway.domain.four_eyes import check_name, check_reason, digest
from gateway.domain.iban import check_iban, shown, split

CALENDAR = Calendar(cutoff_hour=16)
TARIFF = (
    AcquiringRow(dt.date(2020, 1, 1), 0, Rial(0), Rial(0)),
    AcquiringRow(dt.date(2025, 1, 1), 200, Rial(1_200), Rial(40_000)),
)
IBAN = "IR062960000000100324200001"
"""Its check digits are right."""


def tehran(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """Give an instant by a wall clock in Tehran."""
    return dt.datetime.combine(day, dt.time(hour, minute), TEHRAN)


@pytest.mark.parametrize(
    "day",
    [
        dt.date(2026, 3, 21),  # 1 Farvardin 1405
        dt.date(2026, 4, 1),  # 12 Farvardin 1405
        dt.date(2026, 6, 5),  # 15 Khordad 1405
        dt.date(2027, 2, 11),  # 22 Bahman 1405
        dt.date(2027, 3, 20),  # 29 Esfand 1405
        dt.date(2025, 3, 21),  # 1 Farvardin 1404, after the leap year 1403
        dt.date(2025, 3, 19),  # 29 Esfand 1403
    ],
)
def test_jalali_holidays_fall_on_their_days(day: dt.date) -> None:
    """Known days of the official calendars, on both sides of a leap year."""
    assert is_fixed_holiday(day)
    assert not CALENDAR.is_business_day(day)


def test_ordinary_days_weekends_and_lunar_days() -> None:
    """Saturday to Wednesday are worked; Thursday by the profile; Friday never; Ashura and a snowed-in day are not."""
    assert not is_fixed_holiday(dt.date(2025, 3, 20))  # 30 Esfand 1403
    assert CALENDAR.is_business_day(dt.date(2026, 11, 28))
    assert CALENDAR.is_business_day(dt.date(2026, 11, 25))
    assert not CALENDAR.is_business_day(dt.date(2026, 11, 26))
    assert Calendar(16, thursdays=True).is_business_day(dt.date(2026, 11, 26))
    assert not Calendar(16, thursdays=True).is_business_day(dt.date(2026, 11, 27))
    assert not CALENDAR.is_business_day(dt.date(2026, 6, 24))
    assert not CALENDAR.with_closed([dt.date(2026, 11, 28)]).is_business_day(dt.date(2026, 11, 28))


def test_a_day_is_cut_off_at_its_hour_and_its_money_is_worth_something_on_the_next_business_day() -> None:
    """T+1 over a week-end, and over Nowruz; before the hour the day before is the last one."""
    saturday, wednesday = dt.date(2026, 11, 28), dt.date(2026, 11, 25)
    assert CALENDAR.last_cut_off(tehran(saturday, 15, 59)) == wednesday
    assert CALENDAR.last_cut_off(tehran(saturday, 16)) == saturday
    assert CALENDAR.last_cut_off(tehran(dt.date(2026, 11, 27), 23)) == wednesday
    assert CALENDAR.value_day(wednesday) == saturday
    assert CALENDAR.value_day(dt.date(2027, 3, 18)) == dt.date(2027, 3, 27)
    assert CALENDAR.cutoff_of(saturday) == dt.datetime(2026, 11, 28, 12, 30, tzinfo=dt.UTC)


def test_a_calendar_without_business_days_is_refused() -> None:
    """Wrong data end in a sentence, not in a loop."""
    closed = CALENDAR.with_closed(dt.date(2026, 11, 1) + dt.timedelta(days=n) for n in range(60))
    with pytest.raises(ValueError, match="holidays are wrong"):
        closed.business_day_after(dt.date(2026, 11, 1))


@pytest.mark.parametrize(
    ("amount", "fee"),
    [(1_000, 1_000), (1_300, 1_200), (5_999_999, 1_200), (6_002_500, 1_201), (6_002_499, 1_200), (10**9, 40_000)],
)
def test_a_merchants_fee_has_a_rate_a_floor_and_a_cap(amount: int, fee: int) -> None:
    """The network's published tariff; never more than the amount; halves of a rial are rounded up."""
    assert acquiring_fee(Rial(amount), dt.date(2026, 1, 1), TARIFF) == Rial(fee)


def test_a_merchants_fee_is_of_its_day_and_nothing_today() -> None:
    """Before the first row and by today's table nothing is charged."""
    assert acquiring_fee(Rial(10**9), dt.date(2024, 12, 31), TARIFF) == Rial(0)
    assert acquiring_fee(Rial(10**9), dt.date(2019, 1, 1), TARIFF) == Rial(0)
    assert acquiring_fee(Rial(10**9), dt.date(2026, 11, 29), ACQUIRING_FEES) == Rial(0)


def test_d11_an_iban_is_checked_by_its_check_digits() -> None:
    """D11: spaces and case are forgiven, a swapped digit is not."""
    grouped = " ".join(IBAN[at : at + 4] for at in range(0, len(IBAN), 4)).lower()
    assert check_iban(grouped) == IBAN
    assert shown(IBAN) == "IR06…0001"
    for wrong in (IBAN[:-2] + "10", "IR07" + IBAN[4:], "DE" + IBAN[2:], IBAN[:-1], IBAN + "0", ""):
        with pytest.raises(RefusedRow):
            check_iban(wrong)


@given(st.integers(0, 10**15), st.lists(st.integers(1, 10_000), min_size=1, max_size=20))
def test_d11_shares_sum_exactly_and_the_remainder_is_the_firsts(total: int, parts: list[int]) -> None:
    """D11: not a rial is lost or made; nobody but the first is off its floor."""
    shares = [share.amount for share in split(Rial(total), parts)]

    assert sum(shares) == total
    assert all(share == total * part // sum(parts) for share, part in zip(shares[1:], parts[1:], strict=True))
    assert shares[0] - total * parts[0] // sum(parts) < len(parts)


def test_d11_shares_need_parts() -> None:
    """D11: nobody is paid nothing by mistake."""
    assert split(Rial(10), [1, 1, 1]) == (Rial(4), Rial(3), Rial(3))
    for parts in ([], [1, 0], [-1, 2]):
        with pytest.raises(ValueError, match="positive"):
            split(Rial(10), parts)


def test_d35_names_and_reasons_have_a_shape() -> None:
    """D35: one person cannot be two by a capital or a space; a reason says something; a digest knows every fact."""
    assert check_name("sara.k") == "sara.k"
    assert check_reason("  the bank \n confirmed ") == "the bank confirmed"
    for name in ("Sara", "sara ", "s", "", "sara\u200c", "سارا"):
        with pytest.raises(RefusedRow):
            check_name(name)
    for reason in ("", "  a  ", "x" * 301, "a bell \x07 rings"):
        with pytest.raises(RefusedRow):
            check_reason(reason)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
