"""What a first visit to the payment page loads: how much, how packed, and for how long browsers keep it."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.web.wording import WORDS
from tests.fakes.shop import PAN, Shop
from tests.gateway.web.conftest import Page

PACKED = {"Accept-Encoding": "gzip, br, deflate"}
FILES = re.compile(r'(?:href|src)="((?:/static|/words)/[^"]+)"')
GOOD_FOR_A_YEAR = "public, max-age=31536000, immutable"


def files_of(page: Page) -> set[str]:
    """Return the addresses that the page asks for."""
    return set(FILES.findall(page.look().text))


def load(client: FlaskClient, address: str) -> TestResponse:
    """Fetch a file as a browser does."""
    with client.get(address, headers=PACKED) as answer:
        assert answer.status_code == 200
        assert answer.data  # read before it is closed
    return answer


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_page_fits_its_budget(page: Page, language: str) -> None:
    """At most 8 KB of page, 50 KB and five requests for everything a first visit loads."""
    page.language = language
    shown, files = page.look(), files_of(page)
    assert len(files) + 1 <= 5
    assert len(shown.data) <= 8 * 1024
    assert len(shown.data) + sum(len(load(page.client, file).data) for file in files) <= 50_000


def test_files_are_packed_and_kept_for_good(page: Page) -> None:
    """Style, script and words come compressed, the font is so already; their addresses carry a version."""
    for file in files_of(page):
        answer = load(page.client, file)
        assert answer.headers["Cache-Control"] == GOOD_FOR_A_YEAR, file
        assert answer.headers.get("Content-Encoding") == (None if file.endswith("woff2") else "gzip"), file
        assert "Set-Cookie" not in answer.headers


def test_what_is_written_for_readers_is_not_sent(page: Page) -> None:
    """Neither remarks nor the space that sets out style and script; what a browser does with them stays the same."""
    style, script = (
        gzip.decompress(load(page.client, file).data).decode()
        for name in ("pay.css", "pay.js")
        for file in files_of(page)
        if f"/{name}" in file
    )
    assert "/*" not in style
    assert not re.search(r"[{};:,]\s|\s[{}]", style)
    assert ".top :focus-visible{" in style
    assert not re.search(r"^[ \t]|^//| {2}//", script, re.MULTILINE)
    assert "http://www.w3.org/2000/svg" in style


def test_a_browser_that_cannot_unpack_gets_files_plain(page: Page) -> None:
    """The same words, and caches are told what the answer depends on."""
    (file,) = (file for file in files_of(page) if "/words/" in file)
    packed, plain = load(page.client, file), page.client.get(file)
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data


def test_d29_pages_are_never_compressed(page: Page) -> None:
    """BREACH: neither the page with its proof nor the answer with a card number, however the browser asks."""
    form = {"pan": PAN, "action": "pay", "csrf_token": page.proof()}
    for answer in (
        page.client.get(page.path, headers=PACKED),
        page.client.post(page.path, data=form, headers=PACKED),
        page.client.get(f"{page.path}?lang=en", headers=PACKED),
    ):
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_words_are_the_tables_and_name_every_bank(client: FlaskClient, shop: Shop, language: str) -> None:
    """One assignment that a script can read; nothing in it is anybody's own."""
    text = client.get(f"/words/{language}.js").text
    said = json.loads(text.removeprefix("globalThis.said = ").removesuffix(";\n"))
    assert said["words"]["length"] == getattr(WORDS["pan.length"], language)
    assert set(said["banks"]) == {prefix for prefix, _ in shop.gateway.directory.issuer_bins()}
    assert client.get("/words/de.js").status_code == 404


def test_words_of_another_version_are_not_kept(client: FlaskClient) -> None:
    """While two versions run side by side, a browser must not keep the old words under the new address."""
    assert client.get("/words/fa.js?v=00000000").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?v=00000000"])
def test_a_file_of_another_version_is_not_kept(client: FlaskClient, query: str) -> None:
    """Nor must old style and script stay under an address of the new release."""
    for name in ("pay.css", "pay.js"):
        assert "immutable" not in load(client, f"/static/{name}{query}").headers["Cache-Control"]
