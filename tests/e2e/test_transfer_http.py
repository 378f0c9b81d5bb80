"""Card to card by plain HTTP against a running sandbox: between two banks, within one, and refusals (D7, D28)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from gateway.web.wording import WORDS
from otp.domain.holder import masked_name
from sandbox.banks import BANK_TWO, BY_ORGANISATION
from sandbox.cards import CARDS
from sandbox.shopper import Shopper
from tests.world import RunningWorld, wait_for

AMOUNT = 20_000_000
FEE = 10_000
PARTED = "receipt.title@CARD_TRANSFER"


def cards_of(world: RunningWorld, name: str) -> list[dict[str, Any]]:
    """Return a bank's good cards."""
    return [card for card in world.info["cards"] if (card["bank"], card["behaviour"]) == (name, "approve")]


def sender_of(world: RunningWorld, name: str) -> dict[str, Any]:
    """Return a card to pay with: of bank two one that no other test has used up."""
    return world.fresh_card() if name == BANK_TWO.name_en else cards_of(world, name)[1]


def others_of(world: RunningWorld, name: str, source: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a bank's good cards that money of this one can go to."""
    return [card for card in cards_of(world, name) if card["pan"] != source["pan"]]


def strangers(world: RunningWorld, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a card of bank two and one of this bank that it has never sent money to, whatever other tests did."""
    query = """SELECT 1 FROM transfer JOIN payment USING (payment_id) JOIN attempt USING (attempt_id)
        WHERE attempt.pan_masked = %s AND destination_masked = %s"""
    with psycopg.connect(world.world.database_url("gateway", "reader").replace("+psycopg", "")) as gateway:
        for _ in cards_of(world, BANK_TWO.name_en):
            source = world.fresh_card()
            for other in others_of(world, name, source):
                masks = [f"{card['pan'][:6]}******{card['pan'][-4:]}" for card in (source, other)]
                if gateway.execute(query, masks).fetchone() is None:
                    return source, other
    raise AssertionError("every card has sent money to every other one")


def begin(world: RunningWorld, source: dict[str, Any], destination: str, amount: str = f"{AMOUNT:,}") -> Shopper:
    """Fill in the page for transfers and go on."""
    sender = Shopper(world, source)
    sender.go_to(f"{world.info['gateway']}/transfer")
    sender.submit({"pan": source["pan"], "destination_pan": destination, "amount": amount, "action": "continue"})
    return sender


def finish(sender: Shopper) -> str:
    """Pay with the code on the phone, and return the page once it is a receipt."""
    code = sender.request_pin()
    text = sender.messages()[0]["text"]
    assert "کارت به کارت" in text
    sender.pay(code)
    address = sender.page.url

    def receipt() -> str:
        sender.go_to(address)
        return sender.page.text if WORDS[PARTED].fa in sender.page.text else ""

    return str(wait_for(receipt, "the transfer to be complete"))


def at_banks(world: RunningWorld, page_token: str) -> list[tuple[Any, ...]]:
    """Return what the banks did for the payment of a page, in order: kind, state, amount, fee."""
    with psycopg.connect(world.world.database_url("gateway", "reader").replace("+psycopg", "")) as gateway:
        query = "SELECT reference FROM payment WHERE page_token = %s"
        (reference,) = gateway.execute(query, (page_token,)).fetchone() or ("",)
    found: list[tuple[Any, ...]] = []
    for organisation in BY_ORGANISATION:
        with psycopg.connect(world.world.database_url(organisation, "reader").replace("+psycopg", "")) as bank:
            query = "SELECT kind, state, amount_rial, fee_rial FROM authorisation WHERE transaction_ref = %s"
            found += [(organisation, *row) for row in bank.execute(query, (reference,))]
    return found


@pytest.mark.parametrize(
    "ways", [("Bank Two (sandbox)", "Bank One (sandbox)"), ("Bank One (sandbox)", "Bank Two (sandbox)")]
)
def test_d7_money_goes_from_a_card_of_one_bank_to_a_card_of_another(world: RunningWorld, ways: tuple[str, str]) -> None:
    """Masked name, bank, fee, SMS with the destination's last four, receipt; debit there, credit here, clean books."""
    source, destination = sender_of(world, ways[0]), cards_of(world, ways[1])[1]
    sender = begin(world, source, destination["pan"])

    assert sender.page.status_code == 200
    name = next(masked_name(card.holder) for card in CARDS if card.pan.reveal() == destination["pan"] and card.holder)
    for part in (name, "۲۰٬۰۱۰٬۰۰۰", "۱۰٬۰۰۰"):
        assert part in sender.page.text
    assert sender.page.headers["Cache-Control"] == "no-store"
    shown = finish(sender)

    assert f"به کارت: {destination['pan'][-4:]}" in sender.messages()[0]["text"]
    assert name in shown
    assert destination["pan"] not in shown
    assert source["pan"] not in shown
    two = {"Bank Two (sandbox)": "bank_two", "Bank One (sandbox)": "bank_one"}
    assert sorted(at_banks(world, sender.page_token)) == sorted(
        [
            (two[ways[0]], "transfer", "approved", AMOUNT + FEE, FEE),
            (two[ways[1]], "credit", "approved", AMOUNT, 0),
        ]
    )


def test_d7_within_one_bank_it_is_one_message_without_a_fee(world: RunningWorld) -> None:
    """One authorisation moves it all."""
    source = world.fresh_card()
    destination = others_of(world, "Bank Two (sandbox)", source)[0]
    sender = begin(world, source, destination["pan"], "۲٬۰۰۰٬۰۰۰")
    finish(sender)

    assert at_banks(world, sender.page_token) == [("bank_two", "transfer", "approved", 2_000_000, 0)]


def test_d5_a_code_for_one_transfer_pays_no_other(world: RunningWorld) -> None:
    """Same card, same amount, another destination: refused, and the code is void."""
    source = world.fresh_card()
    first, second = others_of(world, "Bank Two (sandbox)", source)[:2]
    one, other = begin(world, source, first["pan"], "3000000"), begin(world, source, second["pan"], "3000000")
    code = one.request_pin()

    refused = other.pay(code)
    assert refused.status_code == 422
    assert one.pay(code).status_code == 422
    assert [row[2] for row in at_banks(world, one.page_token)] == ["declined"]


@pytest.mark.parametrize(
    ("destination", "amount", "key"),
    [
        ("self", "2000000", "transfer.destination.same"),
        ("6037991234567893", "2000000", "transfer.destination.real"),
        ("9990020000000000", "2000000", "transfer.destination.luhn"),
        ("9990029999999990", "2000000", "transfer.destination.refused"),
        ("good", "5", "transfer.limit.least"),
        ("good", "50000001", "transfer.limit.most"),
        ("good", "", "transfer.amount.form"),
    ],
)
def test_what_cannot_be_sent_is_told_before_any_code(
    world: RunningWorld, destination: str, amount: str, key: str
) -> None:
    """422, the sentence, and both numbers still in their fields of this very answer."""
    source, other = cards_of(world, "Bank Two (sandbox)")[:2]
    pan = {"self": source["pan"], "good": other["pan"]}.get(destination, destination)
    sender = begin(world, source, pan, amount)

    assert sender.page.status_code == 422
    assert WORDS[key].fa in sender.page.text
    assert " ".join(source["pan"][at : at + 4] for at in range(0, 16, 4)) in sender.page.text
