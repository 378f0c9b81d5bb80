"""The page of an asked transfer without JavaScript: what was left open is typed, the payee named, ticked and paid."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.rial import Rial
from gateway.app import create_app
from gateway.domain.outcome import HolderRefused
from gateway.services.destinations import delete_destination
from gateway.services.enrol import add_issuer
from gateway.services.transfer_requests import AskTransfer, TransferRecord, ask_transfer
from gateway.web.wording import WORDS
from tests.fakes.shop import MERCHANT, ONE, PAN, Shop
from tests.fakes.switch import decline
from tests.gateway.services.test_transfers import FAR, NEAR
from tests.gateway.web.conftest import CARD, PROOF, REAL_PAN, words_of
from tests.gateway.web.test_challenge import picture_in, work_on
from tests.gateway.web.test_transfer_page import GROUPED, NAMING, TICK, ask_much, press

BACK = "http://localhost:8200/back"


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """A browser at a gateway with two banks and without a page for transfers of its own."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    return create_app(gateway=shop.gateway).test_client()


def asked(
    shop: Shop, amount: int | None = 20_000_000, *, order: str = "T-1", token: str | None = None
) -> TransferRecord:
    """Ask for a transfer as a merchant."""
    ask = AskTransfer(order, BACK, None if amount is None else Rial(amount), token, "قسط دوم")
    return ask_transfer(shop.gateway, shop.caller, ask, None)


def path_of(record: TransferRecord) -> str:
    """Return where its payer types."""
    return f"/transfer/{record.payment.page_token}"


def go_on(client: FlaskClient, record: TransferRecord, **typed: str) -> TestResponse:
    """Open the page and submit its form, with what the test types instead."""
    proof = PROOF.search(client.get(path_of(record)).text)
    form = {"pan": PAN, "destination_pan": NEAR, "lang": "fa", "csrf_token": proof[1] if proof else ""}
    return client.post(path_of(record), data=form | typed)


def test_d17_a_destination_that_was_asked_about_much_is_named_after_a_challenge(
    client: FlaskClient, shop: Shop
) -> None:
    """Of this page alone; the summary leads to its field."""
    record, other = asked(shop), asked(shop, order="T-2")
    go_on(client, other)
    ask_much(shop, 100)
    shown = go_on(client, record)
    assert shown.status_code == 422
    assert WORDS["transfer.picture.needed"].fa in words_of(shown)
    assert 'href="#picture_code"' in shown.text
    challenge = picture_in(shown.text)[1]
    work = work_on(challenge)
    assert go_on(client, other, challenge=challenge, work=work).status_code == 422
    assert go_on(client, record, challenge=challenge, work=work).status_code == 200


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_the_page_asks_for_what_was_left_open_and_says_who_asks(client: FlaskClient, shop: Shop, lang: str) -> None:
    """The payment's own address shows it; a fixed amount has no field, an open one has."""
    for amount, shown in ((20_000_000, False), (None, True)):
        record = asked(shop, amount, order=f"T-{amount}")
        page = client.get(f"/pay/{record.payment.page_token}", query_string={"lang": lang})
        assert page.status_code == 200
        assert getattr(WORDS["transfer.asked_by"], lang) in words_of(page)
        assert getattr(MERCHANT, f"name_{lang}") in words_of(page)
        assert "قسط دوم" in words_of(page)
        assert ('name="amount"' in page.text) is shown
        assert ('name="destination_pan"' in page.text, 'name="save"' in page.text) == (True, True)
        assert page.headers["Cache-Control"] == "no-store"


def test_d28_a_payee_is_named_ticked_and_paid_and_the_receipt_leads_back(client: FlaskClient, shop: Shop) -> None:
    """The source card stands in the answer alone; without the tick 422 at its box; the shop's address at the end."""
    record = asked(shop)
    shown = go_on(client, record)
    assert shown.status_code == 200
    assert shop.switch.questions[0].pan.reveal() == NEAR
    for part in ("م*** ر***", "بانک دو", f'value="{GROUPED}"', WORDS["transfer.first.title"].fa):
        assert part in words_of(shown)
    assert NEAR not in shown.text
    refused = press(client, shown, "pay", checked="")
    assert refused.status_code == 422
    assert 'href="#checked"' in refused.text
    assert WORDS["transfer.unchecked"].fa in words_of(refused)
    assert shop.switch.authorised == []

    paid = press(client, shown, "pay")
    assert paid.status_code == 303
    receipt = client.get(paid.location)
    assert WORDS["receipt.title@CARD_TRANSFER"].fa in words_of(receipt)
    assert f"{BACK}?payment_id={record.payment.payment_id}&order_id=T-1&state=confirmed" in words_of(receipt)
    assert client.get(path_of(record)).status_code == 303


