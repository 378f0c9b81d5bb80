"""Codes of the app and by text message at the host: once, in their minute, under their ceiling."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from foundation.keys import SealBroken
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.app_code import Purpose, bound_code, code_key, second_pin, typed_purchase
from otp.domain.binding import Binding, TransactionType
from otp.domain.pairing import Kept, kept_place
from sandbox.clock import set_offset
from tests.otp.host.conftest import HostWorld, keyring

CUSTOMER = hashlib.sha256(b"customer").digest()
MILLION = 1_000_000


@dataclass
class Phone:
    """A device with one card on it: what its app would show."""

    bank_world: HostWorld
    pan: Pan
    device_id: str
    card_ref: str
    root: bytes

    def minute(self) -> int:
        """Return the minute of the bank's clock."""
        return int(self.bank_world.sql("SELECT extract(epoch FROM house_now()) / 60 AS now")[0]["now"])

    def code(self, ahead: int = 0) -> str:
        """Show the second PIN of now, on a phone whose clock is so many minutes ahead."""
        key = code_key(Sensitive(self.root), Purpose.SECOND, self.card_ref)
        return second_pin(key, self.minute() + ahead).reveal()

    def bound(self, question: str, ahead: int = 0) -> str:
        """Show the code of one purchase."""
        key = code_key(Sensitive(self.root), Purpose.BOUND, self.card_ref)
        return bound_code(key, question, self.minute() + ahead).reveal()

    def row(self) -> Any:
        """Read the card on the device."""
        return self.bank_world.sql("SELECT * FROM device_card WHERE card_ref = CAST(:ref AS uuid)", ref=self.card_ref)[
            0
        ]

    def device(self) -> Any:
        """Read the device."""
        return self.bank_world.sql("SELECT * FROM device WHERE device_id = CAST(:id AS uuid)", id=self.device_id)[0]


def phone_for(bank_world: HostWorld, pan: Pan) -> Phone:
    """Put a card on a new device, as a confirmed activation leaves it."""
    device_id, card_ref, root = str(uuid.uuid4()), str(uuid.uuid4()), secrets.token_bytes(32)
    keys = bank_world.desk.keys
    sealed = {
        kept: keys.seal(purposes.DEVICE_SEAL, value, bound_to=kept_place(kept, device_id))
        for kept, value in ((Kept.CODE_ROOT, root), (Kept.AUTH_KEY, bytes(32)))
    }
    bank_world.sql("INSERT INTO customer (customer_token) VALUES (:customer) ON CONFLICT DO NOTHING", customer=CUSTOMER)
    bank_world.sql(
        "INSERT INTO device (device_id, customer_id, state, code_root_sealed, auth_key_sealed) "
        "SELECT CAST(:id AS uuid), customer_id, 'active', :root, :auth FROM customer "
        "WHERE customer_token = :customer",
        id=device_id, customer=CUSTOMER, root=sealed[Kept.CODE_ROOT], auth=sealed[Kept.AUTH_KEY],
    )  # fmt: skip
    bank_world.sql(
        "INSERT INTO device_card (card_ref, device_id, card_id, state) "
        "VALUES (CAST(:ref AS uuid), CAST(:id AS uuid), :card, 'active')",
        ref=card_ref, id=device_id, card=bank_world.row(pan)["card_id"],
    )  # fmt: skip
    return Phone(bank_world, pan, device_id, card_ref, root)


@pytest.fixture
def phone(bank_world: HostWorld, bank_urls: dict[str, str]) -> Iterator[Phone]:
    """A card whose codes an app makes, by a bank's clock that is well before the end of its minute."""
    late = bank_world.sql("SELECT extract(second FROM house_now()) > 40 AS late")[0]["late"]
    set_offset(bank_urls["owner"], 25 if late else 0)
    yield phone_for(bank_world, bank_world.card())
    set_offset(bank_urls["owner"], 0)


def canonical(purchase: Any) -> str:
    """Write the purchase as the payment page's QR carries it."""
    return Binding(
        TransactionType.PURCHASE,
        purchase.total - purchase.fee,
        purchase.fee,
        purchase.key.acquirer_id,
        purchase.merchant_id,
        purchase.key.terminal_id,
        purchase.payee_name,
        "",
        purchase.transaction_ref,
    ).canonical()


def authorisations(bank_world: HostWorld) -> list[Any]:
    """Read what was decided, oldest first."""
    return bank_world.sql("SELECT * FROM authorisation ORDER BY authorisation_id")


