"""The sandbox's cards: one table of who they are, what they hold and how they behave.

Bank two's cards begin with 999002 and bank one's with 999001, ranges no real bank has; those that are asked about in a
weak dialect have parts of these ranges and do small purchases only. Their CVV2 is not in the table:
it follows from number and expiry under the bank's card verification key, which every sandbox draws for itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from foundation.pan import Pan
from foundation.rial import Rial
from sandbox.banks import BANK_ONE, BANK_TWO, SERIES, Bank
from sandbox.world import BANK_BIN, HANGING_BIN

APPROVE = "approve"
GIFT = "gift"
PAN_DIGITS = 16
CROWDS = {"POOYA_CROWD": BANK_TWO, "POOYA_CROWD_ONE": BANK_ONE}
"""Variables that say how many more cards each bank has."""

CROWD_PHONES = {BANK_TWO.organisation: "0913", BANK_ONE.organisation: "0914"}

NEGAR, BABAK, MINA = "0012345679", "0012345687", "0012345695"
"""Customers of the sandbox, each of both banks: codes that check and that nobody should have."""

NAMES = {NEGAR: "نگار رضایی", BABAK: "بابک محمدی", MINA: "مینا کریمی"}
OTHER_NAMES = ("آرش احمدی", "سارا حسینی", "پرویز نوری", "لیلا صادقی", "کیان رستمی", "شیرین امینی", "فرهاد جعفری")
"""Whose names these cards are, and those of all other cards that are not gifts."""


@dataclass(frozen=True, slots=True)
class SandboxCard:
    """One test card.

    Args:
        number: what follows the BIN; the check digit is computed.
        expiry: ``YYMM``, Jalali, as printed on the card.
        mobile: where its codes go; ``None`` for a card without one.
        balance: in rials, when the sandbox is new.
        pin1: first PIN, for the cash machine.
        behaviour: ``approve``, or what this card is for.
        customer: the holder's national code, made up; cards with one code are of one customer.
        pin2: its static second PIN, where it has one.
    """

    number: int
    expiry: str
    mobile: str | None
    balance: Rial
    pin1: str
    behaviour: str
    blocked: bool = False
    bin: str = BANK_BIN
    customer: str | None = None
    pin2: str | None = None

    @property
    def kind(self) -> Literal["debit", "gift"]:
        """What the bank issued it as."""
        return "gift" if self.behaviour == GIFT else "debit"

    @property
    def holder(self) -> str | None:
        """Whose it is; nobody's, if it is a gift card."""
        if self.kind == GIFT:
            return None
        return NAMES.get(self.customer or "", OTHER_NAMES[self.number % len(OTHER_NAMES)])

    @property
    def pan(self) -> Pan:
        """The whole card number with its check digit."""
        body = self.bin + str(self.number).zfill(PAN_DIGITS - 1 - len(self.bin))
        return Pan.parse(body + luhn_digit(body))


CARDS: tuple[SandboxCard, ...] = (
    SandboxCard(100000001, "0812", "09120000001", Rial(500_000_000), "1234", APPROVE, customer=NEGAR),
    SandboxCard(100000002, "0906", "09120000002", Rial(2_000_000_000), "2345", APPROVE, customer=NEGAR),
    SandboxCard(100000003, "0811", "09120000003", Rial(100_000_000), "3456", APPROVE, customer=BABAK),
    SandboxCard(200000001, "0812", "09120000011", Rial(10_000), "1111", "insufficient_funds", customer=BABAK),
    SandboxCard(200000002, "0812", "09120000012", Rial(500_000_000), "2222", "blocked", blocked=True, customer=MINA),
    SandboxCard(200000003, "0812", None, Rial(500_000_000), "3333", "no_mobile", customer=BABAK),
    SandboxCard(200000004, "0301", "09120000014", Rial(500_000_000), "4444", "expired", customer=MINA),
    SandboxCard(500000001, "0812", None, Rial(5_000_000), "9021", GIFT, pin2="73519"),
    SandboxCard(300000001, "0812", "09120000021", Rial(500_000_000), "5551", "bank_slow", customer=MINA),
    SandboxCard(300000002, "0812", "09120000022", Rial(500_000_000), "5552", "bank_hangs", customer=MINA),
    SandboxCard(300000003, "0812", "09120000023", Rial(500_000_000), "5553", "answer_lost", customer=MINA),
    SandboxCard(300000004, "0812", "09120000024", Rial(500_000_000), "5554", "duplicate_answer", customer=MINA),
    SandboxCard(300000005, "0812", "09120000025", Rial(500_000_000), "5555", "late_answer", customer=MINA),
    SandboxCard(300000006, "0812", "09120000026", Rial(500_000_000), "5556", "sms_lost", customer=MINA),
    SandboxCard(300000007, "0812", "09120000027", Rial(500_000_000), "5557", "sms_late", customer=MINA),
    SandboxCard(100000001, "0812", "09120000031", Rial(0), "6661", "unreachable_bank", bin=HANGING_BIN),
    SandboxCard(100000001, "0812", "09120000041", Rial(500_000_000), "7771", APPROVE, bin=BANK_ONE.bin, customer=NEGAR),
    SandboxCard(
        100000002, "0907", "09120000042", Rial(1_000_000_000), "7772", APPROVE, bin=BANK_ONE.bin, customer=NEGAR
    ),
    *(
        SandboxCard(
            1000001,
            "0812",
            f"091200000{number}",
            Rial(500_000_000),
            "8881",
            series.dialect,
            bin=series.bin,
            customer=MINA,
        )
        for number, series in enumerate(SERIES, start=51)
    ),
)
"""The fault cards (3…) are good cards: what goes wrong is done around the bank, by its front and the SMS provider."""


def crowd(count: int, bank: Bank = BANK_TWO) -> tuple[SandboxCard, ...]:
    """Return so many more good cards, each with a phone of its own, for runs that buy more than a few cards may."""
    phones = CROWD_PHONES[bank.organisation]
    return tuple(
        SandboxCard(
            400000000 + number,
            "0812",
            f"{phones}{number:07d}",
            Rial(500_000_000),
            "7777",
            APPROVE,
            bin=bank.bin,
            customer=national_code(f"00{number:07d}"),
        )
        for number in range(1, count + 1)
    )


def every_card() -> tuple[SandboxCard, ...]:
    """Return the cards of this sandbox: the table, and the crowds that ``POOYA_CROWD`` and its like ask for."""
    crowds = [crowd(int(os.environ.get(variable, "0")), bank) for variable, bank in CROWDS.items()]
    return (*CARDS, *(card for cards in crowds for card in cards))


def national_code(body: str) -> str:
    """Return the national code that begins with nine digits.

    >>> national_code("001234567")
    '0012345679'
    """
    rest = sum(int(digit) * weight for digit, weight in zip(body, range(10, 1, -1), strict=True)) % 11
    return f"{body}{rest if rest <= 1 else 11 - rest}"


def luhn_digit(body: str) -> str:
    """Return the check digit that makes ``body`` valid.

    >>> luhn_digit("999002100000001")
    '7'
    """
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the digits of a two-digit number, added
    return str(-total % 10)
