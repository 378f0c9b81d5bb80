"""What can go wrong with a code, a click and a merchant, on real servers; after each test the books agree."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from typing import Any

import pytest
import requests

from sandbox.clock import set_offset
from sandbox.postgres import Cluster
from sandbox.shopper import Shopper
from tests.world import RunningWorld, wait_for

CLICKS = 6


@contextmanager
def later(world: RunningWorld, organisation: str, seconds: float) -> Iterator[None]:
    """Let an organisation's deciding clock run ahead for a while (D38)."""
    owner = Cluster(world.state / "postgres").url(organisation, f"{organisation}_owner")
    set_offset(owner, seconds)
    try:
        yield
    finally:
        set_offset(owner, 0)


def at_the_page(world: RunningWorld, product: str = "soap", card: dict[str, Any] | None = None) -> Shopper:
    """Return a shopper who stands at the payment page."""
    shopper = Shopper(world, card or world.fresh_card())
    shopper.check_out(product)
    return shopper


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(100, ""), (130, "اعتبار این رمز تمام شده است")],
)
def test_d33_a_code_lives_by_the_banks_own_clock(world: RunningWorld, seconds: int, said: str) -> None:
    """D33, D38: 100 seconds later the code still pays, 130 seconds later the page says that its time is over."""
    shopper = at_the_page(world)
    code = shopper.request_pin()

    with later(world, "bank_two", seconds):
        answer = shopper.pay(code)

    assert answer.status_code == (422 if said else 200)
    assert said in answer.text


def test_d18_a_code_of_another_payment_is_told_apart_and_void(world: RunningWorld) -> None:
    """D4, D5, D18: a code asked for one payment pays no other, says so, and is consumed by having been matched."""
    first = at_the_page(world)
    second = at_the_page(world, "hafez", first.card)
    code = first.request_pin()

    foreign = second.pay(code)
    used = first.pay(code)

    assert (foreign.status_code, used.status_code) == (422, 422)
    assert "برای مبلغ یا پذیرندهٔ دیگری است" in foreign.text
    assert "برداشت نشده است" in foreign.text


def test_d18_wrong_card_data_and_wrong_code_look_the_same(world: RunningWorld) -> None:
    """D18: the page after a wrong CVV2 and after a wrong code carries the same sentence and the same status."""
    sentence = "مشخصات کارت یا رمز پویا درست نیست"
    shopper = at_the_page(world)
    code = shopper.request_pin()
    wrong_cvv2 = f"{(int(shopper.card['cvv2']) + 1) % 1000:03d}"

    wrong_data = shopper.press("pay", pin=code, cvv2=wrong_cvv2)
    wrong_code = shopper.pay(f"{(int(code) + 1) % 1_000_000:06d}")
    paid = shopper.pay(code)

    assert (wrong_data.status_code, wrong_code.status_code) == (422, 422)
    assert sentence in wrong_data.text
    assert sentence in wrong_code.text
    assert paid.status_code == 200


def test_d17_three_wrong_tries_use_up_a_code_and_a_new_one_pays(world: RunningWorld) -> None:
    """D9b, D17: after the third wrong entry the right code is refused; asking again at once brings a new one."""
    shopper = at_the_page(world)
    code = shopper.request_pin()

    for step in (1, 2, 3):
        assert shopper.pay(f"{(int(code) + step) % 1_000_000:06d}").status_code == 422
    refused = shopper.pay(code)
    second = shopper.request_pin()
    paid = shopper.pay(second)

    assert refused.status_code == 422
    assert second != code
    assert paid.status_code == 200


def test_d8_many_clicks_at_once_pay_once(world: RunningWorld) -> None:
    """D8: six simultaneous submissions from two tabs debit the card once; every answer leads to the same receipt."""
    shopper = at_the_page(world, "hafez")
    code = shopper.request_pin()
    clicks = [copy(shopper) for _ in range(CLICKS)]

    with ThreadPoolExecutor(CLICKS) as threads:
        answers = list(threads.map(lambda click: click.pay(code), clicks))
    receipt = wait_for(lambda: _receipt(shopper), "the receipt")

    assert {answer.status_code for answer in answers} == {200}
    assert "پرداخت انجام شد" in receipt


def test_d30_unconfirmed_money_goes_back_at_the_deadline(world: RunningWorld) -> None:
    """D30: past the window the sweeper gives the money back, and confirming is refused."""
    merchant, gateway = world.info["merchant"], world.info["gateway"]
    headers = {"Authorization": f"Bearer {merchant['secret_key']}"}
    body = {"amount": 640_000, "order_id": "left-behind", "callback_url": f"{world.info['shop']}/return"}
    opened = requests.post(f"{gateway}/api/v1/payments", json=body, headers=headers, timeout=10).json()
    shopper = Shopper(world, world.fresh_card())
    shopper.page = shopper.browser.get(opened["page_url"])
    shopper.pay(shopper.request_pin())
    address = f"{gateway}/api/v1/payments/{opened['id']}"

    with later(world, "gateway", 901):
        state = wait_for(lambda: _state(address, headers) == "reversed", "the money to go back", 60)
        confirmed = requests.post(f"{address}/confirm", json={"amount": 640_000}, headers=headers, timeout=10)

    assert state
    assert confirmed.status_code == 409
    assert confirmed.json()["state"] == "reversed"
    assert "پول به کارت شما برگشت" in shopper.browser.get(opened["page_url"]).text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"amount": "x"}', b'{"amount": 1e400}', b"\xff\xfe", b"[" * 5000])
def test_malformed_requests_to_every_json_door_are_refused_and_serve_on(world: RunningWorld, body: bytes) -> None:
    """Broken JSON at the merchant API and at Harim is a 4xx with a code, never a 500."""
    merchant = world.info["merchant"]
    doors = {
        f"{world.info['gateway']}/api/v1/payments": {"Authorization": f"Bearer {merchant['secret_key']}"},
        f"{world.info['banks'][0]['url']}/harim/v1/dynamic-pins": {},
    }
    for address, headers in doors.items():
        answer = requests.post(address, data=body, headers={**headers, "Content-Type": "application/json"}, timeout=10)
        assert 400 <= answer.status_code < 500
        assert answer.json()["code"]


def _receipt(shopper: Shopper) -> str:
    page = shopper.browser.get(shopper.page.url).text
    return page if "پرداخت انجام شد" in page else ""


def _state(address: str, headers: dict[str, str]) -> str:
    return str(requests.get(address, headers=headers, timeout=10).json()["state"])