def test_a_tick_stays_for_the_payee_it_was_for(client: FlaskClient, shop: Shop) -> None:
    """After a refusal it is ticked still; after another payee was named it is not."""
    record = asked(shop)
    shown = go_on(client, record)
    shop.switch.will(decline("117"))
    again = press(client, shown, "pay")
    assert again.status_code == 422
    assert ticked(again)

    other = asked(shop, order="T-2")
    first = go_on(client, other)
    go_on(client, other, destination_pan=FAR)
    stale = press(client, first, "pay")
    assert (stale.status_code, ticked(stale)) == (409, False)
    assert WORDS["transfer.renamed"].fa in words_of(stale)
    assert "بانک یک" in words_of(stale)
    assert len(shop.switch.authorised) == 1
    assert press(client, stale, "pay").status_code == 303


def ticked(answer: TestResponse) -> bool:
    """Tell whether the box stands ticked."""
    found = re.search(r'<input type="checkbox" id="checked"[^>]*>', answer.text)
    assert found
    return " checked " in found[0]


def test_a_later_transfer_to_the_same_card_has_no_warning(client: FlaskClient, shop: Shop) -> None:
    """Nor a box to tick."""
    assert press(client, go_on(client, asked(shop)), "pay").status_code == 303
    shown = go_on(client, asked(shop, order="T-2"))
    assert TICK.search(shown.text) is None
    assert NAMING.search(shown.text)
    assert press(client, shown, "pay").status_code == 303


def test_a_payee_is_changed_by_a_link_until_a_card_was_submitted(client: FlaskClient, shop: Shop) -> None:
    """Then the link is gone and its address leads back to the payment."""
    record = asked(shop)
    shown = go_on(client, record)
    assert f'href="{path_of(record)}"' in shown.text
    assert client.get(path_of(record)).status_code == 200
    shop.switch.will(decline("116"))
    declined = press(client, shown, "pay")

    assert f'href="{path_of(record)}"' not in declined.text
    for answer in (client.get(path_of(record)), client.post(path_of(record), data={"pan": PAN})):
        assert (answer.status_code, answer.location) == (303, f"/pay/{record.payment.page_token}")


@pytest.mark.parametrize("lang", ["fa", "en"])
@pytest.mark.parametrize(
    ("typed", "key", "place"),
    [
        ({"pan": "12"}, "pan.length", "pan"),
        ({"pan": REAL_PAN}, "pan.real", "pan"),
        ({"destination_pan": ""}, "transfer.destination.length", "destination_pan"),
        ({"destination_pan": PAN}, "transfer.destination.same", "destination_pan"),
        ({"amount": "ten"}, "transfer.amount.form", "amount"),
        ({"amount": "9999"}, "transfer.limit.least", "amount"),
    ],
)
def test_a_mistake_is_named_where_it_was_made(
    client: FlaskClient, shop: Shop, typed: dict[str, str], key: str, place: str, lang: str
) -> None:
    """The summary leads to the field, what was typed stays, and no payee is named."""
    shown = go_on(client, asked(shop, None), **{"amount": "11,000", "lang": lang, "save": "yes"} | typed)
    assert shown.status_code == 422
    assert getattr(WORDS[key], lang) in words_of(shown)
    assert f'href="#{place}"' in shown.text
    assert 'value="yes" checked' in shown.text
    assert shop.rows("SELECT 1 FROM transfer") == []


def test_a_form_of_another_page_names_nobody(client: FlaskClient, shop: Shop) -> None:
    """The proof belongs to the page token (D40)."""
    record, other = asked(shop), asked(shop, order="T-2")
    proof = PROOF.search(client.get(path_of(other)).text)
    assert proof
    shown = go_on(client, record, csrf_token=proof[1])
    assert shown.status_code == 422
    assert WORDS["form.stale"].fa in words_of(shown)
    assert shop.switch.questions == []


