"""The sandbox's own pages: what the phone shows of a message, the guide to the cards, the control page for people."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter

import pytest
from flask import Flask
from flask.testing import FlaskClient

from foundation.sensitive import Sensitive
from otp.ports import SmsMessage
from sandbox import control, rendering
from sandbox.cards import CARDS
from sandbox.control import CLOCK_WISHES, CLOCKS_VARIABLE
from sandbox.faults import CHOICES, Faults, FaultsFile
from sandbox.guide import REFUSED
from sandbox.phone_store import PhoneStore
from sandbox.rendering import GUIDE_VARIABLE
from sandbox.wording import WORDS, say
from sandbox.wsgi import mount_control, mount_phone

TEXT = "بانک دو\nخرید\nپذیرنده: بازارچه <نمونه>\nمبلغ: 850,000 ریال\nرمز پویا: 131755\n@localhost #131755"
MOBILE = "09120000001"
CARD = {
    "pan": "9990021000000017",
    "cvv2": "941",
    "expiry": "12/08",
    "pin1": "1234",
    "pin2": None,
    "mobile": MOBILE,
    "bank": {"fa": "بانک دو", "en": "Bank Two"},
}
BEHAVIOURS = {card.behaviour for card in CARDS}


@pytest.fixture
def faults(tmp_path: Path) -> FaultsFile:
    """Give a world in which nothing is wrong."""
    return FaultsFile(tmp_path / "faults.json")


@pytest.fixture
def phones(tmp_path: Path) -> PhoneStore:
    """Give phones on which one message has arrived."""
    store = PhoneStore(tmp_path / "phone.sqlite")
    store.add(SmsMessage("1", "30003303", Sensitive(MOBILE), Sensitive(TEXT), 5.0))
    return store


@pytest.fixture
def visitor(tmp_path: Path, phones: PhoneStore, faults: FaultsFile, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Give a visitor to the pages, mounted around an application that has none of its own."""
    guide = tmp_path / "guide.json"
    cards = [CARD | {"behaviour": behaviour} for behaviour in sorted(BEHAVIOURS)]
    cards.append(CARD | {"behaviour": "no_mobile", "mobile": None})
    guide.write_text(json.dumps({"shop": "http://shop.test", "gateway": "http://gateway.test", "cards": cards}))
    monkeypatch.setenv(GUIDE_VARIABLE, str(guide))
    monkeypatch.setenv(CLOCKS_VARIABLE, "[]")
    app = mount_control(mount_phone(Flask("around"), tmp_path / "phone.sqlite"), faults)
    assert app.extensions["phone"].newest(MOBILE) == phones.newest(MOBILE)
    return app.test_client()


def test_a_message_is_shown_with_its_parts(visitor: FlaskClient) -> None:
    """Amount, payee and code stand apart, with the text itself; markup in a text stays text."""
    page = visitor.get(f"/sandbox/phone/{MOBILE}/").text

    assert '<bdi data-of="amount">850,000 ریال</bdi>' in page
    assert "بازارچه &lt;نمونه&gt;</bdi>" in page
    assert re.search(r'data-of="code">131755</bdi>.*data-copy="131755"', page)
    assert "<نمونه>" not in page


def test_a_message_without_a_code_shows_none(visitor: FlaskClient, phones: PhoneStore) -> None:
    """A warning carries no amount and no code: their places are hidden."""
    phones.add(
        SmsMessage("2", "30003303", Sensitive(MOBILE), Sensitive("رمز پویای کارت *0017 چند بار نادرست وارد شد."), 5.0)
    )
    newest = visitor.get(f"/sandbox/phone/{MOBILE}/").text.split('<li class="sms"')[1]

    assert '<div class="code" hidden>' in newest
    assert newest.count("<span hidden>") == 2


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_guide_says_what_every_card_does(visitor: FlaskClient, language: str) -> None:
    """Each behaviour is told in words; a card without a phone has no link to one."""
    page = visitor.get(f"/sandbox/?lang={language}").text

    assert all(getattr(WORDS[f"card.{behaviour}"], language) in page for behaviour in BEHAVIOURS)
    assert page.count("<h3>") == page.count("/phone/0912") + 1
    assert say("expiry.value", language, month="\u206612\u2069", year="\u206608\u2069") in page  # type: ignore[arg-type]  # of the two
    assert "http://shop.test/" in page
    assert REFUSED < BEHAVIOURS


