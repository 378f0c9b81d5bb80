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


def question(world: Any, pan: Pan, *, fee: int = 0, issue: bool = True, **changes: object) -> Purchase:
    """Ask what is left on a card, with a code for just that."""
    fields: dict[str, Any] = {
        "processing_code": "310000",
        "type_word": TransactionType.BALANCE_INQUIRY,
        "total": Rial(fee),
        "fee": Rial(fee),
        **changes,
    }
    made: Purchase = world.purchase(pan, CODE, **fields)
    if issue:
        world.issue(made, CODE)
    return made


def kept(world: Any) -> list[tuple[object, ...]]:
    """Return what the bank wrote down."""
    rows = world.sql("SELECT kind, state, amount_rial, told_rial, reason FROM authorisation ORDER BY authorisation_id")
    return [tuple(row.values()) for row in rows]


def test_a_balance_is_told_and_nothing_is_taken(world: Any) -> None:
    """Free of charge: no posting, no rial, and the code is used up."""
    pan = world.card()

    answer = world.pay(question(world, pan))

    assert (answer.action_code, answer.balance) == ("000", Sensitive(Rial(OPENED)))
    assert str(OPENED) not in repr(answer)
    assert kept(world) == [("balance", "approved", 0, OPENED, "approved")]
    assert world.sql("SELECT * FROM posting") == []
    assert [row["state"] for row in world.challenges(pan)] == ["consumed"]


def test_d5_a_fee_leaves_the_card_in_the_same_transaction(world: Any) -> None:
    """What is told is what is left after it, and the fee counts on the card's day."""
    pan = world.card()

    answer = world.pay(question(world, pan, fee=FEE))

    assert answer.balance == Sensitive(Rial(OPENED - FEE))
    assert world.row(pan)["balance_rial"] == OPENED - FEE
    (moved,) = world.sql("SELECT event, destination, amount_rial FROM posting")
    assert tuple(moved.values()) == ("balance", "acquirer:581672", FEE)
    assert world.unexplained() == 0


def test_d9_the_same_question_again_gets_the_first_answer(world: Any) -> None:
    """Under the same key: what was told then, though the card holds something else now; under it another card: 913."""
    pan, other = world.card(), world.card()
    asked = question(world, pan, fee=FEE)
    first = world.pay(asked)
    bought = world.purchase(pan, CODE)
    world.issue(bought, CODE)
    assert world.pay(bought).action_code == "000"

    again = world.pay(asked)

    assert again == first
    assert again.balance == Sensitive(Rial(OPENED - FEE))
    assert world.pay(replace(asked, pan=other)).action_code == "913"
    assert len(kept(world)) == 2
    assert world.unexplained() == 0


def test_d4_of_twelve_at_once_with_one_code_one_is_told(world: Any) -> None:
    """Each under a key of its own: the code is good once, and one fee is taken."""
    pan = world.card()
    asked = question(world, pan, fee=FEE)

    tries = [world.again(asked) for _ in range(12)]
    answers = at_once(*(lambda one=one: world.pay(one) for one in tries))

    assert sorted(answer.action_code for answer in answers) == ["000"] + ["181"] * 11
    assert [answer.balance is None for answer in answers].count(False) == 1
    assert world.row(pan)["balance_rial"] == OPENED - FEE


def test_d5_a_code_for_a_purchase_tells_no_balance_and_the_other_way_round(world: Any) -> None:
    """Either is void after it was tried for the other, under the same reference even."""
    pan, other = world.card(), world.card()
    bought, asked = world.purchase(pan, CODE), question(world, other)
    world.issue(bought, CODE)
    tell = question(world, pan, issue=False, transaction_ref=bought.transaction_ref)
    buy = world.purchase(other, CODE, transaction_ref=asked.transaction_ref)

    for answer in (world.pay(tell), world.pay(buy)):
        assert (answer.action_code, answer.balance) == ("182", None)

    assert [world.row(one)["balance_rial"] for one in (pan, other)] == [OPENED, OPENED]
    assert world.pay(world.again(bought)).action_code == "181"


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
def test_what_is_no_question_tells_nothing(world: Any, change: dict[str, Any], code: str) -> None:
    """Amount, fee, type, card data, code: refused, and no number leaves."""
    pan = world.card()

    answer = world.pay(replace(question(world, pan), **change))

    assert (answer.action_code, answer.balance) == (code, None)
    assert world.row(pan)["balance_rial"] == OPENED