def test_the_destinations_bank_says_no(client: FlaskClient, shop: Shop) -> None:
    """The sentence, at the field."""
    shop.switch.holder = HolderRefused("118")
    shown = go_on(client, asked(shop))
    assert WORDS["transfer.destination.refused"].fa in words_of(shown)


def test_d16_a_saved_destination_has_no_field_and_may_be_gone(client: FlaskClient, shop: Shop) -> None:
    """Mask and bank are shown; a number typed beside it is not looked at; deleted, the page says so."""
    press(client, go_on(client, asked(shop), save="yes"), "pay")
    token = str(shop.rows("SELECT token FROM saved_destination")[0][0])
    record = asked(shop, order="T-2", token=token)
    page = client.get(path_of(record))
    assert 'name="destination_pan"' not in page.text
    assert 'name="save"' not in page.text
    assert f"{NEAR[:4]} {NEAR[4:6]}** **** {NEAR[-4:]}" in words_of(page)
    shown = go_on(client, record, destination_pan=FAR, save="yes")
    assert "بانک دو" in words_of(shown)
    delete_destination(shop.gateway, shop.caller, token)
    gone = go_on(client, record)
    assert gone.status_code == 422
    assert WORDS["transfer.destination.gone"].fa in words_of(gone)


def test_the_payer_gives_up_before_a_payee_is_named(client: FlaskClient, shop: Shop) -> None:
    """Cancelled as any payment, without an amount that nobody typed; the shop is told."""
    record = asked(shop, None)
    page = client.get(path_of(record))
    proof = PROOF.search(page.text)
    assert proof
    assert f'formaction="/pay/{record.payment.page_token}"' in page.text
    gone = client.post(
        f"/pay/{record.payment.page_token}", data={"csrf_token": proof[1], "action": "cancel", "lang": "fa"}
    )
    assert gone.status_code == 303
    shown = client.get(gone.location)
    assert WORDS["cancelled.text@CARD_TRANSFER"].fa in words_of(shown)
    assert WORDS["summary.amount"].fa not in words_of(shown)
    assert shop.rows("SELECT type FROM webhook_event") == [("payment.cancelled",)]


def test_buttons_of_the_card_page_do_nothing_without_a_payee(client: FlaskClient, shop: Shop) -> None:
    """Somebody who presses them by hand sees the form again; neither a code nor money is asked for."""
    record = asked(shop)
    proof = PROOF.search(client.get(path_of(record)).text)
    assert proof
    for action in ("request_pin", "pay", "extend"):
        answer = client.post(
            f"/pay/{record.payment.page_token}", data=CARD | {"csrf_token": proof[1], "action": action, "lang": "fa"}
        )
        assert 'name="destination_pan"' in answer.text, action
    assert client.get(f"/pay/{record.payment.page_token}/qr.svg").status_code == 404
    assert shop.switch.authorised == []
    assert shop.harim.asked == []


def test_a_page_whose_time_is_over_asks_for_nothing(client: FlaskClient, shop: Shop) -> None:
    """Before and after the sweeper came."""
    record = asked(shop)
    shop.later(1_000)
    for _ in range(2):
        assert client.get(path_of(record)).status_code == 303
        assert WORDS["expired.title"].fa in words_of(client.get(f"/pay/{record.payment.page_token}"))
        shop.sweep()


def test_there_is_no_such_page_for_anything_else(client: FlaskClient, shop: Shop) -> None:
    """A purchase's token leads to its own page, an unknown one nowhere."""
    purchase = shop.open()
    assert client.get(f"/transfer/{purchase.page_token}").location == f"/pay/{purchase.page_token}"
    for answer in (client.get("/transfer/x"), client.post("/transfer/x")):
        assert answer.status_code == 404


def test_one_address_names_so_many_payees_a_minute(client: FlaskClient, shop: Shop) -> None:
    """Flood control beside the limits of cards."""
    record = asked(shop)
    codes = [go_on(client, record).status_code for _ in range(21)]
    assert codes[-1] == 429


def test_the_answer_leads_to_the_payment_page_in_the_other_language(client: FlaskClient, shop: Shop) -> None:
    """And the form, where a payee is changed, to itself."""
    record = asked(shop)
    shown = go_on(client, record)

    assert f'href="/pay/{record.payment.page_token}?lang=en" lang="en"' in shown.text
    assert f'href="{path_of(record)}?lang=en" lang="en"' in client.get(path_of(record)).text
