"""The first PIN of a card in a machine: right, wrong, dynamic, repeated, raced; and what it may pay (D4, D9, D14)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from foundation.checks import Inspector
from foundation.keys import Key, Keyring
from foundation.monitor import open_reader
from foundation.pan import Pan, with_check_digit
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.app_code import STEP_SECONDS, Purpose, code_key, first_pin
from otp.domain.code import mac_input
from otp.domain.financial import CardPresent, MessageKey, Reversal
from otp.domain.pairing import Kept, kept_place
from otp.services.inquire_authorisation import inquire_authorisation
from otp.services.present_card import judge_present_card
from otp.services.reverse import reverse
from otp.store.checks import RULES
from sandbox.clock import set_offset
from tests.otp.host.conftest import ACQUIRER, HostWorld, keyring
from tests.otp.host.test_races import at_once

PIN, WORKERS = "2481", 12
ROOT = Sensitive(bytes(range(32)))


class Machine:
    """Cards with first PINs, and machines that ask about them."""

    def __init__(self, bank_world: HostWorld, owner_url: str) -> None:
        extra = [(purposes.PIN_VERIFICATION, "pin-1"), (purposes.DEVICE_SEAL, "seal-1")]
        keys = keyring().of_purpose
        held = [key for purpose in ("card-token", "code-mac", "card-verification") for key in keys(purpose)]
        more = [Key(key_id, purpose, Sensitive(bytes(31) + key_id[:1].encode())) for purpose, key_id in extra]
        bank_world.desk = replace(bank_world.desk, keys=Keyring([*held, *more]))
        self.bank_world, self._owner_url = bank_world, owner_url

    def card(self, pin: str | None = PIN, **columns: Any) -> Pan:
        """Open a card account with a first PIN."""
        pan = self.bank_world.card(**columns)
        if pin is not None:
            token = self.bank_world.desk.card_tokens(pan)[0]
            mac = self.bank_world.desk.keys.mac(purposes.PIN_VERIFICATION, mac_input(token, pin))
            self.bank_world.sql("UPDATE card SET first_pin_mac = :mac WHERE card_token = :token", mac=mac, token=token)
        return pan

    def app(self, pan: Pan) -> str:
        """Give a card an active app; return the card's name on it."""
        device_id, card_ref = str(uuid.uuid4()), str(uuid.uuid4())
        sealed = self.bank_world.desk.keys.seal(
            purposes.DEVICE_SEAL, ROOT.reveal(), bound_to=kept_place(Kept.CODE_ROOT, device_id)
        )
        self.bank_world.sql(
            "WITH customer AS (INSERT INTO customer (customer_token) VALUES (:customer) RETURNING customer_id) "
            "INSERT INTO device (device_id, customer_id, state, auth_key_sealed, code_root_sealed) "
            "SELECT CAST(:id AS uuid), customer_id, 'active', :sealed, :sealed FROM customer",
            id=device_id, customer=uuid.uuid4().bytes * 2, sealed=sealed,
        )  # fmt: skip
        self.bank_world.sql(
            "INSERT INTO device_card (card_ref, device_id, card_id, state) "
            "VALUES (CAST(:ref AS uuid), CAST(:id AS uuid), :card_id, 'active')",
            ref=card_ref, id=device_id, card_id=self.bank_world.row(pan)["card_id"],
        )  # fmt: skip
        return card_ref

    def code(self, card_ref: str, steps: int = 0) -> str:
        """Make the app's code of now, or of some minutes later."""
        key = code_key(ROOT, Purpose.FIRST, card_ref)
        return first_pin(key, int(self.now.timestamp()) // STEP_SECONDS + steps).reveal()

    @property
    def now(self) -> dt.datetime:
        """The bank's time."""
        now: dt.datetime = self.bank_world.sql("SELECT house_now() AS now")[0]["now"]
        return now

    def check(self, pan: Pan | None, pin: str | None = PIN, **changes: Any) -> CardPresent:
        """Make a check of a first PIN under a key of its own."""
        number, now = next(self.bank_world.numbers), self.now.astimezone(TEHRAN)
        asked = CardPresent(
            key=MessageKey(ACQUIRER, "ATM00001", f"{number:06}", f"{number:012}", now.strftime("%y%m%d%H%M%S")),
            sent_at=now,
            processing_code="710000",
            total=Rial(0),
            fee=Rial(0),
            merchant_id="000000000000123",
            payee_name="",
            pan=pan,
            pin=None if pin is None else Sensitive(pin),
            money=False,
            trusted=True,
        )
        return replace(asked, **changes)

    def purchase(self, pan: Pan | None, pin: str | None = PIN, rial: int = 1_000_000, **changes: Any) -> CardPresent:
        """Make a purchase at a till."""
        values = {"processing_code": "000000", "total": Rial(rial), "money": True, "payee_name": "نان سنگک"}
        return self.check(pan, pin, **{**values, **changes})

    def ask(self, asked: CardPresent) -> str:
        """Ask, and return the action code."""
        return str(judge_present_card(self.bank_world.desk, asked).action_code)

    def later(self, seconds: float) -> None:
        """Move the bank's clock."""
        set_offset(self._owner_url, seconds)


@pytest.fixture
def machine(bank_world: HostWorld, bank_urls: dict[str, str]) -> Iterator[Machine]:
    """Give machines at a bank; the clock is set right afterwards."""
    yield Machine(bank_world, bank_urls["owner"])
    set_offset(bank_urls["owner"], 0)


def test_d4_a_right_first_pin_opens_and_a_purchase_by_it_pays_and_reverses(machine: Machine) -> None:
    """The check moves nothing; the purchase takes its amount once, and a reversal brings it back."""
    pan = machine.card()
    check, purchase = machine.check(pan), machine.purchase(pan)

    assert machine.ask(check) == "000"
    paid = judge_present_card(machine.bank_world.desk, purchase)
    assert (paid.action_code, len(paid.approval_code or ""), len(paid.capture_date or "")) == ("000", 6, 4)
    assert machine.bank_world.row(pan)["balance_rial"] == 9_000_000
    (_, row) = machine.bank_world.sql("SELECT kind, code_channel, unbound FROM authorisation ORDER BY authorisation_id")
    assert dict(row) == {"kind": "purchase", "code_channel": "first_pin", "unbound": False}
    assert inquire_authorisation(machine.bank_world.desk, purchase.key).total == Rial(1_000_000)

    back = Reversal(purchase.key, "900001", purchase.key.local_time, purchase.total, pan)
    assert [reverse(machine.bank_world.desk, back).action_code for _ in range(2)] == ["400", "400"]
    assert machine.bank_world.row(pan)["balance_rial"] == 10_000_000
    assert machine.bank_world.unexplained() == 0


def test_d36_the_monitor_finds_nothing_about_a_purchase_by_first_pin(
    machine: Machine, bank_urls: dict[str, str]
) -> None:
    """Money by a first PIN has no challenge, and every invariant still holds."""
    pan = machine.card()
    assert [machine.ask(machine.purchase(pan)), machine.ask(machine.check(pan))] == ["000", "000"]
    reader = open_reader(bank_urls["reader"], "test")

    verdicts = Inspector(reader, RULES).everything().verdicts
    reader.close()

    assert [str(verdict) for verdict in verdicts if not verdict.holds] == []


def test_d17_three_wrong_in_a_row_wait_longer_each_time_and_a_right_one_forgets(machine: Machine) -> None:
    """15 minutes, an hour, a day, a day; meanwhile not even the right PIN is looked at; second PINs are not hit."""
    pan, after = machine.card(), 0.0
    for wait in (900, 3_600, 86_400, 86_400):
        assert [machine.ask(machine.check(pan, "1357")) for _ in range(3)] == ["117"] * 3
        assert machine.ask(machine.check(pan)) == "106"
        machine.later(after + wait - 60)
        assert machine.ask(machine.check(pan)) == "106"
        after += wait + 5
        machine.later(after)
    row = machine.bank_world.row(pan)
    assert (row["first_pin_failures"], row["pin_failures"], row["status"]) == (12, 0, "active")

    assert machine.ask(machine.check(pan)) == "000"
    row = machine.bank_world.row(pan)
    assert (row["first_pin_failures"], row["first_pin_locked_until"]) == (0, None)


@pytest.mark.parametrize("pin", ["248", "24811", "2481248", "135791", "2481"])
def test_an_entry_that_is_neither_pin_nor_code_is_a_wrong_try(machine: Machine, pin: str) -> None:
    """Whatever its length; a card without a first PIN and without an app is wrong alike, and told alike."""
    pan = machine.card(None if pin == PIN else PIN)

    assert machine.ask(machine.check(pan, pin)) == "117"
    assert machine.bank_world.row(pan)["first_pin_failures"] == 1


def test_d14_a_dynamic_first_pin_serves_once_and_a_replay_is_no_guess(machine: Machine) -> None:
    """Once at a till or a machine; again it is "used", counts nothing, and the code of the next minute works."""
    pan = machine.card()
    card_ref = machine.app(pan)
    code = machine.code(card_ref)

    assert machine.ask(machine.purchase(pan, code)) == "000"
    assert [machine.ask(machine.check(pan, code)), machine.ask(machine.purchase(pan, code))] == ["181", "181"]
    assert machine.bank_world.row(pan)["first_pin_failures"] == 0
    (row,) = machine.bank_world.sql(
        "SELECT CAST(card_ref AS text) AS card_ref FROM authorisation WHERE state = 'approved'"
    )
    assert row["card_ref"] == card_ref
    assert machine.ask(machine.check(pan)) == "000"  # the card's own PIN works beside it

    machine.later(STEP_SECONDS)
    machine.bank_world.sql("UPDATE device_card SET drift_steps = -2")  # its holder was slow with a second PIN
    assert machine.ask(machine.check(pan, machine.code(card_ref))) == "000"


@pytest.mark.parametrize(("steps", "told"), [(-2, "117"), (-1, "000"), (0, "000"), (1, "117")])
def test_d14_a_machine_takes_the_code_of_this_minute_and_the_one_before(
    machine: Machine, steps: int, told: str
) -> None:
    """Two values at a time, and no more."""
    pan = machine.card()
    card_ref = machine.app(pan)
    machine.later(120 - machine.now.timestamp() % STEP_SECONDS)  # the start of a minute

    assert machine.ask(machine.check(pan, machine.code(card_ref, steps))) == told


def test_d23_ten_wrong_codes_of_the_app_suspend_it_and_the_holder_is_told(machine: Machine) -> None:
    """Only six digits count on the device; suspended it makes no first PIN any more, and the card's own still works."""
    pan = machine.card()
    card_ref, after = machine.app(pan), 0.0
    for number in range(10):
        machine.ask(machine.check(pan, f"{number:06}"))
        if number % 3 == 2:
            after += 86_500
            machine.later(after)
    (device,) = machine.bank_world.sql("SELECT state, wrong_codes FROM device")
    assert dict(device) == {"state": "suspended", "wrong_codes": 10}
    assert [row["payload"]["kind"] for row in machine.bank_world.sql("SELECT payload FROM outbox")] == ["app_suspended"]

    assert machine.ask(machine.check(pan, machine.code(card_ref))) == "117"
    assert machine.ask(machine.check(pan)) == "000"


def test_d18_blocked_and_expired_are_told_to_a_right_pin_only(machine: Machine) -> None:
    """A wrong PIN, an unknown card and digits that are no card look alike."""
    blocked, expired = machine.card(status="blocked"), machine.card(expiry="0301")
    unknown = Pan.parse(with_check_digit("999002000000999"))

    told = [machine.ask(machine.check(pan, "1357")) for pan in (blocked, expired, unknown)]
    assert [*told, machine.ask(machine.check(None, None))] == ["117"] * 4
    assert [machine.ask(machine.check(pan)) for pan in (blocked, expired)] == ["104", "101"]


def test_d9_the_same_message_again_gets_the_first_answer_and_is_no_try(machine: Machine) -> None:
    """Also when it was wrong; another question under the same key is refused; a check and a purchase share keys."""
    pan = machine.card()
    wrong, paid = machine.check(pan, "1357"), machine.purchase(pan)

    assert [machine.ask(wrong) for _ in range(4)] == ["117"] * 4
    assert [machine.ask(paid) for _ in range(3)] == ["000"] * 3
    assert machine.bank_world.row(pan)["first_pin_failures"] == 0
    assert machine.bank_world.row(pan)["balance_rial"] == 9_000_000
    assert machine.ask(replace(paid, total=Rial(2))) == "913"
    assert machine.ask(replace(machine.check(pan), key=paid.key)) == "913"
    assert machine.ask(replace(machine.check(pan), sent_at=machine.now - dt.timedelta(days=2))) == "915"


def test_d2_a_reversal_that_came_first_refuses_the_purchase(machine: Machine) -> None:
    """The tombstone stands under the same key."""
    pan = machine.card()
    purchase = machine.purchase(pan)
    back = Reversal(purchase.key, "900001", purchase.key.local_time, purchase.total, pan)

    assert reverse(machine.bank_world.desk, back).action_code == "914"
    assert machine.ask(purchase) == "184"
    assert machine.bank_world.row(pan)["balance_rial"] == 10_000_000


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"total": Rial(0)}, "110"),
        ({"fee": Rial(10)}, "124"),
        ({"total": Rial(60_000_000)}, "121"),
        ({"total": Rial(10_000_001)}, "116"),
        ({"processing_code": "010000"}, "115"),
        ({"trusted": False}, "115"),
        ({"pin": None}, "126"),
    ],
)
def test_a_purchase_at_a_till_that_cannot_be_takes_nothing(machine: Machine, changes: Any, told: str) -> None:
    """No amount, a fee, above a limit, above the funds, another operation, an acquirer without machines, no PIN."""
    pan = machine.card()

    assert machine.ask(machine.purchase(pan, **changes)) == told
    assert machine.bank_world.row(pan)["balance_rial"] == 10_000_000


