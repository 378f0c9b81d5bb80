"""The bills of the sandbox: who sends them, and which can be paid."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from gateway.domain.bills import Bill, check_digit

BILL_MERCHANT_ID = "000000000000100"
BILL_TERMINAL_ID = "20000001"
BILL_NAMES = ("قبض‌های پویا (آزمایشی)", "Pooya Bills (sandbox)")
BILL_PAYEE = "قبض پویا"


@dataclass(frozen=True, slots=True)
class Biller:
    """A company that sends bills, as a merchant of the gateway; ``bills`` are theirs, and can be paid."""

    merchant_id: str
    terminal_id: str
    name_fa: str
    name_en: str
    payee_name: str
    bills: tuple[Bill, ...]


WATER = Biller(
    "000000000000101",
    "20000101",
    "آب نمونه (آزمایشی)",
    "Sample Water (sandbox)",
    "آب نمونه",
    (Bill("2050327604613", "1070189"),),
)
POWER = Biller(
    "000000000000102",
    "20000102",
    "برق نمونه (آزمایشی)",
    "Sample Power (sandbox)",
    "برق نمونه",
    (Bill("9174639504124", "12908190"), Bill("9403272004129", "95570163")),
)
TELECOM = Biller(
    "000000000000103",
    "20000103",
    "مخابرات نمونه (آزمایشی)",
    "Sample Telecom (sandbox)",
    "مخابرات نمونه",
    (Bill("7748317800142", "1770160"), Bill("1117753200140", "12070160"), Bill("1177809000142", "570108")),
)
BILLERS = (WATER, POWER, TELECOM)
"""Company and service are read from the bills themselves."""

FILE_DIGITS = 8
THOUSANDS = 17


def new_bill(company: str = "001", service: str = "4") -> Bill:
    """Return a bill over 17,000 rials that nobody has paid yet, of the telephone company unless another is named."""
    bill_id = f"{secrets.randbelow(9 * 10 ** (FILE_DIGITS - 1)) + 10 ** (FILE_DIGITS - 1)}{company}{service}"
    bill_id += check_digit(bill_id)
    payment_id = f"{THOUSANDS}701"
    payment_id += check_digit(payment_id)
    return Bill.parse(bill_id, payment_id + check_digit(bill_id + payment_id))
