"""Ramznegar by text message: four digits from the number on file bring a code there, anything else next to nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.digits import to_persian_digits
from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.settings import InvalidSettings
from otp.app import create_app
from otp.domain.inbound import NOTICES, InboundOutcome, digits_of
from otp.domain.notices import NoticeKind
from otp.services.erase import erase
from otp.services.open_card import NewCard, open_card
from otp.services.receive_sms import InboundSms, receive_sms
from tests.otp.conftest import BankWorld
from tests.otp.test_deliver import tick

MOBILE = "09121234567"
SECRET = "s" * 40


@pytest.fixture
def numbers() -> list[int]:
    """Messages so far."""
    return []


@pytest.fixture
def texts(here: BankWorld, numbers: list[int]) -> Callable[..., str]:
    """Send a text message to the bank; each has a name of its own."""

    def send(text: str, sender: str = MOBILE, message_id: str | None = "") -> str:
        numbers.append(1)
        name = str(len(numbers)) if message_id == "" else message_id
        return receive_sms(here.bank, InboundSms("sandbox", name, Sensitive(sender), Sensitive(text)))

    return send


def active(here: BankWorld, **columns: object) -> Pan:
    """Open a card whose holder asked for codes by text message."""
    return here.card(**{"sms_codes_active": True, **columns})


def tail(pan: Pan, digits: int = 4) -> str:
    """Return what its holder texts."""
    return pan.reveal()[-digits:]


def test_d26_four_digits_bring_seven_to_the_number_on_file(here: BankWorld, texts: Callable[..., str]) -> None:
    """For any purchase up to the ceiling, two minutes, one code; the text says so."""
    pan = active(here)

    assert texts(tail(pan)) == "code"
    tick(here)

    (message,) = here.phone.sent
    assert message.mobile.reveal() == MOBILE
    (challenge,) = here.challenges()
    text = message.text.reveal()
    assert "هر خرید تا 1,000,000 ریال" in text
    code = next(line.split()[-1] for line in text.splitlines() if line.startswith("رمز پویا"))
    assert (len(code), code.isdecimal()) == (7, True)
    assert (challenge["channel"], challenge["psp_id"], challenge["ceiling_rial"]) == ("sms", None, 1_000_000)
    assert (challenge["expires_at"] - challenge["issued_at"]).total_seconds() == 120


@pytest.mark.parametrize("way", ["persian", "spaced", "six", "whole", "dashed", "marks"])
def test_digits_are_read_as_people_type_them(here: BankWorld, texts: Callable[..., str], way: str) -> None:
    """Persian digits, spaces and marks, six digits, or the whole number."""
    pan = active(here)
    number = pan.reveal()
    typed = {
        "persian": to_persian_digits(number[-4:]),
        "spaced": " ".join(number[-4:]),
        "six": number[-6:],
        "whole": to_persian_digits(number),
        "dashed": f"{number[:4]}-{number[4:8]}-{number[8:12]}-{number[12:]}",
        "marks": f"*{number[-4:]}#\u200f",
    }[way]

    assert texts(typed) == "code"


@given(st.text(max_size=40))
def test_whatever_is_typed_is_four_or_six_digits_or_nothing(text: str) -> None:
    """No message breaks the reader, however long or strange it is."""
    found = digits_of(text)
    assert found is None or (found.isascii() and found.isdecimal() and len(found) in (4, 6))


def test_d26_a_stranger_hears_nothing(here: BankWorld, texts: Callable[..., str]) -> None:
    """Not even that there is no card with this number on file; nor does somebody whose number is none."""
    pan = active(here)

    assert texts(tail(pan), sender="09350000000") == "stranger"
    assert texts(tail(pan), sender="30003303") == "stranger"
    tick(here)
    assert here.phone.sent == []


def test_d26_off_until_activated(here: BankWorld, texts: Callable[..., str]) -> None:
    """The number on file is told where to activate it, and gets no code."""
    pan = here.card()

    assert texts(tail(pan)) == "not_active"
    tick(here)
    assert "خودپرداز" in here.phone.texts[0]
    assert here.challenges() == []


def test_d26_within_a_minute_nothing_is_sent(here: BankWorld, texts: Callable[..., str]) -> None:
    """Then the same code again while it lives long enough, then a new one in its place."""
    pan = active(here)
    texts(tail(pan))
    assert texts(tail(pan)) == "too_soon"
    here.age(61)
    assert texts(tail(pan)) == "same_code"
    tick(here)
    assert len({text.splitlines()[2] for text in here.phone.texts}) == 1
    here.age(61)
    assert texts(tail(pan)) == "code"

    assert [row["state"] for row in here.challenges()] == ["expired", "issued"]


def test_d26_five_codes_a_day_and_then_silence(here: BankWorld, texts: Callable[..., str]) -> None:
    """Counted on the card by the deciding statement."""
    pan = active(here)
    outcomes = []
    for _ in range(6):
        outcomes.append(texts(tail(pan)))
        here.age(121)

    assert outcomes == ["code"] * 5 + ["limited"]


def test_d26_three_wrong_tails_a_day_and_then_silence(here: BankWorld, texts: Callable[..., str]) -> None:
    """The number on file is told three times that there is no such card; a right one still brings a code."""
    pan = active(here)
    wrong = f"{(int(tail(pan)) + 1) % 10_000:04}"

    assert [texts(wrong) for _ in range(5)] == ["wrong_card"] * 3 + ["limited"] * 2
    tick(here)
    assert len(here.phone.sent) == 3
    assert texts(tail(pan)) == "code"


def test_two_cards_with_the_same_tail_bring_no_code_but_a_question(here: BankWorld, texts: Callable[..., str]) -> None:
    """Six digits tell them apart; never two codes for one message."""
    pans = [Pan.parse(with_check_digit(f"99900277{middle:03}1234")) for middle in range(200)]
    first = pans[0]
    second = next(pan for pan in pans[1:] if tail(pan) == tail(first) and tail(pan, 6) != tail(first, 6))
    for pan in (first, second):
        open_card(here.bank, NewCard(pan, "0812", MOBILE, Rial(1_000_000)))
    here.sql("UPDATE card SET sms_codes_active = true")

    assert texts(tail(first)) == "ambiguous"
    tick(here)
    assert "شش رقم" in here.phone.texts[0]
    assert texts(tail(second, 6)) == "code"


def test_garbage_is_answered_with_what_to_send(here: BankWorld, texts: Callable[..., str]) -> None:
    """To the number on file, three times an hour at most."""
    active(here)

    assert [texts("سلام") for _ in range(4)] == ["garbage"] * 3 + ["limited"]
    tick(here)
    assert "چهار رقم آخر" in here.phone.texts[0]


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "blocked"},
        {"kind": "gift"},
        {"second_pin_active": False},
        {"expiry": "0001"},
        {"unbound_ceiling_rial": 0},
    ],
)
def test_a_card_that_cannot_use_a_code_gets_none(
    here: BankWorld, texts: Callable[..., str], columns: dict[str, object]
) -> None:
    """Blocked, a gift, without dynamic PIN, expired, or with a ceiling of nothing."""
    assert texts(tail(active(here, **columns))) == "card_refused"
    assert here.challenges() == []


def test_d26_a_repeat_of_the_same_message_does_nothing(here: BankWorld, texts: Callable[..., str]) -> None:
    """Providers push twice; by the provider's name for it, or by its words within the same minute."""
    pan = active(here)
    assert texts(tail(pan), message_id="77") == "code"
    here.age(61)
    assert texts(tail(pan), message_id="77") == "repeated"
    assert texts("سلام", message_id=None) == "garbage"
    assert texts("سلام", message_id=None) in ("repeated", "garbage")
    assert len(here.challenges()) == 1


