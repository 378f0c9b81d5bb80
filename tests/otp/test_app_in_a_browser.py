"""The app in a real browser against the real bank: activated by slip and SMS, its codes pay, its settings hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.app import create_app
from otp.domain.binding import Binding, TransactionType
from otp.domain.financial import MessageKey, Purchase
from otp.domain.pairing import Kept, kept_place
from otp.services.authorise import authorise
from otp.services.desk import Desk
from tests.e2e.browser import visiting
from tests.otp.conftest import ACQUIRER, EXPIRY
from tests.otp.ramznegar import Counter, counter, make_counter
from tests.ramznegar.conftest import PHONE, Holder, put_finger
from tests.ramznegar.test_purchase import photo

__all__ = ["counter", "make_counter"]
pytestmark = pytest.mark.browser
MILLION = 1_000_000


@dataclass
class RealBank:
    """The bank as the holder of the tests knows one: slips to activate by, and what the bank has of the device."""

    counter: Counter
    card_id: int

    def issue(self) -> tuple[str, str, str]:
        """Get a slip and the SMS that goes with it."""
        activation_id, typed = self.counter.slip(self.card_id)
        return activation_id, typed[:-8], typed[-8:]

    def step(self) -> int:
        """Return the minute of the bank's clock."""
        return self.counter.now_ms() // 60_000

    @property
    def devices(self) -> dict[str, Any]:
        """Return the devices that are active, each with its root as the bank would open it."""
        rows = self.counter.here.sql(
            "SELECT CAST(device_id AS text) AS id, code_root_sealed, CAST(card_ref AS text) AS card_ref FROM device "
            "JOIN device_card USING (device_id) WHERE device.state = 'active' AND device_card.state = 'active'"
        )
        keys = self.counter.here.bank.keys
        return {
            row["id"]: SimpleNamespace(
                cards=[{"card_ref": row["card_ref"]}],
                code_root=keys.open(bytes(row["code_root_sealed"]), bound_to=kept_place(Kept.CODE_ROOT, row["id"])),
            )
            for row in rows
        }


@dataclass
class World:
    """A bank that serves the app, one card, and somebody who has its phone."""

    counter: Counter
    pan: Pan
    holder: Holder
    numbers: int = 0

    def purchase(self, total: int, pin: str = "") -> Purchase:
        """Make a purchase message for this card."""
        self.numbers += 1
        now = self.counter.here.sql("SELECT house_now() AS now")[0]["now"].astimezone(TEHRAN)
        stamp = now.strftime("%y%m%d%H%M%S")
        return Purchase(
            key=MessageKey(ACQUIRER, "00012345", f"{self.numbers:06}", f"{self.numbers:012}", stamp),
            sent_at=now,
            processing_code="000000",
            type_word="PURCHASE",
            total=Rial(total),
            fee=Rial(0),
            merchant_id="000000000012345",
            payee_name="فروشگاه نمونه",
            payee_key="",
            transaction_ref=self.counter.here.ref(),
            pan=self.pan,
            expiry=Sensitive(EXPIRY),
            cvv2=self.counter.here.cvv2(self.pan),
            pin=Sensitive(pin),
        )

    def pay(self, purchase: Purchase, pin: str) -> str:
        """Ask the bank to authorise; return the action code."""
        bank = self.counter.here.bank
        desk = Desk(bank.database, bank.keys, bank.settings.limits(), bank.meters)
        return str(authorise(desk, replace(purchase, pin=Sensitive(pin))).action_code)


