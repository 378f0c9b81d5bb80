"""Amounts and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from foundation.persian import clock_time, grouped, isolate, jalali_moment, number, toman_in_words

MOMENT = datetime(2026, 11, 24, 14, 41, tzinfo=UTC)


@pytest.mark.parametrize(("language", "said"), [("fa", "۳ آذر ۱۴۰۵، ساعت ۱۸:۱۱"), ("en", "3 Azar 1405, 18:11")])
def test_a_moment_is_told_in_the_jalali_calendar_and_tehran_time(language: str, said: str) -> None:
    """UTC never reaches a reader."""
    assert jalali_moment(MOMENT, language) == said


def test_amounts_are_grouped_and_said_in_toman() -> None:
    """Rials are grouped by three; tomans are words in Persian."""
    assert grouped(12_500_000, "fa") == "۱۲٬۵۰۰٬۰۰۰"
    assert grouped(12_500_000, "en") == "12,500,000"
    assert toman_in_words(12_500_000, "fa") == "یک میلیون و دویست و پنجاه هزار تومان"
    assert toman_in_words(12_500_000, "en") == "1,250,000 toman"


def test_codes_keep_their_shape_and_their_order() -> None:
    """A code changes digits only; an isolated run cannot be turned round by the sentence."""
    assert number("A-12", "fa") == "A-۱۲"
    assert number("A-12", "en") == "A-12"
    assert clock_time(MOMENT, "fa") == "۱۸:۱۱"
    assert isolate("0912***45") == "\u20660912***45\u2069"
