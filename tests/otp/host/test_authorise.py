"""A purchase at the bank: every decision, its counters and its money, on the real database."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.cvv2 import cvv2_of

CODE = "1234567"


def test_d4_a_right_code_pays_once_and_is_consumed(bank_world: Any) -> None:
    """The money is taken, posted and answered with 000, approval code and capture date (D7); once."""
    pan = bank_world.card(balance=5_000_000)
    purchase = bank_world.purchase(pan, CODE)
    bank_world.issue(purchase, CODE)

    first, second = bank_world.pay(purchase), bank_world.pay(bank_world.again(purchase))

    assert (first.action_code, len(first.approval_code), len(first.capture_date)) == ("000", 6, 4)
    assert second.action_code == "181"
    assert bank_world.row(pan)["balance_rial"] == 4_000_000
    assert bank_world.row(pan)["pin_failures"] == 0
    assert [row["state"] for row in bank_world.challenges(pan)] == ["consumed"]
    posting = bank_world.sql("SELECT event, source, destination, amount_rial FROM posting")
    card = f"card:{bank_world.row(pan)['card_id']}"
    assert posting == [
        {"event": "purchase", "source": card, "destination": "acquirer:581672", "amount_rial": 1_000_000}
    ]
    assert bank_world.unexplained() == 0


@pytest.mark.parametrize("wrong", [{"cvv2": Sensitive("0000")}, {"expiry": Sensitive("2011")}])
def test_d4_wrong_card_data_leaves_the_code_untouched(bank_world: Any, wrong: dict[str, object]) -> None:
    """Wrong CVV2 or expiry counts on the card's data counter only; the same code still pays afterwards (D17, D18)."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan, CODE)
    bank_world.issue(purchase, CODE)

    refused = bank_world.pay(replace(purchase, **wrong))

    assert refused.action_code == "117"
    assert (bank_world.row(pan)["card_data_failures"], bank_world.row(pan)["pin_failures"]) == (1, 0)
    assert bank_world.challenges(pan)[0]["wrong_tries"] == 0
    assert bank_world.pay(bank_world.again(purchase)).action_code == "000"


def test_d18_wrong_data_wrong_code_and_unknown_card_answer_alike(bank_world: Any) -> None:
    """From outside nothing tells a wrong CVV2, a wrong code and a card that is not there apart."""
    known, unknown = bank_world.card(), Pan.parse(with_check_digit("999002999999999"))
    wrong_code = bank_world.pay(bank_world.purchase(known, "7654321"))
    wrong_data = bank_world.pay(bank_world.purchase(known, CODE, cvv2=Sensitive("0000")))
    no_card = bank_world.pay(bank_world.purchase(unknown, CODE))

    assert wrong_code == wrong_data == no_card


def test_d17_a_wrong_try_counts_on_this_payments_challenge_and_on_the_card(bank_world: Any) -> None:
    """Another payment's challenge keeps its tries; after three the payment's own is locked."""
    pan = bank_world.card()
    mine, other = bank_world.purchase(pan), bank_world.purchase(pan)
    bank_world.issue(mine, CODE)
    bank_world.issue(other, "7777777")

    codes = [bank_world.pay(bank_world.again(mine), "1111111").action_code for _ in range(3)]

    assert codes == ["117"] * 3
    states = [(row["state"], row["wrong_tries"]) for row in bank_world.challenges(pan)]
    assert states == [("locked", 3), ("issued", 0)]
    assert bank_world.row(pan)["pin_failures"] == 3
    assert bank_world.pay(bank_world.again(mine), CODE).action_code == "183"
    assert bank_world.pay(other, "7777777").action_code == "000"
    assert bank_world.row(pan)["pin_failures"] == 0


