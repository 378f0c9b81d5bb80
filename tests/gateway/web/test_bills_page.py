"""The page for bills without JavaScript: collect, check, go on to the payment page, pay, keep the receipt."""

from __future__ import annotations

import dataclasses
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.persian import isolate
from gateway.app import create_app
from gateway.domain.bills import BILLS_MOST, Bill, check_digit
from gateway.services.enrol import add_merchant
from gateway.services.owed import add_biller
from gateway.web.wording import WORDS
from tests.fakes.shop import MERCHANT, Shop
from tests.gateway.web.conftest import CARD, PROOF, words_of

PHONE, WATER = Bill("7748317800142", "1770160"), Bill("2050327604613", "1070189")
COMPANY = "000000000000201"


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """A browser at a gateway that takes bills."""
    company = dataclasses.replace(
        MERCHANT, merchant_id=COMPANY, terminal_id="20000201", webhook_url=None, webhook_secret=None
    )
    add_merchant(shop.gateway, company)
    for bill in (PHONE, WATER):
        add_biller(shop.gateway, COMPANY, int(bill.service), bill.company)
    settings = shop.gateway.settings.model_copy(update={"bill_terminal_id": MERCHANT.terminal_id})
    return create_app(gateway=dataclasses.replace(shop.gateway, settings=settings)).test_client()


def press(client: FlaskClient, action: str, *listed: Bill, lang: str = "fa", **typed: str) -> TestResponse:
    """Submit the form with what is in the list and what is typed."""
    return client.post(
        "/bill", data={"action": action, "bill": [bill.barcode for bill in listed], "lang": lang} | typed
    )


def test_one_bill_is_paid_from_its_two_numbers(client: FlaskClient, shop: Shop) -> None:
    """Continue leads to the ordinary payment page, which shows the bill; the receipt shows it again."""
    going = press(client, "continue", bill_id="۷۷۴۸۳۱۷۸۰۰۱۴۲", payment_id=PHONE.payment_id)
    assert going.status_code == 303
    page = client.get(going.location)
    assert PHONE.bill_id in page.text
    assert WORDS["bill.service.4"].fa in words_of(page)
    proof = PROOF.search(page.text)
    assert proof

    paid = client.post(going.location, data=CARD | {"action": "pay", "csrf_token": proof[1]})
    receipt = words_of(client.get(paid.location))

    for part in (WORDS["receipt.title@BILL_PAYMENT"].fa, PHONE.bill_id, "۱۷٬۰۰۰", 'href="http://localhost:8000/bill?'):
        assert part in receipt
    assert shop.rows("SELECT state FROM payment") == [("confirmed",)]


def test_several_bills_are_collected_and_paid_together(client: FlaskClient, shop: Shop) -> None:
    """Add one, add another by its barcode, take the first out again, go on with an empty field."""
    first = press(client, "add", bill_id=PHONE.bill_id, payment_id=PHONE.payment_id)
    assert first.status_code == 200
    assert f'value="{PHONE.barcode}"' in first.text
    both = words_of(press(client, "add", PHONE, barcode=f"{WATER.barcode[:13]} {WATER.barcode[13:]}"))
    assert "۲۷٬۰۰۰" in both
    less = client.post("/bill", data={"bill": [PHONE.barcode, WATER.barcode], "remove": PHONE.barcode})
    assert f'name="bill" value="{WATER.barcode}"' in less.text
    assert f'name="bill" value="{PHONE.barcode}"' not in less.text

    going = press(client, "continue", PHONE, WATER)

    assert going.status_code == 303
    assert shop.rows("SELECT amount_rial FROM payment") == [(27_000,)]


def test_taking_out_the_last_bill_leaves_an_empty_page(client: FlaskClient) -> None:
    """Nothing is complained about."""
    shown = client.post("/bill", data={"bill": [PHONE.barcode], "remove": PHONE.barcode})
    assert shown.status_code == 200
    assert 'name="bill"' not in shown.text
    assert 'role="alert"' not in shown.text


@pytest.mark.parametrize(
    ("typed", "key", "place"),
    [
        ({"bill_id": "7748317800143", "payment_id": "1770160"}, "bill.bill_id.check", "bill_id"),
        ({"bill_id": "77", "payment_id": "1770160"}, "bill.bill_id.length", "bill_id"),
        ({"bill_id": "7748317800142", "payment_id": "1770161"}, "bill.payment_id.check", "payment_id"),
        ({"bill_id": "7748317800142", "payment_id": ""}, "bill.payment_id.length", "payment_id"),
        ({"barcode": "123"}, "bill.barcode.length", "barcode"),
        ({"barcode": PHONE.barcode[:-1] + "9"}, "bill.barcode.check", "barcode"),
        ({}, "bill.none", "bill_id"),
        ({"bill_id": "9174639504124", "payment_id": "12908190"}, "bill.unknown_biller", "bill_id"),
    ],
)
@pytest.mark.parametrize("lang", ["fa", "en"])
def test_a_mistake_is_named_where_it_was_made(
    client: FlaskClient, typed: dict[str, str], key: str, place: str, lang: str
) -> None:
    """The summary leads to the field, what was typed stays, nothing is opened."""
    shown = press(client, "continue", lang=lang, **typed)
    assert shown.status_code == 422
    assert getattr(WORDS[key], lang) in words_of(shown)
    assert f'href="#{place}"' in shown.text
    assert f'id="{place}"' in shown.text
    for text in filter(None, typed.values()):
        assert f'value="{text}"' in shown.text


