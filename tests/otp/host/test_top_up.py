"""Top-ups at the bank: bound to the number, judged like purchases, named in the SMS (D5, D25)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.binding import Binding, TransactionType, check_binding
from otp.domain.errors import InvalidBinding
from otp.domain.message import CodeMessage, code_text
from otp.services.reverse import reverse

CODE = "1234567"
KEY, OTHER_KEY = "ab" * 32, "cd" * 32
OPENED = 10_000_000
AMOUNT = 200_000


def top_up(bank_world: Any, **changes: object) -> Any:
    """Make a top-up and the code for it."""
    fields: dict[str, Any] = {
        "processing_code": "520000",
        "type_word": TransactionType.TOP_UP,
        "total": Rial(AMOUNT),
        "payee_name": "همراه اول 4 5 6 7",
        "payee_key": KEY,
    }
    made = bank_world.purchase(bank_world.card(), CODE, **fields | changes)
    bank_world.issue(made, CODE)
    return made


def test_a_top_up_is_debited_once_and_can_be_given_back(bank_world: Any) -> None:
    """The same key again gets the first answer; the operator's no becomes a reversal."""
    asked = top_up(bank_world)
    first = bank_world.pay(asked)

    assert first.action_code == "000"
    assert bank_world.pay(asked) == first
    assert bank_world.row(asked.pan)["balance_rial"] == OPENED - AMOUNT
    assert reverse(bank_world.desk, bank_world.reversal(asked)).action_code == "400"
    assert bank_world.row(asked.pan)["balance_rial"] == OPENED
    assert bank_world.unexplained() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"payee_key": OTHER_KEY},
        {"payee_name": "ایرانسل 4 5 6 7"},
        {"total": Rial(AMOUNT + 10_000)},
        {"type_word": "PURCHASE", "processing_code": "000000", "payee_key": ""},
    ],
)
def test_d5_a_code_tops_up_nothing_but_what_it_was_asked_for(bank_world: Any, change: dict[str, Any]) -> None:
    """Another number, operator, amount or type: foreign, and void."""
    asked = top_up(bank_world)

    assert bank_world.pay(replace(asked, **change)).action_code == "182"
    assert bank_world.pay(bank_world.again(asked)).action_code == "181"
    assert bank_world.row(asked.pan)["balance_rial"] == OPENED


def test_d5_a_top_up_without_a_payee_key_gets_no_code() -> None:
    """A code that any number could use is none."""
    binding = Binding(
        TransactionType.TOP_UP, Rial(AMOUNT), Rial(0), "581672", "1", "T0000001", "همراه اول 4 5 6 7", KEY, "A" * 16
    )
    check_binding(binding)
    with pytest.raises(InvalidBinding, match="payee_key"):
        check_binding(replace(binding, payee_key=""))


@pytest.mark.parametrize(
    ("name", "line"),
    [("همراه اول 4 5 6 7", "شماره: ***4567 همراه اول"), ("شارژ نمونه", "پذیرنده: شارژ نمونه")],
)
def test_d25_the_sms_names_type_and_number(name: str, line: str) -> None:
    """«شارژ», the masked number with its operator; another name as it is."""
    message = CodeMessage(
        "بانک دو", "TOP_UP", Rial(AMOUNT), Rial(0), name, dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
    )

    lines = code_text(message, Sensitive(CODE)).reveal().split("\n")

    assert lines[1:4] == ["شارژ", line, "مبلغ: 200,000 ریال"]