def test_d33_tills_and_the_net_share_one_day(machine: Machine) -> None:
    """What a card spends by first PIN counts on its Tehran day."""
    pan = machine.card(balance=200_000_000)

    told = [machine.ask(machine.purchase(pan, rial=40_000_000)) for _ in range(3)]

    assert told == ["000", "000", "121"]


def test_d4_one_dynamic_first_pin_in_twelve_workers_pays_once(machine: Machine) -> None:
    """Exactly one debit, eleven times "used", no failure counted, in every round."""
    seen: Counter[str] = Counter()
    for _ in range(10):
        pan = machine.card()
        code = machine.code(machine.app(pan))
        asked = [machine.purchase(pan, code) for _ in range(WORKERS)]
        seen.update(at_once(*(lambda one=one: machine.ask(one) for one in asked)))
        assert machine.bank_world.row(pan)["balance_rial"] == 9_000_000
        assert machine.bank_world.row(pan)["first_pin_failures"] == 0

    assert seen == {"000": 10, "181": 10 * (WORKERS - 1)}
    assert machine.bank_world.unexplained() == 0


def test_d17_twelve_wrong_first_pins_at_once_count_three(machine: Machine) -> None:
    """The lock comes before the look: three tries, then the card waits, whoever comes first."""
    pan = machine.card()
    asked = [machine.check(pan, "1357") for _ in range(WORKERS)]

    seen = Counter(at_once(*(lambda one=one: machine.ask(one) for one in asked)))

    assert seen == {"117": 3, "106": 9}
