"""The pages for a balance without JavaScript: what it costs, the card, the number once, and never again (D29)."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.app import create_app
from gateway.domain import fees
from gateway.domain.fees import FeeRow
from gateway.domain.outcome import Approved, Balance
from gateway.web.wording import WORDS
from tests.fakes.shop import MERCHANT, PAN, Shop
from tests.fakes.switch import decline, lost
from tests.gateway.web.conftest import CARD, PROOF, words_of

TOLD = {"fa": "۸۷٬۶۵۴٬۳۲۱", "en": "87,654,321"}


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """A browser at a gateway that tells balances."""
    settings = shop.gateway.settings.model_copy(update={"balance_terminal_id": MERCHANT.terminal_id})
    return create_app(gateway=dataclasses.replace(shop.gateway, settings=settings)).test_client()


def begun(client: FlaskClient, lang: str = "fa") -> str:
    """Press the button of the first page and return the address of the card page."""
    answer = client.post("/balance", data={"action": "continue", "lang": lang})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def press(client: FlaskClient, address: str, action: str = "pay", lang: str = "fa") -> TestResponse:
    """Fill in the card page and press a button."""
    proof = PROOF.search(client.get(address).text)
    assert proof
    return client.post(address, data=CARD | {"action": action, "lang": lang, "csrf_token": proof[1]})


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_d29_the_balance_stands_in_one_answer_that_nobody_may_keep(client: FlaskClient, lang: str) -> None:
    """The answer to the submission has it, under no-store; the same address has it never again."""
    first = client.get("/balance", query_string={"lang": lang})
    assert getattr(WORDS["balance.free"], lang) in words_of(first)
    address = begun(client, lang)
    asked = words_of(client.get(address))
    assert getattr(WORDS["pay@BALANCE_INQUIRY"], lang) in asked
    assert getattr(WORDS["sms.text@BALANCE_INQUIRY"], lang).format(payee=MERCHANT.payee_name) in asked

    told = press(client, address, lang=lang)

    assert told.status_code == 200
    assert told.headers["Cache-Control"] == "no-store"
    assert TOLD[lang] in words_of(told)
    assert PAN not in told.text.replace(" ", "")
    again = client.get(address)
    assert TOLD[lang] not in words_of(again)
    assert getattr(WORDS["balance.gone.title"], lang) in words_of(again)


def test_the_fee_is_told_before_the_card_is_asked_for(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the first page, on the card page, and beside the balance."""
    monkeypatch.setattr(fees, "BALANCE_FEES", (FeeRow(dt.date(2020, 1, 1), Rial(2_000)),))
    first = client.get("/balance")
    address = begun(client)

    for shown in (first, client.get(address), press(client, address)):
        assert "۲٬۰۰۰" in words_of(shown)


def test_an_overdrawn_card_is_said_to_be(client: FlaskClient, shop: Shop) -> None:
    """A debt is no balance."""
    debt = Approved("A00001", "0903", Sensitive(Balance(Rial(5_000_000), overdrawn=True)))
    shop.switch.will(lambda _switch, _request: debt)

    told = press(client, begun(client))

    assert WORDS["balance.overdrawn"].fa in words_of(told)
    assert WORDS["balance.now"].fa not in words_of(told)


def test_d2_an_unknown_outcome_is_said_to_be_one(client: FlaskClient, shop: Shop) -> None:
    """No number, no promise of one, and what becomes of a fee."""
    shop.switch.will(lost)
    address = begun(client)
    answer = press(client, address)
    assert answer.status_code == 303

    shown = words_of(client.get(address))

    assert WORDS["unknown.title"].fa in shown
    assert WORDS["unknown.text@BALANCE_INQUIRY"].fa.split("{at}")[0] in shown


def test_d18_a_refusal_says_the_same_as_for_a_purchase(client: FlaskClient, shop: Shop) -> None:
    """422, the reason, and the card page once more; cancelled, it asks nothing."""
    shop.switch.will(decline("117"))
    address = begun(client)

    refused = press(client, address)

    assert refused.status_code == 422
    assert WORDS["declined.title@BALANCE_INQUIRY"].fa in words_of(refused)
    assert WORDS["decline.card_or_code_wrong"].fa in words_of(refused)
    press(client, address, "cancel")
    assert WORDS["cancelled.title@BALANCE_INQUIRY"].fa in words_of(client.get(address))


def test_an_address_that_begins_too_many_questions_waits(client: FlaskClient) -> None:
    """A flood is told to wait; nothing is opened for it."""
    codes = [client.post("/balance", data={"action": "continue"}).status_code for _ in range(21)]

    assert codes == [303] * 20 + [429]


def test_no_page_where_no_balances_are_told(shop: Shop) -> None:
    """404 for both ways to ask."""
    client = create_app(gateway=shop.gateway).test_client()

    assert [client.get("/balance").status_code, client.post("/balance").status_code] == [404, 404]


def test_d2_after_a_voided_inquiry_nothing_is_said_of_paying(client: FlaskClient, shop: Shop) -> None:
    """D2: the bank answered nothing and the question was undone: it can be asked again, nothing was to be paid."""
    shop.switch.will(lost)
    address = begun(client)
    press(client, address)
    shop.later(5)
    shop.work()
    shop.work()

    shown = words_of(client.get(address))

    assert WORDS["attempt.voided@BALANCE_INQUIRY"].fa in shown
    assert WORDS["attempt.voided"].fa not in shown


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_without_tries_left_nobody_is_sent_to_a_shop(client: FlaskClient, shop: Shop, lang: str) -> None:
    """A question of one's own begins again on its own page."""
    shop.switch.will(*(decline("117") for _ in range(5)))
    address = begun(client, lang)
    answers = [press(client, address, lang=lang) for _ in range(5)]

    assert getattr(WORDS["tries.none@BALANCE_INQUIRY"], lang) in words_of(answers[-1])
    assert getattr(WORDS["tries.none"], lang) not in words_of(answers[-1])


def test_a_static_pin_tells_no_balance_and_the_page_says_so(client: FlaskClient, shop: Shop) -> None:
    """A ceiling in rials would not be the reason."""
    shop.switch.will(decline("186"))

    refused = words_of(press(client, begun(client)))

    assert WORDS["decline.above_static_ceiling@BALANCE_INQUIRY"].fa in refused
    assert WORDS["decline.above_static_ceiling"].fa not in refused