def test_d14_an_app_code_pays_with_no_button_pressed(bank_world: HostWorld, phone: Phone) -> None:
    """No challenge was issued; the debit names the app and counts as unbound."""
    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code())).action_code == "000"

    (kept,) = authorisations(bank_world)
    assert (kept["code_channel"], kept["unbound"], str(kept["card_ref"])) == ("app", True, phone.card_ref)
    assert kept["challenge_id"] is None
    assert bank_world.row(phone.pan)["balance_rial"] == 9_000_000
    assert bank_world.unexplained() == 0


def test_d14_a_step_serves_once_and_a_repeat_is_no_guess(bank_world: HostWorld, phone: Phone) -> None:
    """The same code in another purchase is told to be used; no counter moves."""
    code = phone.code()
    assert bank_world.pay(bank_world.purchase(phone.pan, code)).action_code == "000"

    assert [bank_world.pay(bank_world.purchase(phone.pan, code)).action_code for _ in range(6)] == ["181"] * 6
    assert bank_world.row(phone.pan)["pin_failures"] == 0
    assert phone.device()["wrong_codes"] == 0


def test_d14_an_earlier_step_than_the_last_one_is_over(bank_world: HostWorld, phone: Phone) -> None:
    """Who has seen the code of the minute before can do nothing with it."""
    before, now = phone.code(-1), phone.code()
    assert bank_world.pay(bank_world.purchase(phone.pan, now)).action_code == "000"

    assert bank_world.pay(bank_world.purchase(phone.pan, before)).action_code == "181"


def test_d14_one_code_in_twelve_purchases_at_once_debits_once(bank_world: HostWorld, phone: Phone) -> None:
    """Twelve sessions with the same code: one debit, eleven repeats."""
    code = phone.code()
    purchases = [bank_world.purchase(phone.pan, code) for _ in range(12)]

    with ThreadPoolExecutor(12) as pool:
        answers = sorted(answer.action_code for answer in pool.map(bank_world.pay, purchases))

    assert answers == ["000"] + ["181"] * 11
    assert bank_world.row(phone.pan)["balance_rial"] == 9_000_000
    assert bank_world.unexplained() == 0


@pytest.mark.parametrize(("ahead", "code"), [(-3, "117"), (-1, "000"), (0, "000"), (1, "000"), (3, "117")])
def test_a_clock_that_is_off_is_met_within_a_minute(bank_world: HostWorld, phone: Phone, ahead: int, code: str) -> None:
    """Beyond the window a code is a wrong one."""
    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code(ahead))).action_code == code


@pytest.mark.parametrize("way", [-1, 1])
def test_drift_is_followed_from_code_to_code_and_not_beyond_two_minutes(
    bank_world: HostWorld, phone: Phone, way: int
) -> None:
    """The window moves with the last match, and no further than two minutes from the bank's clock."""
    codes = []
    for minutes in (1, 2, 3):
        bank_world.sql("UPDATE device_card SET last_second_step = 0")
        codes.append(bank_world.pay(bank_world.purchase(phone.pan, phone.code(minutes * way))).action_code)

    assert codes == ["000", "000", "117"]
    assert phone.row()["drift_steps"] == 2 * way


@pytest.mark.parametrize("drift", [-2, -1, 1, 2])
def test_d14_who_was_slow_once_is_not_shut_out(bank_world: HostWorld, phone: Phone, drift: int) -> None:
    """After a code that came late, or once its clock was put right, codes of the bank's own minute are good."""
    bank_world.sql("UPDATE device_card SET drift_steps = :drift", drift=drift)
    purchase = bank_world.purchase(phone.pan)

    assert bank_world.pay(purchase, phone.bound(canonical(purchase))).action_code == "000"
    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code())).action_code == "000"
    assert phone.row()["drift_steps"] == 0


def test_another_devices_code_of_the_same_minute_is_wrong(bank_world: HostWorld, phone: Phone) -> None:
    """Keys are the device's and the card's own: neither another phone nor another card's code serves."""
    other = phone_for(bank_world, bank_world.card())
    stranger = Phone(bank_world, phone.pan, str(uuid.uuid4()), phone.card_ref, secrets.token_bytes(32))

    assert bank_world.pay(bank_world.purchase(phone.pan, other.code())).action_code == "117"
    assert bank_world.pay(bank_world.purchase(phone.pan, stranger.code())).action_code == "117"