def test_d17_another_acquirer_cannot_use_up_this_payments_tries(bank_world: Any) -> None:
    """Knowing somebody's payment reference is not enough to lock their code: the acquirer must be the same."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan, CODE)
    bank_world.issue(purchase, CODE)
    stranger = replace(purchase, key=replace(purchase.key, acquirer_id="999999"))

    codes = [bank_world.pay(bank_world.again(stranger), "1111111").action_code for _ in range(3)]

    assert codes == ["117"] * 3
    assert bank_world.challenges(pan)[0]["wrong_tries"] == 0
    assert bank_world.pay(purchase).action_code == "000"


def test_d17_five_wrong_codes_make_the_card_wait_and_warn_its_holder(bank_world: Any) -> None:
    """The fifth wrong code in a row locks for a quarter of an hour; before it the holder gets one SMS (D18)."""
    pan = bank_world.card()

    codes = [bank_world.pay(bank_world.purchase(pan, "1111111")).action_code for _ in range(6)]

    row = bank_world.row(pan)
    assert codes == ["117"] * 5 + ["106"]
    assert (row["pin_failures"], row["pin_lock_level"]) == (5, 1)
    now = bank_world.sql("SELECT house_now() AS now")[0]["now"]
    assert dt.timedelta(minutes=14) < row["pin_locked_until"] - now <= dt.timedelta(minutes=15)
    jobs = bank_world.sql("SELECT topic, payload FROM outbox")
    assert jobs == [{"topic": "sms.last_try", "payload": {"card_id": row["card_id"]}}]


def test_d17_a_right_code_does_not_pass_a_waiting_card(bank_world: Any) -> None:
    """While the card waits, a right code is neither accepted nor consumed."""
    pan = bank_world.card(pin_locked_until=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5), pin_failures=5)
    purchase = bank_world.purchase(pan, CODE)
    bank_world.issue(purchase, CODE)

    assert bank_world.pay(purchase).action_code == "106"
    assert bank_world.challenges(pan)[0]["state"] == "issued"


def test_d17_ten_wrong_card_data_pause_the_card_and_never_lock_it(bank_world: Any) -> None:
    """The pause answers everybody alike, right data or not, and leaves PIN counters and status alone."""
    pan = bank_world.card()
    wrong = {"cvv2": Sensitive("0000")}

    codes = {bank_world.pay(bank_world.purchase(pan, CODE, **wrong)).action_code for _ in range(10)}

    row = bank_world.row(pan)
    assert codes == {"117"}
    assert row["card_not_present_paused_until"] is not None
    assert (row["pin_failures"], row["status"], row["pin_lock_level"]) == (0, "active", 0)
    assert bank_world.pay(bank_world.purchase(pan, CODE)).action_code == "106"
    assert bank_world.pay(bank_world.purchase(pan, CODE, **wrong)).action_code == "106"


@pytest.mark.parametrize(
    ("columns", "code"),
    [({"status": "blocked"}, "104"), ({"second_pin_active": False}, "119"), ({"expiry": "0001"}, "101")],
)
def test_d18_the_cards_state_is_told_only_to_who_holds_it(
    bank_world: Any, columns: dict[str, object], code: str
) -> None:
    """Blocked, inactive and expired cards say so where the card data are right, and 117 otherwise."""
    pan = bank_world.card(**columns)
    expiry = str(columns.get("expiry", "2012"))
    right = {
        "expiry": Sensitive(expiry),
        "cvv2": Sensitive(cvv2_of(bank_world.desk.keys.material("cvk-1").reveal(), pan, expiry)),
    }

    assert bank_world.pay(bank_world.purchase(pan, CODE, **right)).action_code == code
    assert (
        bank_world.pay(bank_world.purchase(pan, CODE, expiry=Sensitive(expiry), cvv2=Sensitive("0000"))).action_code
        == "117"
    )


def test_d18_an_expired_code_is_named_only_where_it_matches(bank_world: Any) -> None:
    """After its life the exact code gets 180 and counts nothing; another code gets 117 and counts."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan)
    bank_world.issue(purchase, CODE, life_seconds=-1)

    assert bank_world.pay(bank_world.again(purchase), CODE).action_code == "180"
    assert bank_world.row(pan)["pin_failures"] == 0
    assert bank_world.challenges(pan)[0]["state"] == "expired"
    assert bank_world.pay(bank_world.again(purchase), "7654321").action_code == "117"
    assert bank_world.row(pan)["pin_failures"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"total": Rial(2_000_000)},
        {"merchant_id": "000000000000124"},
        {"payee_name": "فروشگاه دیگر"},
        {"transaction_ref": "ZZZZZZZZ22222222"},
        {"total": Rial(1_000_000), "fee": Rial(500)},
    ],
)
def test_d5_a_code_pays_only_what_it_was_made_for(bank_world: Any, change: dict[str, object]) -> None:
    """The binding is rebuilt from the message: anything else is refused and voids the code."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan, CODE)
    bank_world.issue(purchase, CODE)

    assert bank_world.pay(bank_world.again(purchase, **change)).action_code == "182"
    assert bank_world.row(pan)["balance_rial"] == 10_000_000
    assert bank_world.pay(purchase).action_code == "181"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"total": Rial(1_012_001), "fee": Rial(12_001)}, "124"),
        ({"total": Rial(50_000_001)}, "121"),
        ({"total": Rial(20_000_000)}, "116"),
    ],
)
def test_d4_a_matched_code_is_consumed_whatever_follows(bank_world: Any, change: dict[str, object], code: str) -> None:
    """Fee above the bank's table (D5), limit and funds refuse after the code is spent, and take nothing."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan, CODE, **change)
    bank_world.issue(purchase, CODE)

    assert bank_world.pay(purchase).action_code == code
    assert bank_world.challenges(pan)[0]["state"] == "consumed"
    assert bank_world.row(pan)["balance_rial"] == 10_000_000
    assert bank_world.sql("SELECT 1 FROM posting") == []


