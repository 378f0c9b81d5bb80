"""A provider that hangs, drips, floods or sends elsewhere, on real sockets; and its key, which nobody reads."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from foundation.conversation import NoAnswer
from foundation.logs import scrub_text
from otp.ports import Fault, SmsAccepted, SmsAnswer, SmsUnanswered
from otp.sms.accounts import PANELS
from otp.sms.sender import Sender
from tests.fakes.drip import dripping
from tests.fakes.http import Reply, serving
from tests.otp.sms.accounts import ACCOUNTS, CODE, KEY, message, provider

ACCEPTED = b'{"return": {"status": 200}, "entries": [{"messageid": 7}]}'
SECONDS = 0.6


@contextmanager
def silent() -> Iterator[str]:
    """Listen, take connections, and never say a word."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            try:
                while True:
                    taken.append(listener.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=take)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for each in taken:
        each.close()


def timed(address: str, seconds: float = SECONDS) -> tuple[SmsAnswer, float]:
    """Send one message to Kavenegar as reached there; say what came of it and how long it took."""
    begun = time.monotonic()
    return provider("kavenegar", address).send(message(seconds=seconds)), time.monotonic() - begun


def test_f23_a_provider_that_hangs_holds_a_message_no_longer_than_its_time_out() -> None:
    """It takes the connection and is silent."""
    with silent() as address:
        answer, took = timed(address)

    assert answer == SmsUnanswered("silent", Fault.PROVIDER)
    assert took < SECONDS + 1


@pytest.mark.parametrize("when", ["always", "in the body"])
def test_f23_a_dripping_answer_ends_at_the_time_out(when: str) -> None:
    """Each byte comes in time; the whole answer does not."""
    good = Reply(200, body=ACCEPTED + b" " * 500)
    with serving(lambda _: good) as site, dripping(urlsplit(site.url).port or 0, when) as port:
        answer, took = timed(f"http://127.0.0.1:{port}")

    assert answer == SmsUnanswered("silent", Fault.PROVIDER)
    assert took < SECONDS + 1


def test_nobody_there_is_no_answer() -> None:
    """The port is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert timed(f"http://127.0.0.1:{port}")[0] == SmsUnanswered("unreachable", Fault.PROVIDER)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(200, body=ACCEPTED + b" " * 70_000), "incoherent: too large"),
        (Reply(302, {"Location": "http://127.0.0.1:1/"}, b""), "HTTP 302"),
        (Reply(500, body=b"oops"), "HTTP 500"),
        (Reply(raw=b"\x00\x01\x02\r\n\r\n"), "unreachable"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{"), "unreachable"),
        (Reply(raw=b""), "unreachable"),
    ],
)
def test_what_is_no_good_answer_is_no_answer(reply: Reply, why: str) -> None:
    """Too long, a redirect that is not followed, an error's page, garbage, half an answer, none."""
    with serving(lambda _: reply) as site:
        answer, _ = timed(site.url, 5.0)

    assert answer == SmsUnanswered(why, Fault.PROVIDER)


def test_connections_are_kept() -> None:
    """Three messages need one connection."""
    with serving(lambda _: Reply(200, body=ACCEPTED)) as site:
        here = provider("kavenegar", site.url)
        answers = [here.send(message()) for _ in range(3)]

        assert answers == [SmsAccepted("7")] * 3
        assert site.connections == 1


def test_a_kept_connection_that_was_closed_meanwhile_costs_no_message() -> None:
    """The provider closes after each answer without saying so; the second message goes over a new connection."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ACCEPTED), ACCEPTED)
    with serving(lambda _: Reply(raw=whole)) as site:
        here = provider("kavenegar", site.url)

        assert [here.send(message()) for _ in range(3)] == [SmsAccepted("7")] * 3


def test_a_key_in_an_address_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not even where the library logs all it does and the provider's headers are broken: the scrubber holds it back."""
    broken = b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: %d\r\n\r\n%s" % (len(ACCEPTED), ACCEPTED)
    with caplog.at_level(logging.DEBUG), serving(lambda _: Reply(raw=broken)) as site:
        here = provider("kavenegar", site.url)
        answer = here.send(message())
    said = [scrub_text(record.getMessage()) for record in caplog.records]

    assert any("/v1/" in line for line in said)
    assert [line for line in said if KEY in line or CODE in line] == []
    assert KEY not in repr(answer) + repr(here)


def test_a_key_in_an_address_is_in_no_exception() -> None:
    """What is raised inside says why in the bank's own words, and nothing printed of it knows the address."""
    request = PANELS["kavenegar"].send(ACCOUNTS["kavenegar"], "http://127.0.0.1:1", message())
    with pytest.raises(NoAnswer) as raised:
        Sender().exchange(request, 1.0)

    printed = "".join(traceback.format_exception(raised.value))
    assert str(raised.value) == "unreachable"
    assert [text for text in (printed, repr(request)) if KEY in text or CODE in text] == []