def test_d23_a_wrong_app_pin_makes_wrong_codes_and_the_card_waits_after_five(
    bank_world: HostWorld, phone: Phone
) -> None:
    """Nothing on the phone tells a wrong PIN; the bank counts its codes like any other guess."""
    wrong = Phone(bank_world, phone.pan, phone.device_id, phone.card_ref, secrets.token_bytes(32))

    codes = [bank_world.pay(bank_world.purchase(phone.pan, wrong.code())).action_code for _ in range(6)]

    assert codes == ["117"] * 5 + ["106"]
    assert phone.device()["wrong_codes"] == 5


def test_d23_ten_wrong_codes_suspend_the_device_and_its_holder_is_told(bank_world: HostWorld, phone: Phone) -> None:
    """From then on right codes of this device are wrong ones; a Harim code still pays."""
    for _ in range(10):
        bank_world.sql("UPDATE card SET pin_failures = 0, pin_locked_until = NULL")
        bank_world.pay(bank_world.purchase(phone.pan, "1111111"))

    assert (phone.device()["state"], phone.device()["wrong_codes"]) == ("suspended", 10)
    notices = bank_world.sql("SELECT payload FROM outbox WHERE topic = 'sms.notice'")
    assert [row["payload"]["kind"] for row in notices] == ["app_suspended"]
    bank_world.sql("UPDATE card SET pin_failures = 0, pin_locked_until = NULL")
    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code())).action_code == "117"
    purchase = bank_world.purchase(phone.pan, "7654321")
    bank_world.issue(purchase, "7654321")
    assert bank_world.pay(purchase).action_code == "000"


def test_d23_wrong_codes_on_two_cards_at_once_are_all_counted_on_their_device(
    bank_world: HostWorld, phone: Phone
) -> None:
    """Each card has a lock of its own; the device's row is held as well, so that no count is lost."""
    second = bank_world.card()
    bank_world.sql(
        "INSERT INTO device_card (card_ref, device_id, card_id, state) "
        "VALUES (gen_random_uuid(), CAST(:id AS uuid), :card, 'active')",
        id=phone.device_id, card=bank_world.row(second)["card_id"],
    )  # fmt: skip
    purchases = [bank_world.purchase(pan, "1111111") for pan in (phone.pan, second) for _ in range(4)]

    with ThreadPoolExecutor(8) as pool:
        answers = {str(answer.action_code) for answer in pool.map(bank_world.pay, purchases)}

    assert answers == {"117"}
    assert (phone.device()["wrong_codes"], phone.device()["state"]) == (8, "active")


def test_d17_a_wrong_try_on_a_live_harim_code_counts_there_and_not_on_the_device(
    bank_world: HostWorld, phone: Phone
) -> None:
    """One wrong entry is one wrong try, whatever it was meant to be."""
    purchase = bank_world.purchase(phone.pan)
    bank_world.issue(purchase, "7654321")

    bank_world.pay(bank_world.again(purchase), "1111111")

    assert bank_world.challenges(phone.pan)[0]["wrong_tries"] == 1
    assert phone.device()["wrong_codes"] == 0
    assert bank_world.row(phone.pan)["pin_failures"] == 1


def test_a_right_code_forgives_the_device(bank_world: HostWorld, phone: Phone) -> None:
    """Who has the phone and its PIN is its holder."""
    bank_world.pay(bank_world.purchase(phone.pan, "1111111"))
    assert phone.device()["wrong_codes"] == 1

    bank_world.pay(bank_world.purchase(phone.pan, phone.code()))

    assert (phone.device()["wrong_codes"], bank_world.row(phone.pan)["pin_failures"]) == (0, 0)


def test_d14_above_its_ceiling_an_app_code_is_used_up_and_nothing_is_taken(bank_world: HostWorld, phone: Phone) -> None:
    """The bank's maximum holds without a wish of the holder."""
    code = phone.code()
    assert bank_world.pay(bank_world.purchase(phone.pan, code, total=Rial(2 * MILLION + 1))).action_code == "185"

    assert bank_world.row(phone.pan)["balance_rial"] == 10 * MILLION
    assert bank_world.pay(bank_world.purchase(phone.pan, code)).action_code == "181"
    assert bank_world.unexplained() == 0


