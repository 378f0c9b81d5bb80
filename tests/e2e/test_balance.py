"""Balances by plain HTTP and in a phone's browser, against a running sandbox; no organisation keeps or logs one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import expect

from foundation.persian import grouped
from gateway.web.wording import WORDS
from sandbox.banks import BY_ORGANISATION
from sandbox.shopper import Shopper
from tests.e2e.conftest import Customer
from tests.world import RunningWorld

PHONE = {"width": 360, "height": 640}


def asking(world: RunningWorld, card: dict[str, Any]) -> Shopper:
    """Begin at the gateway's page and arrive at the card page."""
    holder = Shopper(world, card)
    holder.go_to(f"{world.info['gateway']}/balance")
    holder.submit({"action": "continue"})
    assert "/pay/" in holder.page.url
    return holder


def at_bank(world: RunningWorld, page_token: str) -> list[tuple[Any, ...]]:
    """Return what the banks did for a question: kind, state, amount, what was told."""
    with psycopg.connect(world.world.database_url("gateway", "reader").replace("+psycopg", "")) as gateway:
        query = "SELECT reference FROM payment WHERE page_token = %s"
        (reference,) = gateway.execute(query, (page_token,)).fetchone() or ("",)
    found: list[tuple[Any, ...]] = []
    for organisation in BY_ORGANISATION:
        with psycopg.connect(world.world.database_url(organisation, "reader").replace("+psycopg", "")) as bank:
            query = "SELECT kind, state, amount_rial, told_rial FROM authorisation WHERE transaction_ref = %s"
            found += bank.execute(query, (reference,)).fetchall()
    return found


@pytest.mark.parametrize("name", ["Bank Two (sandbox)", "Bank One (sandbox)"])
def test_d29_a_holder_reads_the_balance_once(world: RunningWorld, name: str) -> None:
    """The SMS says what the code is for; the page says what the bank's own books say, and then never again."""
    cards = [card for card in world.info["cards"] if (card["bank"], card["behaviour"]) == (name, "approve")]
    holder = asking(world, world.fresh_card() if name == "Bank Two (sandbox)" else cards[1])
    token = holder.page_token
    code = holder.request_pin()
    sms = holder.messages()[0]["text"]
    assert "مانده‌گیری" in sms
    assert "مبلغ" not in sms

    told = holder.pay(code)

    ((kind, state, amount, rial),) = at_bank(world, token)
    assert (kind, state, amount) == ("balance", "approved", 0)
    assert told.status_code == 200
    assert told.headers["Cache-Control"] == "no-store"
    assert grouped(rial, "fa") in told.text
    holder.go_to(f"{world.info['gateway']}/pay/{token}")
    assert grouped(rial, "fa") not in holder.page.text
    assert WORDS["balance.gone.title"].fa in holder.page.text
    for log in world.world.logs.glob("*.log"):
        assert str(rial) not in log.read_text(errors="replace"), log.name


def test_d5_a_code_for_a_balance_buys_nothing_and_the_other_way_round(world: RunningWorld) -> None:
    """One card, a basket and a question: each code is void once it was tried for the other."""
    card = world.fresh_card()
    holder, buyer = asking(world, card), Shopper(world, card)
    buyer.check_out("soap")
    of_balance, of_purchase = holder.request_pin(), buyer.request_pin()

    assert buyer.pay(of_balance).status_code == 422
    assert holder.pay(of_purchase).status_code == 422

    assert [row[1:] for row in at_bank(world, holder.page_token)] == [("declined", 0, None)]


@pytest.mark.world
@pytest.mark.browser
@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_balance_is_read_on_a_phone(customer: Callable[..., Customer], world: RunningWorld, language: str) -> None:
    """First page, card page, code, the balance; reloaded, it is gone."""
    holder = customer(card=world.fresh_card(), language=language, viewport=PHONE)
    page = holder.page
    page.goto(f"{world.info['gateway']}/balance?lang={language}")
    holder.look("start")
    page.locator("button[value=continue]").click()
    expect(page).to_have_url(re.compile("/pay/"))
    holder.look("card")
    holder.type_card()
    page.fill("#pin", holder.code(lambda: holder.press("request_pin")))
    holder.look("code")
    holder.press("pay")

    expect(page.locator("h1")).to_have_text(getattr(WORDS["balance.now"], language))
    expect(page.locator("#balance")).to_be_visible()
    holder.look("balance")
    page.goto(page.url)
    expect(page.locator("h1")).to_have_text(getattr(WORDS["balance.gone.title"], language))
    holder.look("gone")
