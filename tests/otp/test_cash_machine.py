"""The services of the cash machine: opened by a first PIN, refused with a reason, told by SMS, undone again (D27)."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.cash_machine import NEEDS, Refusal, Service, Standing
from otp.domain.financial import CardPresent, MessageKey
from otp.services.card_services import (
    activate_app_at_machine,
    activate_sms,
    change_first_pin,
    end_app,
    end_sms,
    end_static_pin,
    set_static_pin,
)
from otp.services.cards import pin_mac
from otp.services.change_mobile import ask_mobile, confirm_mobile
from otp.services.deliver import end_activations
from otp.services.desk import Desk
from otp.services.issue_activation import Issued
from otp.services.open_card import NewCard, block_card, open_card
from otp.services.present_card import judge_present_card
from otp.services.visit import standing
from tests.otp.ramznegar import HOLDER, Counter
from tests.otp.ramznegar import counter as counter
from tests.otp.ramznegar import make_counter as make_counter
from tests.otp.test_deliver import tick

PIN, MOBILE, NEW_MOBILE = "2481", "09121234567", "09351112233"
NUMBERS = itertools.count(1)


class Hall:
    """A cash machine in the bank's hall, and people with cards in front of it."""

    def __init__(self, counter: Counter) -> None:
        self.counter, self.here, self.bank = counter, counter.here, counter.here.bank

    def kept(self, pan: Pan, pin: str) -> bytes:
        """Return what a PIN of this card is kept as."""
        keys = self.bank.keys
        return pin_mac(keys, keys.active_id(purposes.PIN_VERIFICATION), self.here.name_of(pan), Sensitive(pin))

    def card(self, **values: Any) -> Pan:
        """Open a card with a first PIN."""
        pan: Pan = self.here.card(values.pop("mobile", MOBILE), customer=values.pop("customer", HOLDER), **values)
        mac = self.kept(pan, PIN)
        self.here.sql("UPDATE card SET first_pin_mac = :mac WHERE card_id = :id", mac=mac, id=self.card_id(pan))
        return pan

    def card_id(self, pan: Pan) -> int:
        """Return the number of its account."""
        return self.counter.card_id(pan)

    def row(self, pan: Pan) -> Any:
        """Return its row."""
        return self.here.sql("SELECT * FROM card WHERE card_id = :id", id=self.card_id(pan))[0]

    def ask(self, pan: Pan, pin: str = PIN, *, rial: int = 0) -> tuple[str, MessageKey]:
        """Put a card in and type its PIN, or pay at a till; return the answer and the key of the message."""
        number, now = next(NUMBERS), self.here.sql("SELECT house_now() AS now")[0]["now"].astimezone(TEHRAN)
        key = MessageKey("999200", "ATM00001", f"{number:06}", f"{number:012}", f"{now:%y%m%d%H%M%S}")
        asked = CardPresent(
            key=key,
            sent_at=now,
            processing_code="000000" if rial else "710000",
            total=Rial(rial),
            fee=Rial(0),
            merchant_id="BANK",
            payee_name="",
            pan=pan,
            pin=Sensitive(pin),
            money=bool(rial),
            trusted=True,
        )
        desk = Desk(self.bank.database, self.bank.keys, self.bank.settings.limits())
        return judge_present_card(desk, asked).action_code, key

    def visit(self, pan: Pan, pin: str = PIN) -> MessageKey:
        """Put a card in, and be let in."""
        code, key = self.ask(pan, pin)
        assert code == "000"
        return key

    def texts(self, mobile: str = MOBILE) -> list[str]:
        """Let the worker send; return what a phone shows, oldest first, second line on."""
        tick(self.here)
        sent = [message for message in self.here.phone.sent if message.mobile.reveal() == mobile]
        sent.sort(key=lambda message: int(message.reference.removeprefix("sms-")))
        return [message.text.reveal().partition("\n")[2] for message in sent]


@pytest.fixture
def hall(counter: Counter) -> Hall:
    """Give the hall."""
    return Hall(counter)


def pins(pin: str, again: str | None = None) -> tuple[Sensitive[str], Sensitive[str]]:
    """Type a new PIN twice."""
    return Sensitive(pin), Sensitive(again or pin)


SERVICES: dict[Service, Callable[[Any, MessageKey], Any]] = {
    Service.ACTIVATE_APP: activate_app_at_machine,
    Service.ACTIVATE_SMS: activate_sms,
    Service.END_APP: end_app,
    Service.END_SMS: end_sms,
    Service.CHANGE_MOBILE: lambda bank, check: ask_mobile(bank, check, NEW_MOBILE),
    Service.SET_STATIC_PIN: lambda bank, check: set_static_pin(bank, check, *pins("73519")),
    Service.END_STATIC_PIN: end_static_pin,
    Service.CHANGE_FIRST_PIN: lambda bank, check: change_first_pin(bank, check, *pins("7351")),
}


