"""The reference page: complete in both languages, loads nothing from elsewhere, and keeps no key."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.api.door import OPERATIONS
from gateway.api.field_wording import FIELDS, SENTENCES, persian
from gateway.api.openapi import document
from gateway.api.reference import coded, said_of
from gateway.api.wording import PAGE, STATES
from gateway.app import create_app
from gateway.domain.payment import PUBLISHED
from tests.fakes.shop import Shop

STATIC = Path(__file__).parents[3] / "gateway" / "static"
PERSIAN = re.compile("[؀-ۿ]")


class Addresses(HTMLParser):
    """Collects what a page loads or sends to, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inside: list[str] = []
        self.ids: set[str] = set()
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        values = {name: value or "" for name, value in attrs}
        self.inline += "style" in values or any(name.startswith("on") for name in values)
        self.inline += tag == "style" or (tag == "script" and "src" not in values)
        self.ids.add(values.get("id", ""))
        if tag in {"script", "img", "iframe"} or (tag == "link" and values.get("rel") != "icon"):
            self.loaded.append(values.get("src") or values.get("href", ""))
        if tag == "a" and values.get("href", "").startswith("#"):
            self.inside.append(values["href"][1:])


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_the_page_shows_everything_and_loads_only_ours(client: FlaskClient, lang: str) -> None:
    """Each operation, object and state; no inline script or style; strict policy; every inner link leads somewhere."""
    answer = client.get(f"/api/v1/docs?lang={lang}")
    page = Addresses()
    page.feed(answer.text)

    assert answer.status_code == 200
    assert {operation.name for operation in OPERATIONS} <= page.ids
    assert set(document(OPERATIONS, "http://x")["components"]["schemas"]) <= page.ids
    assert all(f">{state}</code>" in answer.text for state in PUBLISHED)
    assert set(page.inside) <= page.ids
    assert page.inline == 0
    assert all(address.startswith("/static/") for address in page.loaded)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert ('dir="rtl"' in answer.text) == (lang == "fa")
    for address in page.loaded:
        assert client.get(address, buffered=True).status_code == 200


def test_the_reader_chooses_the_language(client: FlaskClient) -> None:
    """By address, otherwise by the browser; nonsense is English."""
    said = {
        "/api/v1/docs": "en",
        "/api/v1/docs?lang=fa": "fa",
        "/api/v1/docs?lang=xx": "en",
    }
    assert {path: client.get(path).headers["Content-Language"] for path in said} == said
    assert client.get("/api/v1/docs", headers={"Accept-Language": "fa"}).headers["Content-Language"] == "fa"


def properties_of(schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Names of an object's properties, each with what the contract says of it."""
    return [(name, said_of(of)) for name, of in schema["properties"].items()]


def test_a_name_that_means_several_things_is_told_where_it_stands() -> None:
    """By what the contract says there; a name alone has one meaning."""
    endpoint, payment = "for your own eyes", "shown on the page, at most 120 printable characters"

    assert persian("description", endpoint) == SENTENCES[endpoint]
    assert persian("description", payment) == persian("description", "") == FIELDS["description"]


def test_every_field_and_sentence_is_in_both_languages() -> None:
    """Whatever stands in the contract has its Persian, and nothing else has."""
    spec = document(OPERATIONS, "http://x")
    told = [pair for schema in spec["components"]["schemas"].values() for pair in properties_of(schema)]
    told += [
        (parameter["name"], parameter.get("description", ""))
        for path in spec["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", ())
    ]
    sentences: dict[str, set[str]] = {}
    for name, said in told:
        sentences.setdefault(name, set()).update({said} - {""})

    assert sentences.keys() == FIELDS.keys()
    assert {said for _, said in told} >= SENTENCES.keys()
    one_meaning = {name: len(said - SENTENCES.keys()) <= 1 for name, said in sentences.items()}
    assert [name for name, one in one_meaning.items() if not one] == []
    assert all(PERSIAN.search(text) for text in (*FIELDS.values(), *SENTENCES.values()))
    assert STATES.keys() == PUBLISHED
    for both in (*STATES.values(), *(said for key, said in PAGE.items() if key != "other")):
        assert PERSIAN.search(both.fa)
        assert not PERSIAN.search(both.en)


def test_a_live_gateway_offers_no_trial(shop: Shop) -> None:
    """No key field, no form and no script where keys are real."""
    client = create_app(gateway=shop.gateway).test_client()
    object.__setattr__(shop.gateway, "settings", shop.gateway.settings.model_copy(update={"mode": "live"}))
    page = client.get("/api/v1/docs").text

    assert "<form" not in page
    assert "<input" not in page
    assert "<script" not in page


def test_the_script_keeps_no_key() -> None:
    """It has no storage, no cookie and writes no markup."""
    script = (STATIC / "reference.js").read_text()

    assert not re.search(r"Storage|cookie|indexedDB|innerHTML|https?:", script)


def test_a_sentence_cannot_become_markup() -> None:
    """What stands between backticks is code, everything is escaped."""
    assert coded("a <b> `c<d>`") == 'a &lt;b&gt; <code dir="ltr" class="short">c&lt;d&gt;</code>'