@pytest.mark.parametrize("language", ["fa", "en"])
def test_every_fault_has_words(language: str) -> None:
    """Whatever the control page can set, page and ribbon can say."""
    for name, values in CHOICES.items():
        assert all(rendering.choice(name, value, language) for value in values)  # type: ignore[arg-type]  # each name with its own values
    assert {f"clock.{seconds}" for seconds in CLOCK_WISHES} <= set(WORDS)
    assert rendering.choice("clock_seconds", -60, "fa") == "۶۰ ثانیه عقب"


def test_both_languages_have_the_same_values() -> None:
    """A sentence's values stand in both of its languages."""
    fields = {key: [{f[1] for f in Formatter().parse(text) if f[1]} for text in both] for key, both in WORDS.items()}

    assert [key for key, (fa, en) in fields.items() if fa != en] == []


def test_the_ribbon_of_every_page_says_what_is_wrong(visitor: FlaskClient, faults: FaultsFile) -> None:
    """In the visitor's language; nothing of it while all is right."""
    pages = ("/sandbox/", "/sandbox/phone/", f"/sandbox/phone/{MOBILE}/", "/sandbox/control/")
    assert not any('id="wrong-now"' in visitor.get(page).text for page in pages)
    faults.write(Faults("down", "delay", 120))
    for page in pages:
        shown = visitor.get(f"{page}?lang=en").text
        assert (
            "The bank’s answers: none at all ·\u00a0Messages: arrive 20\u00a0s late ·\u00a0"
            "Clock of gateway and banks: 120\u00a0s" in shown
        )


def test_a_mistake_on_the_control_page_is_shown_to_people(visitor: FlaskClient, faults: FaultsFile) -> None:
    """A person sees the page with the field marked, a program a sentence; nothing is changed."""
    page = visitor.post("/sandbox/control/", data={"bank": "down", "clock_seconds": "soon"})

    assert page.status_code == 422
    assert say("clock_seconds.wrong", "fa") in page.text
    assert say("control.mistaken", "fa") in page.text
    assert say("control.right", "fa") not in page.text
    assert 'value="soon"' in page.text
    assert visitor.post("/sandbox/control/", json={"clock_seconds": "soon"}).json == {
        "error": "clock_seconds is a whole number of seconds"
    }
    assert visitor.post("/sandbox/control/", json=["bank"]).status_code == 422
    assert faults.read() == Faults()


@pytest.mark.parametrize("path", ["/sandbox/", "/sandbox/phone/", "/sandbox/control/"])
def test_the_pages_load_nothing_from_elsewhere(visitor: FlaskClient, path: str) -> None:
    """The policy allows our own files only and no text as script; no page has style or script inline."""
    answer = visitor.get(path)

    assert answer.headers["Content-Security-Policy"] == rendering.POLICY
    assert "require-trusted-types-for 'script'" in rendering.POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<style|\sstyle=|<script(?! src=)|\son\w+=", answer.text)


def test_browsers_keep_the_files_under_the_address_of_their_own_version(visitor: FlaskClient) -> None:
    """Style, script and font; under another version, as while two releases run, or under none, they are not kept."""
    addresses = re.findall(r'"(/sandbox/static/[^"]+)"', visitor.get("/sandbox/").text)
    assert {address.partition("?")[0].rsplit(".", 1)[1] for address in addresses} == {"css", "js", "woff2"}
    for address in addresses:
        assert keeps(visitor, address), address
    for name in ("sandbox.css?v=00000000", "sandbox.js", "vz.OFL.txt"):
        assert not keeps(visitor, f"/sandbox/static/{name}"), name


def keeps(visitor: FlaskClient, address: str) -> bool:
    """Tell whether a browser keeps what is at an address for good."""
    with visitor.get(address) as answer:
        assert answer.status_code == 200
        return "immutable" in answer.headers["Cache-Control"]


def test_programs_are_answered_in_json(visitor: FlaskClient) -> None:
    """The control page's address serves programs, and their changes, as it serves people."""
    assert visitor.get("/sandbox/control/", headers={"Accept": control.JSON}).json == {
        "bank": "up", "sms": "deliver", "clock_seconds": 0,
    }  # fmt: skip
    assert visitor.post("/sandbox/control/", json={"bank": "slow"}).json["bank"] == "slow"  # type: ignore[index]  # where it is none the test fails