def test_d23_slip_and_sms_activate_the_app_and_its_first_pin_opens_the_machine(hall: Hall) -> None:
    """The slip's part and the texted part together; afterwards the app's own first PIN is one, once."""
    pan = hall.card()
    issued = activate_app_at_machine(hall.bank, hall.visit(pan))
    assert isinstance(issued, Issued)
    assert issued.slip is not None
    app = hall.counter.app()

    assert app.activate(issued.activation_id, issued.slip.reveal() + hall.counter.texted())[0] == 200
    assert app.confirm(hall.counter.now_ms())[0] == 200

    code = app.first_pin(app.cards[0], hall.counter.now_ms())
    told = standing(hall.bank, hall.visit(pan, code))
    assert told == Standing(
        gift=False, mobile="0912•••••67", holder_known=True, app_active=True, sms_active=False, static_pin=False
    )
    assert hall.ask(pan, code)[0] == "181"


def test_d27_each_service_needs_a_right_first_pin_of_lately(hall: Hall) -> None:
    """Neither a wrong PIN, nor a purchase, nor a visit of five minutes ago, nor a card blocked since opens anything."""
    pan = hall.card()
    wrong, old, paid = hall.ask(pan, "1357")[1], hall.visit(pan), hall.ask(pan, rial=1_000)[1]
    hall.counter.later(301)
    fresh = hall.visit(pan)
    block_card(hall.bank, pan)

    for check in (wrong, paid, old, fresh):
        assert standing(hall.bank, check) is Refusal.VISIT_OVER
        assert {serve(hall.bank, check) for serve in SERVICES.values()} == {Refusal.VISIT_OVER}
    assert hall.texts() == []
    assert set(SERVICES) == set(Service) == set(NEEDS)


def test_a_gift_card_has_no_services(hall: Hall) -> None:
    """Whatever it asks for, and it is told so."""
    pan = hall.card(customer=None, kind="gift")

    told = {serve(hall.bank, hall.visit(pan)) for serve in SERVICES.values()}

    assert told == {Refusal.GIFT_CARD}


def test_a_card_is_told_what_it_lacks(hall: Hall) -> None:
    """Without mobile, holder, app, codes by SMS or static PIN: the reason of each."""
    bare, nobodys = hall.card(mobile=None), hall.card(customer=None)

    def ask(pan: Pan, service: Service) -> Any:
        return SERVICES[service](hall.bank, hall.visit(pan))

    assert ask(bare, Service.ACTIVATE_APP) is Refusal.NO_MOBILE
    assert ask(bare, Service.ACTIVATE_SMS) is Refusal.NO_MOBILE
    assert ask(nobodys, Service.ACTIVATE_APP) is Refusal.HOLDER_UNKNOWN
    assert ask(bare, Service.END_APP) is Refusal.NO_APP
    assert ask(bare, Service.END_SMS) is Refusal.NO_SMS
    assert ask(bare, Service.END_STATIC_PIN) is Refusal.NO_STATIC_PIN


def test_d26_codes_by_sms_are_activated_and_ended(hall: Hall) -> None:
    """The phone on file is told how to ask; on again is refused, off is told."""
    pan = hall.card()

    assert activate_sms(hall.bank, hall.visit(pan)) is None
    assert activate_sms(hall.bank, hall.visit(pan)) is Refusal.SMS_ALREADY
    assert hall.row(pan)["sms_codes_active"]
    assert end_sms(hall.bank, hall.visit(pan)) is None
    assert not hall.row(pan)["sms_codes_active"]

    on, off = hall.texts()
    assert "به 30003303 پیامک کنید" in on
    assert "رمزنگار پیامکی" in off
    assert "غیرفعال شد" in off


def test_d23_the_app_is_ended_with_its_device_and_its_open_slips(hall: Hall) -> None:
    """The device had no other card, so its keys go; a slip that waited is worth nothing."""
    pan = hall.card()
    hall.counter.activated(hall.card_id(pan))
    activate_app_at_machine(hall.bank, hall.visit(pan))

    assert end_app(hall.bank, hall.visit(pan)) is None

    assert hall.counter.state("device") == ["removed"]
    assert hall.counter.state("device", "code_root_sealed") == [None]
    assert hall.counter.state("device_card") == ["removed"]
    assert hall.counter.state("activation") == ["used", "superseded"]
    assert "از رمزنگار حذف شد" in hall.texts()[-1]