@pytest.fixture
def bank_world(counter: Counter, browser: Browser) -> Iterator[World]:
    """Serve the bank's own application to a phone."""
    pan = counter.here.card(customer="0499370899")
    server = make_server("localhost", 0, create_app(bank=counter.here.bank), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    complaints: list[str] = []
    with ExitStack() as stack:
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        context = stack.enter_context(visiting(browser, complaints, viewport=PHONE))
        served: Any = SimpleNamespace(
            url=f"http://localhost:{server.server_port}/ramznegar/", bank=RealBank(counter, counter.card_id(pan))
        )
        yield World(counter, pan, Holder(served, context, context.new_page()))
    assert complaints == []


def test_an_app_that_was_activated_pays(bank_world: World) -> None:
    """Slip, SMS, PIN; the code on the screen is the bank's, pays once, and not above the ceiling."""
    someone = bank_world.holder
    someone.activate()
    someone.to_card()
    code = someone.code()

    assert someone.is_of_now(code, "second")
    assert bank_world.pay(bank_world.purchase(800_000), code) == "000"
    assert bank_world.pay(bank_world.purchase(800_000), code) == "181"


def test_a_code_of_the_app_obeys_the_ceiling_and_one_for_this_purchase_does_not(bank_world: World) -> None:
    """Five million rials: refused by the ordinary code, paid by the code that was made from the page's QR."""
    someone = bank_world.holder
    someone.activate()
    someone.to_card()
    purchase = bank_world.purchase(5 * MILLION)
    assert bank_world.pay(purchase, someone.code()) == "185"

    canonical = Binding(
        TransactionType.PURCHASE,
        purchase.total,
        purchase.fee,
        ACQUIRER,
        purchase.merchant_id,
        purchase.key.terminal_id,
        purchase.payee_name,
        "",
        purchase.transaction_ref,
    ).canonical()
    someone.press("bound")
    someone.page.locator("#picture-file").set_input_files([photo(f"POOYA1|{canonical}")])
    bound = someone.code("bound")
    again = replace(purchase, key=replace(purchase.key, stan="900001"))
    assert bank_world.pay(again, bound) == "000"


def test_d24_a_transfer_that_its_holder_typed_is_paid(bank_world: World) -> None:
    """Total and destination, typed as they stand on the page; to a card of another bank, above the ceiling."""
    someone = bank_world.holder
    someone.activate()
    someone.to_card()
    someone.press("bound")
    someone.page.get_by_label(someone.words("type.CARD_TRANSFER")).check()
    someone.page.fill("#total", "۵٬۰۰۷٬۲۰۰")
    someone.page.fill("#destination", "9990 0100 0000 0317")
    someone.press("typed.make")
    asked = replace(
        bank_world.purchase(5 * MILLION + 7_200),
        fee=Rial(7_200),
        processing_code="460000",
        type_word=TransactionType.CARD_TRANSFER,
        payee_name="کارت 0 3 1 7",
        payee_key="ab" * 32,
        destination_tail=Sensitive("00000317"),
    )

    assert bank_world.pay(asked, someone.code("bound")) == "000"


def test_a_wrong_pin_shows_codes_that_the_bank_counts_as_wrong(bank_world: World) -> None:
    """The phone does not know; after five the card waits."""
    someone = bank_world.holder
    someone.activate()
    someone.page.reload()
    someone.to_card()
    someone.unlock("000000")
    code = someone.code()

    assert [bank_world.pay(bank_world.purchase(100_000), code) for _ in range(6)] == ["117"] * 5 + ["106"]


def test_a_finger_unlocks_what_pays(bank_world: World) -> None:
    """The stretched PIN, wrapped under what the authenticator gives for that finger."""
    someone = bank_world.holder
    put_finger(someone.page)
    someone.activate(finger=True)
    someone.page.reload()
    someone.to_card()
    someone.press("unlock.finger")

    assert bank_world.pay(bank_world.purchase(100_000), someone.code()) == "000"


def test_a_second_phone_ends_the_first(bank_world: World, browser: Browser) -> None:
    """Activated again at the cash machine: the codes of the phone before are wrong from then on."""
    first = bank_world.holder
    first.activate()
    first.to_card()
    old = first.code()
    complaints: list[str] = []
    with visiting(browser, complaints, viewport=PHONE) as context:
        second = Holder(first.served, context, context.new_page())
        second.activate()
        second.to_card()
        new = second.code()

    assert bank_world.pay(bank_world.purchase(100_000), old) == "117"
    assert bank_world.pay(bank_world.purchase(100_000), new) == "000"
    assert bank_world.counter.state("device") == ["removed", "active"]


def test_the_holder_is_told_by_sms(bank_world: World) -> None:
    """The number on file hears of every activation."""
    bank_world.holder.activate()

    assert any("فعال شد" in text for text in bank_world.counter.told())
    expect(bank_world.holder.page.locator("a.card")).to_be_visible()
