"""Bills by their numbers: the vectors of the field, and the mistakes of its libraries that are not repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.bill_errors import InvalidBill, InvalidBills
from gateway.domain.bills import BILLS_MOST, Bill, Service, check_bills, check_digit, payee_key

GOOD = [
    ("7748317800142", "1770160", Service.PHONE, 17_000),
    ("2050327604613", "1070189", Service.WATER, 10_000),
    ("1117753200140", "12070160", Service.PHONE, 120_000),
    ("1177809000142", "570108", Service.PHONE, 5_000),
    ("9403272004129", "95570163", Service.POWER, 955_000),
    ("1117753200140", "1770163", Service.PHONE, 17_000),
    ("9174639504124", "12908190", Service.POWER, 129_000),
    ("9100074409153", "12908199", Service.MOBILE, 129_000),
    ("2234322344617", "1070188", Service.WATER, 10_000),
]
BAD = [
    ("9174639504124", "12908197", "payment_id"),
    ("1117753200140", "1770165", "payment_id"),
    ("2234322344613", "1070189", "bill_id"),
    ("9100074409151", "12908190", "bill_id"),
    ("9174639504124", "1290819", "payment_id"),
]
BARCODES = [
    ("77483178001420000001770160", 17_000),
    ("11177532001400000012070160", 120_000),
    ("20503276046130000001070189", 10_000),
    ("10643481031150000097570237", 975_000),
    ("33009590043100000385620969", 3_856_000),
]
CONTRACT = Path(__file__).parents[3] / "contracts" / "harim" / "v1" / "examples" / "binding-bill.json"


@pytest.mark.parametrize(("bill_id", "payment_id", "service", "rial"), GOOD)
def test_a_genuine_bill_says_what_it_is_for_and_how_much(
    bill_id: str, payment_id: str, service: Service, rial: int
) -> None:
    """Every vector with right check digits is read, as numbers and as a barcode."""
    bill = Bill.parse(bill_id, payment_id)
    assert (bill.service, bill.amount.amount) == (service, rial)
    assert Bill.of_barcode(bill.barcode) == bill


@pytest.mark.parametrize(("bill_id", "payment_id", "field"), BAD)
def test_a_wrong_check_digit_is_found_in_the_number_that_has_it(bill_id: str, payment_id: str, field: str) -> None:
    """All three check digits are looked at; the refusal names the number to copy again."""
    with pytest.raises(InvalidBill) as refused:
        Bill.parse(bill_id, payment_id)
    assert (refused.value.field, refused.value.reason) == (field, "check")


@pytest.mark.parametrize(("barcode", "rial"), BARCODES)
def test_a_barcode_is_two_numbers_of_thirteen_digits(barcode: str, rial: int) -> None:
    """Large amounts lose no digit, and the barcode is written again as it was."""
    bill = Bill.of_barcode(barcode)
    assert (bill.amount.amount, bill.barcode) == (rial, barcode)


@pytest.mark.parametrize(
    ("bill_id", "payment_id"),
    [("۷۷۴۸۳۱۷۸۰۰۱۴۲", "١٧٧٠١٦٠"), ("774-8317-800142", " 1770160 "), ("0007748317800142", "0000001770160")],
)
def test_numbers_are_read_as_people_type_them(bill_id: str, payment_id: str) -> None:
    """Persian and Arabic digits, spaces, dashes and zeros in front mean the same bill."""
    assert Bill.parse(bill_id, payment_id) == Bill("7748317800142", "1770160")


@pytest.mark.parametrize(
    ("bill_id", "payment_id", "field", "reason"),
    [
        ("", "1770160", "bill_id", "length"),
        ("12345", "1770160", "bill_id", "length"),
        ("1" * 14, "1770160", "bill_id", "length"),
        ("77483178001x2", "1770160", "bill_id", "length"),
        ("7748317800142", "17", "payment_id", "length"),
        ("1117753200108", "1770163", "bill_id", "check"),
    ],
)
def test_what_is_no_number_of_a_bill_is_refused(bill_id: str, payment_id: str, field: str, reason: str) -> None:
    """Too short, too long, letters, and a service of zero."""
    with pytest.raises(InvalidBill) as refused:
        Bill.parse(bill_id, payment_id)
    assert (refused.value.field, refused.value.reason) == (field, reason)


def numbers_of(thousands: int) -> tuple[str, str]:
    """Make a genuine bill of so many thousand rials, by the rules alone."""
    bill = "774831780014"
    bill += check_digit(bill)
    payment = f"{thousands}701"
    payment += check_digit(payment)
    return bill, payment + check_digit(bill + payment)


def test_a_bill_for_nothing_has_no_number() -> None:
    """Six digits at least, zeros in front not counted, leave no room for an amount of zero."""
    bill, payment = numbers_of(0)
    with pytest.raises(InvalidBill) as refused:
        Bill.parse(bill, payment.rjust(13, "0"))
    assert (refused.value.field, refused.value.reason) == ("payment_id", "length")


@pytest.mark.parametrize("barcode", ["", "7748317800142", "7" * 27, "x" * 26])
def test_what_is_no_barcode_is_refused(barcode: str) -> None:
    """It has 26 digits; anything wrong in it is said of the barcode, which is what was typed."""
    with pytest.raises(InvalidBill) as refused:
        Bill.of_barcode(barcode)
    assert refused.value.field == "barcode"


@given(st.integers(min_value=1, max_value=99_999_999), st.integers(min_value=0, max_value=25), st.integers(1, 9))
def test_one_wrong_digit_never_passes_unseen_as_another_amount(thousands: int, place: int, more: int) -> None:
    """Whatever digit of a barcode is mistyped, the bill is refused, or reads as the same bill."""
    bill = Bill.parse(*numbers_of(thousands))
    digits = list(bill.barcode)
    digits[place] = str((int(digits[place]) + more) % 10)
    try:
        read = Bill.of_barcode("".join(digits))
    except InvalidBill:
        return
    assert place < 13 or read.amount == bill.amount or _both_below_two(bill, read)


def _both_below_two(bill: Bill, read: Bill) -> bool:
    """Remainders 0 and 1 share a check digit, and that is all that modulo eleven lets through."""
    return bill.payment_id[-2:] == read.payment_id[-2:] and "0" in bill.payment_id[-2:]


def test_d5_the_digest_of_several_bills_is_the_contracts() -> None:
    """Sorted, without zeros in front, whatever order they were typed in."""
    example = json.loads(CONTRACT.read_text())
    bills = [Bill(row["bill_id"], row["payment_id"]) for row in example["bills"]]
    assert payee_key(bills) == payee_key(reversed(bills)) == example["fields"]["payee_key"]


def test_a_list_of_bills_has_bounds() -> None:
    """One to ten, each once; the amount is the sum."""
    bills = [Bill.parse(*numbers_of(thousands)) for thousands in range(1, BILLS_MOST + 2)]
    assert check_bills(bills[:2]).amount == 3_000
    for wrong, reason in (([], "none"), (bills, "many"), ([bills[0], bills[0]], "twice")):
        with pytest.raises(InvalidBills) as refused:
            check_bills(wrong)
        assert refused.value.reason == reason
