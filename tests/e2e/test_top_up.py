"""Top-ups by plain HTTP and in a phone's browser, against a running sandbox with a provider of its own (D7)."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import expect

from gateway.web.wording import WORDS
from sandbox.shopper import Shopper
from sandbox.top_ups import LATE, REFUSED, TopUpBook
from tests.e2e.conftest import Customer
from tests.world import RunningWorld, wait_for

AMOUNT = 200_000
PHONE = {"width": 360, "height": 640}


def begun(world: RunningWorld, mobile: str, operator: str = "") -> Shopper:
    """Fill in the page for top-ups and arrive at the card page."""
    payer = Shopper(world, world.fresh_card())
    payer.go_to(f"{world.info['gateway']}/topup")
    payer.submit({"mobile": mobile, "operator": operator, "amount": str(AMOUNT), "action": "continue"})
    assert "/pay/" in payer.page.url
    return payer


def until(payer: Shopper, key: str) -> str:
    """Look at the payment's page until it has this heading, and return it."""
    address = payer.page.url

    def shown() -> str:
        payer.go_to(address)
        return payer.page.text if WORDS[key].fa in payer.page.text else ""

    return str(wait_for(shown, key, 60))


def delivered(world: RunningWorld, payer: Shopper) -> list[int]:
    """Return what the provider delivered for the payment of a page."""
    with psycopg.connect(world.world.database_url("gateway", "reader").replace("+psycopg", "")) as gateway:
        query = "SELECT payment_id FROM payment WHERE page_token = %s"
        (payment_id,) = gateway.execute(query, (payer.page_token,)).fetchone() or ("",)
    book = TopUpBook(world.world.top_up_folder)
    return [entry.amount_rial for entry in book.delivered() if entry.reference == payment_id]


def test_d5_a_number_is_topped_up_and_the_sms_names_it(world: RunningWorld) -> None:
    """«شارژ», the masked number, the amount; then the operator's reference on the receipt, and clean books."""
    payer = begun(world, "۰۹۱۲ ۱۲۳ ۴۵۶۷")
    code = payer.request_pin()
    sms = payer.messages()[0]["text"]
    assert "شارژ" in sms
    assert "***4567 همراه اول" in sms
    assert f"{AMOUNT:,}" in sms
    payer.pay(code)

    receipt = until(payer, "receipt.title@TOP_UP")

    assert "0912***4567" in receipt
    assert re.search(r"OP[0-9]{10}", receipt)
    assert delivered(world, payer) == [AMOUNT]


def test_d7_a_delivery_whose_answer_is_lost_is_made_once(world: RunningWorld) -> None:
    """The provider delivered and was not heard: asked again, it says so."""
    payer = begun(world, f"0935123{LATE}")
    payer.pay(payer.request_pin())

    until(payer, "receipt.title@TOP_UP")

    assert delivered(world, payer) == [AMOUNT]


def test_d7_an_operators_no_brings_the_money_back(world: RunningWorld) -> None:
    """Debit and reversal at the bank, nothing at the operator."""
    payer = begun(world, f"0912123{REFUSED}")
    payer.pay(payer.request_pin())

    until(payer, "reversed.text@TOP_UP")

    assert delivered(world, payer) == []


def test_d5_a_code_for_one_number_tops_up_no_other(world: RunningWorld) -> None:
    """Same card, same amount, another number: refused, and the code is void."""
    one, other = begun(world, "09121234567"), begun(world, "09121234568")
    other.card = one.card
    code = one.request_pin()

    assert other.pay(code).status_code == 422
    assert one.pay(code).status_code == 422
    assert delivered(world, one) + delivered(world, other) == []


def test_f5_a_worker_killed_while_the_provider_hangs_delivers_once(world: RunningWorld) -> None:
    """The provider is frozen in the middle of it, the worker dies; both come back, and the number is topped up once."""
    payer = begun(world, "09121234567")
    code = payer.request_pin()
    world.signal("top-up-provider", signal.SIGSTOP)
    try:
        payer.pay(code)
        wait_for(lambda: owed(world, payer) == 1, "the delivery to be owed")
        world.kill("gateway-worker")
    finally:
        world.signal("top-up-provider", signal.SIGCONT)

    until(payer, "receipt.title@TOP_UP")

    assert delivered(world, payer) == [AMOUNT]


def owed(world: RunningWorld, payer: Shopper) -> int:
    """Count the deliveries of a payment's page that the worker has taken up."""
    with psycopg.connect(world.world.database_url("gateway", "reader").replace("+psycopg", "")) as gateway:
        query = (
            "SELECT count(*) FROM payment JOIN outbox ON unique_key = 'top_up.deliver:' || attempt_id "
            "WHERE page_token = %s AND tries > 0"
        )
        (count,) = gateway.execute(query, (payer.page_token,)).fetchone() or (0,)
    return int(count)


@pytest.mark.world
@pytest.mark.browser
@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_number_is_topped_up_on_a_phone(
    customer: Callable[..., Customer], world: RunningWorld, language: str
) -> None:
    """Form, a mistake, the ported number's operator, code, waiting, receipt; every page looked at."""
    payer = customer(card=world.fresh_card(), language=language, viewport=PHONE)
    page: Any = payer.page
    page.goto(f"{world.info['gateway']}/topup?lang={language}")
    payer.look("form")
    page.fill("#mobile", "09311234567")
    page.select_option("#amount", str(AMOUNT))
    page.locator("button[value=continue]").click()
    expect(page.locator("#errors")).to_contain_text(getattr(WORDS["top_up.operator.needed"], language))
    payer.look("mistake")

    page.select_option("#operator", "irancell")
    page.locator("button[value=continue]").click()
    expect(page).to_have_url(re.compile("/pay/"))
    expect(page.locator("main")).to_contain_text("09311234567")
    payer.look("card")
    payer.type_card()
    page.fill("#pin", payer.code(lambda: payer.press("request_pin")))
    payer.look("code")
    payer.press("pay")

    title = getattr(WORDS["receipt.title@TOP_UP"], language)
    expect(page.locator("h1")).to_have_text(title, timeout=30_000)
    expect(page.locator("main")).to_contain_text("0931***4567")
    payer.look("receipt")
