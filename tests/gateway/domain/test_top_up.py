"""Whose number it is, what its operator sells, and what a code for it is bound to."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.rial import Rial
from gateway.domain.top_up import (
    NAMES,
    PREFIXES,
    Operator,
    Product,
    amounts_of,
    check_amount,
    chosen_operator,
    masked,
    number_of,
    operator_of,
    payee_name,
    payee_text,
)
from gateway.domain.top_up_errors import InvalidTopUp
from otp.domain.binding import payee_name_allowed

TODAY = dt.date(2026, 11, 29)


@pytest.mark.parametrize(
    "typed",
    ["09121234567", "9121234567", "+989121234567", "00989121234567", "۰۹۱۲ ۱۲۳ ۴۵۶۷", "٠٩١٢-١٢٣-٤٥٦٧", "(0912)1234567"],
)
def test_a_number_is_read_as_people_type_it(typed: str) -> None:
    """Any script, spaces and dashes, with or without the country."""
    assert number_of(typed) == "09121234567"


@pytest.mark.parametrize("typed", ["", "0912123456", "091212345678", "02188888888", "+1 912 123 4567", "0912123456x"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    """Too short, too long, a landline, another country, letters."""
    with pytest.raises(InvalidTopUp) as refused:
        number_of(typed)

    assert (refused.value.field, refused.value.reason) == ("mobile", "number")


@pytest.mark.parametrize(
    ("number", "operator"),
    [
        ("09101234567", Operator.MCI),
        ("09901234567", Operator.MCI),
        ("09351234567", Operator.IRANCELL),
        ("09011234567", Operator.IRANCELL),
        ("09211234567", Operator.RIGHTEL),
        ("09981234567", Operator.SHATEL),
        ("09311234567", None),
        ("09341234567", None),
    ],
)
def test_a_prefix_names_its_operator_or_nobody(number: str, operator: Operator | None) -> None:
    """Of small networks nobody knows, so the payer is asked."""
    assert operator_of(number) is operator


def test_a_ported_number_is_with_whom_its_payer_says() -> None:
    """The prefix counts only without a word."""
    assert chosen_operator("09121234567", None) is Operator.MCI
    assert chosen_operator("09121234567", "rightel") is Operator.RIGHTEL
    assert chosen_operator("09311234567", "irancell") is Operator.IRANCELL
    for said, reason in ((None, "needed"), ("", "needed"), ("nobody", "unknown")):
        with pytest.raises(InvalidTopUp) as refused:
            chosen_operator("09311234567", said)
        assert refused.value.reason == reason


def test_what_an_operator_sells_is_dated() -> None:
    """The newest row in force; nothing before the first."""
    old, new = (Rial(10_000),), (Rial(20_000), Rial(50_000))
    table = [
        Product(dt.date(2025, 1, 1), Operator.MCI, old),
        Product(dt.date(2026, 1, 1), Operator.MCI, new),
        Product(dt.date(2020, 1, 1), Operator.IRANCELL, old),
    ]

    days = (dt.date(2024, 12, 31), dt.date(2025, 12, 31), dt.date(2026, 1, 1))
    assert [amounts_of(Operator.MCI, day, table) for day in days] == [(), old, new]


@pytest.mark.parametrize("operator", Operator)
def test_only_what_is_sold_is_sold(operator: Operator) -> None:
    """Every amount of today's row, and no other."""
    for amount in amounts_of(operator, TODAY):
        assert check_amount(operator, amount, TODAY) == amount
    with pytest.raises(InvalidTopUp, match="rials"):
        check_amount(operator, Rial(12_345), TODAY)


@given(st.sampled_from(Operator), st.from_regex(r"09[0-9]{9}", fullmatch=True))
def test_d25_every_name_fits_an_sms_and_every_key_text_is_its_own(operator: Operator, number: str) -> None:
    """The bank's rule for names; operator and number stand apart in the key's text; a mask hides three digits."""
    assert payee_name_allowed(payee_name(operator, number))
    assert payee_text(operator, number) == f"top-up|{operator}|{number}"
    assert masked(number) == f"{number[:4]}***{number[7:]}"


def test_every_prefix_is_four_digits_of_an_operator_with_names() -> None:
    """The table has no typing error that a rule can find."""
    assert all(len(prefix) == 4 and prefix.startswith("09") for prefix in PREFIXES)
    assert set(PREFIXES.values()) == set(Operator) == set(NAMES)
