"""SMPP 3.4 with a centre that somebody else made, and with sockets that misbehave."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from foundation.sensitive import Sensitive
from otp.ports import Fault, Receipt, SmsAccepted, SmsRefused, SmsUnanswered
from otp.sms import smpp
from otp.sms.smpp import SmppProvider
from otp.sms.smpp_centre import Centre as Account
from otp.sms.smpp_words import PART_UNITS, PARTS_MOST, SEVERAL_UNITS, parts_of, place_of, receipt_of, text_of
from tests.fakes.smsc import Centre, centre
from tests.otp.sms.accounts import TEXT, message

LONG = "رمز پویا 🔑 " * 12
RECEIPT = b"id:%s sub:001 dlvrd:001 submit date:2611282330 done date:2611282330 stat:%s err:000 text:"


@dataclass
class Heard:
    """A listener with a memory; ``fails`` is how often it cannot keep what it hears."""

    told: list[tuple[str, ...]] = field(default_factory=list)
    fails: int = 0

    def reported(self, message_id: str, receipt: Receipt) -> None:
        """Remember."""
        self._keep(message_id, receipt)

    def received(self, provider: str, sender: Sensitive[str], text: Sensitive[str]) -> None:
        """Remember."""
        self._keep(provider, sender.reveal(), text.reveal())

    def _keep(self, *words: str) -> None:
        if self.fails:
            self.fails -= 1
            raise OSError
        self.told.append(words)


def account(port: int, **changes: Any) -> Account:
    """Make the bank's account with a centre on this port."""
    values = {"name": "smsc", "host": "127.0.0.1", "port": port, "line": "30003303"}
    secret = {"system_id": Sensitive("bank"), "password": Sensitive("pass")}
    return Account(**{**values, **secret, **changes})


@contextmanager
def started(port: int, heard: Heard | None = None, **changes: Any) -> Iterator[SmppProvider]:
    """Run a provider for the length of the block."""
    provider = SmppProvider(account(port, **changes))
    provider.start(heard or Heard())
    try:
        yield provider
    finally:
        provider.stop()


@contextmanager
def bound(
    port: int, judge: Callable[[Any], int] = lambda _: 0, heard: Heard | None = None, **changes: Any
) -> Iterator[tuple[SmppProvider, Centre]]:
    """Run a centre and a provider that is bound to it."""
    with centre(port, judge) as theirs, started(port, heard, **changes) as ours:
        assert ours.bound.wait(10)
        assert theirs.bound.wait(10)
        yield ours, theirs


def test_a_short_message_is_one_part(port: int) -> None:
    """UCS-2 without a header, to ``98…``, with a receipt wanted."""
    with bound(port) as (ours, theirs):
        answer = ours.send(message())

    (part,) = theirs.got
    assert answer == SmsAccepted("00000001")
    assert (part.short_message.decode("utf-16-be"), part.data_coding, part.esm_class) == (TEXT, 8, 0)
    assert (part.source_addr, part.destination_addr) == ("30003303", "989121234567")
    assert (part.registered_delivery, part.dest_addr_ton, part.dest_addr_npi) == (1, 1, 1)


def test_a_long_message_is_several_parts_and_one_id(port: int) -> None:
    """The last part alone asks for a receipt, and its id is the message's; together the parts are the text."""
    text = Sensitive(LONG)
    sent = message()
    with bound(port) as (ours, theirs):
        answer = ours.send(type(sent)("sms-1", "", sent.mobile, text, 5.0, sent.template))

    numbered = sorted(enumerate(theirs.got, 1), key=lambda each: each[1].short_message[5])
    parts = [part for _, part in numbered]
    assert answer == SmsAccepted(f"{numbered[-1][0]:08x}")
    assert [part.registered_delivery for part in parts] == [0] * (len(parts) - 1) + [1]
    assert {part.esm_class for part in parts} == {0x40}
    assert "".join(text_of(part.short_message, 8, headed=True) for part in parts) == LONG


def test_a_plain_message_asks_for_no_receipt(port: int) -> None:
    """Only what became of codes is kept."""
    with bound(port) as (ours, theirs):
        ours.send(message(templated=False))

    assert theirs.got[0].registered_delivery == 0


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (0x0B, SmsRefused("status 11")),
        (0x58, SmsUnanswered("status 88", Fault.PROVIDER)),
        (0x14, SmsUnanswered("status 20", Fault.PROVIDER)),
        (0x01, SmsUnanswered("status 1", Fault.MESSAGE)),
        (0xFF, SmsUnanswered("status 255", Fault.PROVIDER)),
    ],
)
def test_a_centres_status_has_a_meaning(status: int, answer: Any, port: int) -> None:
    """No such number; throttled; queue full; too long; one of no table."""
    with bound(port, lambda _: status) as (ours, _):
        assert ours.send(message()) == answer


