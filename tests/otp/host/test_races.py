"""Twelve workers at once on one card: the lock comes before the look (D4)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from otp.services.reverse import reverse

WORKERS = 12
ROUNDS = 50


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run every work at the same moment, each in a thread of its own, and return what each answered."""
    answers: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(number: int, work: Callable[[], Any]) -> None:
        start.wait()
        answers[number] = work()

    threads = [threading.Thread(target=run, args=(number, work)) for number, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_d4_one_right_code_in_twelve_workers_debits_once_over_fifty_rounds(bank_world: Any) -> None:
    """Exactly one debit, eleven times "used", no failure counted, in every round."""
    pan = bank_world.card(balance=1_000_000_000)
    seen: Counter[str] = Counter()

    for number in range(ROUNDS):
        code = f"{5_000_000 + number}"
        purchase = bank_world.purchase(pan, code)
        bank_world.issue(purchase, code)
        tries = [bank_world.again(purchase) for _ in range(WORKERS)]
        seen.update(at_once(*(lambda one=one: bank_world.pay(one).action_code for one in tries)))

    assert seen == {"000": ROUNDS, "181": ROUNDS * (WORKERS - 1)}
    assert bank_world.row(pan)["balance_rial"] == 1_000_000_000 - ROUNDS * 1_000_000
    assert bank_world.row(pan)["pin_failures"] == 0
    assert len(bank_world.sql("SELECT 1 FROM posting")) == ROUNDS
    assert bank_world.unexplained() == 0


def test_d17_twelve_wrong_codes_at_once_count_exactly(bank_world: Any) -> None:
    """Three tries on the challenge, five on the card, then it waits: never one more, whoever comes first."""
    for _ in range(10):
        pan = bank_world.card()
        purchase = bank_world.purchase(pan)
        bank_world.issue(purchase, "1234567")
        tries = [bank_world.again(purchase) for _ in range(WORKERS)]

        seen = Counter(at_once(*(lambda one=one: bank_world.pay(one, "7654321").action_code for one in tries)))

        assert seen == {"117": 5, "106": 7}
        (challenge,) = bank_world.challenges(pan)
        assert (challenge["state"], challenge["wrong_tries"]) == ("locked", 3)
        assert (bank_world.row(pan)["pin_failures"], bank_world.row(pan)["pin_lock_level"]) == (5, 1)


def test_d9_one_message_delivered_twelve_times_at_once_is_one_purchase(bank_world: Any) -> None:
    """The same key in twelve workers: one decision, twelve equal answers."""
    for number in range(10):
        pan, code = bank_world.card(), f"{1_000_000 + number}"
        purchase = bank_world.purchase(pan, code)
        bank_world.issue(purchase, code)

        answers = at_once(*([lambda p=purchase: bank_world.pay(p)] * WORKERS))

        assert len(set(answers)) == 1
        assert answers[0].action_code == "000"
        assert bank_world.row(pan)["balance_rial"] == 9_000_000
    assert bank_world.unexplained() == 0


def test_d4_twelve_purchases_with_codes_of_their_own_never_overdraw(bank_world: Any) -> None:
    """Twelve different payments of a third of the balance each: three are paid, nine lack funds."""
    pan = bank_world.card(balance=3_500_000)
    purchases = []
    for number in range(WORKERS):
        purchase = bank_world.purchase(pan, f"{2_000_000 + number}")
        bank_world.issue(purchase, f"{2_000_000 + number}")
        purchases.append(purchase)

    seen = Counter(at_once(*(lambda one=one: bank_world.pay(one).action_code for one in purchases)))

    assert seen == {"000": 3, "116": 9}
    assert bank_world.row(pan)["balance_rial"] == 500_000
    assert bank_world.unexplained() == 0


def test_d2_a_reversal_and_its_purchase_at_once_always_end_with_the_money_back(bank_world: Any) -> None:
    """Whichever of the two is first, the balance is whole afterwards and no rial is unexplained."""
    ends: Counter[tuple[str, str]] = Counter()
    pan = bank_world.card()
    for number in range(ROUNDS):
        code = f"{3_000_000 + number}"
        purchase = bank_world.purchase(pan, code)
        bank_world.issue(purchase, code)
        undo = bank_world.reversal(purchase)

        paid, undone = at_once(
            lambda p=purchase: bank_world.pay(p).action_code, lambda u=undo: reverse(bank_world.desk, u).action_code
        )

        ends[str(paid), str(undone)] += 1
        assert bank_world.row(pan)["balance_rial"] == 10_000_000
    assert set(ends) <= {("000", "400"), ("184", "914")}
    assert bank_world.unexplained() == 0