def test_d33_the_days_limit_counts_what_this_day_took(bank_world: Any) -> None:
    """Two purchases fit under the day's limit in Tehran, a third does not."""
    pan = bank_world.card(balance=200_000_000)
    codes = []
    for number in range(3):
        purchase = bank_world.purchase(pan, f"123456{number}", total=Rial(40_000_000))
        bank_world.issue(purchase, f"123456{number}")
        codes.append(bank_world.pay(purchase).action_code)

    assert codes == ["000", "000", "121"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"processing_code": "400000"}, "115"),
        ({"type_word": "TOP_UP"}, "115"),
        ({"total": Rial(0)}, "110"),
        ({"total": Rial(10), "fee": Rial(10)}, "110"),
        ({"pin": None}, "126"),
    ],
)
def test_a_message_that_cannot_be_executed_touches_no_counter(
    bank_world: Any, change: dict[str, object], code: str
) -> None:
    """Unsupported kinds, impossible amounts and unreadable PIN blocks are declined before any card is judged."""
    pan = bank_world.card()

    assert bank_world.pay(replace(bank_world.purchase(pan, CODE), **change)).action_code == code
    assert (bank_world.row(pan)["card_data_failures"], bank_world.row(pan)["pin_failures"]) == (0, 0)


@pytest.mark.parametrize("code", ["12345", "123456", "12345678", "123456789012"])
def test_d5_codes_of_five_to_twelve_digits_are_accepted(bank_world: Any, code: str) -> None:
    """The host accepts every length a bank may issue, and finds codes under each live code-mac key."""
    purchase = bank_world.purchase(bank_world.card(), code)
    bank_world.issue(purchase, code)

    assert bank_world.pay(purchase).action_code == "000"


def test_d9_the_same_key_and_content_get_the_first_answer_and_do_nothing(bank_world: Any) -> None:
    """A replay is no try: neither money nor counters move."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan, CODE)
    bank_world.issue(purchase, CODE)
    first = bank_world.pay(purchase)
    wrong = bank_world.purchase(pan, "1111111")
    declined = bank_world.pay(wrong)

    assert bank_world.pay(purchase) == first
    assert bank_world.pay(wrong) == declined
    assert bank_world.row(pan)["balance_rial"] == 9_000_000
    assert bank_world.row(pan)["pin_failures"] == 1


def test_d9_the_same_key_with_other_content_is_913(bank_world: Any) -> None:
    """One key means one request; another amount under it does nothing."""
    purchase = bank_world.purchase(bank_world.card(), CODE)
    bank_world.issue(purchase, CODE)
    bank_world.pay(purchase)

    assert bank_world.pay(replace(purchase, total=Rial(2_000_000))).action_code == "913"
    assert bank_world.unexplained() == 0


@pytest.mark.parametrize("sign", [-1, 1])
def test_d9_a_time_more_than_a_day_off_is_refused(bank_world: Any, sign: int, yesterday: dt.timedelta) -> None:
    """DE 12 outside a day around the bank's clock is 915, and nothing is kept."""
    purchase = bank_world.purchase(bank_world.card(), CODE)

    assert bank_world.pay(replace(purchase, sent_at=purchase.sent_at + sign * yesterday)).action_code == "915"
    assert bank_world.sql("SELECT 1 FROM authorisation") == []
