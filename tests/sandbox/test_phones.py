"""Phones of the sandbox: how each gets its messages, and what it sends to the short number."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from flask.testing import FlaskClient

from foundation.sensitive import Sensitive
from otp.ports import Receipt, SmsMessage
from sandbox import phone_store
from sandbox.cards import CARDS
from sandbox.faults import Faults, FaultsFile
from sandbox.phone import PhoneProvider
from sandbox.phone_store import DELAYS, OVERTAKEN_SECONDS, PhoneStore, Switches
from sandbox.short_number import SHORT_NUMBER, VARIABLE
from tests.sandbox.test_pages import MOBILE, faults, phones, visitor

__all__ = ["faults", "phones", "visitor"]
LATE_CARD = next(card.mobile for card in CARDS if card.behaviour == "sms_late")


@pytest.fixture
def store(tmp_path: Path) -> PhoneStore:
    """Phones on which nothing has arrived."""
    return PhoneStore(tmp_path / "phones.sqlite")


def texts(store: PhoneStore, mobile: str = MOBILE) -> list[str]:
    """What the phone shows, newest first."""
    return [text.text for text in store.newest(mobile)]


def send(store: PhoneStore, faults: FaultsFile, text: str, mobile: str = MOBILE) -> None:
    """Send a message through the provider."""
    PhoneProvider(store, faults).send(SmsMessage(text, "30003303", Sensitive(mobile), Sensitive(text), 5.0))


class Later(dt.datetime):
    """A clock that can be put forward."""

    ahead = dt.timedelta()

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]  # whoever asks has use for a plain one
        """Return the time, put forward."""
        return dt.datetime.now(tz) + cls.ahead


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Look at the phones so many seconds later."""
    monkeypatch.setattr(Later, "ahead", dt.timedelta(seconds=seconds))
    monkeypatch.setattr(phone_store, "datetime", Later)


def test_without_switches_a_phone_follows_its_card_and_the_world(store: PhoneStore, faults: FaultsFile) -> None:
    """The control page holds for every phone that has no will of its own; so does what a card is for."""
    send(store, faults, "one")
    send(store, faults, "late", LATE_CARD)
    faults.write(Faults(sms="drop"))
    send(store, faults, "two")

    assert (texts(store), texts(store, LATE_CARD)) == (["one"], [])
    store.set_switches(MOBILE, Switches())
    send(store, faults, "three")
    assert texts(store) == ["three", "one"]


@pytest.mark.parametrize(
    ("switches", "shown"),
    [
        (Switches(lost=True), []),
        (Switches(twice=True), ["b", "b", "a", "a"]),
        (Switches(airplane=True), []),
        (Switches(delay_seconds=20), []),
        (Switches(out_of_order=True), []),
    ],
)
def test_each_switch_does_what_it_says(
    store: PhoneStore, faults: FaultsFile, switches: Switches, shown: list[str]
) -> None:
    """At once, before any time has passed."""
    store.set_switches(MOBILE, switches)
    for text in ("a", "b"):
        send(store, faults, text)

    found = texts(store)
    assert (found if switches != Switches(out_of_order=True) else [text for text in found if text != "b"]) == shown


def test_what_waited_in_airplane_mode_arrives_at_its_end(store: PhoneStore, faults: FaultsFile) -> None:
    """In the order in which it was sent, once."""
    store.set_switches(MOBILE, Switches(airplane=True))
    for text in ("a", "b"):
        send(store, faults, text)
    store.set_switches(MOBILE, Switches())

    assert sorted(texts(store)) == ["a", "b"]
    assert sorted(texts(store)) == ["a", "b"]


