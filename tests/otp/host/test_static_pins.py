"""Static second PINs at the host: small sums of a day, a gift card's balance, and no way around the counters (D27)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from foundation.pan import Pan
from foundation.rial import Rial
from otp.domain import purposes
from otp.domain.code import mac_input
from otp.services.reverse import reverse
from tests.otp.host.conftest import A_DAY_OLDER, HostWorld
from tests.otp.host.test_app_codes import phone_for

MILLION = 1_000_000
PIN = "24680"


def static(bank_world: HostWorld, pan: Pan, pin: str = PIN) -> None:
    """Keep a static second PIN."""
    mac = bank_world.desk.keys.mac(purposes.PIN_VERIFICATION, mac_input(bank_world.desk.card_tokens(pan)[0], pin))
    bank_world.sql(
        "UPDATE card SET static_second_pin_mac = :mac WHERE card_token = :token",
        mac=mac,
        token=bank_world.desk.card_tokens(pan)[0],
    )


@pytest.fixture
def pan(bank_world: HostWorld) -> Pan:
    """A card whose holder chose a static second PIN."""
    made = bank_world.card()
    static(bank_world, made)
    return made


def pay(bank_world: HostWorld, pan: Pan, total: int, pin: str = PIN) -> str:
    """Pay by it."""
    return str(bank_world.pay(bank_world.purchase(pan, pin, total=Rial(total))).action_code)


def test_a_static_pin_pays_small_sums_up_to_its_day(bank_world: HostWorld, pan: Pan) -> None:
    """A million rials a day; above it the answer says that a dynamic PIN is needed."""
    answers = [pay(bank_world, pan, total) for total in (600_000, 500_000, 400_000, 1)]

    assert answers == ["000", "186", "000", "186"]
    kept = bank_world.sql(
        "SELECT code_channel, unbound, challenge_id, card_ref FROM authorisation WHERE state = 'approved'"
    )
    assert kept == [{"code_channel": "static", "unbound": False, "challenge_id": None, "card_ref": None}] * 2
    assert bank_world.row(pan)["pin_failures"] == 0
    assert bank_world.unexplained() == 0


def test_a_days_static_sum_is_yesterdays_no_more_and_a_reversal_gives_it_back(bank_world: HostWorld, pan: Pan) -> None:
    """The day is Tehran's; what was reversed was not spent."""
    first = bank_world.purchase(pan, PIN, total=Rial(MILLION))
    assert [bank_world.pay(first).action_code, pay(bank_world, pan, 1)] == ["000", "186"]
    reverse(bank_world.desk, bank_world.reversal(first))
    assert [pay(bank_world, pan, MILLION), pay(bank_world, pan, 1)] == ["000", "186"]

    bank_world.sql(A_DAY_OLDER)
    assert pay(bank_world, pan, MILLION) == "000"


def test_d27_a_static_pin_pays_little_for_a_day_after_a_change_of_mobile(bank_world: HostWorld, pan: Pan) -> None:
    """Two hundred thousand rials in all while the low ceiling lasts; then its day is as it was."""
    bank_world.sql("UPDATE card SET low_ceiling_until = house_now() + interval '1 hour'")
    assert [pay(bank_world, pan, total) for total in (150_000, 60_000, 50_000, 1)] == ["000", "186", "000", "186"]

    bank_world.sql("UPDATE card SET low_ceiling_until = house_now() - interval '1 second'")
    assert [pay(bank_world, pan, 800_000), pay(bank_world, pan, 1)] == ["000", "186"]
    assert bank_world.unexplained() == 0


def test_d33_a_static_pin_in_twelve_purchases_at_once_keeps_its_day(bank_world: HostWorld, pan: Pan) -> None:
    """Four of a quarter of a million are paid; the sum is judged under the card's lock."""
    purchases = [bank_world.purchase(pan, PIN, total=Rial(250_000)) for _ in range(12)]

    with ThreadPoolExecutor(12) as pool:
        answers = sorted(str(answer.action_code) for answer in pool.map(bank_world.pay, purchases))

    assert answers == ["000"] * 4 + ["186"] * 8
    assert bank_world.row(pan)["balance_rial"] == 9 * MILLION


def test_a_bank_may_switch_static_pins_off(bank_world: HostWorld, pan: Pan) -> None:
    """No sum is small enough then, and the holder is told what is needed; gift cards go on."""
    desk = replace(bank_world.desk, limits=replace(bank_world.desk.limits, static_day_max=Rial(0)))
    off, gift = replace(bank_world, desk=desk), bank_world.card(kind="gift")
    static(bank_world, gift)

    assert [pay(off, pan, 1), pay(off, gift, 1)] == ["186", "000"]


def test_d27_a_wrong_static_pin_counts_like_any_wrong_code(bank_world: HostWorld, pan: Pan) -> None:
    """The same counters, whichever kind was meant."""
    assert [pay(bank_world, pan, 1, "13579") for _ in range(6)] == ["117"] * 5 + ["106"]


def test_d23_an_entry_that_no_app_could_show_counts_on_no_device(bank_world: HostWorld, pan: Pan) -> None:
    """Five digits are a static PIN mistyped; seven may be an app's."""
    phone = phone_for(bank_world, pan)

    assert [pay(bank_world, pan, 1, "13579"), phone.device()["wrong_codes"]] == ["117", 0]
    assert [pay(bank_world, pan, 1, "1357913"), phone.device()["wrong_codes"]] == ["117", 1]


@pytest.mark.parametrize("total", [10_000, 2 * MILLION])
def test_d17_a_static_pin_buys_no_new_guesses_at_dynamic_ones(bank_world: HostWorld, pan: Pan, total: int) -> None:
    """Whoever found it out could else try four codes between two uses of it, for ever, paid or refused."""
    answers = []
    for code in range(1_111_111, 1_111_117):
        answers += [pay(bank_world, pan, total), pay(bank_world, pan, total, str(code))]

    assert [answer for answer in answers if answer not in {"000", "186"}] == ["117"] * 5 + ["106"] * 2
    purchase = bank_world.purchase(pan)
    bank_world.sql("UPDATE card SET pin_locked_until = NULL")
    bank_world.issue(purchase, "7654321")
    assert bank_world.pay(purchase, "7654321").action_code == "000"
    assert bank_world.row(pan)["pin_failures"] == 0


def test_a_gift_card_pays_by_its_static_pin_without_a_ceiling(bank_world: HostWorld) -> None:
    """It has no other, so it forgives as well; an ordinary card without a static PIN refuses one."""
    gift, plain = bank_world.card(kind="gift"), bank_world.card()
    static(bank_world, gift)

    assert [pay(bank_world, gift, 1, "13579"), pay(bank_world, gift, 5 * MILLION)] == ["117", "000"]
    assert bank_world.row(gift)["pin_failures"] == 0
    assert pay(bank_world, plain, MILLION) == "117"
