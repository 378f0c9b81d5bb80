"""SMPP 3.4 with centres that do what is allowed and seldom, or what makes no sense: byte by byte."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import smpp34
from structlog.testing import capture_logs

from foundation.sensitive import Sensitive
from otp.ports import SmsAccepted
from otp.sms.failover import Failover, Member
from otp.sms.health import Health
from otp.sms.smpp_link import Link
from tests.fakes.smsc import centre
from tests.otp.sms.accounts import TEXT, message
from tests.otp.sms.test_failover import TAKES, Clock, Scripted
from tests.otp.sms.test_smpp import Heard, answer_bind, bound, fake, started, wait_until

BIND_ANSWER, SUBMIT_ANSWER, UNBIND, UNBIND_ANSWER = 0x80000009, 0x80000004, 0x06, 0x80000006
STATUS_TEXT = struct.pack(">HH", smpp34.TLV_ADDITIONAL_STATUS_INFO_TEXT, 3) + b"ok\0"

_VALID = re.compile(rb"00000000(\d\d)(\d\d)000R\0")


def pdu(command: int, number: int, body: bytes = b"") -> bytes:
    """Write a PDU."""
    return struct.pack(">LLLL", 16 + len(body), command, 0, number) + body


class Pdu(NamedTuple):
    """A PDU as it came."""

    command: int
    number: int
    body: bytes


def heard_by(client: socket.socket) -> Pdu:
    """Read a PDU."""
    length, command, _, number = struct.unpack(">LLLL", exactly(client, 16))
    return Pdu(command, number, exactly(client, length - 16))


def exactly(client: socket.socket, size: int) -> bytes:
    """Read so many bytes."""
    read = b""
    while len(read) < size:
        piece = client.recv(size - len(read))
        assert piece, "the other side has gone"
        read += piece
    return read


def test_optional_parameters_of_answers_are_passed_over(port: int) -> None:
    """Known to the library, not to its class for the PDU: the bind holds, and the message was taken over."""

    def act(client: socket.socket) -> None:
        client.sendall(pdu(BIND_ANSWER, heard_by(client).number, b"smsc\0" + STATUS_TEXT))
        client.sendall(pdu(SUBMIT_ANSWER, heard_by(client).number, b"2a\0" + STATUS_TEXT))
        client.recv(4096)

    with fake(port, act), started(port) as ours:
        assert ours.bound.wait(10)
        assert ours.send(message()) == SmsAccepted("2a")


def test_a_holders_text_may_have_any_optional_parameter(port: int) -> None:
    """It is told and acknowledged, and the link stays as it is."""
    heard = Heard()
    tlvs = [
        smpp34.Tlv(smpp34.TLV_QOS_TIME_TO_LIVE, b"\0\0\0\x3c"),
        smpp34.Tlv(smpp34.TLV_CALLBACK_NUM_PRES_IND, b"\x01"),
        smpp34.Tlv(0x1400, b"of the centre's own"),
        smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, b"4321"),
    ]
    with capture_logs() as lines, bound(port, heard=heard) as (_, theirs):
        assert theirs.deliver(b"", tlvs=tlvs) == 0

    assert heard.told == [("smsc", "989121234567", "4321")]
    assert [line["event"] for line in lines] == ["smpp_bound"]


def headed(place: int) -> dict[str, Any]:
    """Write a part of three with a header."""
    return {"text": bytes((5, 0, 3, 7, 3, place)) + b"4321", "esm_class": 0x40}


def headed_long(place: int) -> dict[str, Any]:
    """Write a part of three with a header of a longer number, after another element."""
    return {"text": bytes((10, 0x24, 1, 0, 8, 4, 7, 7, 3, place)) + b"\0" + b"4321", "esm_class": 0x40}


def numbered(place: int) -> dict[str, Any]:
    """Write a part of three with optional parameters."""
    said = ((smpp34.TLV_SAR_MSG_REF_NUM, b"\0\x07"), (smpp34.TLV_SAR_TOTAL_SEGMENTS, b"\x03"))
    return {
        "text": b"4321",
        "tlvs": [smpp34.Tlv(*each) for each in (*said, (smpp34.TLV_SAR_SEGMENT_SEQNUM, bytes((place,))))],
    }


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
@pytest.mark.parametrize("written", [headed, headed_long, numbered])
def test_a_text_in_parts_is_heard_once_and_is_none_of_four_digits(
    written: Callable[[int], dict[str, Any]], order: tuple[int, ...], port: int
) -> None:
    """Whatever one of its parts looks like, in whatever order they come; all of them are acknowledged."""
    heard = Heard()
    with bound(port, heard=heard) as (_, theirs):
        assert [theirs.deliver(**written(place)) for place in order] == [0, 0, 0]
        assert theirs.deliver(b"1234") == 0

    assert heard.told == [("smsc", "989121234567", ""), ("smsc", "989121234567", "1234")]


@pytest.mark.parametrize("said", [b"\0\0\0\x04", b"\0\0\0\x0c\x80\0\0\x09\0\0\0\0", pdu(BIND_ANSWER, 1, b"no end")])
def test_an_answer_to_bind_without_sense_ends_the_connection_and_nothing_else(said: bytes, port: int) -> None:
    """No more than its length, half a header, a text without its end: the next centre on the port is bound."""

    def act(client: socket.socket) -> None:
        heard_by(client)
        client.sendall(said)

    with capture_logs() as lines, started(port) as ours:
        with fake(port, act):
            wait_until(lambda: any(line["event"] == "smpp_broken" and line["why"] != "unreachable" for line in lines))
        with centre(port):
            wait_until(lambda: isinstance(ours.send(message()), SmsAccepted))


def test_a_centre_that_takes_its_leave_is_answered_and_bound_anew(port: int) -> None:
    """Nothing is sent over a link that the centre has ended."""
    answers = []

    def act(client: socket.socket) -> None:
        answer_bind(client)
        client.sendall(pdu(UNBIND, 77))
        answers.append(heard_by(client))
        client.recv(4096)

    with capture_logs() as lines, started(port) as ours:
        with fake(port, act):
            wait_until(lambda: answers and not ours.bound.is_set())
        with centre(port):
            wait_until(lambda: isinstance(ours.send(message()), SmsAccepted))

    assert answers[0] == (UNBIND_ANSWER, 77, b"")
    assert "unbound" in [line["why"] for line in lines if line["event"] == "smpp_broken"]


def test_f23_a_link_cut_in_the_middle_of_a_window_loses_no_code(port: int) -> None:
    """Six codes, four at a time; two are answered, then the link is cut: the next provider gets the other four."""
    seen: list[Pdu] = []

    def act(client: socket.socket) -> None:
        answer_bind(client)
        if seen:  # the link that was made anew
            client.recv(4096)
            return
        seen.extend(heard_by(client) for _ in range(4))
        for each in seen[:2]:
            client.sendall(pdu(SUBMIT_ANSWER, each.number, b"2a\0"))
        seen.extend(heard_by(client) for _ in range(2))

    sent = [replace(message(), reference=f"sms-{n}", text=Sensitive(f"{TEXT}{n}")) for n in range(6)]
    spare = Scripted(Clock(), [TAKES])
    with capture_logs() as lines, fake(port, act), started(port, window=4) as ours:
        assert ours.bound.wait(10)
        members = [Member("first", ours, 20.0, Health(100)), Member("spare", spare, 5.0, Health(50))]
        both = Failover(members, lambda *_: None)
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda each: both.send(replace(each, timeout_seconds=20.0)), sent))

    words = [each.body[-2 * len(sent[0].text.reveal()) :].decode("utf-16-be") for each in seen]
    assert sorted(words) == [each.text.reveal() for each in sent]
    assert sorted(each.text.reveal() for each in spare.got) == sorted(words[2:])
    assert sorted(str(answer) for answer in answers) == [
        *[str(SmsAccepted("first:2a"))] * 2,
        *[str(SmsAccepted("spare:7"))] * 4,
    ]
    assert [line["why"] for line in lines if line["event"] == "sms_unanswered"] == ["connection lost"] * 4


def test_a_code_dies_at_the_centre_when_it_dies_here(port: int) -> None:
    """Its rest of life goes along as validity; what has no end goes without."""
    sent = []

    def act(client: socket.socket) -> None:
        answer_bind(client)
        for _ in range(2):
            sent.append(heard_by(client))
            client.sendall(pdu(SUBMIT_ANSWER, sent[-1].number, b"2a\0"))
        client.recv(4096)

    with fake(port, act), started(port) as ours:
        assert ours.bound.wait(10)
        for life in (100.0, None):
            assert ours.send(replace(message(), life_seconds=life)) == SmsAccepted("2a")

    dying, lasting = (_VALID.search(each.body) for each in sent)
    assert dying
    assert 80 <= 60 * int(dying[1]) + int(dying[2]) <= 100
    assert lasting is None


def test_what_nobody_thought_of_ends_the_connection_and_nothing_else(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a process has more files open than it can wait for: the link is made anew."""
    attend, troubles = Link.attend, [ValueError("filedescriptor out of range in select()")]

    def troubled(link: Link, wake: socket.socket, seconds: float) -> bool:
        if troubles:
            raise troubles.pop()
        return attend(link, wake, seconds)

    monkeypatch.setattr(Link, "attend", troubled)
    with capture_logs() as lines, bound(port) as (ours, _):
        wait_until(lambda: isinstance(ours.send(message()), SmsAccepted))

    assert [line["why"] for line in lines if line["event"] == "smpp_broken"] == ["ValueError"]
