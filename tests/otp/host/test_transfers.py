"""Transfers inside the bank and out of it: one transaction, two cards, one order of locks (D4, D5, D7, D14)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.app_code import typed_transfer
from otp.domain.binding import TransactionType
from otp.domain.financial import Purchase
from otp.domain.holder import card_name
from otp.services.reverse import reverse
from tests.otp.host.test_app_codes import phone_for
from tests.otp.host.test_races import at_once
from tests.otp.host.test_static_pins import static

INSIDE, OUT = "400000", "460000"
FEE = 7_200
AMOUNT = 1_000_000
CODE = "1234567"


def transfer(bank_world: Any, source: Pan, destination: Pan, /, amount: int = AMOUNT, **changes: object) -> Purchase:
    """Make a transfer of this amount and its fee within the bank, with a code for it."""
    fields: dict[str, Any] = {
        "processing_code": INSIDE,
        "type_word": TransactionType.CARD_TRANSFER,
        "total": Rial(amount + FEE),
        "fee": Rial(FEE),
        "payee_name": card_name(destination.masked[-4:]),
        "payee_key": bank_world.desk.card_tokens(destination)[0].hex(),
        "destination": destination,
        "destination_tail": Sensitive(destination.reveal()[-8:]),
        **changes,
    }
    made: Purchase = bank_world.purchase(source, CODE, **fields)
    bank_world.issue(made, CODE)
    return made


def out(bank_world: Any, source: Pan, amount: int = AMOUNT, **changes: object) -> Purchase:
    """Make the debit of a transfer to another bank."""
    far = Pan.parse("9990010000000317")
    return transfer(bank_world, source, far, amount, processing_code=OUT, destination=None, **changes)


def owed(bank_world: Any) -> dict[str, int]:
    """Return what the bank owes on the accounts of this acquirer."""
    rows = bank_world.sql(
        "SELECT account, CAST(sum(rial) AS bigint) AS rial FROM posting CROSS JOIN LATERAL"
        " (VALUES (destination, amount_rial), (source, -amount_rial)) AS moved (account, rial)"
        " WHERE account NOT LIKE 'card\\:%' GROUP BY account"
    )
    return {row["account"]: row["rial"] for row in rows}


def balances(bank_world: Any, *pans: Pan) -> list[int]:
    """Return what the cards hold."""
    return [bank_world.row(pan)["balance_rial"] for pan in pans]


def test_d7_a_transfer_inside_the_bank_moves_principal_and_fee_in_one_transaction(bank_world: Any) -> None:
    """The destination gets the amount, the acquirer the fee, the source pays both."""
    source, destination = bank_world.card(), bank_world.card(balance=0)

    answer = bank_world.pay(transfer(bank_world, source, destination))

    assert answer.action_code == "000"
    assert balances(bank_world, source, destination) == [10_000_000 - AMOUNT - FEE, AMOUNT]
    moved = bank_world.sql("SELECT event, source, destination, amount_rial FROM posting ORDER BY amount_rial")
    ids = [f"card:{bank_world.row(pan)['card_id']}" for pan in (source, destination)]
    assert [tuple(row.values()) for row in moved] == [
        ("transfer", ids[0], "acquirer:581672", FEE),
        ("transfer", ids[0], ids[1], AMOUNT),
    ]
    assert bank_world.unexplained() == 0


def test_d7_a_debit_for_another_bank_is_owed_between_the_banks_and_its_fee_to_the_acquirer(bank_world: Any) -> None:
    """The interbank account holds the amount until the banks settle; a reversal empties both."""
    source = bank_world.card()

    asked = out(bank_world, source)

    assert bank_world.pay(asked).action_code == "000"

    assert owed(bank_world) == {"interbank:581672": AMOUNT, "acquirer:581672": FEE}
    assert balances(bank_world, source) == [10_000_000 - AMOUNT - FEE]

    assert reverse(bank_world.desk, bank_world.reversal(asked)).action_code == "400"
    assert owed(bank_world) == {"interbank:581672": 0, "acquirer:581672": 0}
    assert balances(bank_world, source) == [10_000_000]


def test_d9_the_same_transfer_again_gets_the_first_answer_and_another_destination_does_not(bank_world: Any) -> None:
    """The destination is part of what makes a repeated key the same request."""
    source, destination, other = bank_world.card(), bank_world.card(balance=0), bank_world.card(balance=0)
    asked = transfer(bank_world, source, destination)
    first = bank_world.pay(asked)

    assert bank_world.pay(asked) == first
    assert bank_world.pay(replace(asked, destination=other)).action_code == "913"
    assert balances(bank_world, source, destination, other) == [10_000_000 - AMOUNT - FEE, AMOUNT, 0]


@pytest.mark.parametrize("why", ["gift", "held", "unknown", "itself"])
def test_d7_a_card_that_cannot_be_sent_money_gets_none_and_the_code_is_used_up(bank_world: Any, why: str) -> None:
    """A gift card, one that the bank closed, one that is not there, and the source itself."""
    source = bank_world.card()
    columns = {"gift": {"kind": "gift"}, "held": {"status": "blocked", "held_by_bank": True}}.get(why, {})
    others = {"unknown": Pan.parse(with_check_digit("999002999999999")), "itself": source}
    destination = others.get(why) or bank_world.card(balance=0, **columns)

    answer = bank_world.pay(transfer(bank_world, source, destination))

    assert answer.action_code == "118"
    assert balances(bank_world, source) == [10_000_000]
    assert [row["state"] for row in bank_world.challenges(source)] == ["consumed"]


def test_d7_a_card_closed_by_wrong_codes_can_still_be_sent_money(bank_world: Any) -> None:
    """Whoever guesses at a card must not be able to cut its holder off from money."""
    source, destination = bank_world.card(), bank_world.card(balance=0, status="blocked", pin_failures=15)

    assert bank_world.pay(transfer(bank_world, source, destination)).action_code == "000"
    assert balances(bank_world, destination) == [AMOUNT]


def test_d5_a_code_for_one_destination_pays_no_other(bank_world: Any) -> None:
    """The payee key is part of the binding; the code is void afterwards."""
    source, destination, other = bank_world.card(), bank_world.card(balance=0), bank_world.card(balance=0)
    asked = transfer(bank_world, source, destination)
    diverted = replace(asked, destination=other, payee_key=bank_world.desk.card_tokens(other)[0].hex())

    assert bank_world.pay(diverted).action_code == "182"
    assert bank_world.pay(bank_world.again(asked)).action_code == "181"
    assert balances(bank_world, source, other) == [10_000_000, 0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 40_000_001}, "121"),
        ({"amount": 9_999_999}, "116"),
        ({"fee": Rial(7_201), "total": Rial(1_007_201)}, "124"),
        ({"processing_code": "410000"}, "115"),
        ({"type_word": TransactionType.TOP_UP}, "115"),
    ],
)
def test_d7_a_transfer_has_limits_of_its_own(bank_world: Any, changes: dict[str, Any], code: str) -> None:
    """Too much at once, more than there is, a fee above the table, and what is no transfer."""
    source = bank_world.card(balance=90_000_000 if changes.get("amount", 0) > 40_000_000 else 10_000_000)

    assert bank_world.pay(transfer(bank_world, source, bank_world.card(), **changes)).action_code == code
    assert bank_world.unexplained() == 0


def test_d7_a_day_of_transfers_has_a_limit_that_leaves_fees_and_purchases_out(bank_world: Any) -> None:
    """Sixty million a day: two of thirty go, one rial more does not, a purchase still does."""
    source, destination = bank_world.card(balance=100_000_000), bank_world.card(balance=0)
    fees = {"fee": Rial(12_800), "total": Rial(30_012_800)}
    for _ in range(2):
        assert bank_world.pay(transfer(bank_world, source, destination, **fees)).action_code == "000"

    assert bank_world.pay(transfer(bank_world, source, destination, 1)).action_code == "121"
    purchase = bank_world.purchase(source)
    bank_world.issue(purchase)
    assert bank_world.pay(purchase, CODE).action_code == "000"


def test_d14_unbound_codes_and_static_pins_pay_no_transfer_unless_the_bank_says_so(bank_world: Any) -> None:
    """The app's own code is refused, and taken where the profile allows it; a static second PIN is never right."""
    source, destination = bank_world.card(), bank_world.card(balance=0)
    phone = phone_for(bank_world, source)
    asked = replace(transfer(bank_world, source, destination), pin=Sensitive(phone.code()))
    assert bank_world.pay(asked).action_code == "185"

    allowing = replace(bank_world.desk.limits, unbound_transfers=True)
    other = bank_world.card()
    another = phone_for(bank_world, other)
    open_desk = replace(bank_world, desk=replace(bank_world.desk, limits=allowing))
    assert (
        open_desk.pay(replace(transfer(bank_world, other, destination), pin=Sensitive(another.code()))).action_code
        == "000"
    )

    third = bank_world.card()
    static(bank_world, third)
    assert (
        bank_world.pay(replace(transfer(bank_world, third, destination), pin=Sensitive("24680"))).action_code == "117"
    )


