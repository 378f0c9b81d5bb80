"""The page for transfers without JavaScript: two cards and an amount, the payment page, waiting, the receipt."""

from __future__ import annotations

import dataclasses
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.domain.challenge import WORK_BITS
from gateway.domain.outcome import HolderRefused, Unknown
from gateway.services.challenge import new_challenge, picture_digits
from gateway.services.enrol import add_issuer
from gateway.web.challenges import OWN_TRANSFER
from gateway.web.wording import WORDS
from tests.fakes.shop import MERCHANT, ONE, PAN, Shop
from tests.gateway.services.test_transfers import FAR, NEAR, OTHER
from tests.gateway.web.conftest import CARD, PROOF, REAL_PAN, words_of
from tests.gateway.web.test_challenge import picture_in, work_on

NAMING = re.compile(r'name="naming" value="([A-Z2-7]{16})"')
TICK = re.compile(r'name="checked" value="([A-Z2-7]{16})"')
GROUPED = " ".join(PAN[at : at + 4] for at in range(0, 16, 4))


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """A browser at a gateway that takes transfers between two banks."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    settings = shop.gateway.settings.model_copy(update={"transfer_terminal_id": MERCHANT.terminal_id})
    return create_app(gateway=dataclasses.replace(shop.gateway, settings=settings)).test_client()


def go_on(client: FlaskClient, **typed: str) -> TestResponse:
    """Submit the form, with what the test types instead."""
    form = {"pan": PAN, "destination_pan": FAR, "amount": "20,000,000", "action": "continue", "lang": "fa"}
    return client.post("/transfer", data=form | typed)


def page_of(answer: TestResponse) -> str:
    """Return the address that the card's form goes to."""
    return answer.text.split('action="/pay/')[1].split('"')[0].split("?")[0]


def press(client: FlaskClient, answer: TestResponse, action: str, **typed: str) -> TestResponse:
    """Press a button of the payment page that an answer showed, its payee ticked where the page asks for that."""
    proof, naming, tick = (pattern.search(answer.text) for pattern in (PROOF, NAMING, TICK))
    assert proof
    assert naming
    shown = {"csrf_token": proof[1], "naming": naming[1]} | ({"checked": tick[1]} if tick else {})
    form = CARD | shown | typed | {"action": action, "lang": "fa"}
    return client.post(f"/pay/{page_of(answer)}", data=form)


def test_an_empty_form_is_shown(client: FlaskClient) -> None:
    """In both languages, with nothing to complain about."""
    for lang in ("fa", "en"):
        shown = client.get("/transfer", query_string={"lang": lang})
        assert shown.status_code == 200
        assert getattr(WORDS["transfer.title"], lang) in words_of(shown)
        assert 'role="alert"' not in shown.text


def test_d29_the_answer_names_the_holder_and_keeps_the_source_card_in_its_field(client: FlaskClient) -> None:
    """Name, bank, fee and total, before any button that moves money; the destination's number is masked."""
    shown = go_on(client, destination_pan=" ".join(FAR[at : at + 4] for at in range(0, 16, 4)))

    assert shown.status_code == 200
    assert shown.headers["Cache-Control"] == "no-store"
    for part in ("م*** ر***", "بانک یک", "۲۰٬۰۰۰٬۰۰۰", "۱۰٬۰۰۰", "۲۰٬۰۱۰٬۰۰۰", f'value="{GROUPED}"'):
        assert part in words_of(shown)
    assert FAR not in shown.text
    assert PAN not in client.get(f"/pay/{page_of(shown)}").text.replace(" ", "")


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_what_the_message_must_say_has_the_cards_digits_in_their_order(client: FlaskClient, lang: str) -> None:
    """The binding has them apart (D25); so shown, right-to-left text would turn 0266 into 6620."""
    shown = words_of(go_on(client, lang=lang))

    assert f"کارت {FAR[-4:]}" in shown
    assert " ".join(FAR[-4:]) not in shown


def test_d7_a_transfer_waits_for_its_second_leg_and_ends_in_a_receipt(client: FlaskClient, shop: Shop) -> None:
    """The page waits while the credit is owed; nobody could pay twice meanwhile."""
    shown = go_on(client, amount="۲۰۰۰۰۰۰۰")
    paid = press(client, shown, "pay")
    assert paid.status_code == 303
    waiting = client.get(paid.location)
    assert 'data-kind="waiting"' in waiting.text
    shop.work()

    receipt = words_of(client.get(paid.location))

    for part in (WORDS["receipt.title@CARD_TRANSFER"].fa, "م*** ر***", "۱۰٬۰۰۰", "بانک یک"):
        assert part in receipt
    assert FAR not in receipt


def test_within_one_bank_the_receipt_comes_at_once(client: FlaskClient) -> None:
    """In English as well."""
    shown = go_on(client, destination_pan=NEAR, lang="en")
    paid = press(client, shown, "pay")
    assert WORDS["receipt.title@CARD_TRANSFER"].en in words_of(client.get(paid.location + "?lang=en"))


def test_the_same_amount_to_the_same_card_minutes_ago_is_asked_about(client: FlaskClient) -> None:
    """Before its code is typed, in a transfer's own words; to another card it is another transfer."""
    asked = WORDS["pay.alike@CARD_TRANSFER"].fa.partition("}")[2]
    press(client, go_on(client, destination_pan=NEAR), "pay")

    again = words_of(press(client, go_on(client, destination_pan=NEAR), "request_pin"))
    other = words_of(press(client, go_on(client, destination_pan=FAR), "request_pin"))

    assert asked in again
    assert "دقیقه پیش" not in other


