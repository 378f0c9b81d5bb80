"""How often a card may ask for names, and how much it may send in a day (D17, D20, D28)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from foundation.pan import with_check_digit
from gateway.domain.payment import PaymentState
from gateway.domain.transfer_errors import HolderQuestionChallenged, TooManyHolderQuestions, TransferLimit
from gateway.services.authorise import Paid
from gateway.services.open_payment import PaymentRecord
from tests.fakes.shop import Shop
from tests.gateway.services.test_transfers import AMOUNT, FAR, NEAR, OTHER, opened


def test_d28_a_card_asks_for_thirty_names_a_day_and_for_more_with_challenges(town: Shop) -> None:
    """Counted in the database; what is refused goes back with its count."""
    for _ in range(30):
        opened(town)
    with pytest.raises(HolderQuestionChallenged):
        opened(town)
    assert len(town.switch.questions) == 30
    assert opened(town, source=OTHER).amount_rial == AMOUNT
    assert opened(town, answered=True).amount_rial == AMOUNT


@pytest.mark.parametrize(("scope", "share", "most"), [("asker", 30, 300), ("card", 100, 1_000)])
def test_d17_who_made_cards_up_to_use_up_a_share_shuts_nobody_out(
    town: Shop, scope: str, share: int, most: int
) -> None:
    """D17: of either card; a challenge leads on, up to a ceiling that no challenge passes."""
    opened(town)
    used = "UPDATE quota SET used = :used WHERE scope LIKE :scope"
    town.change(used, used=share, scope=f"holder-{scope} %")
    with pytest.raises(HolderQuestionChallenged):
        opened(town)
    town.change(used, used=most - 1, scope=f"holder-{scope} %")
    assert opened(town, answered=True).amount_rial == AMOUNT

    for answered in (False, True):
        with pytest.raises(TooManyHolderQuestions):
            opened(town, answered=answered)
    assert town.rows("SELECT used FROM quota WHERE scope LIKE :scope", scope=f"holder-{scope} %") == [(most,)]


@pytest.mark.parametrize(("amount", "limit"), [(9_999, "least"), (50_000_001, "most")])
def test_one_transfer_has_a_least_and_a_most(town: Shop, amount: int, limit: str) -> None:
    """As payment apps have them."""
    with pytest.raises(TransferLimit) as refused:
        opened(town, amount=amount)
    assert refused.value.limit == limit


def test_d20_a_day_has_a_sum_and_a_count_for_one_destination(town: Shop) -> None:
    """A hundred million a card and day, three times to one card; looked at again when the card is shown."""
    waiting = opened(town, NEAR, 50_000_000)
    for _ in range(3):
        town.send(opened(town, amount=20_000_000))
    with pytest.raises(TransferLimit) as refused:
        opened(town, amount=10_000)
    assert refused.value.limit == "destination"
    with pytest.raises(TransferLimit) as refused:
        opened(town, NEAR, 40_000_001)
    assert refused.value.limit == "day"

    with pytest.raises(TransferLimit):
        town.send(waiting)
    assert town.state(waiting) is PaymentState.OPEN


def test_d20_a_card_sends_twenty_times_a_day(town: Shop) -> None:
    """Whoever the destinations are; looked at again when the card is shown, and anew on the next day."""
    cards = [with_check_digit(f"999001000000{number:03}") for number in range(700, 707)]
    waiting = opened(town, NEAR, 10_000)
    for number in range(20):
        assert town.send(opened(town, cards[number % 7], 10_000)) == Paid()

    for one_more in (lambda: opened(town, NEAR, 10_000), lambda: town.send(waiting)):
        with pytest.raises(TransferLimit) as refused:
            one_more()
        assert refused.value.limit == "count"
    town.later(86_400)
    assert opened(town, NEAR, 10_000).amount_rial == 10_000


def test_d20_two_pages_paid_at_once_never_pass_the_days_sum(town: Shop) -> None:
    """Four of thirty millions fit three times, whoever comes first."""
    pages = [opened(town, NEAR if number % 2 else FAR, 30_000_000) for number in range(4)]

    def paid(payment: PaymentRecord) -> bool:
        try:
            return town.send(payment) == Paid()
        except TransferLimit:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(paid, pages)) == [False, True, True, True]
