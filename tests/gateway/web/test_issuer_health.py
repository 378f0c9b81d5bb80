"""What the page says of banks in trouble before a card is typed, and what a paused bank's cardholder reads."""

from __future__ import annotations

import dataclasses
import re

import pytest

from gateway.app import create_app
from gateway.bulkhead import Gates
from gateway.domain.breaker import SILENCES_MAX, Heard
from gateway.services.enrol import add_issuer
from gateway.services.pause_issuer import pause, resume
from gateway.web.wording import WORDS, say
from tests.fakes.shop import ISSUER, Shop
from tests.gateway.web.conftest import Page, words_of

TROUBLES = re.compile(r'<li data-bank="([^"]+)">([^<]+)</li>')


@pytest.fixture
def gates() -> Gates:
    """The way to the issuers."""
    return Gates("harim", room=4)


@pytest.fixture
def page(shop: Shop, gates: Gates) -> Page:
    """A page of a gateway that knows two banks, with gates a test can hold."""
    other = dataclasses.replace(ISSUER, issuer_id="three", name_fa="بانک سه", name_en="Bank Three")
    add_issuer(shop.gateway, other, ("999004",))
    gateway = dataclasses.replace(shop.gateway, gates=(gates,))
    return Page(create_app(gateway=gateway).test_client(use_cookies=False), shop.open(12_500_000))


def troubles(page: Page) -> list[tuple[str, str]]:
    """Return (bank, sentence) of the page's notice, as a browser without JavaScript shows it."""
    return TROUBLES.findall(words_of(page.look()))


def test_without_trouble_there_is_no_notice(page: Page) -> None:
    """The page stays calm."""
    assert 'id="troubles"' not in page.look().text


@pytest.mark.parametrize("language", ["fa", "en"])
def test_each_bank_in_trouble_is_named_before_a_card_is_typed(
    page: Page, shop: Shop, gates: Gates, language: str
) -> None:
    """Paused, down and slow each have their sentence, in a list that needs no script."""
    page.language = language
    names = {"fa": ("بانک دو", "بانک سه"), "en": ("Bank Two", "Bank Three")}[language]
    pause(shop.gateway, "three", by="ali", reason="a secret of the house")
    for _ in range(SILENCES_MAX):
        with gates.of("two").admitted() as visit:
            visit.heard = Heard.SILENCE
    found = dict(troubles(page))

    assert found == {
        names[0]: say("health.down", language, bank=names[0]),
        names[1]: say("health.paused", language, bank=names[1]),
    }
    assert "a secret of the house" not in page.look().text
    resume(shop.gateway, "three", by="ali")
    with gates.of("three").admitted(), gates.of("three").admitted():
        assert dict(troubles(page))[names[1]] == say("health.slow", language, bank=names[1])


@pytest.mark.parametrize("action", ["pay", "request_pin"])
def test_a_paused_banks_card_is_told_at_its_field(page: Page, shop: Shop, action: str) -> None:
    """A clear answer, the card number kept, nothing sent, CVV2 and PIN not repeated; the script gets the same."""
    pause(shop.gateway, "two", by="ali", reason="bank asked")
    answer = page.press(action)
    assert answer.status_code == 409
    assert f'id="pan-mistake">{WORDS["issuer.paused"].fa}<' in words_of(answer)
    assert 'value="9990 02' in answer.text
    assert "123456" not in answer.text
    told = page.press(action, json=True).get_json()
    assert (told["field"], told["message"]) == ("pan", WORDS["issuer.paused"].fa)
    assert (shop.harim.asked, shop.switch.authorised) == ([], [])
