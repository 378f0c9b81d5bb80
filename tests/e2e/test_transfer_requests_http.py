"""A merchant asks for a transfer by the API and its customer makes it by plain HTTP: page, webhook, books."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
import requests

from gateway.web.wording import WORDS
from sandbox.banks import BANK_ONE, BANK_TWO
from sandbox.shopper import Shopper
from tests.e2e.test_transfer_http import at_banks, cards_of, finish, strangers
from tests.world import RunningWorld, wait_for

AMOUNT, FEE = 15_000_000, 10_000
SECONDS = 30


class Merchant:
    """The sandbox's merchant, who knows no card number."""

    def __init__(self, world: RunningWorld) -> None:
        self.api = f"{world.info['gateway']}/api/v1"
        self.back = f"{world.info['shop']}/back"
        self.headers = {"Authorization": f"Bearer {world.info['merchant']['secret_key']}"}

    def call(self, method: str, path: str, status: int = 200, body: dict[str, Any] | None = None) -> Any:
        """Call the API; the answer must have this status."""
        answer = requests.request(method, self.api + path, json=body, headers=self.headers, timeout=SECONDS)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def ask(self, **fixed: Any) -> dict[str, Any]:
        """Open a transfer."""
        body = {"order_id": f"t-{secrets.token_hex(6)}", "callback_url": self.back} | fixed
        opened: dict[str, Any] = self.call("POST", "/transfers", 201, body)
        return opened

    def delivered(self, payment_id: str) -> list[str]:
        """Wait until a webhook about this payment has arrived; return the types of all there are."""

        def found() -> list[str]:
            events = self.call("GET", f"/events?payment_id={payment_id}")["items"]
            ways = [self.call("GET", f"/events/{each['id']}/deliveries")["items"] for each in events]
            arrived = ways and all(way["state"] == "delivered" for each in ways for way in each)
            return [each["type"] for each in events] if arrived else []

        return list(wait_for(found, "the webhook to arrive"))


@pytest.mark.parametrize("bank", [BANK_ONE.name_en, BANK_TWO.name_en])
def test_a_merchant_asks_and_its_customer_sends_saves_and_sends_again(world: RunningWorld, bank: str) -> None:
    """Nothing fixed but the amount, then by the saved token; told by webhook, both legs, clean books."""
    (source, other), merchant = strangers(world, bank), Merchant(world)
    sender, opened = Shopper(world, source), merchant.ask(amount=AMOUNT)
    fee = 0 if bank == BANK_TWO.name_en else FEE
    sender.go_to(opened["page_url"])
    sender.submit({"pan": source["pan"], "destination_pan": other["pan"], "save": "yes", "action": "continue"})
    assert WORDS["transfer.first.title"].fa in sender.page.text
    sender.press("pay", pin="123456")
    assert (sender.page.status_code, WORDS["transfer.unchecked"].fa in sender.page.text) == (422, True)
    receipt = finish(sender)

    assert f"به کارت: {other['pan'][-4:]}" in sender.messages()[0]["text"]
    assert f"payment_id={opened['id']}" in receipt
    shown = merchant.call("GET", f"/transfers/{opened['id']}")
    assert (shown["state"], shown["amount"], shown["fee"]) == ("confirmed", AMOUNT, fee)
    assert merchant.delivered(opened["id"]) == ["payment.confirmed"]
    two = [("credit", "approved", AMOUNT, 0)] if fee else []
    assert sorted(row[1:] for row in at_banks(world, sender.page_token)) == [
        *two, ("transfer", "approved", AMOUNT + fee, fee),
    ]  # fmt: skip
    send_by_token(sender, merchant, shown["destination"], other["pan"])


def send_by_token(sender: Shopper, merchant: Merchant, saved: dict[str, Any], number: str) -> None:
    """Send to the saved destination, whose number is on no page; then it is deleted, and good for nothing."""
    token = saved["token"]
    assert token in [each["token"] for each in merchant.call("GET", "/transfer_destinations")["items"]]
    opened = merchant.ask(destination_token=token)
    assert (opened["amount"], opened["destination"]["masked_pan"]) == (None, f"{number[:6]}******{number[-4:]}")
    sender.go_to(opened["page_url"])
    assert number not in sender.page.text
    sender.submit({"pan": sender.card["pan"], "amount": "۲٬۰۰۰٬۰۰۰", "action": "continue"})
    assert WORDS["transfer.first.title"].fa not in sender.page.text
    finish(sender)
    assert merchant.call("GET", f"/transfers/{opened['id']}")["amount"] == 2_000_000
    merchant.call("DELETE", f"/transfer_destinations/{token}", 204)
    gone = {"order_id": "gone", "callback_url": merchant.back, "destination_token": token}
    merchant.call("POST", "/transfers", 404, gone)


def test_a_given_up_and_a_mistyped_request_move_nothing(world: RunningWorld) -> None:
    """The wrong payee is changed before the code; cancelled, the shop is told and the order is free again."""
    merchant, source = Merchant(world), world.fresh_card()
    wrong, right = (card["pan"] for card in cards_of(world, BANK_ONE.name_en)[:2])
    opened = merchant.ask()
    sender = Shopper(world, source)
    sender.go_to(opened["page_url"])
    typed = {"pan": source["pan"], "destination_pan": wrong, "amount": "1500000", "action": "continue"}
    sender.submit(typed)
    stale = sender.page
    sender.go_to(opened["page_url"].replace("/pay/", "/transfer/"))
    sender.submit(typed | {"destination_pan": right})
    assert f"{right[-4:]}" in sender.page.text
    sender.page = stale
    assert sender.pay("123456").status_code == 409
    assert WORDS["transfer.renamed"].fa in sender.page.text
    sender.press("cancel")

    assert merchant.call("GET", f"/transfers/{opened['id']}")["state"] == "cancelled"
    assert merchant.delivered(opened["id"]) == ["payment.cancelled"]
    assert at_banks(world, opened["page_url"].rsplit("/", 1)[1]) == []
    assert merchant.ask(order_id=opened["order_id"])["state"] == "open"
