"""Questions for a balance: what is told, to whom, how often, and that no code for one thing does another (D5, D9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.binding import SHAPES, Binding, TransactionType
from otp.domain.financial import Purchase
from otp.services.inquire_authorisation import inquire_authorisation
from otp.services.reverse import reverse
from tests.otp.host.test_app_codes import Phone
from tests.otp.host.test_app_codes import phone as phone
from tests.otp.host.test_races import at_once
from tests.otp.host.test_static_pins import static

CODE = "1234567"
OPENED = 10_000_000
FEE = 2_000


def question(bank_world: Any, pan: Pan, *, fee: int = 0, issue: bool = True, **changes: object) -> Purchase:
    """Ask what is left on a card, with a code for just that."""
    fields: dict[str, Any] = {
        "processing_code": "310000",
        "type_word": TransactionType.BALANCE_INQUIRY,
        "total": Rial(fee),
        "fee": Rial(fee),
        **changes,
    }
    made: Purchase = bank_world.purchase(pan, CODE, **fields)
    if issue:
        bank_world.issue(made, CODE)
    return made


def kept(bank_world: Any) -> list[tuple[object, ...]]:
    """Return what the bank wrote down."""
    rows = bank_world.sql(
        "SELECT kind, state, amount_rial, told_rial, reason FROM authorisation ORDER BY authorisation_id"
    )
    return [tuple(row.values()) for row in rows]


def test_a_balance_is_told_and_nothing_is_taken(bank_world: Any) -> None:
    """Free of charge: no posting, no rial, and the code is used up."""
    pan = bank_world.card()

    answer = bank_world.pay(question(bank_world, pan))

    assert (answer.action_code, answer.balance) == ("000", Sensitive(Rial(OPENED)))
    assert str(OPENED) not in repr(answer)
    assert kept(bank_world) == [("balance", "approved", 0, OPENED, "approved")]
    assert bank_world.sql("SELECT * FROM posting") == []
    assert [row["state"] for row in bank_world.challenges(pan)] == ["consumed"]


def test_d5_a_fee_leaves_the_card_in_the_same_transaction(bank_world: Any) -> None:
    """What is told is what is left after it, and the fee counts on the card's day."""
    pan = bank_world.card()

    answer = bank_world.pay(question(bank_world, pan, fee=FEE))

    assert answer.balance == Sensitive(Rial(OPENED - FEE))
    assert bank_world.row(pan)["balance_rial"] == OPENED - FEE
    (moved,) = bank_world.sql("SELECT event, destination, amount_rial FROM posting")
    assert tuple(moved.values()) == ("balance", "acquirer:581672", FEE)
    assert bank_world.unexplained() == 0


def test_d9_the_same_question_again_gets_the_first_answer(bank_world: Any) -> None:
    """Under the same key: what was told then, though the card holds something else now; under it another card: 913."""
    pan, other = bank_world.card(), bank_world.card()
    asked = question(bank_world, pan, fee=FEE)
    first = bank_world.pay(asked)
    bought = bank_world.purchase(pan, CODE)
    bank_world.issue(bought, CODE)
    assert bank_world.pay(bought).action_code == "000"

    again = bank_world.pay(asked)

    assert again == first
    assert again.balance == Sensitive(Rial(OPENED - FEE))
    assert bank_world.pay(replace(asked, pan=other)).action_code == "913"
    assert len(kept(bank_world)) == 2
    assert bank_world.unexplained() == 0


def test_d4_of_twelve_at_once_with_one_code_one_is_told(bank_world: Any) -> None:
    """Each under a key of its own: the code is good once, and one fee is taken."""
    pan = bank_world.card()
    asked = question(bank_world, pan, fee=FEE)

    tries = [bank_world.again(asked) for _ in range(12)]
    answers = at_once(*(lambda one=one: bank_world.pay(one) for one in tries))

    assert sorted(answer.action_code for answer in answers) == ["000"] + ["181"] * 11
    assert [answer.balance is None for answer in answers].count(False) == 1
    assert bank_world.row(pan)["balance_rial"] == OPENED - FEE


def test_d5_a_code_for_a_purchase_tells_no_balance_and_the_other_way_round(bank_world: Any) -> None:
    """Either is void after it was tried for the other, under the same reference even."""
    pan, other = bank_world.card(), bank_world.card()
    bought, asked = bank_world.purchase(pan, CODE), question(bank_world, other)
    bank_world.issue(bought, CODE)
    tell = question(bank_world, pan, issue=False, transaction_ref=bought.transaction_ref)
    buy = bank_world.purchase(other, CODE, transaction_ref=asked.transaction_ref)

    for answer in (bank_world.pay(tell), bank_world.pay(buy)):
        assert (answer.action_code, answer.balance) == ("182", None)

    assert [bank_world.row(one)["balance_rial"] for one in (pan, other)] == [OPENED, OPENED]
    assert bank_world.pay(bank_world.again(bought)).action_code == "181"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"total": Rial(1_000_000)}, "110"),
        ({"total": Rial(FEE), "fee": Rial(0)}, "110"),
        ({"processing_code": "000000"}, "115"),
        ({"cvv2": Sensitive("000")}, "117"),
        ({"expiry": Sensitive("2101")}, "117"),
        ({"pin": Sensitive("7654321")}, "117"),
        ({"pin": None}, "126"),
    ],
)
def test_what_is_no_question_tells_nothing(bank_world: Any, change: dict[str, Any], code: str) -> None:
    """Amount, fee, type, card data, code: refused, and no number leaves."""
    pan = bank_world.card()

    answer = bank_world.pay(replace(question(bank_world, pan), **change))

    assert (answer.action_code, answer.balance) == (code, None)
    assert bank_world.row(pan)["balance_rial"] == OPENED


