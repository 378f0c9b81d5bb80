"""Values that make the wrong call impossible: Rial, Pan, Sensitive, digits."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.digits import only_digits, to_ascii_digits, to_persian_digits
from foundation.pan import InvalidPan, Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive

PAN = "6219861034529007"


@pytest.mark.parametrize("odd", [True, 1.0, "1", None])
def test_rial_refuses_everything_but_an_int(odd: object) -> None:
    """Money is an int: a bool, a float, a text or nothing is refused."""
    with pytest.raises(TypeError):
        Rial(odd)  # type: ignore[arg-type]  # that is what is tried


def test_rial_is_never_negative() -> None:
    """Neither a negative amount nor a difference below zero exists."""
    with pytest.raises(ValueError, match="never negative"):
        Rial(-1)
    with pytest.raises(ValueError, match="never negative"):
        Rial(1) - Rial(2)


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_rial_adds_and_subtracts_exactly(a: int, b: int) -> None:
    """Sums and differences are exact for any size."""
    assert Rial(a) + Rial(b) - Rial(b) == Rial(a)
    assert bool(Rial(a)) is (a > 0)


def test_rial_reads_in_toman_and_prints_its_unit() -> None:
    """Ten rials are one toman; a printed amount names its unit."""
    assert Rial(12_500_009).toman == 1_250_000
    assert str(Rial(12_500_000)) == "12,500,000 rial"


@pytest.mark.parametrize(
    "typed", [PAN, "6219 8610 3452 9007", "۶۲۱۹-۸۶۱۰ ۳۴۵۲ ۹۰۰۷", "٦٢١٩٨٦١٠٣٤٥٢٩٠٠٧", f"\u200e{PAN}"]
)
def test_pan_is_read_as_people_type_it(typed: str) -> None:
    """Persian, Arabic-Indic and ASCII digits, with spaces, dashes or invisible marks, are one card number."""
    assert Pan.parse(typed).reveal() == PAN


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("6219861034529008", "luhn"), ("621986103452900", "length"), ("6219x61034529007", "length"), ("", "length")],
)
def test_pan_that_is_not_one_is_refused_without_being_kept(typed: str, reason: str) -> None:
    """The refusal says why and does not carry the text."""
    with pytest.raises(InvalidPan) as refused:
        Pan.parse(typed)
    assert refused.value.reason == reason
    assert typed == "" or typed not in repr(refused.value)


def test_pan_shows_first_six_and_last_four() -> None:
    """The mask shows the BIN and the last four; repr and str show nothing."""
    pan = Pan.parse(PAN)
    assert (pan.bin, pan.masked) == ("621986", "621986******9007")
    assert PAN not in f"{pan} {pan!r} {pan:>40}"


@given(st.text("0123456789", min_size=15, max_size=15))
def test_a_made_check_digit_is_accepted_and_every_other_refused(body: str) -> None:
    """Exactly one of ten last digits passes Luhn."""
    good = with_check_digit(body)
    for digit in "0123456789":
        if body + digit == good:
            assert Pan.parse(good).reveal() == good
        else:
            with pytest.raises(InvalidPan):
                Pan.parse(body + digit)


@pytest.mark.parametrize("secret", ["4821", b"4821", 4821])
def test_sensitive_cannot_leave_by_accident(secret: object) -> None:
    """Printing gives stars; pickling, copying and JSON raise."""
    value = Sensitive(secret)
    assert "4821" not in f"{value} {value!r} {value:s} {[value]}"
    for leak in (pickle.dumps, json.dumps, copy.copy):
        with pytest.raises(TypeError):
            leak(value)


def test_sensitive_values_compare_by_content() -> None:
    """Two holders of the same secret are equal and hash alike; other things never equal one."""
    assert Sensitive("a") == Sensitive("a") != Sensitive("b")
    assert len({Sensitive("a"), Sensitive("a")}) == 1
    assert Sensitive("a") != "a"


@given(st.text())
def test_digits_go_there_and_back(text: str) -> None:
    """ASCII digits survive the way to Persian and back; other characters are left alone."""
    ascii_text = to_ascii_digits(text)
    assert to_ascii_digits(to_persian_digits(ascii_text)) == ascii_text
    assert only_digits(text).isascii()