def test_d23_a_device_with_another_card_goes_on(hall: Hall) -> None:
    """Ending one card's app leaves the others on the device."""
    first, second = hall.card(), hall.card()
    app = hall.counter.activated(hall.card_id(first))
    assert app.add(*hall.counter.slip(hall.card_id(second)))[0] == 200

    assert end_app(hall.bank, hall.visit(first)) is None

    assert hall.counter.state("device") == ["active"]
    assert sorted(hall.counter.state("device_card")) == ["active", "removed"]


def test_d27_a_static_second_pin_is_kept_as_a_keyed_value_and_removed(hall: Hall) -> None:
    """Set, changed, ended; the digits are in no table."""
    pan = hall.card()

    assert set_static_pin(hall.bank, hall.visit(pan), *pins("۷۳۵۱۹۰۲۸۶")) is None
    assert hall.row(pan)["static_second_pin_mac"] == hall.kept(pan, "735190286")
    assert end_static_pin(hall.bank, hall.visit(pan)) is None
    assert hall.row(pan)["static_second_pin_mac"] is None

    assert ["ایستا" in text for text in hall.texts()] == [True, True]
    kept = [str(hall.here.sql(f"SELECT t::text FROM {table} t")) for table in ("card", "outbox", "authorisation")]
    assert "735190286" not in "".join(kept)


@pytest.mark.parametrize(
    ("pin", "again", "why"),
    [
        ("7351", None, Refusal.PIN_SHAPE),
        ("7351902873519", None, Refusal.PIN_SHAPE),
        ("73519", "73518", Refusal.PINS_DIFFER),
        ("55555", None, Refusal.PIN_WEAK),
        ("23456", None, Refusal.PIN_WEAK),
        ("98765", None, Refusal.PIN_WEAK),
        ("789012345", None, Refusal.PIN_WEAK),
        ("7351902", None, Refusal.PIN_SHAPE),
        ("73519028", None, Refusal.PIN_SHAPE),
        ("abcde", None, Refusal.PIN_SHAPE),
    ],
)
def test_a_static_pin_that_cannot_be_is_refused(hall: Hall, pin: str, again: str | None, why: Refusal) -> None:
    """Too short, too long, as long as codes of the app, not twice alike, a row of digits, no digits."""
    pan = hall.card()

    assert set_static_pin(hall.bank, hall.visit(pan), *pins(pin, again)) is why
    assert hall.row(pan)["static_second_pin_mac"] is None


def test_d27_the_first_pin_is_changed_at_once(hall: Hall) -> None:
    """The new one opens, the old one is wrong; the holder is told; a weak one is refused."""
    pan = hall.card()
    assert change_first_pin(hall.bank, hall.visit(pan), *pins("1234")) is Refusal.PIN_WEAK

    assert change_first_pin(hall.bank, hall.visit(pan), *pins("7351")) is None

    assert [hall.ask(pan)[0], hall.ask(pan, "7351")[0]] == ["117", "000"]
    assert "رمز اول" in hall.texts()[-1]


def code_in(text: str) -> str:
    """Read the code out of a message to a new number."""
    return text.splitlines()[1]


def test_d27_a_change_of_mobile_is_confirmed_by_the_new_number_and_told_to_both(hall: Hall) -> None:
    """Codes by SMS, the app, live challenges end; the ceiling is low for a day; then it is as it was."""
    pan = hall.card()
    activate_sms(hall.bank, hall.visit(pan))
    hall.counter.activated(hall.card_id(pan))
    hall.here.ask(pan)
    before = len(hall.texts())
    check = hall.visit(pan)

    assert ask_mobile(hall.bank, check, "+98 935 111 2233") is None
    assert hall.row(pan)["mobile_last_two"] == "67"
    (message,) = hall.texts(NEW_MOBILE)
    assert confirm_mobile(hall.bank, check, Sensitive(code_in(message))) is None

    row = hall.row(pan)
    now = hall.here.sql("SELECT house_now() AS now")[0]["now"]
    assert (row["mobile_last_two"], row["sms_codes_active"]) == ("33", False)
    assert dt.timedelta(hours=23, minutes=59) < row["low_ceiling_until"] - now <= dt.timedelta(hours=24)
    assert [challenge["state"] for challenge in hall.here.challenges()] == ["superseded"]
    assert hall.counter.state("device") == ["removed"]
    assert "این شماره برای کارت" in hall.texts(NEW_MOBILE)[-1]
    (former,) = hall.texts()[before:]
    assert "دیگر به این شماره نمی‌آید" in former

    hall.counter.later(86_401)
    assert hall.here.sql("SELECT low_ceiling_until < house_now() AS over FROM card")[0]["over"]
    told = standing(hall.bank, hall.visit(pan))
    assert isinstance(told, Standing)
    assert told.mobile == "0935•••••33"


