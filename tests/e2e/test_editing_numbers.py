"""Editing card numbers and amounts as people do: keys at the gaps, selections, pastes of any format, any digits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator

from tests.e2e.conftest import Customer
from tests.world import RunningWorld

pytestmark = [pytest.mark.world, pytest.mark.browser]

CARD = "6219 8610 3452 9007"

PRESSED = [
    ("Delete", "9990| 0210", "9990| 210"),
    ("Delete", "9990 |0210", "9990 |210"),
    ("Delete", "99|90 0210 0000 0017", "99|00 2100 0000 017"),
    ("Delete", "[9990 02]10 0000 0017", "|1000 0000 17"),
    ("Delete", "9990 0210|", "9990 0210|"),
    ("Backspace", "9990 |0210", "999|0 210"),
    ("Backspace", "9990| 0210", "999|0 210"),
    ("Backspace", "99|90 0210 0000 0017", "9|900 2100 0000 017"),
    ("Backspace", "9990 0[210 00]00 0017", "9990 0|000 017"),
    ("Backspace", "|9990 0210", "|9990 0210"),
    ("5", "9990| 0210", "9990 5|021 0"),
    ("5", "9990 |0210", "9990 5|021 0"),
    ("5", "[9990] 0210", "5|021 0"),
    ("۵", "9990 0[2]10", "9990 05|10"),
    ("٥", "|9990 0210", "5|999 0021 0"),
    ("x", "9990| 0210", "9990| 0210"),
    ("Control+x", "9990[ 02]10", "9990| 10"),
]
"""A key, what stood there with caret or selection, and what stands there then."""

PASTED = [
    ("6219861034529007", "|", f"{CARD}|"),
    ("6219-8610-3452-9007", "|", f"{CARD}|"),
    ("۶۲۱۹ ۸۶۱۰ ۳۴۵۲ ۹۰۰۷", "|", f"{CARD}|"),
    ("٦٢١٩٨٦١٠٣٤٥٢٩٠٠٧", "|", f"{CARD}|"),
    ("\u2067۶۲۱۹-۸۶۱۰-۳۴۵۲-۹۰۰۷\u2069", "|", f"{CARD}|"),
    ("شماره کارت: 6219-8610-3452-9007", "|", f"{CARD}|"),
    ("6 2 1 9 - 8 6 1 0 - 3 4 5 2 - 9 0 0 7", "|", f"{CARD}|"),
    ("Card no.:\t6219 8610\n3452 9007 (Saman)", "|", f"{CARD}|"),
    ("6219-8610-3452-9007", "6219 86|", f"{CARD}|"),
    ("شماره کارت: 6219-8610-3452-9007", "9990 02[10 0000] 0017", f"{CARD}|"),
    ("3452-9007", "6219 8610|", f"{CARD}|"),
    ("8610", "6219 |3452 9007", "6219 8610| 3452 9007"),
    ("۸۶۱۰", "6219 [0000] 3452 9007", "6219 8610| 3452 9007"),
    ("no digit", "6219 [8610] 3452 9007", "6219| 3452 9007"),
]
"""A text on the clipboard, what stood there, and what stands there once it was pasted."""

AMOUNTS = [
    ("Delete", "1|,500,000", "1|00,000"),
    ("Backspace", "1,|500,000", "|500,000"),
    ("Backspace", "1,500,|000", "150|,000"),
    ("Delete", "1,500|,000", "150,0|00"),
    ("2", "|1,500,000", "2|1,500,000"),
]
"""As :data:`PRESSED`, in groups of three."""

AMOUNTS_PASTED = [
    ("12500000", "|", "12,500,000|"),
    ("مبلغ قابل انتقال: ۱۲٬۵۰۰٬۰۰۰ ریال", "|", "12,500,000|"),
    ("٧٥٠", "1,[500],000", "1,750|,000"),
]

Customers = Callable[..., Customer]
Edit = tuple[str, str, str]


@pytest.fixture
def person(customer: Customers) -> Customer:
    """Somebody whose clipboard the page may use."""
    return customer(permissions=["clipboard-read", "clipboard-write"])


def set_out(field: Locator, text: str) -> None:
    """Fill a field and put the caret at ``|``, or select what is between brackets."""
    plain = text.translate(str.maketrans("", "", "|[]"))
    start, end = (text.index("|"),) * 2 if "|" in text else (text.index("["), text.index("]") - 1)
    field.fill(plain)
    assert field.input_value() == plain
    field.evaluate("(field, range) => field.setSelectionRange(...range)", [start, end])


def seen(field: Locator) -> str:
    """Return what stands in a field, with ``|`` where the caret is."""
    text, start, end = field.evaluate("field => [field.value, field.selectionStart, field.selectionEnd]")
    return f"{text[:start]}|{text[start:end]}{text[end:]}"


def press(field: Locator, key: str) -> None:
    """Press a key, or type a digit that this keyboard has no key for."""
    field.page.keyboard.type(key) if len(key) == 1 else field.page.keyboard.press(key)


def paste(field: Locator, text: str) -> None:
    """Paste a text that was copied elsewhere."""
    field.evaluate("(field, text) => navigator.clipboard.writeText(text)", text)
    field.page.keyboard.press("Control+v")


def wrong(field: Locator, does: Callable[[Locator, str], None], edits: list[Edit]) -> list[tuple[Edit, str]]:
    """Return the edits that did not do what they should, and what they did."""
    found = []
    for edit in edits:
        what, before, after = edit
        set_out(field, before)
        does(field, what)
        if (now := seen(field)) != after:
            found.append((edit, now))
    return found


def test_keys_take_digits_and_never_stick_at_a_gap(person: Customer, world: RunningWorld) -> None:
    """Both card numbers of a transfer, and its amount."""
    page = person.page
    page.goto(f"{world.info['gateway']}/transfer")
    assert wrong(page.locator("#pan"), press, PRESSED) == []
    assert wrong(page.locator("#destination_pan"), press, PRESSED) == []
    assert wrong(page.locator("#amount"), press, AMOUNTS) == []


def test_a_transfer_takes_pastes_of_any_format(person: Customer, world: RunningWorld) -> None:
    """Numbers with their labels, spaced, dashed, in any digits; a whole number takes the place of what stood there."""
    page = person.page
    page.goto(f"{world.info['gateway']}/transfer")
    assert wrong(page.locator("#destination_pan"), paste, PASTED) == []
    assert wrong(page.locator("#amount"), paste, AMOUNTS_PASTED) == []


def test_a_payment_takes_pastes_of_any_format_and_keys_at_gaps(person: Customer) -> None:
    """The card number of the payment page."""
    person.order()
    assert wrong(person.page.locator("#pan"), press, PRESSED) == []
    assert wrong(person.page.locator("#pan"), paste, PASTED) == []