def test_d28_another_card_than_the_one_named_is_told_so(client: FlaskClient, shop: Shop) -> None:
    """For a code and for money; the field is named."""
    shown = go_on(client)
    for action in ("request_pin", "pay"):
        refused = press(client, shown, action, pan=OTHER)
        assert refused.status_code == 409
        assert WORDS["transfer.other_card"].fa in words_of(refused)
    assert shop.switch.authorised == []


def test_d28_an_old_name_is_told_so(client: FlaskClient, shop: Shop) -> None:
    """With a sentence; nothing was sent."""
    shown = go_on(client)
    shop.change("UPDATE transfer SET named_at = named_at - interval '901 seconds'")
    refused = press(client, shown, "pay")
    assert refused.status_code == 409
    assert WORDS["transfer.stale"].fa in words_of(refused)
    assert shop.switch.authorised == []


@pytest.mark.parametrize(
    ("typed", "key", "place"),
    [
        ({"pan": "12"}, "pan.length", "pan"),
        ({"pan": REAL_PAN}, "pan.real", "pan"),
        ({"pan": PAN[:-1] + str((int(PAN[-1]) + 1) % 10)}, "pan.luhn", "pan"),
        ({"destination_pan": ""}, "transfer.destination.length", "destination_pan"),
        ({"destination_pan": FAR[:-1] + str((int(FAR[-1]) + 1) % 10)}, "transfer.destination.luhn", "destination_pan"),
        ({"destination_pan": PAN}, "transfer.destination.same", "destination_pan"),
        ({"destination_pan": REAL_PAN}, "transfer.destination.real", "destination_pan"),
        ({"amount": "ten"}, "transfer.amount.form", "amount"),
        ({"amount": "9999"}, "transfer.limit.least", "amount"),
        ({"amount": "50000001"}, "transfer.limit.most", "amount"),
    ],
)
@pytest.mark.parametrize("lang", ["fa", "en"])
def test_a_mistake_is_named_where_it_was_made(
    client: FlaskClient, shop: Shop, typed: dict[str, str], key: str, place: str, lang: str
) -> None:
    """The summary leads to the field, and nothing is opened."""
    shown = go_on(client, lang=lang, **typed)

    assert shown.status_code == 422
    assert getattr(WORDS[key], lang) in words_of(shown)
    assert f'href="#{place}"' in shown.text
    assert shop.rows("SELECT 1 FROM payment") == []


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (HolderRefused("118"), "transfer.destination.refused"),
        (HolderRefused("121"), "transfer.too_many"),
        (Unknown("silent"), "transfer.destination.unavailable"),
    ],
)
def test_d28_what_the_destinations_bank_says_is_told(
    client: FlaskClient, shop: Shop, answer: HolderRefused | Unknown, key: str
) -> None:
    """No card for money, too many questions, silence."""
    shop.switch.holder = answer
    shown = go_on(client)
    assert shown.status_code == 422
    assert WORDS[key].fa in words_of(shown)


def ask_much(shop: Shop, times: int) -> None:
    """Let so many questions about the destination have been asked today."""
    shop.change("UPDATE quota SET used = :times WHERE scope LIKE 'holder-card %'", times=times)


def test_d17_a_destination_that_was_asked_about_much_is_sent_to_after_a_challenge(
    client: FlaskClient, shop: Shop
) -> None:
    """What was typed stays; the digits of its picture, or the work of a browser, lead on, once each."""
    go_on(client)
    ask_much(shop, 100)
    shown = go_on(client)
    assert shown.status_code == 422
    assert WORDS["transfer.picture.needed"].fa in words_of(shown)
    assert f'value="{GROUPED}"' in shown.text
    assert f'data-bits="{WORK_BITS}"' in shown.text
    address, challenge = picture_in(shown.text)
    assert client.get(address).mimetype == "image/png"
    digits = picture_digits(shop.gateway, OWN_TRANSFER, challenge)
    assert digits
    assert go_on(client, challenge=challenge, picture_code=digits).status_code == 200

    again = go_on(client, challenge=challenge, picture_code=digits)
    assert WORDS["picture.wrong"].fa in words_of(again)
    assert "data-bits" not in again.text
    fresh = picture_in(again.text)[1]
    assert go_on(client, challenge=fresh, work=work_on(fresh)).status_code == 200
    assert len(shop.switch.questions) == 3


def test_d28_no_challenge_leads_past_the_ceiling(client: FlaskClient, shop: Shop) -> None:
    """A thousand questions about one card a day are enough for anybody."""
    go_on(client)
    ask_much(shop, 1_000)
    challenge = new_challenge(shop.gateway, OWN_TRANSFER)
    refused = go_on(client, challenge=challenge, work=work_on(challenge))
    assert WORDS["transfer.too_many"].fa in words_of(refused)
    assert "picture_code" not in refused.text


def test_without_a_terminal_there_is_no_such_page(shop: Shop) -> None:
    """404, whoever asks."""
    assert create_app(gateway=shop.gateway).test_client().get("/transfer").status_code == 404


def test_one_address_begins_so_many_transfers_a_minute(client: FlaskClient) -> None:
    """Flood control beside the limits of cards."""
    seen = {go_on(client, amount="ten").status_code for _ in range(25)}
    assert seen == {422}
    codes = [go_on(client).status_code for _ in range(21)]
    assert codes[-1] == 429


def test_the_answer_leads_to_its_own_payment_in_the_other_language(client: FlaskClient) -> None:
    """Not to another empty form, whose payment would be a second one."""
    shown = go_on(client)
    address = f"/pay/{page_of(shown)}?lang=en"

    assert f'href="{address}" lang="en"' in shown.text
    assert "م*** ر***" in words_of(client.get(address))