@pytest.mark.parametrize(
    ("columns", "most"),
    [
        ({"unbound_ceiling_rial": 500_000}, 500_000),
        ({"unbound_ceiling_rial": 9 * MILLION}, 2 * MILLION),
        ({"unbound_ceiling_rial": 500_000, "next": 1_500_000, "hours": 1}, 500_000),
        ({"unbound_ceiling_rial": 500_000, "next": 1_500_000, "hours": -1}, 1_500_000),
        ({"low_hours": 1}, 200_000),
        ({"low_hours": -1}, 2 * MILLION),
    ],
)
def test_d14_the_ceiling_in_force_is_the_holders_the_banks_and_low_after_a_change(
    bank_world: HostWorld, phone: Phone, columns: dict[str, int], most: int
) -> None:
    """One rial more is refused, exactly that much passes; a raise waits for its hour (D27)."""
    bank_world.sql(
        "UPDATE card SET unbound_ceiling_rial = :rial, unbound_ceiling_next_rial = :next, "
        "unbound_ceiling_next_at = house_now() + make_interval(hours => CAST(:hours AS integer)), "
        "low_ceiling_until = house_now() + make_interval(hours => CAST(:low AS integer))",
        rial=columns.get("unbound_ceiling_rial"),
        next=columns.get("next"),
        hours=columns.get("hours"),
        low=columns.get("low_hours"),
    )
    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code(-1), total=Rial(most + 1))).action_code == "185"
    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code(), total=Rial(most))).action_code == "000"


def test_d14_a_cards_day_is_one_for_all_unbound_codes(bank_world: HostWorld, phone: Phone) -> None:
    """App and SMS share it; a reversal gives it back; a Harim code is outside it."""
    first = bank_world.purchase(phone.pan, phone.code(-1), total=Rial(2 * MILLION))
    assert bank_world.pay(first).action_code == "000"
    by_sms = by_sms_for(bank_world, phone.pan, "5555555")
    assert bank_world.pay(bank_world.purchase(phone.pan, "5555555", total=Rial(1_500_000))).action_code == "185"
    harim = bank_world.purchase(phone.pan, "7654321", total=Rial(3 * MILLION))
    bank_world.issue(harim, "7654321")
    assert bank_world.pay(harim).action_code == "000"

    bank_world.sql("UPDATE authorisation SET state = 'reversed' WHERE code_channel = 'app'")
    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code(), total=Rial(2 * MILLION))).action_code == "000"
    assert by_sms > 0


@pytest.mark.parametrize("typed", [False, True])
def test_d24_a_bound_code_pays_its_purchase_above_every_ceiling(
    bank_world: HostWorld,
    phone: Phone,
    typed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Read from the page's QR, or typed as total and terminal; eight digits."""
    purchase = bank_world.purchase(phone.pan, total=Rial(9 * MILLION))
    question = typed_purchase(9 * MILLION, "T0000001") if typed else canonical(purchase)

    assert bank_world.pay(purchase, phone.bound(question)).action_code == "000"
    (kept,) = authorisations(bank_world)
    assert (kept["code_channel"], kept["unbound"]) == ("app_bound", False)
    assert phone.row()["last_bound_step"] == phone.minute()


@pytest.mark.parametrize(
    "change",
    [{"total": Rial(9 * MILLION + 1)}, {"payee_name": "فروشگاه دیگر"}, {"merchant_id": "000000000000124"}],
)
def test_d24_a_bound_code_is_for_this_amount_and_payee_alone(
    bank_world: HostWorld, phone: Phone, change: dict[str, Any]
) -> None:
    """Any other purchase makes it a wrong code."""
    purchase = bank_world.purchase(phone.pan, total=Rial(9 * MILLION))
    code = phone.bound(canonical(purchase))

    assert bank_world.pay(bank_world.again(purchase, pin=Sensitive(code), **change)).action_code == "117"
    assert bank_world.pay(purchase, code).action_code == "000"


def test_d14_a_bound_code_serves_once(bank_world: HostWorld, phone: Phone) -> None:
    """The same purchase tried again with the same code, and with the code of the minute before."""
    purchase = bank_world.purchase(phone.pan)
    now, before = phone.bound(canonical(purchase)), phone.bound(canonical(purchase), -1)
    assert bank_world.pay(purchase, now).action_code == "000"

    assert bank_world.pay(bank_world.again(purchase), now).action_code == "181"
    assert bank_world.pay(bank_world.again(purchase), before).action_code == "181"


def test_a_stolen_database_makes_no_code(bank_world: HostWorld, phone: Phone) -> None:
    """The root does not open under other keys, nor in another device's row."""
    sealed = bytes(phone.device()["code_root_sealed"])
    assert phone.root not in sealed
    with pytest.raises(SealBroken):
        keyring().open(sealed, bound_to=kept_place(Kept.CODE_ROOT, phone.device_id))
    with pytest.raises(SealBroken):
        bank_world.desk.keys.open(sealed, bound_to=kept_place(Kept.CODE_ROOT, str(uuid.uuid4())))


def test_a_removed_card_makes_no_codes_any_more(bank_world: HostWorld, phone: Phone) -> None:
    """Whether it left the device or another device took it over."""
    bank_world.sql("UPDATE device_card SET state = 'removed', ended_at = house_now()")

    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code())).action_code == "117"


