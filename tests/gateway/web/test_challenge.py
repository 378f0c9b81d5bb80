"""Challenges to browsers: never in the normal path, unseen with JavaScript, digits to be seen or heard without."""

from __future__ import annotations

import dataclasses
import itertools
import re

import pytest

from foundation.digits import to_persian_digits
from foundation.persian import Language
from gateway.app import create_app
from gateway.domain.challenge import PICTURE_DIGITS, proves_work
from gateway.services.challenge import challenge_due, new_challenge, picture_digits
from gateway.web.sound import LANGUAGES
from gateway.web.wording import WORDS
from tests.fakes.shop import Shop
from tests.gateway.web.conftest import Page, words_of

SOUND = re.compile(r'<audio controls preload="none" src="([^"]+)"')
PICTURE = re.compile(r'<img src="(/pay/[^"]+/picture/([0-9a-f]+))"')


@pytest.fixture
def suspected(shop: Shop) -> Page:
    """The page of a fresh payment, seen from an address that has used up its unchallenged requests."""
    one = shop.gateway.settings.model_copy(update={"unchallenged_pin_requests": 1})
    shop.gateway = dataclasses.replace(shop.gateway, settings=one)
    assert not challenge_due(shop.gateway, "127.0.0.1")
    return Page(create_app(gateway=shop.gateway).test_client(use_cookies=False), shop.open())


def work_on(challenge: str) -> str:
    """Do what a browser does."""
    return next(str(number) for number in itertools.count() if proves_work(challenge, str(number)))


def picture_in(text: str) -> tuple[str, str]:
    """Return address and challenge of the picture on a page."""
    found = PICTURE.search(text)
    assert found
    return found[1], found[2]


def test_d19_a_household_meets_no_challenge(shop: Shop) -> None:
    """D19: two payments may ask for every code they have; the next from this address is challenged."""
    usual = shop.gateway.settings.model_copy(update={"unchallenged_pin_requests": 10})
    client = create_app(gateway=dataclasses.replace(shop.gateway, settings=usual)).test_client()
    pages = [Page(client, shop.open()) for _ in range(3)]
    for page in pages[:2]:
        assert [page.press("request_pin").status_code for _ in range(5)] == [200] * 5
    assert "picture_code" not in pages[2].look().text
    assert pages[2].press("request_pin").status_code == 403
    assert len(shop.harim.asked) == 10


def test_the_script_works_off_a_challenge_once(suspected: Page, shop: Shop) -> None:
    """The answer names challenge and bits; its proof opens one request, and no second one."""
    asked = suspected.press("request_pin", json=True)
    challenge = asked.get_json()["challenge"]
    assert asked.status_code == 403
    answer = {"challenge": challenge, "work": work_on(challenge)}
    assert suspected.press("request_pin", json=True, **answer).get_json()["tone"] == "good"
    assert "challenge" in suspected.press("request_pin", json=True, **answer).get_json()
    assert len(shop.harim.asked) == 1


def test_without_javascript_digits_are_read_from_a_picture(suspected: Page, shop: Shop) -> None:
    """The card number stays, the picture is a PNG of this page alone, Persian digits are read."""
    shown = suspected.press("request_pin")
    assert WORDS["picture.needed"].fa in words_of(shown)
    assert 'value="9990 0200' in shown.text
    address, challenge = picture_in(shown.text)
    with suspected.client.get(address) as picture:
        assert (picture.mimetype, picture.data[:4]) == ("image/png", b"\x89PNG")
        assert picture.headers["Cache-Control"] == "no-store"
    digits = picture_digits(shop.gateway, suspected.payment.page_token, challenge)
    assert digits
    assert re.fullmatch(rf"[0-9]{{{PICTURE_DIGITS}}}", digits)
    read = suspected.press("request_pin", challenge=challenge, picture_code=to_persian_digits(digits))
    assert read.status_code == 200
    assert len(shop.harim.asked) == 1


@pytest.mark.parametrize("chosen", LANGUAGES)
def test_who_cannot_see_the_picture_hears_the_same_digits(suspected: Page, chosen: Language) -> None:
    """WCAG 1.1.1: a sound that starts on demand, in the page's language, this page's alone and never kept."""
    suspected.language = chosen
    shown = suspected.press("request_pin")
    (address,) = SOUND.findall(words_of(shown))
    assert getattr(WORDS["sound"], chosen) in words_of(shown)
    with suspected.client.get(address) as sound:
        assert (sound.mimetype, sound.data[:4]) == ("audio/wav", b"RIFF")
        assert sound.headers["Cache-Control"] == "no-store"
        assert len(sound.data) < 100_000
    assert picture_in(shown.text)[1] in address
    assert suspected.client.get(f"{suspected.path}/sound/{'0' * 48}").status_code == 404


def test_a_misread_picture_is_replaced(suspected: Page, shop: Shop) -> None:
    """One guess a picture: the right digits come too late for the old one."""
    _, challenge = picture_in(suspected.press("request_pin").text)
    digits = picture_digits(shop.gateway, suspected.payment.page_token, challenge) or ""
    wrong = suspected.press("request_pin", challenge=challenge, picture_code=digits[::-1] + "0")
    assert WORDS["picture.wrong"].fa in words_of(wrong)
    assert picture_in(wrong.text)[1] != challenge
    assert suspected.press("request_pin", challenge=challenge, picture_code=digits).status_code == 403
    assert not shop.harim.asked


@pytest.mark.parametrize("change", ["other page", "invented", "no work", "letters", "too long"])
def test_what_is_no_answer_opens_nothing(suspected: Page, shop: Shop, change: str) -> None:
    """A challenge of another page, one we never made, and work that was not done."""
    token = shop.open().page_token if change == "other page" else suspected.payment.page_token
    challenge = "0" * 48 if change == "invented" else new_challenge(shop.gateway, token)
    work = {"no work": "", "letters": "1e5", "too long": "1" * 5000}.get(change, work_on(challenge))
    assert suspected.press("request_pin", challenge=challenge, work=work).status_code == 403
    assert suspected.client.get(f"{suspected.path}/picture/{'0' * 48}").status_code == 404
    assert not shop.harim.asked


def test_paying_is_never_challenged(suspected: Page) -> None:
    """Whoever holds a code is through; what they typed is not asked for again."""
    assert suspected.press("pay").status_code == 303