def test_d5_a_fee_above_the_banks_table_is_refused(world: Any) -> None:
    """As for any other type."""
    answer = world.pay(question(world, world.card(), fee=12_001))

    assert (answer.action_code, answer.balance) == ("124", None)


def test_a_fee_needs_funds_and_is_not_taken_without(world: Any) -> None:
    """A card with less than the fee is told so, and nothing else."""
    pan = world.card(balance=FEE - 1)

    answer = world.pay(question(world, pan, fee=FEE))

    assert (answer.action_code, answer.balance) == ("116", None)
    assert world.row(pan)["balance_rial"] == FEE - 1


def test_d20_a_card_is_told_its_balance_so_often_a_day(world: Any) -> None:
    """Above the bank's number 121; another card, and a purchase with this one, go on."""
    world.desk = replace(world.desk, limits=replace(world.desk.limits, balances_per_day=2))
    pan = world.card()
    codes = [world.pay(question(world, pan)).action_code for _ in range(3)]
    bought = world.purchase(pan, CODE)
    world.issue(bought, CODE)

    assert codes == ["000", "000", "121"]
    assert world.pay(question(world, world.card())).action_code == "000"
    assert world.pay(bought).action_code == "000"
    assert kept(world)[2] == ("balance", "declined", 0, None, "balance_limit")


@pytest.mark.parametrize("fee", [0, FEE])
def test_d2_an_unanswered_question_is_reversed_and_its_fee_comes_back(world: Any, fee: int) -> None:
    """Once, however often it is asked; an inquiry before tells the outcome and no balance."""
    pan = world.card()
    asked = question(world, pan, fee=fee)
    assert world.pay(asked).action_code == "000"

    inquired = inquire_authorisation(world.desk, asked.key)
    answers = [reverse(world.desk, world.reversal(asked)).action_code for _ in range(2)]

    assert (inquired.action_code, inquired.total, inquired.balance) == ("000", Rial(fee), None)
    assert answers == ["400", "400"]
    assert world.row(pan)["balance_rial"] == OPENED
    assert inquire_authorisation(world.desk, asked.key).action_code == "482"
    assert world.unexplained() == 0


def test_d2_a_reversal_that_came_first_refuses_the_question(world: Any) -> None:
    """The tombstone stands where the question would."""
    asked = question(world, world.card(), fee=FEE)
    assert reverse(world.desk, world.reversal(asked)).action_code == "914"

    answer = world.pay(asked)

    assert (answer.action_code, answer.balance) == ("184", None)


def test_d14_an_app_code_that_is_bound_to_nothing_tells_no_balance(world: Any, phone: Phone) -> None:
    """What anybody could have asked a holder for as "a code for a purchase"."""
    answer = world.pay(question(world, phone.pan, issue=False), phone.code())

    assert (answer.action_code, answer.balance) == ("185", None)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_d6_a_code_of_a_weak_dialect_knows_its_type(world: Any, shape: tuple[str, ...]) -> None:
    """It was asked for as a balance: it tells one, and buys nothing, however small."""
    pan, other = world.card(), world.card()
    asked, wish = question(world, pan, issue=False), question(world, other, issue=False)
    for made in (asked, wish):
        narrow = Binding(
            TransactionType.BALANCE_INQUIRY, Rial(0), Rial(0), made.key.acquirer_id, made.merchant_id,
            made.key.terminal_id, made.payee_name, "", made.transaction_ref,
        ).narrowed(shape)  # fmt: skip
        columns = {"transaction_ref": narrow.transaction_ref, "canonical": narrow.canonical(), "bound": list(shape)}
        world.issue(made, CODE, binding_digest=narrow.digest(), ceiling_rial=1_000_000, **columns)
    bought = world.purchase(other, CODE, total=Rial(1_000), transaction_ref=wish.transaction_ref)

    assert world.pay(asked).balance == Sensitive(Rial(OPENED))
    assert world.pay(bought).action_code == "182"


@pytest.mark.parametrize(("kind", "code"), [("gift", "000"), ("debit", "186")])
def test_a_static_pin_tells_the_balance_of_a_gift_card_only(world: Any, kind: str, code: str) -> None:
    """A gift card has no other PIN; beside dynamic ones a static one pays a little and tells nothing."""
    pan = world.card(kind=kind)
    static(world, pan, "654321")

    answer = world.pay(question(world, pan, issue=False), "654321")

    assert answer.action_code == code
    assert (answer.balance is not None) == (code == "000")
