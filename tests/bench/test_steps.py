"""What the benchmark of steps makes of what it sees: pace, percentiles, wires and whose time it was."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from bench.budgets import BANK, BANK_HOST, GATEWAY
from bench.pace import AT_ONCE_MOST, arrivals, at_pace
from bench.steps import arrivals_of, figures, own_times, p50_p99, sms_times
from bench.taps import exchanges_in, tap_before
from bench.wire_watch import Exchange, FrameWatch, HttpWatch
from foundation.sensitive import Sensitive
from otp.host.iso8583 import Message, encode
from otp.ports import SmsMessage
from sandbox.phone import PhoneStore
from sandbox.places import CannotRun
from sandbox.running import wait_for

BANK_SECONDS = 0.02
PIECES = [1, 7, 10_000]
"""How many bytes come at a time."""


@contextmanager
def a_bank() -> Iterator[int]:
    """Run a bank that takes its time; yields its port."""

    class Bank(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(BANK_SECONDS)
            self.send_response(200)
            self.send_header("Content-Length", "8")
            self.end_headers()
            self.wfile.write(b"approved")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def pieces(message: bytes, size: int) -> Iterable[bytes]:
    """Cut a message."""
    return (message[at : at + size] for at in range(0, len(message), size))


def http_message(first: bytes, body: bytes) -> bytes:
    """Write a question or an answer."""
    return first + b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


BOTH = {3: "000000", 12: "261128191500", 32: "999100", 37: "633219000001", 41: "10000001", 53: "gw-mac-1;"}
QUESTION = {2: "9990021000000008", 14: "3012", 22: "810001000000", 24: "200", 42: "000000000000001", 43: "Shop"}
QUESTION |= {46: "000000000000", 48: "0201", 49: "364"}
ANSWER = {39: "000"}


def framed(mti: str, stan: str, amount: int, fields: dict[int, str]) -> bytes:
    """Write one message of a purchase."""
    document = {**BOTH, **fields, 11: stan, 4: f"{amount:012}"}
    frame = encode(Message(mti, document), lambda _: bytes(8))
    return len(frame).to_bytes(2, "big") + frame


def test_arrivals_keep_the_pace_and_come_in_bunches() -> None:
    """The same seed gives the same bunches at any pace; some come close together, as independent people do."""
    slow, fast = list(arrivals(2_000, 10.0, seed=1)), list(arrivals(2_000, 20.0, seed=1))
    gaps = [later - earlier for earlier, later in pairwise(slow)]

    assert fast == pytest.approx([due / 2 for due in slow])
    assert mean(gaps) == pytest.approx(0.1, rel=0.1)
    assert min(gaps) < 0.01
    assert max(gaps) > 0.3


def test_a_slow_one_does_not_hold_up_those_who_come_after() -> None:
    """Everybody comes before anybody is done."""
    everybody = threading.Barrier(AT_ONCE_MOST, timeout=20)
    at_pace(AT_ONCE_MOST, 2_000.0, 1, everybody.wait)
    assert not everybody.broken


def test_who_finds_no_place_begins_late_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three who come at once to one place, the last one waits for both before."""
    monkeypatch.setattr("bench.pace.AT_ONCE_MOST", 1)
    assert at_pace(3, 1_000_000.0, 1, lambda: time.sleep(0.05)) >= 0.09


def test_a_failure_ends_the_run() -> None:
    """A purchase that does not go through is no figure."""

    def fail() -> None:
        raise CannotRun("no")

    with pytest.raises(CannotRun):
        at_pace(3, 1_000.0, 1, fail)


def test_p50_and_p99_are_times_within_which_so_many_were_done() -> None:
    """Of 1 to 101 the middle one is 51, and 99 of 100 lie at or below 100; one outlier moves neither to itself."""
    assert p50_p99([float(number) for number in range(101, 0, -1)]) == (51.0, 100.0)
    p50, p99 = p50_p99([1.0] * 999 + [60.0])
    assert (p50, p99) == (1.0, 1.0)


def test_each_round_has_percentiles_of_its_own() -> None:
    """One round in which the machine was busy with something else does not decide what is shown."""
    rounds = [{("open", GATEWAY): [0.01] * 50}, {("open", GATEWAY): [9.0] * 50}, {("open", GATEWAY): [0.02] * 50}]
    assert figures(rounds) == {("open", GATEWAY): ((0.01, 9.0, 0.02), (0.01, 9.0, 0.02))}