def test_d26_one_live_code_per_card_whatever_the_race(here: BankWorld) -> None:
    """Twelve messages at once: one code, one text."""
    pan = active(here)

    def send(number: int) -> str:
        return receive_sms(here.bank, InboundSms("sandbox", str(number), Sensitive(MOBILE), Sensitive(tail(pan))))

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(send, range(12)))

    assert outcomes == ["code"] + ["too_soon"] * 11
    assert here.queued() == 1


def test_d26_a_code_of_a_payment_lives_on_beside_it(here: BankWorld, texts: Callable[..., str]) -> None:
    """The bound code of Harim is never superseded, nor does it stand in the way."""
    pan = active(here)
    here.ask(pan)

    assert texts(tail(pan)) == "code"
    assert [row["state"] for row in here.challenges()] == ["issued", "issued"]
    assert here.ask(pan, here.binding()).status == 200


def test_what_was_texted_is_not_kept(
    here: BankWorld, texts: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the words nor the sender's number, in no row and no log; names of messages go after three days."""
    texts(f"{MOBILE} secret words")
    (row,) = here.sql("SELECT * FROM inbound_message")
    assert MOBILE not in str(row)
    assert "secret words" not in str(row) + caplog.text
    here.sql("UPDATE inbound_message SET received_at = received_at - interval '4 days'")
    erase(here.bank)
    assert here.sql("SELECT 1 FROM inbound_message") == []


def test_every_notice_has_its_outcome() -> None:
    """And every sentence about text messages has an outcome that says it."""
    told = {kind for kind in NoticeKind if kind.startswith("sms_") and not kind.startswith("sms_codes")}
    assert told == set(NOTICES.values())
    assert set(NOTICES) < set(InboundOutcome)


def write(path: Path, rows: Any, mode: int = 0o600) -> Path:
    """Write a file of providers."""
    path.write_text(json.dumps(rows) if not isinstance(rows, str) else rows)
    path.chmod(mode)
    return path


@pytest.fixture
def pushing(make_bank: Callable[..., BankWorld], tmp_path: Path) -> BankWorld:
    """A bank with two providers: one that anybody with the secret may be, one from a network of its own."""
    rows = {
        "sandbox": {"secret": SECRET},
        "kavenegar": {"secret": SECRET, "networks": ["192.0.2.0/24"]},
    }
    return make_bank(inbound_file=write(tmp_path / "inbound.json", rows))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_provider_pushes_by_get_or_post(pushing: BankWorld, method: str) -> None:
    """With the fields it uses; the answer says nothing."""
    pan = active(pushing)
    fields = {"from": "+989121234567", "to": "30003303", "text": tail(pan), "message_id": "1"}
    how = {"query_string": fields} if method == "GET" else {"data": fields}

    answer = create_app(bank=pushing.bank).test_client().open(f"/sms/inbound/sandbox/{SECRET}", method=method, **how)

    assert (answer.status_code, answer.data) == (204, b"")
    assert len(pushing.challenges()) == 1


def test_a_provider_with_field_names_of_its_own(pushing: BankWorld) -> None:
    """From its network alone; a wrong secret, another place or an unknown provider is no such page."""
    pan = active(pushing)
    client = create_app(bank=pushing.bank).test_client()
    fields = {"from": MOBILE, "message": tail(pan), "messageid": "8"}

    def push(path: str, address: str) -> int:
        return client.post(path, data=fields, environ_overrides={"REMOTE_ADDR": address}).status_code

    assert push(f"/sms/inbound/kavenegar/{SECRET}", "198.51.100.7") == 404
    assert push(f"/sms/inbound/kavenegar/{'x' * 40}", "192.0.2.7") == 404
    assert push(f"/sms/inbound/nobody/{SECRET}", "192.0.2.7") == 404
    assert pushing.challenges() == []
    assert push(f"/sms/inbound/kavenegar/{SECRET}", "192.0.2.7") == 204
    assert len(pushing.challenges()) == 1


def test_d29_a_provider_behind_a_named_proxy_is_where_the_proxy_heard_it(pushing: BankWorld) -> None:
    """D29: in its network by the proxy's word; the same of anybody else, or of the provider itself, counts nothing."""
    named = {"trusted_proxies": (ip_network("10.8.0.4/32"),)}
    pushing.bank = replace(pushing.bank, settings=pushing.bank.settings.model_copy(update=named))
    pan = active(pushing)
    client = create_app(bank=pushing.bank).test_client()
    fields = {"from": MOBILE, "message": tail(pan), "messageid": "9"}

    def push(peer: str, told: str) -> int:
        heard = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}
        return client.post(f"/sms/inbound/kavenegar/{SECRET}", data=fields, environ_overrides=heard).status_code

    assert push("198.51.100.7", "192.0.2.7") == 404
    assert push("10.8.0.4", "192.0.2.7, 198.51.100.7") == 404
    assert push("10.8.0.4", "192.0.2.7") == 204


