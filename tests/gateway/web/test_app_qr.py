"""What a bank's app reads of a payment: a drawing of its own, beside a sentence that says where the code goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.harim.v1 import fields_of
from gateway.web.qr import qr_file
from gateway.web.wording import WORDS
from tests.fakes.shop import PAN, Shop
from tests.gateway.web.conftest import Page, words_of

BUDGET_BYTES = 12_000
EXAMPLE = Path(__file__).parents[3] / "contracts" / "harim" / "v1" / "examples" / "binding-purchase.json"


def text_of(fields: dict[str, object]) -> str:
    """Write the canonical text of a Harim request's fields, as the contract's example shows it."""
    example = json.loads(EXAMPLE.read_text())
    names = [pair.partition("=")[0] for pair in example["canonical"].split("|")[1:]]
    return "|".join(["v1", *(f"{name}={fields[key]}" for name, key in zip(names, example["fields"], strict=True))])


def test_d24_the_drawing_says_what_the_bank_is_told_of_the_same_payment(page: Page, shop: Shop) -> None:
    """The text behind it is built of the very fields that a PIN request of this payment carries; the payee included."""
    page.press("request_pin")
    (_, asked) = shop.harim.asked[-1]
    drawn = page.client.get(f"{page.path}/qr.svg")

    assert drawn.data == qr_file("POOYA1|" + text_of(fields_of(asked)))
    assert "payee=کتاب" in text_of(fields_of(asked))
    assert PAN not in text_of(fields_of(asked))
    assert drawn.mimetype == "image/svg+xml"
    assert drawn.headers["Cache-Control"] == "no-store"
    assert len(drawn.data) <= BUDGET_BYTES


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_page_loads_it_only_when_it_is_unfolded(page: Page, language: str) -> None:
    """Behind a fold, lazily, with a name; the field says that the app's code needs no button."""
    page.language = language
    shown = page.look()

    assert f'<img src="{page.path}/qr.svg"' in shown.text
    assert 'loading="lazy"' in shown.text
    for key in ("qr.title", "pin.hint"):
        assert getattr(WORDS[key], language) in words_of(shown)


def test_a_finished_or_unknown_payment_has_none(page: Page) -> None:
    """Nothing is left to make a code for."""
    page.press("pay")

    assert page.client.get(f"{page.path}/qr.svg").status_code == 404
    assert page.client.get("/pay/nobody/qr.svg").status_code == 404
