"""Bills against real servers: the code by SMS, one debit at the bank, and the page for everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from sandbox.banks import BANK_ONE
from sandbox.biller import RefusingBiller
from sandbox.bills import POWER, new_bill
from sandbox.shopper import Shopper
from tests.e2e.conftest import Customer
from tests.world import RunningWorld


def test_two_bills_are_paid_with_one_code(world: RunningWorld) -> None:
    """By plain HTTP with a card of the bank that speaks SOAP: the SMS names kind and sum, and neither is paid twice."""
    card = next(card for card in world.info["cards"] if card["bank"] == BANK_ONE.name_en)
    payer, bills = Shopper(world, card), [new_bill(), new_bill("041", "2")]
    address = f"{world.info['gateway']}/bill"
    typed = {"bill_id": bills[0].bill_id, "payment_id": bills[0].payment_id, "barcode": "", "action": "add"}
    payer.page = payer.browser.post(address, data=typed)
    payer.submit({"barcode": bills[1].barcode, "action": "continue"})
    assert "/pay/" in payer.page.url

    code = payer.request_pin()
    assert "پرداخت قبض" in payer.messages()[0]["text"]
    assert "34,000" in payer.messages()[0]["text"]
    receipt = payer.pay(code).text

    assert "قبض پرداخت شد" in receipt
    assert all(bill.bill_id in receipt for bill in bills)
    again = payer.browser.post(address, data={"barcode": bills[1].barcode, "action": "continue"})
    assert again.status_code == 422
    assert "پیش‌تر پرداخت شده" in again.text


def test_d12_a_billers_no_brings_back_its_bill_alone(world: RunningWorld) -> None:
    """Two bills with one code; the power company refuses its own: the card has that money again, the audit is even."""
    card = world.fresh_card()
    payer, phone, power = Shopper(world, card), new_bill(), new_bill("041", "2")
    address = f"{world.info['gateway']}/bill"
    typed = {"barcode": phone.barcode, "action": "add"}
    payer.page = payer.browser.post(address, data=typed)
    payer.submit({"barcode": power.barcode, "action": "continue"})
    page = payer.page.url
    assert payer.pay(payer.request_pin()).ok

    RefusingBiller(world, POWER).refuse(power)

    receipt = payer.browser.get(page).text
    assert "برخی از قبض‌ها پرداخت نشد" in receipt
    assert "پول به کارت بازگشت" in receipt
    paid = payer.browser.post(address, data={"barcode": phone.barcode, "action": "continue"})
    assert "پیش‌تر پرداخت شده" in paid.text
    again = payer.browser.post(address, data={"barcode": power.barcode, "action": "continue"})
    assert "/pay/" in again.url


def test_a_code_for_a_bill_pays_no_other_bill(world: RunningWorld) -> None:
    """The code is bound to just these bills: on another bill's page of the same sum it is refused and void (D5)."""
    card = world.fresh_card()
    first, second = Shopper(world, card), Shopper(world, card)
    for payer in (first, second):
        data = {"barcode": new_bill().barcode, "action": "continue"}
        payer.page = payer.browser.post(f"{world.info['gateway']}/bill", data=data)
    code = first.request_pin()

    assert second.pay(code).status_code == 422
    assert first.pay(code).status_code == 422


def pay(payer: Customer) -> None:
    """Ask for a code, read it on the phone, and pay."""
    payer.type_card()
    code = payer.code(lambda: payer.press("request_pin"))
    payer.type_card()
    payer.page.fill("#pin", code)
    payer.press("pay")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "options"),
    [
        ("fa", {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}),
        ("en", {"viewport": {"width": 1180, "height": 820}, "color_scheme": "light"}),
        ("fa", {"viewport": {"width": 412, "height": 860}, "java_script_enabled": False}),
    ],
)
def test_the_pages_of_a_bill_are_for_everybody(
    customer: Callable[..., Customer], language: str, options: dict[str, Any]
) -> None:
    """Empty, mistaken, collected, paid and already paid: accessible at every size, with and without JavaScript."""
    payer, bill = customer(language=language, **options), new_bill()
    look = payer.look if options.get("java_script_enabled", True) else payer.picture
    page, address = payer.page, f"{payer.world.info['gateway']}/bill?lang={language}"
    page.goto(address)
    look("bill-empty")
    page.fill("#bill_id", f"{bill.bill_id[:-1]}{(int(bill.bill_id[-1]) + 1) % 10}")
    page.fill("#payment_id", bill.payment_id)
    page.locator("button[name=action][value=add]").click()
    expect(page.locator("#errors")).to_be_visible()
    look("bill-mistake")
    page.fill("#bill_id", bill.bill_id)
    page.locator("button[name=action][value=add]").click()
    expect(page.locator(".bills li")).to_have_count(1)
    look("bill-list")
    page.locator("button[name=action][value=continue]:not([tabindex])").click()
    expect(page.locator("#pan")).to_be_visible()
    look("bill-pay")
    pay(payer)
    expect(page.locator("[data-kind=receipt]")).to_contain_text(bill.bill_id)
    look("bill-receipt")
    page.goto(address)
    page.fill("#barcode", bill.barcode)
    page.locator("button[name=action][value=continue]:not([tabindex])").click()
    expect(page.locator("#errors")).to_be_visible()
    look("bill-paid")