def test_a_push_without_a_sender_or_with_too_much_text_is_refused(pushing: BankWorld) -> None:
    """And too many from one address have to wait."""
    client = create_app(bank=pushing.bank).test_client()
    path = f"/sms/inbound/sandbox/{SECRET}"
    assert client.post(path, data={"text": "1234"}).status_code == 400
    assert client.post(path, data={"from": MOBILE, "text": "1" * 2_001}).status_code == 400
    assert client.post(path, data={"from": MOBILE, "text": "12\0"}).status_code == 400
    pushing.bank.flood.allow = lambda *_args, **_kw: False  # type: ignore[method-assign]  # the limit itself is tested elsewhere
    assert client.post(path, data={"from": MOBILE, "text": "1234"}).status_code == 429


@pytest.mark.parametrize(
    ("rows", "mode"),
    [
        ({"a": {"secret": SECRET}}, 0o644),
        ({"a": {"secret": "short"}}, 0o600),
        ({"a": {"secret": SECRET, "networks": ["nowhere"]}}, 0o600),
        ({"a": {"secret": SECRET, "fields": []}}, 0o600),
        ({"a": {}}, 0o600),
        ("[1]", 0o600),
        ("{", 0o600),
    ],
)
def test_a_file_that_is_wrong_stops_the_bank_with_a_sentence(
    make_bank: Callable[..., BankWorld], tmp_path: Path, rows: Any, mode: int
) -> None:
    """Readable by others, a short secret, no networks, no JSON."""
    here = make_bank(inbound_file=write(tmp_path / "inbound.json", rows, mode))

    with pytest.raises(InvalidSettings, match="OTP_INBOUND_FILE"):
        create_app(bank=here.bank)