def test_the_provider_tells_of_messages_that_are_on_a_phone(
    store: PhoneStore, faults: FaultsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one that is late when it has come; of one that was lost, or never sent, nothing."""
    here = PhoneProvider(store, faults, "bank/")
    sent = {}
    for name, switches in (("now", Switches()), ("late", Switches(delay_seconds=20)), ("lost", Switches(lost=True))):
        store.set_switches(MOBILE, switches)
        message = SmsMessage(name, "30003303", Sensitive(MOBILE), Sensitive(name), 5.0)
        sent[name] = here.send(message).message_id
    asked = [*sent.values(), "phone-bank/never"]

    assert here.receipts(asked, 1.0) == {sent["now"]: Receipt.DELIVERED}
    pass_time(monkeypatch, 21)
    assert here.receipts(asked, 1.0) == dict.fromkeys((sent["now"], sent["late"]), Receipt.DELIVERED)


@pytest.mark.parametrize("seconds", [each for each in DELAYS if each])
def test_late_messages_arrive_when_their_time_has_come(
    store: PhoneStore, faults: FaultsFile, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """Not before."""
    store.set_switches(MOBILE, Switches(delay_seconds=seconds))
    send(store, faults, "a")
    assert texts(store) == []

    pass_time(monkeypatch, seconds + 1)
    assert texts(store) == ["a"]


def test_out_of_order_the_second_overtakes_the_first(
    store: PhoneStore, faults: FaultsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which arrives some seconds later."""
    store.set_switches(MOBILE, Switches(out_of_order=True))
    for text in ("a", "b"):
        send(store, faults, text)
    assert texts(store) == ["b"]

    pass_time(monkeypatch, OVERTAKEN_SECONDS + 1)
    assert texts(store) == ["a", "b"]


def test_switches_are_set_on_the_page_and_by_programs(visitor: FlaskClient) -> None:
    """A form without JavaScript, JSON for scripts; what there is not is refused with a sentence."""
    address = f"/sandbox/phone/{MOBILE}/switches"
    assert visitor.post(address, data={"delay_seconds": "150", "twice": "on"}).status_code == 303
    expected = {"delay_seconds": 150, "lost": False, "twice": True, "out_of_order": False, "airplane": False}
    assert visitor.get(address).get_json() == expected
    page = visitor.get(f"/sandbox/phone/{MOBILE}/").get_data(as_text=True)
    assert 'value="150" checked' in page
    assert visitor.post(address, json={"lost": True}).get_json()["lost"] is True
    for wrong, says in (
        ({"delay_seconds": 7}, "one of 0, 20, 150"),
        ({"loud": True}, "no switch 'loud'"),
        ([], "no switch"),
    ):
        answer = visitor.post(address, json=wrong)
        assert (answer.status_code, says in answer.get_json()["error"]) == (422, True)


def test_two_phones_stand_side_by_side(visitor: FlaskClient) -> None:
    """For a lost or changed number; anything but two numbers shows the list."""
    page = visitor.get(f"/sandbox/phone/?beside={MOBILE}&beside=%2B989120000002").get_data(as_text=True)
    assert page.count("data-feed=") == 2
    assert "09120000002" in page
    assert "data-feed" not in visitor.get(f"/sandbox/phone/?beside={MOBILE}&beside=nobody").get_data(as_text=True)


@pytest.fixture
def bank() -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """Somebody who has the short number: what was pushed to whom."""
    pushed: list[dict[str, list[str]]] = []

    class Inbound(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            pushed.append(parse_qs(body))
            self.send_response(204 if self.path == "/taken" else 404)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Inbound)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", pushed
    server.shutdown()
    server.server_close()


def test_a_phone_sends_to_the_short_number(
    visitor: FlaskClient, bank: tuple[str, list[dict[str, list[str]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digits stay as typed; each message has a name of its own; the phone keeps it with what became of it."""
    address, pushed = bank
    monkeypatch.setenv(VARIABLE, json.dumps({SHORT_NUMBER: [f"{address}/nobody", f"{address}/taken"]}))

    told = visitor.post(f"/sandbox/phone/{MOBILE}/send", json={"to": SHORT_NUMBER, "text": "۱۲۳۴"}).get_json()
    assert visitor.post(f"/sandbox/phone/{MOBILE}/send", data={"to": "123", "text": "x"}).status_code == 303

    assert (told["state"], told["text"]) == ("delivered", "۱۲۳۴")
    assert [(push["from"], push["text"]) for push in pushed] == [([MOBILE], ["۱۲۳۴"])] * 2
    page = visitor.get(f"/sandbox/phone/{MOBILE}/").get_data(as_text=True)
    assert "تحویل شد" in page
    assert "کسی این شماره را ندارد" in page


def test_a_message_that_nobody_takes_is_refused(visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bank that is down; and a message without text is no message."""
    monkeypatch.setenv(VARIABLE, json.dumps({SHORT_NUMBER: ["http://127.0.0.1:9/nobody"]}))
    address = f"/sandbox/phone/{MOBILE}/send"

    assert visitor.post(address, json={"to": SHORT_NUMBER, "text": "1234"}).get_json()["state"] == "refused"
    assert visitor.post(address, json={"to": SHORT_NUMBER}).status_code == 422
    assert visitor.post(address, json=[]).status_code == 422


def test_a_phone_that_comes_back_is_told_what_it_missed(
    visitor: FlaskClient, phones: PhoneStore, faults: FaultsFile
) -> None:
    """The browser says what it heard last; what is no number, or older than the page, changes nothing."""
    for text in ("one", "two", "three"):
        send(phones, faults, text)
    first, second, _ = reversed(phones.newest(MOBILE)[:3])

    def told(after: int, heard: str | None) -> list[str]:
        headers = {} if heard is None else {"Last-Event-ID": heard}
        answer = visitor.get(f"/sandbox/phone/{MOBILE}/feed/{after}", headers=headers, buffered=False)
        feed = iter(answer.response)
        said = b""
        while b"still here" not in said:
            piece = next(feed)
            said += piece if isinstance(piece, bytes) else piece.encode()
        answer.close()
        return [json.loads(line[6:])["text"] for line in said.decode().splitlines() if line.startswith("data: ")]

    assert told(first.number - 1, None) == ["one", "two", "three"]
    assert told(first.number - 1, str(second.number)) == ["three"]
    assert told(second.number, str(first.number)) == ["three"]
    for nonsense in ("", "x", "-1", "9" * 40, "۲"):
        assert told(first.number, nonsense) == ["two", "three"]