@pytest.mark.parametrize("size", PIECES)
def test_an_http_exchange_begins_with_the_last_piece_asked_and_ends_with_the_last_answered(size: int) -> None:
    """However the bytes come, a question and its answer are one exchange, and the next has a connection's own time."""
    watch, at, found = HttpWatch(), 0.0, []
    question = http_message(b"POST /issue HTTP/1.1", b'{"amount": 250001}')
    other = http_message(b"POST /harim/v1/ping HTTP/1.1", b"{}")
    answer = http_message(b"HTTP/1.1 200 OK", b'{"sent": true}')
    last: dict[bool, float] = {}
    for asked in (question, other, question):
        for message, is_answer in ((asked, False), (answer, True)):
            for piece in pieces(message, size):
                last[is_answer] = at = at + 1.0
                found += [(one, last[True] - last[False]) for one in watch.hear(piece, at, answer=is_answer)]

    assert [(one.step, one.amount) for one, _ in found] == [("request PIN", 250_001)] * 2
    assert [one.seconds for one, _ in found] == [seconds for _, seconds in found]


@pytest.mark.parametrize("size", PIECES)
def test_answers_of_the_host_find_their_questions(size: int) -> None:
    """Two purchases at once on one link, answered the other way round: each has its own time."""
    watch = FrameWatch()

    def hear(message: bytes, at: float, *, answer: bool) -> list[Exchange]:
        return [one for piece in pieces(message, size) for one in watch.hear(piece, at, answer=answer)]

    asked = [framed("1200", stan, amount, QUESTION) for stan, amount in (("000001", 250_007), ("000002", 250_008))]
    assert not hear(asked[0], 1.0, answer=False) + hear(asked[1], 2.0, answer=False)
    answered = hear(framed("1210", "000002", 250_008, ANSWER), 5.0, answer=True)
    answered += hear(framed("1210", "000001", 250_007, ANSWER), 8.0, answer=True)

    assert [(one.step, one.amount, one.seconds) for one in answered] == [("pay", 250_008, 3.0), ("pay", 250_007, 7.0)]


def test_a_tap_carries_everything_and_writes_down_how_long_the_bank_took(tmp_path: Path) -> None:
    """A bank behind a tap answers as without it; only its step, its amount and the time are written, nothing else."""
    file = tmp_path / "taps.jsonl"
    with a_bank() as bank, tap_before(bank, file) as port:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as line:
            for amount in (250_001, 250_002):
                line.request("POST", "/authorise", json.dumps({"amount": amount, "pan": "9990021000000008"}))
                assert line.getresponse().read() == b"approved"
        wait_for(lambda: len(exchanges_in(file)) == 2, "the tap to write")
        found = exchanges_in(file)

    assert set(found) == {("pay", 250_001), ("pay", 250_002)}
    assert all(one.seconds >= BANK_SECONDS for one in found.values())
    assert "99900210" not in file.read_text()


def test_the_gateways_own_time_is_what_the_bank_did_not_take() -> None:
    """Where a bank was asked, its time is its own and not the gateway's; elsewhere all of it is the gateway's."""
    took = {1: {"open": 0.02, "request PIN": 0.05, "pay": 0.07}}
    asked = {("request PIN", 1): Exchange("request PIN", 1, 0.0, 0.02), ("pay", 1): Exchange("pay", 1, 0.0, 0.03)}

    found = own_times(took, asked)
    assert found["open", GATEWAY] == [0.02]
    assert found["request PIN", GATEWAY] == pytest.approx([0.03])
    assert found["request PIN", BANK] == [0.02]
    assert found["pay", GATEWAY] == pytest.approx([0.04])
    assert found["pay", BANK_HOST] == [0.03]


def test_a_question_that_no_tap_saw_is_no_figure() -> None:
    """A gateway that went round the tap would look slow: the run ends instead."""
    with pytest.raises(CannotRun, match="pay"):
        own_times({1: {"pay": 0.07}}, {})


def test_an_sms_is_known_by_its_amount_and_timed_from_the_question_to_the_phone(tmp_path: Path) -> None:
    """The text says the amount; how long it took is counted from when the bank was asked."""
    store = PhoneStore(tmp_path / "phone.sqlite")
    for reference, text in (("a", "مبلغ: 250,001 ریال"), ("b", "without an amount")):
        store.add(SmsMessage(reference, "30003303", Sensitive("09120000000"), Sensitive(text), 1.0))

    arrived = arrivals_of(store)
    assert list(arrived) == [250_001]
    asked = {("request PIN", 250_001): Exchange("request PIN", 250_001, arrived[250_001] - 0.25, 0.01)}
    assert sms_times({250_001: {}}, asked, arrived) == pytest.approx([0.25])
