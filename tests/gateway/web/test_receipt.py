"""What a paid customer keeps: the receipt, its QR code, and the page that the code leads to."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urlsplit

import pytest

from foundation.key_file import KeyState
from foundation.keys import Key, Keyring
from foundation.sensitive import Sensitive
from gateway.services.look_up_receipt import look_up_receipt, receipt_seal
from gateway.web.wording import WORDS
from tests.fakes.shop import Shop, keyring
from tests.gateway.web.conftest import Page, words_of

CHECK = re.compile(r'<a id="check" href="([^"]+)"')


@pytest.fixture
def check_path(page: Page) -> str:
    """The address in the QR code of a paid payment's receipt, without the host."""
    found = CHECK.search(page.client.get(page.press("pay").location).text)
    assert found
    assert found[1].startswith("http://localhost:8000/receipt/")
    parts = urlsplit(found[1])
    return f"{parts.path}?{parts.query}"


def test_the_receipt_has_a_qr_code_inside_the_page(page: Page) -> None:
    """An SVG without script, style or file; hidden from screen readers beside a link that says what it is."""
    shown = page.client.get(page.press("pay").location)
    (figure,) = re.findall(r'<figure class="qr">.*?</figure>', shown.text, re.DOTALL)
    assert '<svg aria-hidden="true" viewBox=' in figure
    assert not re.search(r"style|script|<img|class=\"segno", figure)
    assert WORDS["receipt.check"].fa in words_of(shown)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_d28_the_qr_code_leads_to_the_whole_receipt(page: Page, check_path: str, language: str) -> None:
    """Payee, terminal, masked card and reference, to compare with the paper; never a whole number."""
    shown = words_of(page.client.get(f"{check_path}&lang={language}"))
    payee = {"fa": "کتاب‌سرای آزمون", "en": "Test Bookshop"}[language]
    other = {"fa": "en", "en": "fa"}[language]
    assert f"{check_path.partition('?')[0]}?lang={other}&{check_path.partition('?')[2]}" in shown
    for part in (payee, "00000001", "9990 02** ****", getattr(WORDS["check.compare"], language)):
        assert part in shown


@pytest.mark.parametrize("seal", ["", "A" * 20, "ن", "x" * 500])
def test_d28_another_seal_tells_no_more_than_none(page: Page, check_path: str, seal: str) -> None:
    """Genuine, amount, time."""
    shown = page.client.get(check_path.partition("?")[0], query_string={"s": seal})
    assert shown.status_code == 200
    assert "9990 02" not in shown.text
    assert "کتاب‌سرای آزمون" not in shown.text


def test_d28_a_seal_opens_no_other_receipt(page: Page, check_path: str, shop: Shop) -> None:
    """It is bound to the tracking code."""
    shop.paid()
    codes = {code for (code,) in shop.rows("SELECT tracking_code FROM payment")}
    path, _, query = check_path.partition("?")
    (other,) = codes - {path.rsplit("/", 1)[1]}
    assert "9990 02" not in page.client.get(f"/receipt/{other}?{query}").text


def test_a_receipt_outlives_the_key_that_sealed_it(check_path: str, shop: Shop) -> None:
    """A retired key still verifies what it wrote; a ring without it does not."""
    code, seal = check_path.removeprefix("/receipt/").split("?s=")
    new = Key("receipt-9", "receipt", Sensitive(bytes(32)))
    for kept in (True, False):
        old = (
            [dataclasses.replace(key, state=KeyState.RETIRED) for key in keyring().of_purpose("receipt")]
            if kept
            else []
        )
        later = dataclasses.replace(shop.gateway, keyring=Keyring([*old, new]))
        assert receipt_seal(later, code) != seal
        assert (look_up_receipt(later, code, seal).rest is not None) is kept


def test_money_that_went_back_is_told_on_the_check_too(page: Page, check_path: str, shop: Shop) -> None:
    """A genuine receipt of a payment that was returned says so first, in words for whoever is shown it."""
    shop.later(1000)
    shop.settle_down(after=1000)
    assert WORDS["check.reversed.title"].fa in words_of(page.client.get(check_path))
    assert look_up_receipt(shop.gateway, check_path.split("/")[2].partition("?")[0]).rest is None
