"""Money that comes in: from whom, how much in a day, to whom, once, and back only where it still is (D7, D20)."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.rial import Rial
from otp.domain.financial import Credit, MessageKey, Reversal
from otp.services.credit import take_credit
from otp.services.inquire_authorisation import inquire_authorisation
from otp.services.reverse import reverse
from tests.otp.host.conftest import ACQUIRER
from tests.otp.host.test_races import at_once

AMOUNT = 2_000_000
DAY_MAX = Rial(5_000_000)


def credit(bank_world: Any, pan: Pan, /, amount: int = AMOUNT, **changes: object) -> Credit:
    """Make a credit of a transfer, with a key of its own."""
    number = next(bank_world.numbers)
    now = bank_world.sql("SELECT house_now() AS now")[0]["now"].astimezone(TEHRAN)
    key = MessageKey(ACQUIRER, "T0000001", f"{number:06}", f"{number:012}", now.strftime("%y%m%d%H%M%S"))
    made = Credit(
        key=key,
        sent_at=now,
        processing_code="470000",
        type_word="CARD_TRANSFER",
        total=Rial(amount),
        fee=Rial(0),
        merchant_id="000000000000123",
        payee_name="کارت 0 0 0 1",
        transaction_ref="".join(secrets.choice("ABCDEFGH234567") for _ in range(16)),
        pan=pan,
        day_max=DAY_MAX,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def undo(bank_world: Any, given: Credit) -> str:
    """Take a credit back, by a reversal of its own."""
    made = Reversal(given.key, f"{next(bank_world.numbers):06}", given.key.local_time, given.total, given.pan)
    return str(reverse(bank_world.desk, made).action_code)


def balance(bank_world: Any, pan: Pan) -> int:
    """Return what a card holds."""
    return int(bank_world.row(pan)["balance_rial"])


def counted(bank_world: Any) -> int:
    """Return what the acquirer's day holds."""
    return sum(row["credited_rial"] for row in bank_world.sql("SELECT credited_rial FROM credit_day"))


def test_d7_a_credit_comes_from_the_acquirer_and_its_repeats_get_the_first_answer(bank_world: Any) -> None:
    """One posting, one approval with its capture date, however often the message comes."""
    pan = bank_world.card(balance=0)
    given = credit(bank_world, pan)

    answers = [take_credit(bank_world.desk, given) for _ in range(3)]

    assert {answer.action_code for answer in answers} == {"000"}
    assert len(set(answers)) == 1
    assert answers[0].capture_date == given.sent_at.strftime("%m%d")
    (posted,) = bank_world.sql("SELECT source, destination, amount_rial FROM posting")
    assert tuple(posted.values()) == (f"interbank:{ACQUIRER}", f"card:{bank_world.row(pan)['card_id']}", AMOUNT)
    assert balance(bank_world, pan) == counted(bank_world) == AMOUNT


def test_d7_an_acquirer_that_is_not_enabled_gives_nothing(bank_world: Any) -> None:
    """Off unless its row says otherwise."""
    pan = bank_world.card(balance=0)

    assert take_credit(bank_world.desk, credit(bank_world, pan, day_max=Rial(0))).action_code == "115"
    assert (balance(bank_world, pan), counted(bank_world)) == (0, 0)


def test_d20_the_days_sum_is_a_cap_that_what_is_taken_back_frees(bank_world: Any) -> None:
    """Two of two millions fit into five; a third does not until one of them is taken back."""
    pan = bank_world.card(balance=0)
    first, second = credit(bank_world, pan), credit(bank_world, pan)
    assert [take_credit(bank_world.desk, one).action_code for one in (first, second)] == ["000", "000"]
    late = credit(bank_world, pan)
    assert take_credit(bank_world.desk, late).action_code == "121"

    assert undo(bank_world, first) == "400"

    assert take_credit(bank_world.desk, late).action_code == "121"
    assert take_credit(bank_world.desk, credit(bank_world, pan)).action_code == "000"
    assert balance(bank_world, pan) == counted(bank_world) == 2 * AMOUNT
    assert bank_world.unexplained() == 0


def test_d20_twelve_credits_at_once_never_pass_the_cap(bank_world: Any) -> None:
    """Each to another card, so that only the day's sum holds them back."""
    pans = [bank_world.card(balance=0) for _ in range(12)]

    asked = [credit(bank_world, pan) for pan in pans]
    seen = Counter(at_once(*(lambda c=c: take_credit(bank_world.desk, c).action_code for c in asked)))

    assert seen == {"000": 2, "121": 10}
    assert sum(balance(bank_world, pan) for pan in pans) == counted(bank_world) == 2 * AMOUNT


def test_d9_one_credit_delivered_twelve_times_at_once_is_one_credit(bank_world: Any) -> None:
    """Twelve equal answers."""
    pan = bank_world.card(balance=0)
    given = credit(bank_world, pan)

    answers = at_once(*([lambda: take_credit(bank_world.desk, given)] * 12))

    assert len(set(answers)) == 1
    assert balance(bank_world, pan) == AMOUNT