@pytest.mark.parametrize("make", [transfer, out], ids=["inside", "out"])
def test_d24_a_typed_code_pays_its_transfer_to_its_destination_alone(bank_world: Any, make: Any) -> None:
    """Total and the destination's last eight digits; another total or end, or one that nobody told, is a wrong code."""
    source, destination = bank_world.card(), bank_world.card(balance=0)
    phone = phone_for(bank_world, source)
    asked = make(bank_world, source, *([destination] if make is transfer else []))
    tail = asked.destination_tail
    code = Sensitive(phone.bound(typed_transfer(AMOUNT + FEE, tail)))

    others = [
        replace(asked, pin=Sensitive(phone.bound(typed_transfer(AMOUNT, tail)))),
        replace(asked, pin=code, destination_tail=Sensitive("00000000")),
        replace(asked, pin=code, destination_tail=None),
    ]
    assert [bank_world.pay(bank_world.again(other)).action_code for other in others] == ["117"] * 3
    assert bank_world.pay(replace(asked, pin=code)).action_code == "000"
    assert bank_world.pay(bank_world.again(asked, pin=code)).action_code == "181"
    (kept,) = bank_world.sql("SELECT code_channel, unbound FROM authorisation WHERE action_code = '000'")
    assert (kept["code_channel"], kept["unbound"]) == ("app_bound", False)


