"""Reversal, tombstone and inquiry at the bank."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from foundation.rial import Rial
from otp.services.inquire_authorisation import inquire_authorisation
from otp.services.reverse import reverse

CODE = "1234567"


@pytest.fixture
def paid(bank_world: Any) -> Any:
    """Give a purchase that was approved."""
    purchase = bank_world.purchase(bank_world.card(), CODE)
    bank_world.issue(purchase, CODE)
    assert bank_world.pay(purchase).action_code == "000"
    return purchase


def test_d2_a_reversal_gives_the_money_back_once(bank_world: Any, paid: Any) -> None:
    """The inverse is posted once, however often the reversal comes, under the same or a new key of its own."""
    first = bank_world.reversal(paid)

    codes = [reverse(bank_world.desk, each).action_code for each in (first, first, bank_world.reversal(paid))]

    assert codes == ["400"] * 3
    assert bank_world.row(paid.pan)["balance_rial"] == 10_000_000
    events = [row["event"] for row in bank_world.sql("SELECT event FROM posting ORDER BY posting_id")]
    assert events == ["purchase", "reversal"]
    assert len(bank_world.sql("SELECT 1 FROM reversal")) == 2
    assert bank_world.unexplained() == 0


def test_d4_a_reversed_purchase_does_not_revive_its_code(bank_world: Any, paid: Any) -> None:
    """The code stays consumed; the same message again gets its first answer and takes nothing."""
    reverse(bank_world.desk, bank_world.reversal(paid))

    assert bank_world.pay(bank_world.again(paid)).action_code == "181"
    assert bank_world.pay(paid).action_code == "000"
    assert bank_world.row(paid.pan)["balance_rial"] == 10_000_000


def test_d2_a_reversal_that_overtakes_its_purchase_leaves_a_tombstone(bank_world: Any) -> None:
    """914 and a tombstone on the same unique key; the purchase that comes later is refused, its code untouched."""
    purchase = bank_world.purchase(bank_world.card(), CODE)
    bank_world.issue(purchase, CODE)

    codes = [reverse(bank_world.desk, bank_world.reversal(purchase)).action_code for _ in range(2)]

    assert codes == ["914", "914"]
    assert bank_world.pay(purchase).action_code == "184"
    assert bank_world.challenges(purchase.pan)[0]["state"] == "issued"
    assert bank_world.row(purchase.pan)["balance_rial"] == 10_000_000


def test_d2_a_reversal_of_a_declined_purchase_moves_nothing(bank_world: Any) -> None:
    """Nothing was taken, so "reversed" is true at once."""
    purchase = bank_world.purchase(bank_world.card(), CODE)
    bank_world.pay(purchase)

    assert reverse(bank_world.desk, bank_world.reversal(purchase)).action_code == "400"
    assert bank_world.sql("SELECT 1 FROM posting") == []


def test_d9_a_reversal_of_another_amount_is_refused(bank_world: Any, paid: Any) -> None:
    """Only the whole of DE 4 can be reversed; another amount under this key is 913."""
    other = replace(bank_world.reversal(paid), total=Rial(1))

    assert reverse(bank_world.desk, other).action_code == "913"
    assert bank_world.row(paid.pan)["balance_rial"] == 9_000_000


def test_d9c_an_inquiry_tells_and_executes_nothing(bank_world: Any, paid: Any) -> None:
    """Approved, declined, reversed, tombstone and unknown originals are told apart, and nothing changes."""
    declined, unseen, never = (bank_world.purchase(bank_world.card(), CODE) for _ in range(3))
    bank_world.pay(declined)
    reverse(bank_world.desk, bank_world.reversal(unseen))
    before = bank_world.sql("SELECT * FROM card ORDER BY card_id")

    answers = [inquire_authorisation(bank_world.desk, each.key) for each in (paid, declined, unseen, never)]

    assert [str(answer.action_code) for answer in answers] == ["000", "117", "482", "914"]
    assert answers[0].total == Rial(1_000_000)
    assert answers[0].approval_code
    assert bank_world.sql("SELECT * FROM card ORDER BY card_id") == before
    reverse(bank_world.desk, bank_world.reversal(paid))
    assert inquire_authorisation(bank_world.desk, paid.key).action_code == "482"
    issued = bank_world.purchase(bank_world.card(), CODE)
    bank_world.issue(issued, CODE)
    inquire_authorisation(bank_world.desk, issued.key)
    assert bank_world.pay(issued).action_code == "000"


def test_d2_an_inquiry_during_the_purchase_says_in_progress(bank_world: Any) -> None:
    """While the purchase is being decided the answer is 923, so that "not found" is not mistaken for a no."""
    purchase = bank_world.purchase(bank_world.card(), CODE)
    bank_world.issue(purchase, CODE)
    locked, go_on = threading.Event(), threading.Event()

    def hold_the_card() -> None:
        with bank_world.desk.database.begin() as connection:
            connection.exec_driver_sql("SELECT 1 FROM card FOR UPDATE")
            locked.set()
            go_on.wait(10)

    holder = threading.Thread(target=hold_the_card)
    payer = threading.Thread(target=bank_world.pay, args=(purchase,))
    holder.start()
    locked.wait(10)
    payer.start()
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%card_token%FOR UPDATE%'"
    while not bank_world.sql(waits):
        pass

    code = inquire_authorisation(bank_world.desk, purchase.key).action_code
    go_on.set()
    holder.join()
    payer.join()

    assert code == "923"
    assert inquire_authorisation(bank_world.desk, purchase.key).action_code == "000"
