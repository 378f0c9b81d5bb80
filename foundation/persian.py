"""Amounts and times as people in Iran read them: grouped digits, tomans in words, Jalali dates of Tehran.

>>> grouped(12500000, "fa")
'۱۲٬۵۰۰٬۰۰۰'
>>> toman_in_words(12500000, "fa")
'یک میلیون و دویست و پنجاه هزار تومان'
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from persiantools import digits
from persiantools.jdatetime import JalaliDateTime

from foundation.digits import to_persian_digits
from foundation.rial import Rial

Language = Literal["fa", "en"]
TEHRAN = ZoneInfo("Asia/Tehran")
MONTHS = {
    "fa": ("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
    "en": (
        "Farvardin", "Ordibehesht", "Khordad", "Tir", "Mordad", "Shahrivar",
        "Mehr", "Aban", "Azar", "Dey", "Bahman", "Esfand",
    ),
}  # fmt: skip


def number(value: object, language: Language) -> str:
    """Return ``value`` in the language's digits, otherwise unchanged (for codes, times, counts)."""
    return to_persian_digits(str(value)) if language == "fa" else str(value)


def grouped(value: int, language: Language) -> str:
    """Return a whole number with thousands set apart: «۱٬۲۰۰» or "1,200"."""
    plain = f"{value:,}"
    return to_persian_digits(plain.replace(",", "٬")) if language == "fa" else plain


def toman_in_words(rials: int, language: Language) -> str:
    """Return an amount of rials as tomans, the unit people speak in: words in Persian, digits in English."""
    toman = Rial(rials).toman
    return f"{digits.to_word(toman)} تومان" if language == "fa" else f"{grouped(toman, language)} toman"


@cache
def numerals(language: Language) -> tuple[tuple[int, str], ...]:
    """Return the Persian words that numbers are spelled with, the greatest first, for a browser; English has digits."""
    if language == "en":
        return ()
    values = (1_000_000_000, 1_000_000, 1_000, *range(900, 100, -100), *range(100, 20, -10), *range(20, 0, -1))
    return tuple((value, digits.to_word(value).removeprefix("یک ")) for value in values)


def jalali_moment(moment: datetime, language: Language) -> str:
    """Return a moment as a Jalali date and the time of Tehran: «۳ آذر ۱۴۰۵، ساعت ۱۴:۰۵»."""
    local = JalaliDateTime.to_jalali(moment.astimezone(TEHRAN))  # type: ignore[no-untyped-call]  # the library has no types
    date = f"{local.day} {MONTHS[language][local.month - 1]} {local.year}"
    return number(f"{date}، ساعت {local:%H:%M}" if language == "fa" else f"{date}, {local:%H:%M}", language)


def clock_time(moment: datetime, language: Language) -> str:
    """Return the time of day in Tehran: «۱۴:۰۵»."""
    return number(moment.astimezone(TEHRAN).strftime("%H:%M"), language)


def isolate(text: str) -> str:
    """Wrap a left-to-right run (masked number, address) so that it keeps its order inside a Persian sentence."""
    return f"\u2066{text}\u2069"