def test_d7_a_reversed_transfer_gives_back_amount_and_fee(bank_world: Any) -> None:
    """Once, however often it is asked for."""
    source, destination = bank_world.card(), bank_world.card(balance=0)
    asked = transfer(bank_world, source, destination)
    bank_world.pay(asked)

    assert [reverse(bank_world.desk, bank_world.reversal(asked)).action_code for _ in range(2)] == ["400", "400"]

    assert balances(bank_world, source, destination) == [10_000_000, 0]
    assert bank_world.unexplained() == 0


def test_d7_a_transfer_whose_money_was_spent_cannot_be_reversed_now_or_later(bank_world: Any) -> None:
    """Cannot reverse means completed: money that comes later is not taken for it."""
    source, destination = bank_world.card(), bank_world.card(balance=0)
    asked = transfer(bank_world, source, destination)
    bank_world.pay(asked)
    spend = bank_world.purchase(destination, total=Rial(1))
    bank_world.issue(spend)
    assert bank_world.pay(spend, CODE).action_code == "000"

    assert reverse(bank_world.desk, bank_world.reversal(asked)).action_code == "480"
    assert reverse(bank_world.desk, bank_world.reversal(spend)).action_code == "400"
    assert reverse(bank_world.desk, bank_world.reversal(asked)).action_code == "480"

    assert balances(bank_world, source, destination) == [10_000_000 - AMOUNT - FEE, AMOUNT]
    assert bank_world.unexplained() == 0


def test_d7_transfers_both_ways_at_once_neither_wait_for_each_other_nor_overdraw(bank_world: Any) -> None:
    """Six each way over twenty rounds: every one is answered, and the sum of both cards leaves only by fees."""
    one, two = bank_world.card(balance=3_500_000), bank_world.card(balance=3_500_000)
    fees = 0
    for _ in range(20):
        asked = [transfer(bank_world, *pair) for pair in [(one, two), (two, one)] * 6]
        seen = Counter(str(answer.action_code) for answer in at_once(*(lambda a=a: bank_world.pay(a) for a in asked)))
        assert set(seen) <= {"000", "116", "121"}
        fees += seen["000"] * FEE
    assert sum(balances(bank_world, one, two)) == 7_000_000 - fees
    assert fees
    assert bank_world.unexplained() == 0


def test_d7_a_transfer_and_its_reversal_at_once_end_whole(bank_world: Any) -> None:
    """Whichever is first, the source has its money afterwards."""
    source, destination = bank_world.card(balance=100_000_000), bank_world.card(balance=0)
    for _ in range(20):
        asked = transfer(bank_world, source, destination)
        undo = bank_world.reversal(asked)
        at_once(lambda a=asked: bank_world.pay(a), lambda u=undo: reverse(bank_world.desk, u))
        assert balances(bank_world, source, destination) == [100_000_000, 0]
    assert bank_world.unexplained() == 0