def test_d5_a_fee_above_the_banks_table_is_refused(bank_world: Any) -> None:
    """As for any other type."""
    answer = bank_world.pay(question(bank_world, bank_world.card(), fee=12_001))

    assert (answer.action_code, answer.balance) == ("124", None)


def test_a_fee_needs_funds_and_is_not_taken_without(bank_world: Any) -> None:
    """A card with less than the fee is told so, and nothing else."""
    pan = bank_world.card(balance=FEE - 1)

    answer = bank_world.pay(question(bank_world, pan, fee=FEE))

    assert (answer.action_code, answer.balance) == ("116", None)
    assert bank_world.row(pan)["balance_rial"] == FEE - 1


@pytest.mark.parametrize(("left", "code"), [(10**12 - 1, "000"), (10**12, "115")])
def test_a_balance_that_no_answer_has_room_for_is_refused_before_its_fee(bank_world: Any, left: int, code: str) -> None:
    """DE 54 has twelve digits; with one more nothing is told, and nothing taken but the code."""
    pan = bank_world.card(balance=left + FEE)

    answer = bank_world.pay(question(bank_world, pan, fee=FEE))

    assert (answer.action_code, answer.balance) == (code, Sensitive(Rial(left)) if code == "000" else None)
    assert bank_world.row(pan)["balance_rial"] == left + (0 if code == "000" else FEE)
    assert [row["state"] for row in bank_world.challenges(pan)] == ["consumed"]
    assert bank_world.unexplained() == 0


def test_d20_a_card_is_told_its_balance_so_often_a_day(bank_world: Any) -> None:
    """Above the bank's number 121; another card, and a purchase with this one, go on."""
    bank_world.desk = replace(bank_world.desk, limits=replace(bank_world.desk.limits, balances_per_day=2))
    pan = bank_world.card()
    codes = [bank_world.pay(question(bank_world, pan)).action_code for _ in range(3)]
    bought = bank_world.purchase(pan, CODE)
    bank_world.issue(bought, CODE)

    assert codes == ["000", "000", "121"]
    assert bank_world.pay(question(bank_world, bank_world.card())).action_code == "000"
    assert bank_world.pay(bought).action_code == "000"
    assert kept(bank_world)[2] == ("balance", "declined", 0, None, "balance_limit")


@pytest.mark.parametrize("fee", [0, FEE])
def test_d2_an_unanswered_question_is_reversed_and_its_fee_comes_back(bank_world: Any, fee: int) -> None:
    """Once, however often it is asked; an inquiry before tells the outcome and no balance."""
    pan = bank_world.card()
    asked = question(bank_world, pan, fee=fee)
    assert bank_world.pay(asked).action_code == "000"

    inquired = inquire_authorisation(bank_world.desk, asked.key)
    answers = [reverse(bank_world.desk, bank_world.reversal(asked)).action_code for _ in range(2)]

    assert (inquired.action_code, inquired.total, inquired.balance) == ("000", Rial(fee), None)
    assert answers == ["400", "400"]
    assert bank_world.row(pan)["balance_rial"] == OPENED
    assert inquire_authorisation(bank_world.desk, asked.key).action_code == "482"
    assert bank_world.unexplained() == 0


def test_d2_a_reversal_that_came_first_refuses_the_question(bank_world: Any) -> None:
    """The tombstone stands where the question would."""
    asked = question(bank_world, bank_world.card(), fee=FEE)
    assert reverse(bank_world.desk, bank_world.reversal(asked)).action_code == "914"

    answer = bank_world.pay(asked)

    assert (answer.action_code, answer.balance) == ("184", None)


def test_d14_an_app_code_that_is_bound_to_nothing_tells_no_balance(bank_world: Any, phone: Phone) -> None:
    """What anybody could have asked a holder for as "a code for a purchase"."""
    answer = bank_world.pay(question(bank_world, phone.pan, issue=False), phone.code())

    assert (answer.action_code, answer.balance) == ("185", None)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_d6_a_code_of_a_weak_dialect_knows_its_type(bank_world: Any, shape: tuple[str, ...]) -> None:
    """It was asked for as a balance: it tells one, and buys nothing, however small."""
    pan, other = bank_world.card(), bank_world.card()
    asked, wish = question(bank_world, pan, issue=False), question(bank_world, other, issue=False)
    for made in (asked, wish):
        narrow = Binding(
            TransactionType.BALANCE_INQUIRY, Rial(0), Rial(0), made.key.acquirer_id, made.merchant_id,
            made.key.terminal_id, made.payee_name, "", made.transaction_ref,
        ).narrowed(shape)  # fmt: skip
        columns = {"transaction_ref": narrow.transaction_ref, "canonical": narrow.canonical(), "bound": list(shape)}
        bank_world.issue(made, CODE, binding_digest=narrow.digest(), ceiling_rial=1_000_000, **columns)
    bought = bank_world.purchase(other, CODE, total=Rial(1_000), transaction_ref=wish.transaction_ref)

    assert bank_world.pay(asked).balance == Sensitive(Rial(OPENED))
    assert bank_world.pay(bought).action_code == "182"


@pytest.mark.parametrize(("kind", "code"), [("gift", "000"), ("debit", "186")])
def test_a_static_pin_tells_the_balance_of_a_gift_card_only(bank_world: Any, kind: str, code: str) -> None:
    """A gift card has no other PIN; beside dynamic ones a static one pays a little and tells nothing."""
    pan = bank_world.card(kind=kind)
    static(bank_world, pan, "654321")

    answer = bank_world.pay(question(bank_world, pan, issue=False), "654321")

    assert answer.action_code == code
    assert (answer.balance is not None) == (code == "000")