def test_many_messages_go_through_a_small_window(port: int) -> None:
    """Thirty at once, two parts on their way at a time: each gets its own answer."""
    with bound(port, window=2) as (ours, theirs):
        answers: list[Any] = []
        threads = [threading.Thread(target=lambda: answers.append(ours.send(message()))) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(15)

    assert len(theirs.got) == 30
    assert {answer.message_id for answer in answers} == {f"{number:08x}" for number in range(1, 31)}


def test_no_more_is_sent_in_a_second_than_agreed(port: int) -> None:
    """Six at three a second need more than a second."""
    with bound(port, per_second=3) as (ours, _):
        begun = time.monotonic()
        answers = [ours.send(message()) for _ in range(6)]
        took = time.monotonic() - begun

    assert all(isinstance(answer, SmsAccepted) for answer in answers)
    assert took > 1


@pytest.mark.parametrize(
    ("word", "receipt"), [(b"DELIVRD", "delivered"), (b"UNDELIV", "undelivered"), (b"ENROUTE", "waiting")]
)
def test_a_receipt_is_told_to_the_listener(word: bytes, receipt: str, port: int) -> None:
    """By the text that most centres write."""
    heard = Heard()
    with bound(port, heard=heard) as (_, theirs):
        assert theirs.deliver(RECEIPT % (b"0000002a", word), esm_class=4) == 0

    assert heard.told == [("smsc:0000002a", receipt)]


def test_a_receipts_optional_parameters_come_first(port: int) -> None:
    """Some centres write the id in another base into the text."""
    heard = Heard()
    tlvs = [smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"2a\0"), smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x05")]
    with bound(port, heard=heard) as (_, theirs):
        assert theirs.deliver(RECEIPT % (b"42", b"DELIVRD"), esm_class=4, tlvs=tlvs) == 0

    assert heard.told == [("smsc:2a", "undelivered")]


def test_a_holders_text_is_told_to_the_listener(port: int) -> None:
    """In UCS-2, with and without a header."""
    heard = Heard()
    with bound(port, heard=heard) as (_, theirs):
        theirs.deliver("رمز ۴۳۲۱".encode("utf-16-be"), data_coding=8)
        theirs.deliver(b"\x05\x00\x03\x07\x01\x01" + "۴۳۲۱".encode("utf-16-be"), data_coding=8, esm_class=0x40)
        theirs.deliver(b"4321")

    assert heard.told == [
        ("smsc", "989121234567", "رمز ۴۳۲۱"),
        ("smsc", "989121234567", "۴۳۲۱"),
        ("smsc", "989121234567", "4321"),
    ]


def test_what_is_not_kept_is_not_taken_over(port: int) -> None:
    """The database is away: the centre hears so, and tries again."""
    heard = Heard(fails=1)
    with bound(port, heard=heard) as (_, theirs), capture_logs() as lines:
        first = theirs.deliver(b"4321")
        again = theirs.deliver(b"4321")

    assert (first, again) == (smpp.NOT_KEPT, 0)
    assert heard.told == [("smsc", "989121234567", "4321")]
    assert [line["error"] for line in lines if line["event"] == "smpp_not_kept"] == ["OSError"]


def test_nothing_is_sent_before_there_is_a_centre(port: int) -> None:
    """It says so at once, so that the next provider has the time; when the centre comes, it is bound by itself."""
    with started(port) as ours:
        begun = time.monotonic()
        assert ours.send(message()) == SmsUnanswered("not bound")
        assert time.monotonic() - begun < 1
        with centre(port):
            assert ours.bound.wait(10)
            assert ours.send(message()) == SmsAccepted("00000001")


def test_a_centre_that_goes_takes_no_message_along(port: int) -> None:
    """Who waits is told, and the next centre on the port is bound."""
    provider_died = SmsUnanswered("connection lost")
    with started(port) as ours:
        with fake(port, lambda client: answer_bind(client) and client.recv(4096)):
            assert ours.bound.wait(10)
            assert ours.send(message()) == provider_died
        with centre(port):
            wait_until(lambda: isinstance(ours.send(message()), SmsAccepted))


def test_a_refused_bind_is_an_error_in_the_log(port: int) -> None:
    """The operator sees the centre's status, and no password."""

    def refuse(client: socket.socket) -> None:
        number = client.recv(4096)[12:16]
        client.sendall(struct.pack(">LLL", 16, 0x80000009, 0x0E) + number)

    with capture_logs() as lines, fake(port, refuse), started(port):
        wait_until(lambda: any(line["event"] == "smpp_broken" for line in lines))

    assert lines[0] == {"event": "smpp_broken", "provider": "smsc", "why": "bind refused: 14", "log_level": "error"}


def test_a_link_that_ended_before_its_bell_rang_is_stopped_without_an_error(port: int) -> None:
    """Its thread saw the sign to stop first, and nobody listens to the bell any more."""
    ours = SmppProvider(account(port))
    ours.start(Heard())
    thread = next(each for each in threading.enumerate() if each.name == "smpp-smsc")
    ours._stop.set()  # noqa: SLF001 - the moment lies inside of stop()
    thread.join()

    ours.stop()

    assert not ours.bound.is_set()


@pytest.mark.parametrize(
    "said",
    [b"\xff\xff\xff\xff", b"\0\0\0\0", struct.pack(">LLLL", 16, 0x77, 0, 1), b"\0\0\0\x20\0\0\0\x05" + b"\xff" * 24],
)
def test_a_pdu_without_sense_ends_the_connection_and_nothing_else(said: bytes, port: int) -> None:
    """Four gigabytes announced, none, an unknown command, fields that are none: the link is made anew."""
    with started(port) as ours:
        with fake(port, lambda client: (answer_bind(client) and client.sendall(said)) or client.recv(4096)):
            assert ours.bound.wait(10)
            wait_until(lambda: not ours.bound.is_set())
        with centre(port):
            wait_until(lambda: isinstance(ours.send(message()), SmsAccepted))


def test_a_silent_centre_is_asked_and_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while without a word comes ``enquire_link``, after another the end."""
    monkeypatch.setattr(smpp, "ENQUIRE_SECONDS", 0.2)
    monkeypatch.setattr(smpp, "TICK_SECONDS", 0.05)
    got = bytearray()

    def swallow(client: socket.socket) -> None:
        answer_bind(client)
        while piece := client.recv(4096):
            got.extend(piece)

    with fake(port, swallow), started(port) as ours:
        assert ours.bound.wait(10)
        assert ours.send(message(seconds=0.1)) == SmsUnanswered("silent")
        wait_until(lambda: not ours.bound.is_set())

    assert struct.pack(">L", 0x15) in bytes(got)


@given(st.text(max_size=800), st.integers(0, 1000))
def test_parts_put_together_are_the_text(text: str, number: int) -> None:
    """No part is too long, none cuts a character in two, and each says its place."""
    parts = parts_of(text, number) if _encodes(text) else []
    headed = len(parts) > 1
    whole = "".join(text_of(part, 8, headed=headed) for part in parts)

    assert all(len(part) <= 140 for part in parts)
    assert whole == (text if _encodes(text) else "") or (len(parts) == PARTS_MOST and text.startswith(whole))
    if headed:
        assert [place_of(part) for part in parts] == [(place, len(parts)) for place in range(1, len(parts) + 1)]
        assert [part[:6] for part in parts] == [
            bytes((5, 0, 3, number & 0xFF, len(parts), place)) for place in range(1, len(parts) + 1)
        ]
    assert PART_UNITS > SEVERAL_UNITS


@given(st.binary(max_size=300), st.integers(0, 255), st.booleans())
def test_nothing_a_phone_sends_is_an_error_of_ours(content: bytes, coding: int, headed: bool) -> None:  # noqa: FBT001 - given
    """Whatever the bytes and their coding say."""
    assert isinstance(text_of(content, coding, headed=headed), str)
    receipt_of(content, None, coding)
    place_of(content)


def _encodes(text: str) -> bool:
    return not any(0xD800 <= ord(letter) < 0xE000 for letter in text)


def answer_bind(client: socket.socket) -> bool:
    """Say yes to a bind."""
    number = client.recv(4096)[12:16]
    client.sendall(struct.pack(">LLL", 17, 0x80000009, 0) + number + b"\0")
    return True


@contextmanager
def fake(port: int, act: Callable[[socket.socket], object]) -> Iterator[None]:
    """Take connections on this port one after the other, and do this with each."""
    with socket.create_server(("127.0.0.1", port)) as listener:

        def take() -> None:
            while True:
                try:
                    client = listener.accept()[0]
                except OSError:
                    return
                with client:
                    client.settimeout(10)
                    act(client)

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(15)


def wait_until(holds: Callable[[], object]) -> None:
    """Wait for a condition, fifteen seconds at most."""
    ends = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < ends
        threading.Event().wait(0.02)