def test_d9_a_credits_key_serves_no_other_credit(bank_world: Any) -> None:
    """Another amount or card under the same key is refused, and a day later nothing is done."""
    given = credit(bank_world, bank_world.card(balance=0))
    take_credit(bank_world.desk, given)

    assert take_credit(bank_world.desk, replace(given, total=Rial(1))).action_code == "913"
    assert take_credit(bank_world.desk, replace(given, pan=bank_world.card())).action_code == "913"


def test_d9_a_credit_from_the_day_before_yesterday_does_nothing(bank_world: Any, yesterday: Any) -> None:
    """What was never seen and comes so late is no credit any more."""
    given = credit(bank_world, bank_world.card(balance=0))
    late = replace(given, sent_at=given.sent_at - yesterday)

    assert take_credit(bank_world.desk, late).action_code == "915"
    assert take_credit(bank_world.desk, given).action_code == "000"
    assert take_credit(bank_world.desk, late).action_code == "000"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pan": None}, "118"),
        ({"total": Rial(0)}, "110"),
        ({"fee": Rial(1)}, "110"),
        ({"type_word": "PURCHASE"}, "115"),
        ({"processing_code": "200000"}, "115"),
    ],
)
def test_d7_a_credit_that_is_none_is_an_explicit_no(bank_world: Any, changes: dict[str, Any], code: str) -> None:
    """No card, no amount, a fee, and type words that do not go with the processing code."""
    assert take_credit(bank_world.desk, credit(bank_world, bank_world.card(), **changes)).action_code == code
    assert bank_world.unexplained() == 0


@pytest.mark.parametrize("columns", [{"kind": "gift"}, {"status": "blocked", "held_by_bank": True}])
def test_d7_others_cannot_send_money_to_every_card_but_a_refund_reaches_it(
    bank_world: Any, columns: dict[str, Any]
) -> None:
    """What a card paid comes back to it, whatever has become of it since."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan)
    bank_world.issue(purchase)
    bank_world.pay(purchase, "1234567")
    for name, value in columns.items():
        bank_world.sql(f"UPDATE card SET {name} = :value", value=value)

    assert take_credit(bank_world.desk, credit(bank_world, pan)).action_code == "118"
    assert take_credit(bank_world.desk, refund(bank_world, purchase, 400_000)).action_code == "000"
    assert balance(bank_world, pan) == 9_400_000


def refund(bank_world: Any, purchase: Any, amount: int, **changes: object) -> Credit:
    """Make a refund of a purchase."""
    fields = {"processing_code": "200000", "type_word": "PURCHASE", "transaction_ref": purchase.transaction_ref}
    return credit(bank_world, purchase.pan, amount, **fields, **changes)


def test_d11_refunds_give_back_what_stands_of_their_purchase_and_no_rial_more(bank_world: Any) -> None:
    """Two parts make the whole; a third has nothing to give back, and one for another card never had."""
    pan, other = bank_world.card(), bank_world.card()
    purchase = bank_world.purchase(pan)
    bank_world.issue(purchase)
    bank_world.pay(purchase, "1234567")

    seen = [
        take_credit(bank_world.desk, refund(bank_world, purchase, amount)).action_code for amount in (600_000, 400_001)
    ]
    seen += [take_credit(bank_world.desk, refund(bank_world, purchase, 400_000)).action_code]
    seen += [take_credit(bank_world.desk, refund(bank_world, purchase, 1, pan=other)).action_code]

    assert seen == ["000", "110", "000", "110"]
    assert (balance(bank_world, pan), balance(bank_world, other)) == (10_000_000, 10_000_000)
    assert bank_world.unexplained() == 0


def test_d11_twelve_refunds_of_one_purchase_at_once_give_it_back_once(bank_world: Any) -> None:
    """Each of the whole, under keys of their own."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan)
    bank_world.issue(purchase)
    bank_world.pay(purchase, "1234567")
    asked = [refund(bank_world, purchase, 1_000_000) for _ in range(12)]

    seen = Counter(at_once(*(lambda c=c: take_credit(bank_world.desk, c).action_code for c in asked)))

    assert seen == {"000": 1, "110": 11}
    assert balance(bank_world, pan) == 10_000_000


def paid(bank_world: Any, **changes: object) -> Any:
    """Give a purchase of a million that was approved."""
    purchase = bank_world.purchase(changes.pop("pan", None) or bank_world.card(), **changes)
    bank_world.issue(purchase)
    assert bank_world.pay(purchase, "1234567").action_code == "000"
    return purchase