def by_sms_for(bank_world: HostWorld, pan: Pan, code: str, ceiling: int = 2 * MILLION) -> int:
    """Issue a code by text message."""
    token = bank_world.desk.card_tokens(pan)[0]
    rows = bank_world.sql(
        "INSERT INTO challenge (correlation_id, card_id, channel, nonce, canonical, binding_digest, code_mac, key_id, "
        "code_length, proven, issued_at, sent_at, expires_at, bound, ceiling_rial) "
        "VALUES (gen_random_uuid(), :card, 'sms', :nonce, 'sms-v1', :digest, :mac, 'code-derive-1', 7, true, "
        "house_now(), house_now(), house_now() + interval '2 minutes', '{}', :ceiling) RETURNING challenge_id",
        card=bank_world.row(pan)["card_id"],
        nonce=secrets.token_bytes(16),
        digest=hashlib.sha256(b"sms-v1").digest(),
        mac=bank_world.desk.code_macs(token, code)[-1],
        ceiling=ceiling,
    )
    return int(rows[0]["challenge_id"])


def test_d26_a_code_by_sms_pays_anything_once_under_its_ceiling(bank_world: HostWorld) -> None:
    """At any terminal of any acquirer; used up even where it was too little."""
    pan = bank_world.card()
    by_sms_for(bank_world, pan, "5555555")
    assert bank_world.pay(bank_world.purchase(pan, "5555555")).action_code == "000"
    assert bank_world.pay(bank_world.purchase(pan, "5555555")).action_code == "181"
    (kept,) = [row for row in authorisations(bank_world) if row["action_code"] == "000"]
    assert (kept["code_channel"], kept["unbound"]) == ("sms", True)

    by_sms_for(bank_world, pan, "6666666")
    assert bank_world.pay(bank_world.purchase(pan, "6666666", total=Rial(2 * MILLION + 1))).action_code == "185"
    assert bank_world.pay(bank_world.purchase(pan, "6666666")).action_code == "181"


def test_d26_a_lower_ceiling_holds_for_a_code_that_is_out(bank_world: HostWorld) -> None:
    """The holder lowered it after the code was texted."""
    pan = bank_world.card()
    by_sms_for(bank_world, pan, "5555555")
    bank_world.sql("UPDATE card SET unbound_ceiling_rial = 100000")

    assert bank_world.pay(bank_world.purchase(pan, "5555555")).action_code == "185"


def test_no_secret_of_an_app_is_logged(bank_world: HostWorld, phone: Phone, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither root nor code, right or wrong."""
    code = phone.code()
    bank_world.pay(bank_world.purchase(phone.pan, code))
    bank_world.pay(bank_world.purchase(phone.pan, "1111111"))

    said = "".join(capsys.readouterr())
    assert code not in said
    assert phone.root.hex() not in said


def test_the_window_is_as_wide_as_d14_allows(bank_world: HostWorld, phone: Phone) -> None:
    """Of all seven-digit codes of an hour around now three are good at one time; with Harim and SMS that makes five."""
    good = 0
    for ahead in range(-30, 31):
        bank_world.sql("UPDATE device_card SET last_second_step = 0, drift_steps = 0")
        bank_world.sql("UPDATE card SET pin_failures = 0, pin_locked_until = NULL, status = 'active'")
        bank_world.sql("UPDATE device SET wrong_codes = 0")
        good += bank_world.pay(bank_world.purchase(phone.pan, phone.code(ahead), total=Rial(10))).action_code == "000"
    assert good == 3