def test_a_card_without_a_mobile_gets_its_first_one(hall: Hall) -> None:
    """There is no former number to tell."""
    pan = hall.card(mobile=None)
    check = hall.visit(pan)

    assert ask_mobile(hall.bank, check, NEW_MOBILE) is None
    assert confirm_mobile(hall.bank, check, Sensitive(code_in(hall.texts(NEW_MOBILE)[0]))) is None

    tick(hall.here)
    assert {message.mobile.reveal() for message in hall.here.phone.sent} == {NEW_MOBILE}
    assert activate_sms(hall.bank, check) is None


def test_d27_three_wrong_codes_end_a_change_of_mobile(hall: Hall) -> None:
    """The right one comes too late then, and the number stays; nothing was told to anybody but the new number."""
    pan = hall.card()
    check = hall.visit(pan)
    ask_mobile(hall.bank, check, NEW_MOBILE)
    code = code_in(hall.texts(NEW_MOBILE)[0])
    wrong = f"{(int(code) + 1) % 1_000_000:06}"

    told = [confirm_mobile(hall.bank, check, Sensitive(typed)) for typed in (wrong, wrong, wrong, code)]

    assert told == [Refusal.CODE_WRONG, Refusal.CODE_WRONG, Refusal.CODE_OVER, Refusal.CODE_OVER]
    assert hall.row(pan)["mobile_last_two"] == "67"
    assert hall.texts() == []


def test_d27_a_newer_wish_ends_the_one_before_and_a_wish_ends_by_itself(hall: Hall) -> None:
    """The first code is void once another number was typed; ten minutes later the second one is too."""
    pan = hall.card()
    check = hall.visit(pan)
    ask_mobile(hall.bank, check, NEW_MOBILE)
    first = code_in(hall.texts(NEW_MOBILE)[0])
    ask_mobile(hall.bank, check, "09361112244")
    second = code_in(hall.texts("09361112244")[0])

    assert confirm_mobile(hall.bank, check, Sensitive(first)) in (Refusal.CODE_WRONG, Refusal.CODE_OVER)
    hall.counter.later(601)
    assert confirm_mobile(hall.bank, hall.visit(pan), Sensitive(second)) is Refusal.CODE_OVER
    end_activations(hall.bank)
    states = [row["state"] for row in hall.here.sql("SELECT state FROM mobile_change ORDER BY change_id")]
    assert states == ["superseded", "expired"]


@pytest.mark.parametrize(("typed", "why"), [("0212233", Refusal.MOBILE_SHAPE), (MOBILE, Refusal.MOBILE_SAME)])
def test_a_number_that_cannot_be_is_refused(hall: Hall, typed: str, why: Refusal) -> None:
    """No mobile of Iran, or the one on file."""
    assert ask_mobile(hall.bank, hall.visit(hall.card()), typed) is why


def test_d20_services_and_codes_to_typed_numbers_are_limited_per_card(hall: Hall) -> None:
    """Three numbers a day, so that the machine texts nobody who did not ask; ten services a day; a day later anew."""
    pan = hall.card()
    check = hall.visit(pan)

    told = [ask_mobile(hall.bank, check, f"0935111223{digit}") for digit in range(4)]
    assert told == [None, None, None, Refusal.TOO_MANY]
    switched = [(activate_sms if turn % 2 == 0 else end_sms)(hall.bank, check) for turn in range(11)]
    assert switched == [None] * 10 + [Refusal.TOO_MANY]

    hall.counter.later(86_400)
    assert activate_sms(hall.bank, hall.visit(pan)) is None


def test_a_card_is_opened_with_its_pins(hall: Hall) -> None:
    """As the bank issues it: a gift card has a static second PIN and a first one, kept as keyed values."""
    pan = Pan.parse("9990020000000019")
    open_card(
        hall.bank,
        NewCard(pan, "0812", None, Rial(5_000_000), kind="gift", first_pin=Sensitive("7351"),
                static_second_pin=Sensitive("73519")),
    )  # fmt: skip

    assert hall.ask(pan, "7351", rial=1_000_000)[0] == "000"
    assert hall.row(pan)["balance_rial"] == 4_000_000
    expected = hall.kept(pan, "73519")
    assert hall.row(pan)["static_second_pin_mac"] == expected