def test_d11_a_purchase_that_was_refunded_in_part_is_not_reversed_ever(bank_world: Any) -> None:
    """The money would come back twice; the original stands, and the rest of it can still be refunded."""
    purchase = paid(bank_world)
    assert take_credit(bank_world.desk, refund(bank_world, purchase, 400_000)).action_code == "000"

    answers = [reverse(bank_world.desk, bank_world.reversal(purchase)) for _ in range(2)]

    assert {answer.action_code for answer in answers} == {"480"}
    assert {answer.capture_date for answer in answers} == {purchase.sent_at.strftime("%m%d")}
    assert balance(bank_world, purchase.pan) == 9_400_000
    assert inquire_authorisation(bank_world.desk, purchase.key).action_code == "000"
    assert [row["action_code"] for row in bank_world.sql("SELECT action_code FROM reversal")] == ["480", "480"]
    assert take_credit(bank_world.desk, refund(bank_world, purchase, 600_000)).action_code == "000"
    assert balance(bank_world, purchase.pan) == 10_000_000
    assert bank_world.unexplained() == 0


def test_d11_a_refund_and_a_reversal_at_once_give_the_money_back_once(bank_world: Any) -> None:
    """Whichever holds the card first; the other finds nothing left to give back."""
    ends: Counter[tuple[str, str]] = Counter()
    pan = bank_world.card()
    for _ in range(20):
        purchase = paid(bank_world, pan=pan)
        given, undone = refund(bank_world, purchase, 1_000_000, day_max=Rial(10**9)), bank_world.reversal(purchase)

        refunded, reversed_ = at_once(
            lambda g=given: str(take_credit(bank_world.desk, g).action_code),
            lambda u=undone: str(reverse(bank_world.desk, u).action_code),
        )

        ends[refunded, reversed_] += 1
        assert balance(bank_world, pan) == 10_000_000
    assert set(ends) <= {("000", "480"), ("110", "400")}
    assert bank_world.unexplained() == 0


def test_d8_a_second_attempt_of_a_refunded_payment_is_still_reversed(bank_world: Any) -> None:
    """One reference, two approvals: the refund is of the one that won, and the other one's money comes back."""
    first = paid(bank_world)
    second = paid(bank_world, pan=first.pan, transaction_ref=first.transaction_ref)
    assert take_credit(bank_world.desk, refund(bank_world, first, 1_000_000)).action_code == "000"

    codes = [str(reverse(bank_world.desk, bank_world.reversal(one)).action_code) for one in (second, first)]

    assert codes == ["400", "480"]
    assert balance(bank_world, first.pan) == 10_000_000
    assert bank_world.unexplained() == 0


def test_d7_a_credit_whose_money_was_spent_cannot_be_taken_back_ever(bank_world: Any) -> None:
    """Cannot reverse means completed, even when the card is rich again."""
    pan = bank_world.card(balance=0)
    given = credit(bank_world, pan)
    take_credit(bank_world.desk, given)
    spend = bank_world.purchase(pan)
    bank_world.issue(spend)
    assert bank_world.pay(spend, "1234567").action_code == "000"

    assert undo(bank_world, given) == "480"
    assert reverse(bank_world.desk, bank_world.reversal(spend)).action_code == "400"
    assert undo(bank_world, given) == "480"

    assert balance(bank_world, pan) == AMOUNT
    assert inquire_authorisation(bank_world.desk, given.key).action_code == "000"
    assert [row["action_code"] for row in bank_world.sql("SELECT action_code FROM reversal")] == ["480", "400", "480"]


def test_d2_a_credit_after_its_reversal_is_never_given(bank_world: Any) -> None:
    """The reversal of an unseen credit leaves a tombstone under its key."""
    pan = bank_world.card(balance=0)
    given = credit(bank_world, pan)

    assert undo(bank_world, given) == "914"
    assert take_credit(bank_world.desk, given).action_code == "184"
    assert balance(bank_world, pan) == 0
    assert inquire_authorisation(bank_world.desk, given.key).action_code == "482"


def test_d2_a_credit_and_its_reversal_at_once_leave_nothing_behind(bank_world: Any) -> None:
    """Whichever comes first, the card holds what it held."""
    pan = bank_world.card(balance=0)
    for _ in range(20):
        given = credit(bank_world, pan)
        ends = at_once(
            lambda g=given: str(take_credit(bank_world.desk, g).action_code),
            lambda g=given: undo(bank_world, g),
        )
        assert tuple(ends) in {("000", "400"), ("184", "914")}
        assert balance(bank_world, pan) == counted(bank_world) == 0
    assert bank_world.unexplained() == 0


def test_d7_a_credit_does_not_count_as_spending_of_its_card(bank_world: Any) -> None:
    """The day's limits are about what leaves a card."""
    pan = bank_world.card(balance=80_000_000)
    for _ in range(2):
        assert take_credit(bank_world.desk, credit(bank_world, pan, 2_500_000)).action_code == "000"
    for _ in range(2):
        purchase = bank_world.purchase(pan, total=Rial(40_000_000))
        bank_world.issue(purchase)
        assert bank_world.pay(purchase, "1234567").action_code == "000"