def test_a_bill_in_the_list_is_not_added_twice(client: FlaskClient) -> None:
    """The list stays as it was."""
    shown = press(client, "add", PHONE, bill_id=PHONE.bill_id, payment_id=PHONE.payment_id)
    assert WORDS["bill.twice"].fa in words_of(shown)
    assert len(re.findall('name="bill" value', shown.text)) == 1


def test_a_list_has_at_most_ten_bills(client: FlaskClient) -> None:
    """An eleventh is refused with a sentence, however the form was made."""
    shown = press(client, "continue", *[PHONE] * (BILLS_MOST + 1))
    assert shown.status_code == 422
    assert WORDS["bill.many"].fa in words_of(shown)


def test_a_paid_bill_says_when_and_under_which_code(client: FlaskClient, shop: Shop) -> None:
    """Instead of the payment page; the code leads to the receipt's public check."""
    going = press(client, "continue", bill_id=PHONE.bill_id, payment_id=PHONE.payment_id)
    proof = PROOF.search(client.get(going.location).text)
    assert proof
    client.post(going.location, data=CARD | {"action": "pay", "csrf_token": proof[1]})

    again = words_of(press(client, "continue", lang="en", bill_id=PHONE.bill_id, payment_id=PHONE.payment_id))

    ((code,),) = shop.rows("SELECT tracking_code FROM payment")
    assert code in again
    assert "has been paid already" in again


def test_a_bill_that_is_being_paid_says_so(client: FlaskClient, shop: Shop) -> None:
    """Its money is under way: not paid, and not free."""
    press(client, "continue", bill_id=PHONE.bill_id, payment_id=PHONE.payment_id)
    shop.change("UPDATE bill SET claimed = true")
    again = words_of(press(client, "continue", bill_id=PHONE.bill_id, payment_id=PHONE.payment_id))
    shown = isolate(PHONE.bill_id)
    assert WORDS["bill.being_paid"].fa.format(bill_id=shown) in again
    assert WORDS["bill.being_paid.title"].fa in again
    assert WORDS["bill.paid.title"].fa not in again


def test_a_bill_that_was_paid_meanwhile_takes_no_other_out_of_the_list(client: FlaskClient, shop: Shop) -> None:
    """The one that the sentence names is gone; going on pays the rest."""
    going = press(client, "continue", bill_id=PHONE.bill_id, payment_id=PHONE.payment_id)
    proof = PROOF.search(client.get(going.location).text)
    assert proof
    client.post(going.location, data=CARD | {"action": "pay", "csrf_token": proof[1]})

    shown = press(client, "continue", PHONE, WATER)

    assert WORDS["bill.paid.title"].fa in words_of(shown)
    assert re.findall('name="bill" value="([0-9]+)"', shown.text) == [WATER.barcode]
    assert press(client, "continue", WATER).status_code == 303
    assert shop.rows("SELECT amount_rial FROM payment ORDER BY created_at") == [(17_000,), (10_000,)]


def test_somebody_else_was_faster(client: FlaskClient, shop: Shop) -> None:
    """Two pages for one bill: the second one's card is refused with a sentence, and nothing is taken."""
    pages = [press(client, "continue", bill_id=PHONE.bill_id, payment_id=PHONE.payment_id).location for _ in range(2)]
    answers = []
    for address in pages:
        proof = PROOF.search(client.get(address).text)
        assert proof
        answers.append(client.post(address, data=CARD | {"action": "pay", "csrf_token": proof[1]}))
    assert [answer.status_code for answer in answers] == [303, 409]
    assert WORDS["bill.stale"].fa in words_of(answers[1])
    assert len(shop.switch.authorised) == 1


def test_too_large_a_sum_is_told_before_a_card_is_asked_for(client: FlaskClient) -> None:
    """One payment has a ceiling."""
    payment_id = "99999999701"
    payment_id += check_digit(payment_id)
    payment_id += check_digit(PHONE.bill_id + payment_id)
    bill_id = PHONE.bill_id
    shown = press(client, "continue", bill_id=bill_id, payment_id=payment_id)
    assert WORDS["bill.amount"].fa in words_of(shown)


def test_there_is_no_page_where_no_bills_are_taken(shop: Shop) -> None:
    """Without the setting it is not found."""
    client = create_app(gateway=shop.gateway).test_client()
    assert client.get("/bill").status_code == 404
    assert client.post("/bill").status_code == 404


def test_one_address_opens_so_many(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flood control stands before the database fills with open pages."""
    monkeypatch.setattr("gateway.web.bills.OPENED_PER_MINUTE", 1)
    typed = {"bill_id": PHONE.bill_id, "payment_id": PHONE.payment_id}
    assert [press(client, "continue", **typed).status_code for _ in range(2)] == [303, 429]
